//! `vm open-port`: a rule in the NSG of the VM's NIC or subnet, which gets an
//! NSG first if it has none.

use arm::{Client, ResourceId};
use serde_json::{Value, json};

use super::{side_by_side, targets};
use crate::api::{self, AROUND, NETWORK, VM};
use crate::args::vm::OpenPort;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(super) async fn run(args: OpenPort, context: &Context) -> Result<Answer, Failure> {
    let rule = rule(&args.port, args.priority)?;
    let vms = targets::read(&args.vm)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    side_by_side::each(context, vms, |vm| {
        let client = session.client.clone();
        let (rule, nsg, on_subnet) =
            (rule.clone(), args.nsg_name.clone(), args.apply_to_subnet);
        async move { open(&client, &vm, &rule, nsg, on_subnet).await }
    })
    .await
}

/// A rule: its name and its body, as az makes them.
fn rule(port: &str, priority: u16) -> Result<(String, Value), Failure> {
    if !(100..=4096).contains(&priority) {
        return Err(Failure::usage(format!("{priority} is not a priority"))
            .next("use one from 100, which is asked first, to 4096"));
    }
    let ports: Vec<&str> = port.split(',').map(str::trim).collect();
    if let Some(bad) = ports.iter().find(|part| !is_ports(part)) {
        return Err(Failure::usage(format!("'{bad}' is not a port"))
            .next("use 22, 8000-8010, 80,443, or '*' for all of them"));
    }
    let name = match port {
        "*" => "open-port-all".to_owned(),
        _ => format!("open-port-{}", ports.join("_")),
    };
    let mut properties = json!({
        "access": "allow",
        "destinationAddressPrefix": "*",
        "direction": "inbound",
        "priority": priority,
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
    });
    if ports.len() == 1 {
        properties["destinationPortRange"] = ports[0].into();
    } else {
        properties["destinationPortRanges"] = json!(ports);
    }
    Ok((name, json!({ "properties": properties })))
}

fn is_ports(text: &str) -> bool {
    let number = |text: &str| text.parse::<u16>().ok();
    match text.split_once('-') {
        Some((first, last)) => {
            number(first).zip(number(last)).is_some_and(|(first, last)| first <= last)
        }
        None => text == "*" || number(text).is_some(),
    }
}

async fn open(
    client: &Client,
    id: &ResourceId,
    (name, rule): &(String, Value),
    nsg_name: Option<String>,
    on_subnet: bool,
) -> Result<Value, Failure> {
    let vm = client.get(&api::path(id, VM)).await?;
    let nics = vm["properties"]["networkProfile"]["networkInterfaces"].as_array();
    let nic = match nics.map(Vec::as_slice).unwrap_or_default() {
        [nic] => reference(nic)?,
        [] => {
            return Err(Failure::new(format!(
                "No NIC associated with VM '{}'",
                id.name()
            )));
        }
        _ => {
            return Err(Failure::new(
                "Multiple NICs is not supported for this command. Create rules on the NSG \
                 directly.",
            ));
        }
    };
    let nic_document = client.get(&api::path(&nic, NETWORK)).await?;
    let (holder, mut document) = if on_subnet {
        let subnet = reference(
            &nic_document["properties"]["ipConfigurations"][0]["properties"]["subnet"],
        )?;
        let document = client.get(&api::path(&subnet, NETWORK)).await?;
        (subnet, document)
    } else {
        (nic, nic_document)
    };
    let nsg = match reference(&document["properties"]["networkSecurityGroup"]) {
        Ok(nsg) => nsg,
        Err(_) => {
            let name = nsg_name.unwrap_or_else(|| format!("{}NSG", id.name()));
            let nsg = make_nsg(client, id, &name, &vm["location"]).await?;
            document["properties"]["networkSecurityGroup"] = json!({ "id": nsg });
            client.put(&api::path(&holder, NETWORK), &document).await?;
            nsg
        }
    };
    let rule_id = nsg
        .with_child("securityRules", name)
        .map_err(|error| Failure::usage(error.to_string()))?;
    client.put(&api::path(&rule_id, AROUND), rule).await?;
    Ok(flat(client.get(&api::path(&nsg, AROUND)).await?))
}

/// The NSG of that name in the VM's group, made if need be.
async fn make_nsg(
    client: &Client,
    vm: &ResourceId,
    name: &str,
    location: &Value,
) -> Result<ResourceId, Failure> {
    let group = vm.group().unwrap_or_default();
    let nsg = ResourceId::of_group(vm.subscription(), group)
        .and_then(|group| {
            group.with_resource("Microsoft.Network", "networkSecurityGroups", name)
        })
        .map_err(|_| Failure::usage(format!("'{name}' cannot be the name of an NSG")))?;
    let path = api::path(&nsg, NETWORK);
    match client.get(&path).await {
        Ok(_) => {}
        Err(error) if error.is_not_found() => {
            client.put(&path, &json!({ "location": location, "properties": {} })).await?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(nsg)
}

fn reference(value: &Value) -> Result<ResourceId, Failure> {
    value["id"]
        .as_str()
        .and_then(|id| ResourceId::parse(id).ok())
        .ok_or_else(|| Failure::new("ARM gave no id where one must be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_named_after_their_ports() {
        let (name, body) = rule("80,443", 900).unwrap();
        assert_eq!(name, "open-port-80_443");
        assert_eq!(body["properties"]["destinationPortRanges"], json!(["80", "443"]));
        let (name, body) = rule("*", 100).unwrap();
        assert_eq!(name, "open-port-all");
        assert_eq!(body["properties"]["destinationPortRange"], "*");
    }

    #[test]
    fn what_is_no_port_or_priority_is_refused() {
        for (port, priority) in
            [("x", 900), ("70000", 900), ("9-8", 900), ("", 900), ("22", 99)]
        {
            assert_eq!(
                rule(port, priority).unwrap_err().exit_code(),
                2,
                "{port} {priority}"
            );
        }
    }
}

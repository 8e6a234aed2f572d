//! `network nic ip-config`
//!
//! ARM has no requests of their own for IP configurations: each verb reads the
//! NIC, and writes it back.

use serde_json::{Value, json};

use crate::args::network::ip_config::{
    Attachments, Change, Create, InboundNatRule, IpConfig, NatRule, Options,
};
use crate::commands::noun::part::{self, Parent};
use crate::commands::noun::{self, Properties, at};
use crate::context::Context;
use crate::edit;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

const RULES: &str = "loadBalancerInboundNatRules";

pub(super) async fn run(command: IpConfig, context: &Context) -> Result<Answer, Failure> {
    match command {
        IpConfig::Create(args) => create(*args, context).await,
        IpConfig::List(args) => part::list(args, context).await,
        IpConfig::Show(args) => part::show(args, context).await,
        IpConfig::Update(args) => update(*args, context).await,
        IpConfig::Delete(args) => {
            part::delete(args.named, args.wait.no_wait, context).await
        }
        IpConfig::InboundNatRule(InboundNatRule::Add(args)) => add(args, context).await,
        IpConfig::InboundNatRule(InboundNatRule::Remove(args)) => {
            remove(args, context).await
        }
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let mut nic = Parent::of(&args.named, context).await?;
    let mut properties = json!({
        "primary": args.options.make_primary.unwrap_or(false),
        "privateIPAddressVersion": "IPv4", "privateIPAllocationMethod": "Dynamic",
    });
    if args.options.subnet.is_none() {
        // Beside the primary one, unless somebody says otherwise.
        let primary = nic.parts.iter().find(|part| part["properties"]["primary"] == true);
        let subnet = primary.map(|part| &part["properties"]["subnet"]["id"]);
        properties["subnet"] = json!({ "id": subnet });
    }
    let Options { make_primary, subnet, attachments } = &args.options;
    set(&mut properties, subnet.as_ref(), attachments, &nic.session, &nic.group)?;
    only_primary(&mut nic.parts, *make_primary);
    let name = args.named.name;
    nic.parts.push(json!({ "name": name, "properties": properties }));
    nic.answer(&name, args.wait.no_wait).await
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    let mut nic = Parent::of(&args.named, context).await?;
    let Options { make_primary, subnet, attachments } = &args.options;
    only_primary(&mut nic.parts, *make_primary);
    let (session, group) = (nic.session.clone(), nic.group.clone());
    let part = nic.part(&args.named.name)?;
    let properties = at(part, "properties");
    set(properties, subnet.as_ref(), attachments, &session, &group)?;
    if let Some(primary) = make_primary {
        properties["primary"] = (*primary).into();
    }
    edit::apply(part, &args.edits)?;
    nic.answer(&args.named.name, args.wait.no_wait).await
}

/// One configuration is the primary one.
fn only_primary(parts: &mut [Value], make_primary: Option<bool>) {
    if make_primary == Some(true) {
        for part in parts {
            part["properties"]["primary"] = false.into();
        }
    }
}

/// Sets what the flags say.
pub(super) fn set(
    properties: &mut Value,
    subnet: Option<&String>,
    flags: &Attachments,
    session: &Session,
    group: &str,
) -> Result<(), Failure> {
    let network = |kind: &str| format!("Microsoft.Network/{kind}");
    let vnet = flags.vnet_name.as_deref().unwrap_or_default();
    if let Some(subnet) = subnet
        && !subnet.starts_with('/')
        && vnet.is_empty()
    {
        return Err(Failure::new(format!(
            "--subnet '{subnet}' is a name: say which network it is in with --vnet-name, \
             or give the subnet's ID"
        )));
    }
    let balancer = |what: &str, names: &Option<Vec<String>>| {
        let balancer = flags.lb_name.as_deref().unwrap_or_default();
        let kind = network(&format!("loadBalancers/{balancer}/{what}"));
        noun::references(session, group, &kind, names.as_deref())
    };
    let asgs = network("applicationSecurityGroups");
    let mut address = Properties::default();
    if let Some(text) = &flags.private_ip_address {
        let dynamic = text.is_empty() || text == "null";
        address = address.with("privateIPAddress", Some(noun::or_null(text))).with(
            "privateIPAllocationMethod",
            Some(if dynamic { "Dynamic" } else { "Static" }),
        );
    }
    address
        .with("privateIPAddressVersion", flags.private_ip_address_version.as_deref())
        .with(
            "subnet",
            noun::attached(
                session,
                group,
                network(&format!("virtualNetworks/{vnet}/subnets")),
                subnet,
            ),
        )
        .with(
            "publicIPAddress",
            noun::attached(
                session,
                group,
                network("publicIPAddresses"),
                flags.public_ip_address.as_ref(),
            ),
        )
        .with(
            "applicationSecurityGroups",
            noun::references(
                session,
                group,
                &asgs,
                flags.application_security_groups.as_deref(),
            ),
        )
        .with(
            "loadBalancerBackendAddressPools",
            balancer("backendAddressPools", &flags.lb_address_pools),
        )
        .with(RULES, balancer("inboundNatRules", &flags.lb_inbound_nat_rules))
        .put_into(properties)
}

fn rule_id(args: &NatRule, nic: &Parent) -> Value {
    let balancer = args.lb_name.as_deref().unwrap_or_default();
    let kind = format!("Microsoft.Network/loadBalancers/{balancer}/inboundNatRules");
    noun::reference(&nic.session, &nic.group, kind, &args.inbound_nat_rule)
}

async fn add(args: NatRule, context: &Context) -> Result<Answer, Failure> {
    let mut nic = Parent::of(&args.named, context).await?;
    let rule = rule_id(&args, &nic);
    let rules = at(nic.part(&args.named.name)?, "properties");
    match &mut rules[RULES] {
        Value::Array(rules) => rules.push(rule),
        none => *none = json!([rule]),
    }
    nic.answer(&args.named.name, args.wait.no_wait).await
}

async fn remove(args: NatRule, context: &Context) -> Result<Answer, Failure> {
    let mut nic = Parent::of(&args.named, context).await?;
    let rule = rule_id(&args, &nic);
    let part = nic.part(&args.named.name)?;
    if let Value::Array(rules) = &mut part["properties"][RULES] {
        let before = rules.len();
        rules.retain(|present| !same(present, &rule));
        if rules.len() == before {
            return Err(Failure::new("ResourceNotFoundError"));
        }
    }
    nic.write(args.wait.no_wait).await?;
    Ok(Answer::done())
}

fn same(one: &Value, other: &Value) -> bool {
    match (one["id"].as_str(), other["id"].as_str()) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => false,
    }
}

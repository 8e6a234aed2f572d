//! What the cloud's network does with a connection to the SSH port.
//!
//! The documents are fetched in waves (NIC; what it points to; what that points to),
//! and the decision is made here by the same engine that the local cloud's fabric is
//! compiled from. Azure's own `ipFlowVerify` would need a Network Watcher and tens of
//! seconds.

use std::net::{IpAddr, Ipv4Addr};

use doctor::case::{FlowDecision, NetworkPath, Section};
use ipnet::IpNet;
use network::route::{Route, Routes, Surroundings};
use network::{Access, Attachment, Direction, Flow, Nsg, Protocol, Tags, decide};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::collect::{Watcher, asked, ended, text};
use crate::{Request, why};

/// The api-version of network resources.
pub(crate) const API: &str = "2024-05-01";

/// Stands for a client somewhere on the Internet whose address nobody knows
/// (RFC 5737). The section then says that the client's address is not known.
const SOMEBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));

/// A source port for the flow: a client's port is any high one.
const CLIENT_PORT: u16 = 50_000;

/// Collects the network section.
pub(crate) async fn network(
    request: &Request,
    vm: &Section<Value>,
    watch: Watcher<'_>,
) -> Section<NetworkPath> {
    let section = match vm {
        Section::Collected(vm) => {
            asked(watch, "network");
            let documents = match request.cloud() {
                Ok((cloud, _)) => fetch(cloud, vm).await,
                Err(why) => Err(why.to_owned()),
            };
            let path = documents.and_then(|documents| {
                documents.path(request.client_address(), request.port)
            });
            Section::from(path)
        }
        Section::Failed(why) | Section::NotTried(why) => Section::NotTried(why.clone()),
    };
    ended(watch, "network", section)
}

/// The ARM documents along one NIC's way.
#[derive(Debug, Default)]
struct Documents {
    nic: Value,
    public_ips: Vec<Value>,
    vnet: Value,
    nic_nsg: Option<Value>,
    subnet_nsg: Option<Value>,
    route_table: Option<Value>,
}

async fn fetch(cloud: &arm::Client, vm: &Value) -> Result<Documents, String> {
    let id = primary_nic(vm).ok_or("the VM has no network interface")?;
    let nic = get(cloud, id).await?;
    let subnet_id = address_configuration(&nic)
        .and_then(|configuration| text(configuration, "/properties/subnet/id"))
        .ok_or("the network interface is in no subnet")?;
    // `.../virtualNetworks/v/subnets/s`
    let vnet_id = subnet_id
        .rsplit_once("/subnets/")
        .map(|(vnet, _)| vnet)
        .ok_or_else(|| format!("{subnet_id} is no subnet"))?;
    let (subnet, vnet, nic_nsg, public_ips) = tokio::join!(
        get(cloud, subnet_id),
        get(cloud, vnet_id),
        follow(cloud, &nic, "/properties/networkSecurityGroup/id"),
        public_ips(cloud, &nic),
    );
    let subnet = subnet?;
    let (subnet_nsg, route_table) = tokio::join!(
        follow(cloud, &subnet, "/properties/networkSecurityGroup/id"),
        follow(cloud, &subnet, "/properties/routeTable/id"),
    );
    Ok(Documents {
        public_ips: public_ips?,
        vnet: vnet?,
        nic_nsg: nic_nsg?,
        subnet_nsg: subnet_nsg?,
        route_table: route_table?,
        nic,
    })
}

async fn get(cloud: &arm::Client, id: &str) -> Result<Value, String> {
    let path = format!("{id}?api-version={API}");
    cloud.get(&path).await.map_err(|error| why::chain(&error))
}

/// The document that a property points to, if it points to one.
async fn follow(
    cloud: &arm::Client,
    from: &Value,
    pointer: &str,
) -> Result<Option<Value>, String> {
    match text(from, pointer) {
        Some(id) => get(cloud, id).await.map(Some),
        None => Ok(None),
    }
}

async fn public_ips(cloud: &arm::Client, nic: &Value) -> Result<Vec<Value>, String> {
    let mut fetching = JoinSet::new();
    for configuration in configurations(nic) {
        if let Some(id) = text(configuration, "/properties/publicIPAddress/id") {
            let (cloud, id) = (cloud.clone(), id.to_owned());
            fetching.spawn(async move { get(&cloud, &id).await });
        }
    }
    fetching.join_all().await.into_iter().collect()
}

fn array<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn configurations(nic: &Value) -> &[Value] {
    array(nic, "/properties/ipConfigurations")
}

fn is_primary(value: &Value) -> bool {
    value.pointer("/properties/primary").and_then(Value::as_bool).unwrap_or(false)
}

fn primary_nic(vm: &Value) -> Option<&str> {
    let nics = array(vm, "/properties/networkProfile/networkInterfaces");
    let nic = nics.iter().find(|nic| is_primary(nic)).or_else(|| nics.first())?;
    text(nic, "/id")
}

fn address_configuration(nic: &Value) -> Option<&Value> {
    let all = configurations(nic);
    all.iter().find(|one| is_primary(one)).or_else(|| all.first())
}

/// The CIDR blocks of a list of texts.
fn prefixes(value: &Value, pointer: &str) -> Vec<IpNet> {
    array(value, pointer)
        .iter()
        .filter_map(|prefix| prefix.as_str()?.parse().ok())
        .collect()
}

impl Documents {
    /// What they mean for a connection from `client` to `port`.
    fn path(&self, client: Option<IpAddr>, port: u16) -> Result<NetworkPath, String> {
        let configuration = address_configuration(&self.nic);
        let private = configuration
            .and_then(|one| text(one, "/properties/privateIPAddress")?.parse().ok());
        let public_addresses: Vec<String> = self
            .public_ips
            .iter()
            .filter_map(|ip| text(ip, "/properties/ipAddress").map(str::to_owned))
            .collect();
        let source = client.unwrap_or(SOMEBODY);
        let mut path = NetworkPath {
            client_address: client.map(|address| address.to_string()),
            public_addresses,
            private_address: private.map(|address: IpAddr| address.to_string()),
            nic: text(&self.nic, "/id").map(str::to_owned),
            inbound: None,
            reply_next_hop: None,
            reply_route_table: None,
            used_priorities: Vec::new(),
        };
        if let Some(private) = private {
            let flow = Flow {
                direction: Direction::Inbound,
                protocol: Protocol::Tcp,
                source,
                source_port: CLIENT_PORT,
                destination: private,
                destination_port: port,
            };
            self.decide(&flow, &mut path)?;
        }
        let routes = self.routes()?;
        let reply = routes.next_hop(source);
        path.reply_next_hop =
            Some(reply.map_or("None", |route| route.next_hop.kind()).to_owned());
        path.reply_route_table = reply.and_then(|route| route.table.clone());
        Ok(path)
    }

    fn decide(&self, flow: &Flow, path: &mut NetworkPath) -> Result<(), String> {
        let read = |document: &Option<Value>| {
            document.as_ref().map(Nsg::from_arm).transpose().map_err(|e| e.to_string())
        };
        let (nic, subnet) = (read(&self.nic_nsg)?, read(&self.subnet_nsg)?);
        let attached: Vec<(Attachment, &Nsg)> =
            [(Attachment::Subnet, &subnet), (Attachment::NetworkInterface, &nic)]
                .into_iter()
                .filter_map(|(level, nsg)| Some((level, nsg.as_ref()?)))
                .collect();
        let tags = self.tags(flow.destination);
        let decision = decide(&attached, flow, &tags);
        let access = match decision.access {
            // A public address of the Standard SKU is closed until an NSG opens it.
            _ if attached.is_empty() && self.is_standard() => Access::Deny,
            access => access,
        };
        let deciding = decision.deciding();
        path.inbound = Some(FlowDecision {
            access: access.to_string(),
            allowed: Vec::new(),
            rule: deciding.map(|one| one.rule.name.clone()),
            priority: deciding.map(|one| one.rule.priority),
            default_rule: deciding.is_some_and(|one| one.rule.default),
            nsg: deciding.map(|one| one.nsg.id.clone()),
            attached_to: deciding.map(|one| one.attachment.to_string()),
        });
        if let Some(deciding) = deciding.filter(|_| access == Access::Deny) {
            let rules = deciding.nsg.rules(Direction::Inbound).iter();
            path.used_priorities =
                rules.filter(|rule| !rule.default).map(|rule| rule.priority).collect();
        }
        Ok(())
    }

    fn is_standard(&self) -> bool {
        self.public_ips.iter().any(|ip| {
            text(ip, "/sku/name").is_some_and(|sku| sku.eq_ignore_ascii_case("standard"))
        })
    }

    fn tags(&self, private: IpAddr) -> Tags {
        let mut around = self.address_space();
        around.extend(self.peered());
        let groups = address_configuration(&self.nic)
            .map_or(&[][..], |one| array(one, "/properties/applicationSecurityGroups"));
        groups
            .iter()
            .filter_map(|group| text(group, "/id"))
            .fold(Tags::new(around), |tags, group| tags.group(group, [private]))
    }

    fn address_space(&self) -> Vec<IpNet> {
        prefixes(&self.vnet, "/properties/addressSpace/addressPrefixes")
    }

    fn peered(&self) -> Vec<IpNet> {
        array(&self.vnet, "/properties/virtualNetworkPeerings")
            .iter()
            .filter(|peer| text(peer, "/properties/peeringState") == Some("Connected"))
            .flat_map(|peer| {
                prefixes(peer, "/properties/remoteAddressSpace/addressPrefixes")
            })
            .collect()
    }

    fn routes(&self) -> Result<Routes, String> {
        let mut routes = Surroundings {
            address_space: self.address_space(),
            peered: self.peered(),
            service_endpoints: Vec::new(),
        }
        .system_routes();
        if let Some(table) = &self.route_table {
            let id = text(table, "/id").unwrap_or_default();
            for route in array(table, "/properties/routes") {
                let name = text(route, "/name").unwrap_or_default();
                let properties = route.get("properties").unwrap_or(&Value::Null);
                // A route by service tag is not followed: it never leads to a client.
                let of_tag = text(route, "/properties/addressPrefix")
                    .is_some_and(|prefix| !prefix.contains('/'));
                if !of_tag {
                    routes.push(
                        Route::from_arm(id, name, properties)
                            .map_err(|error| error.to_string())?,
                    );
                }
            }
        }
        Ok(Routes::new(routes))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(name: &str, priority: u16, access: &str, source: &str) -> Value {
        json!({ "name": name, "properties": {
            "priority": priority, "direction": "Inbound", "access": access,
            "protocol": "Tcp", "sourceAddressPrefix": source, "sourcePortRange": "*",
            "destinationAddressPrefix": "*", "destinationPortRange": "22",
        }})
    }

    fn nsg(name: &str, rules: &[Value]) -> Value {
        json!({ "id": format!("/nsg/{name}"), "properties": { "securityRules": rules } })
    }

    fn documents() -> Documents {
        Documents {
            nic: json!({ "id": "/nic", "properties": { "ipConfigurations": [
                { "properties": { "privateIPAddress": "10.0.0.4", "primary": true } },
            ]}}),
            public_ips: vec![json!({
                "sku": { "name": "Standard" },
                "properties": { "ipAddress": "127.64.0.4" },
            })],
            vnet: json!({ "properties": { "addressSpace": {
                "addressPrefixes": ["10.0.0.0/16"],
            }}}),
            ..Documents::default()
        }
    }

    fn inbound(documents: &Documents) -> (NetworkPath, FlowDecision) {
        let client = "198.51.100.7".parse().ok();
        let path = documents.path(client, 22).unwrap();
        let inbound = path.inbound.clone().unwrap();
        (path, inbound)
    }

    #[test]
    fn the_nsg_that_denies_is_named_with_the_priorities_that_are_taken() {
        let mut documents = documents();
        documents.subnet_nsg = Some(nsg("subnet", &[rule("ssh", 300, "Allow", "*")]));
        documents.nic_nsg = Some(nsg(
            "nic",
            &[rule("office", 100, "Allow", "192.0.2.0/24"), rule("no", 200, "Deny", "*")],
        ));
        let (path, inbound) = inbound(&documents);
        assert_eq!(inbound.access, "Deny");
        assert_eq!(inbound.rule.as_deref(), Some("no"));
        assert_eq!(inbound.priority, Some(200));
        assert_eq!(inbound.nsg.as_deref(), Some("/nsg/nic"));
        assert_eq!(inbound.attached_to.as_deref(), Some("networkInterface"));
        assert!(!inbound.default_rule);
        assert_eq!(path.used_priorities, [100, 200]);
        assert_eq!(path.public_addresses, ["127.64.0.4"]);
        assert_eq!(path.reply_next_hop.as_deref(), Some("Internet"));
    }

    #[test]
    fn a_standard_address_without_an_nsg_is_closed_and_a_basic_one_is_open() {
        let mut documents = documents();
        let (_, standard) = inbound(&documents);
        assert_eq!((standard.access.as_str(), standard.rule), ("Deny", None));
        documents.public_ips[0]["sku"]["name"] = "Basic".into();
        assert_eq!(inbound(&documents).1.access, "Allow");
    }

    #[test]
    fn a_route_that_drops_the_reply_is_found_with_its_table() {
        let mut documents = documents();
        documents.route_table = Some(json!({ "id": "/table", "properties": { "routes": [
            { "name": "hole", "properties": {
                "addressPrefix": "198.51.100.0/24", "nextHopType": "None" } },
            { "name": "tag", "properties": {
                "addressPrefix": "Storage", "nextHopType": "Internet" } },
        ]}}));
        let (path, _) = inbound(&documents);
        assert_eq!(path.reply_next_hop.as_deref(), Some("None"));
        assert_eq!(path.reply_route_table.as_deref(), Some("/table"));
    }

    #[test]
    fn an_unknown_client_is_somebody_on_the_internet_and_marked_as_unknown() {
        let mut documents = documents();
        documents.nic_nsg = Some(nsg("nic", &[rule("ssh", 100, "Allow", "Internet")]));
        let path = documents.path(None, 22).unwrap();
        assert_eq!(path.client_address, None);
        assert_eq!(path.inbound.unwrap().access, "Allow");
    }
}

//! A topology of `vectors.json` as this crate's values.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use ipnet::IpNet;
use network::route::{Route, Routes, Surroundings};
use network::{
    Access, Affinity, Attachment, Direction, Flow, Frontends, Nsg, Protocol, Rule, Tags,
    Translation, Via, decide,
};
use serde_json::{Value, json};

/// The strings of a list; none for anything else.
pub(crate) fn texts(list: &Value) -> impl Iterator<Item = &str> {
    items(list).map(|item| item.as_str().unwrap())
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn nets(list: &Value) -> impl Iterator<Item = IpNet> {
    texts(list).map(|net| net.parse().unwrap())
}

fn named<'a>(list: &'a Value, name: &Value) -> &'a Value {
    items(list).find(|item| item["name"] == *name).unwrap()
}

pub(crate) struct Topology(Value);

impl Topology {
    pub(crate) fn new(topology: &Value) -> Topology {
        Topology(topology.clone())
    }

    fn nic(&self, name: &str) -> &Value {
        named(&self.0["nics"], &json!(name))
    }

    fn vnet(&self, nic: &Value) -> &Value {
        named(&self.0["vnets"], &nic["vnet"])
    }

    fn subnet(&self, nic: &Value) -> &Value {
        named(&self.vnet(nic)["subnets"], &nic["subnet"])
    }

    /// The NSGs that the NIC's flows meet.
    pub(crate) fn nsgs_of(&self, nic: &str) -> Vec<(Attachment, Nsg)> {
        let nic = self.nic(nic);
        let attached = [
            (Attachment::NetworkInterface, &nic["nsg"]),
            (Attachment::Subnet, &self.subnet(nic)["nsg"]),
        ];
        attached
            .into_iter()
            .filter_map(|(attachment, nsg)| Some((attachment, self.nsg(nsg.as_str()?))))
            .collect()
    }

    fn nsg(&self, name: &str) -> Nsg {
        let rules = items(&self.0["nsgs"][name]["securityRules"]);
        Nsg::new(name, rules.map(rule)).unwrap()
    }

    /// The tags as the first network sees them: its ranges and those of its peers.
    pub(crate) fn tags(&self) -> Tags {
        let vnet = &self.0["vnets"][0];
        let peers = items(&vnet["peerings"])
            .filter(|peering| peering["peeringState"] == "Connected")
            .flat_map(|peering| nets(&peering["remoteAddressSpace"]));
        let mut tags = Tags::new(nets(&vnet["addressSpace"]).chain(peers));
        for (name, prefixes) in self.0["serviceTags"].as_object().into_iter().flatten() {
            tags = tags.service(name, nets(prefixes));
        }
        for nic in items(&self.0["nics"]) {
            for group in texts(&nic["asgs"]) {
                tags = tags.group(group, [address(&nic["ip"])]);
            }
        }
        tags
    }

    /// The flow of an `ip_flow` question.
    pub(crate) fn flow(&self, question: &Value) -> Flow {
        let port =
            |field: &str| u16::try_from(question[field].as_u64().unwrap()).unwrap();
        let nic = self.nic(question["nic"].as_str().unwrap());
        let local = (address(&nic["ip"]), port("localPort"));
        let remote = (address(&question["remoteIPAddress"]), port("remotePort"));
        let (direction, source, destination) = match question["direction"].as_str() {
            Some("Inbound") => (Direction::Inbound, remote, local),
            Some("Outbound") => (Direction::Outbound, local, remote),
            other => panic!("direction {other:?}"),
        };
        let protocol = match question["protocol"].as_str() {
            Some("TCP") => Protocol::Tcp,
            Some("UDP") => Protocol::Udp,
            other => panic!("protocol {other:?}"),
        };
        Flow {
            direction,
            protocol,
            source: source.0,
            source_port: source.1,
            destination: destination.0,
            destination_port: destination.1,
        }
    }

    /// The private address of a NIC.
    pub(crate) fn address_of(&self, nic: &str) -> Ipv4Addr {
        self.nic(nic)["ip"].as_str().unwrap().parse().unwrap()
    }

    /// A machine with a public address of its own, public and private.
    pub(crate) const INSTANCE: (Ipv4Addr, Ipv4Addr) =
        (Ipv4Addr::new(198, 51, 100, 99), Ipv4Addr::new(10, 1, 0, 99));

    /// The load balancers' frontends and one machine's own address.
    pub(crate) fn frontends(&self) -> Frontends {
        let translations = items(&self.0["loadBalancers"]).flat_map(|balancer| {
            items(&balancer["inboundNatRules"]).map(|rule| {
                let port =
                    |field: &str| u16::try_from(rule[field].as_u64().unwrap()).unwrap();
                let frontend = named(&balancer["frontends"], &rule["frontend"]);
                let address =
                    frontend["publicIp"].as_str().or(frontend["privateIp"].as_str());
                let backend = self.address_of(rule["backendNic"].as_str().unwrap());
                Translation {
                    via: Via::InboundNatRule,
                    rule: format!("inboundNatRules/{}", rule["name"].as_str().unwrap()),
                    frontend: address.unwrap().parse().unwrap(),
                    protocol: Protocol::Tcp.number().unwrap(),
                    port: port("frontendPort"),
                    targets: vec![SocketAddrV4::new(backend, port("backendPort"))],
                    affinity: Affinity::default(),
                }
            })
        });
        Frontends::new(translations, [Self::INSTANCE])
    }

    /// What the NSGs do with a client's connection behind the load balancer. Behind
    /// one of the Standard SKU a machine without NSGs is closed as by the default
    /// rules.
    pub(crate) fn access_behind(
        &self,
        target: &SocketAddrV4,
        nic: &str,
        question: &Value,
    ) -> Access {
        let mut nsgs = self.nsgs_of(nic);
        if nsgs.is_empty() && self.0["loadBalancers"][0]["sku"] == "Standard" {
            nsgs.push((Attachment::NetworkInterface, Nsg::new("closed", []).unwrap()));
        }
        let nsgs: Vec<_> = nsgs.iter().map(|(at, nsg)| (*at, nsg)).collect();
        let flow = Flow {
            direction: Direction::Inbound,
            protocol: Protocol::Tcp,
            source: address(&question["clientIPAddress"]),
            source_port: 50_000,
            destination: (*target.ip()).into(),
            destination_port: target.port(),
        };
        decide(&nsgs, &flow, &self.tags()).access
    }

    /// The NIC's effective routes.
    pub(crate) fn routes_of(&self, nic: &str) -> Routes {
        let nic = self.nic(nic);
        let (vnet, subnet) = (self.vnet(nic), self.subnet(nic));
        let surroundings = Surroundings {
            address_space: nets(&vnet["addressSpace"]).collect(),
            peered: items(&vnet["peerings"])
                .filter(|peering| peering["peeringState"] == "Connected")
                .flat_map(|peering| nets(&peering["remoteAddressSpace"]))
                .collect(),
            service_endpoints: items(&subnet["serviceEndpoints"])
                .flat_map(|endpoint| nets(&endpoint["prefixes"]))
                .collect(),
        };
        let id = subnet["routeTable"].as_str().unwrap_or_default();
        let table = &self.0["routeTables"][id];
        let learnt: Vec<Route> = match table["disableBgpRoutePropagation"].as_bool() {
            Some(true) => Vec::new(),
            _ => ["staticPrefixes", "bgpPrefixes"]
                .iter()
                .flat_map(|list| nets(&vnet["gateway"][list]))
                .map(Route::learnt)
                .collect(),
        };
        let user = items(&table["routes"]).map(|route| {
            Route::from_arm(id, route["name"].as_str().unwrap(), route).unwrap()
        });
        Routes::new(surroundings.system_routes().into_iter().chain(learnt).chain(user))
    }
}

fn address(text: &Value) -> IpAddr {
    text.as_str().unwrap().parse().unwrap()
}

/// A rule of the file, whose groups are bare names. Some documents name rules with
/// spaces, which ARM does not take: they become underscores.
fn rule(rule: &Value) -> Rule {
    let mut properties = rule.clone();
    for side in ["source", "destination"] {
        let field = format!("{side}ApplicationSecurityGroups");
        let ids: Vec<Value> =
            texts(&rule[&field]).map(|id| json!({ "id": id })).collect();
        properties[&field] = json!(ids);
    }
    let name = rule["name"].as_str().unwrap().replace(' ', "_");
    Rule::from_arm(&name, &properties).unwrap()
}

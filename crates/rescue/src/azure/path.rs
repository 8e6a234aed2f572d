//! What the network does with one client's connections, as far as the documents say.
//!
//! Three things may be missing: the client's address, what a name in a rule stands
//! for, and what a gateway has learnt. Nothing is made up for any of them. Without the
//! client's address the NSGs are asked about every source that can come this way; a
//! name that is not understood leaves the decision open where it matters
//! ([`network::rule_on`]); and where a reply may take a route that nobody shows, its
//! next hop is unknown.

use std::net::IpAddr;

use doctor::case::{Decider, Front, Inbound, NetworkPath};
use ipnet::IpNet;
use network::{
    Access, Attachment, Decision, Direction, Doubt, Flow, Nsg, PartialTags, Protocol,
    Ruling, ServiceTag, Tags, decide_for_all, every_source, rule_on,
};
use serde_json::Value;

use super::network::{
    Documents, Missing, Part, address_configuration, nat_rule, prefixes,
};
use super::{array, text};
use crate::platform::{Destination, Way};

/// A source port for the flow: a client's port is any high one.
const CLIENT_PORT: u16 = 50_000;

/// By which of its addresses a VM is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entrance {
    /// A public one of its own: who comes has a public address, too.
    Public,
    /// Its private one.
    Private,
    /// Nobody knows; why.
    Unknown(String),
}

impl Documents {
    /// What they mean for a way. Fails on a rule or route that cannot be read.
    pub(super) fn path(&self, way: &Way) -> Result<NetworkPath, String> {
        let private = self.private_address();
        let front = self.front(way);
        let entrance = match front {
            Some(_) => Entrance::Public,
            None => self.entrance(&way.to, private),
        };
        let port = front.as_ref().map_or(way.port, |front| front.back_port);
        // An address of the other family is not the one that comes this way.
        let client = way.client.as_ref().filter(|client| {
            private.is_none_or(|to| to.is_ipv4() == client.address.is_ipv4())
        });
        let mut path = NetworkPath {
            client_address: client.map(|client| client.address.to_string()),
            client_address_from: client.map(|client| client.from.clone()),
            public_addresses: self.public_addresses().map(str::to_owned).collect(),
            private_address: private.map(|address| address.to_string()),
            nic: text(&self.nic, "/id").map(str::to_owned),
            missing: self.missing.iter().map(Missing::sentence).collect(),
            front,
            ..NetworkPath::default()
        };
        let client = client.map(|client| client.address);
        if let Some(private) = private {
            self.inbound(&entrance, client, private, port, &mut path)?;
        }
        self.reply(&entrance, client, private, &mut path)?;
        Ok(path)
    }

    fn private_address(&self) -> Option<IpAddr> {
        let configuration = address_configuration(&self.nic)?;
        text(configuration, "/properties/privateIPAddress")?.parse().ok()
    }

    fn public_addresses(&self) -> impl Iterator<Item = &str> {
        self.public_ips.iter().filter_map(|ip| text(ip, "/properties/ipAddress"))
    }

    fn entrance(&self, to: &Destination, private: Option<IpAddr>) -> Entrance {
        let public: Vec<IpAddr> =
            self.public_addresses().filter_map(|text| text.parse().ok()).collect();
        let addresses = match to {
            Destination::Vm if public.is_empty() => return Entrance::Private,
            Destination::Vm => return Entrance::Public,
            Destination::Unknown(why) => return Entrance::Unknown(why.clone()),
            Destination::Addresses(addresses) => addresses,
        };
        if addresses.iter().all(|address| public.contains(address)) {
            return Entrance::Public;
        }
        if addresses.iter().all(|address| Some(*address) == private) {
            return Entrance::Private;
        }
        let not_its_own = addresses
            .iter()
            .find(|address| !public.contains(address) && Some(**address) != private);
        Entrance::Unknown(match not_its_own {
            Some(address) => format!(
                "{address} is none of the VM's own addresses, so something before it \
                 translates, and what its NSGs see is not known"
            ),
            None => "the host has both public and private addresses".to_owned(),
        })
    }

    fn inbound(
        &self,
        entrance: &Entrance,
        client: Option<IpAddr>,
        private: IpAddr,
        port: u16,
        path: &mut NetworkPath,
    ) -> Result<(), String> {
        let read = |document: &Option<Value>| {
            document.as_ref().map(Nsg::from_arm).transpose().map_err(|e| e.to_string())
        };
        let (nic, subnet) = (read(&self.nic_nsg)?, read(&self.subnet_nsg)?);
        let attached: Vec<(Attachment, &Nsg)> =
            [(Attachment::Subnet, &subnet), (Attachment::NetworkInterface, &nic)]
                .into_iter()
                .filter_map(|(level, nsg)| Some((level, nsg.as_ref()?)))
                .collect();
        let unread = self.unread_nsg();
        if attached.is_empty() {
            path.inbound = Some(match unread {
                Some(because) => Inbound::Unknown { because },
                None => self.without_nsg(entrance),
            });
            return Ok(());
        }
        if let Entrance::Unknown(because) = entrance {
            path.inbound = Some(Inbound::Unknown { because: because.clone() });
            return Ok(());
        }
        let tags = self.tags(private);
        let flow = Flow {
            direction: Direction::Inbound,
            protocol: Protocol::Tcp,
            source: client.unwrap_or(private),
            source_port: CLIENT_PORT,
            destination: private,
            destination_port: port,
        };
        let found = if client.is_some() {
            match rule_on(&attached, &flow, &tags) {
                Ruling::Known(decision) => decided(&decision, path),
                Ruling::Unknown(doubts) => open(&doubts),
            }
        } else {
            let found = decide_for_all(&attached, &flow, &tags, &self.sources(entrance));
            match (found.allowing, found.denying) {
                _ if !found.unknown.is_empty() => open(&found.doubts),
                (Some(one), None) | (None, Some(one)) => decided(&one, path),
                (Some(_), Some(denying)) => Inbound::OnlyFrom {
                    allowed: texts(&found.allowed),
                    denied: texts(&found.denied),
                    decider: decider(&denying),
                },
                (None, None) => {
                    Inbound::Unknown { because: "no source can come this way".to_owned() }
                }
            }
        };
        // Every group has to let a packet pass; that one drops it is known without the
        // others.
        path.inbound = Some(match (found, unread) {
            (Inbound::Allow(_) | Inbound::OnlyFrom { .. }, Some(because)) => {
                Inbound::Unknown { because }
            }
            (found, _) => found,
        });
        Ok(())
    }

    /// Why there may be an NSG that nobody has read.
    fn unread_nsg(&self) -> Option<String> {
        let hides = |one: &&Missing| {
            matches!(one.what, Part::NicNsg | Part::Subnet | Part::SubnetNsg)
        };
        self.missing.iter().find(hides).map(Missing::sentence)
    }

    /// The front of a load balancer by which a way leads to this NIC: the one that is
    /// named, or for a VM without a public address the first one that there is.
    fn front(&self, way: &Way) -> Option<Front> {
        let rule = nat_rule(&self.nic)?;
        let balancer = self.balancer.as_ref()?;
        let rule = array(balancer, "/properties/inboundNatRules").iter().find(|one| {
            text(one, "/id").is_some_and(|id| id.eq_ignore_ascii_case(rule))
        })?;
        let at = text(rule, "/properties/frontendIPConfiguration/id")?;
        let fronts = array(balancer, "/properties/frontendIPConfigurations");
        let front = fronts
            .iter()
            .find(|one| text(one, "/id").is_some_and(|id| id.eq_ignore_ascii_case(at)))?;
        let public = text(front, "/properties/publicIPAddress/id")?;
        let ip = self.front_ips.iter().find(|ip| {
            text(ip, "/id").is_some_and(|id| id.eq_ignore_ascii_case(public))
        })?;
        let port = |pointer| {
            rule.pointer(pointer)
                .and_then(Value::as_u64)
                .and_then(|port| port.try_into().ok())
        };
        let front = Front {
            address: text(ip, "/properties/ipAddress")?.to_owned(),
            port: port("/properties/frontendPort")?,
            back_port: port("/properties/backendPort")?,
            rule: text(rule, "/name").unwrap_or_default().to_owned(),
        };
        let leads = match &way.to {
            Destination::Vm => self.public_ips.is_empty() && way.port == front.back_port,
            Destination::Addresses(addresses) => {
                let address = front.address.parse::<IpAddr>().ok();
                way.port == front.port
                    && addresses.iter().all(|one| Some(*one) == address)
            }
            Destination::Unknown(_) => false,
        };
        leads.then_some(front)
    }

    /// A public address of the Standard SKU is closed until an NSG opens it; every
    /// other way is open.
    fn without_nsg(&self, entrance: &Entrance) -> Inbound {
        let standard = self.public_ips.iter().any(|ip| {
            text(ip, "/sku/name").is_some_and(|sku| sku.eq_ignore_ascii_case("standard"))
        });
        match entrance {
            Entrance::Public if standard => Inbound::Deny(Decider::default()),
            Entrance::Unknown(because) if standard => {
                Inbound::Unknown { because: because.clone() }
            }
            _ => Inbound::Allow(Decider::default()),
        }
    }

    /// Who can come this way at all.
    pub(super) fn sources(&self, entrance: &Entrance) -> Vec<IpNet> {
        match entrance {
            Entrance::Public => {
                let outside = Tags::new(self.address_space());
                outside.prefixes(&ServiceTag::Internet).to_vec()
            }
            Entrance::Private | Entrance::Unknown(_) => every_source(),
        }
    }

    fn tags(&self, private: IpAddr) -> PartialTags {
        let mut around = self.address_space();
        around.extend(self.peered());
        let groups = address_configuration(&self.nic)
            .map_or(&[][..], |one| array(one, "/properties/applicationSecurityGroups"));
        let groups = groups.iter().filter_map(|group| text(group, "/id"));
        let mut wider = self.user_prefixes();
        if self.vnet.is_none() || self.has_gateway() {
            wider.extend(network::everything());
        }
        PartialTags::new(Tags::new(around))
            .wider(wider)
            .resident(private, groups.map(str::to_owned))
    }

    pub(super) fn address_space(&self) -> Vec<IpNet> {
        let vnet = self.vnet.as_ref();
        let read = |vnet| prefixes(vnet, "/properties/addressSpace/addressPrefixes");
        vnet.map(read).unwrap_or_default()
    }

    pub(super) fn peered(&self) -> Vec<IpNet> {
        self.connected_peers()
            .flat_map(|peer| {
                prefixes(peer, "/properties/remoteAddressSpace/addressPrefixes")
            })
            .collect()
    }

    fn vnet_list(&self, pointer: &str) -> &[Value] {
        self.vnet.as_ref().map_or(&[], |vnet| array(vnet, pointer))
    }

    fn connected_peers(&self) -> impl Iterator<Item = &Value> {
        self.vnet_list("/properties/virtualNetworkPeerings")
            .iter()
            .filter(|peer| text(peer, "/properties/peeringState") == Some("Connected"))
    }

    /// Whether networks that no document names may lie behind a gateway, its own or a
    /// peer's.
    pub(super) fn has_gateway(&self) -> bool {
        let own = self.vnet_list("/properties/subnets").iter().any(|subnet| {
            text(subnet, "/name")
                .is_some_and(|name| name.eq_ignore_ascii_case("GatewaySubnet"))
                && !array(subnet, "/properties/ipConfigurations").is_empty()
        });
        own || self.connected_peers().any(|peer| {
            peer.pointer("/properties/useRemoteGateways") == Some(&Value::Bool(true))
        })
    }

    fn user_prefixes(&self) -> Vec<IpNet> {
        let table = self.route_table.as_ref();
        let routes = table.map_or(&[][..], |table| array(table, "/properties/routes"));
        routes
            .iter()
            .filter_map(|route| text(route, "/properties/addressPrefix")?.parse().ok())
            .collect()
    }
}

fn decided(decision: &Decision<'_>, path: &mut NetworkPath) -> Inbound {
    if decision.access == Access::Allow {
        return Inbound::Allow(decider(decision));
    }
    if let Some(deciding) = decision.deciding() {
        let rules = deciding.nsg.rules(Direction::Inbound).iter();
        path.used_priorities =
            rules.filter(|rule| !rule.default).map(|rule| rule.priority).collect();
    }
    Inbound::Deny(decider(decision))
}

fn decider(decision: &Decision<'_>) -> Decider {
    let deciding = decision.deciding();
    Decider {
        rule: deciding.map(|one| one.rule.name.clone()),
        priority: deciding.map(|one| one.rule.priority),
        default_rule: deciding.is_some_and(|one| one.rule.default),
        nsg: deciding.map(|one| one.nsg.id.clone()),
        attached_to: deciding.map(|one| one.attachment.to_string()),
    }
}

/// Which names leave a decision open.
fn open(doubts: &[Doubt<'_>]) -> Inbound {
    let each = doubts.iter().take(3).map(|doubt| {
        let rule = &doubt.matched.rule.name;
        format!("rule {rule} depends on who is in {}", doubt.names.join(", "))
    });
    let each: Vec<String> = each.collect();
    Inbound::Unknown { because: format!("{}, which is not known", each.join("; ")) }
}

fn texts(prefixes: &[IpNet]) -> Vec<String> {
    prefixes.iter().map(network::prefix_text).collect()
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;

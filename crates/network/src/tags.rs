//! What names in rules stand for: service tags and application security groups.
//!
//! A tag is a word for a list of prefixes that changes over time and from network to
//! network, so rules keep the word and [`Tags`] holds today's expansion. An
//! application security group is treated the same way: its expansion is the addresses
//! of its members. A rule that names a group thus matches only flows from or to
//! members, which is what Azure means by not applying it to other NICs.

mod known;
mod partial;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::platform;
use crate::prefix;

pub use self::partial::PartialTags;
pub(crate) use self::partial::{Condition, Membership};

/// A service tag in ARM's spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceTag {
    /// The virtual network and everything connected to it.
    VirtualNetwork,
    /// The public address space outside the virtual network.
    Internet,
    /// The address that load balancer probes come from.
    AzureLoadBalancer,
    /// A service of Azure, possibly of one region: `Storage`, `Storage.WestUS`.
    Service(String),
}

impl ServiceTag {
    /// Reads a tag that Azure knows, in any case; also the classic spellings
    /// `VIRTUAL_NETWORK`, `INTERNET` and `AZURE_LOADBALANCER`.
    pub fn parse(text: &str) -> Option<ServiceTag> {
        if let Some(tag) = ServiceTag::parse_builtin(text) {
            return Some(tag);
        }
        let (service, region) = match text.split_once('.') {
            Some((service, region)) => (service, Some(region)),
            None => (text, None),
        };
        let service =
            known::SERVICES.iter().find(|name| name.eq_ignore_ascii_case(service))?;
        match region {
            None => Some(ServiceTag::Service((*service).to_owned())),
            Some(region) if is_word(region) => {
                Some(ServiceTag::Service(format!("{service}.{region}")))
            }
            Some(_) => None,
        }
    }

    /// Reads a tag from a rule that Azure has already accepted: an unknown word is
    /// then a tag that is newer than this crate, not a mistake.
    pub(crate) fn parse_accepted(text: &str) -> Option<ServiceTag> {
        ServiceTag::parse(text).or_else(|| {
            let plausible = text.starts_with(|first: char| first.is_ascii_alphabetic())
                && text.split('.').all(is_word);
            plausible.then(|| ServiceTag::Service(text.to_owned()))
        })
    }

    fn parse_builtin(text: &str) -> Option<ServiceTag> {
        match text.to_ascii_lowercase().as_str() {
            "virtualnetwork" | "virtual_network" => Some(ServiceTag::VirtualNetwork),
            "internet" => Some(ServiceTag::Internet),
            "azureloadbalancer" | "azure_loadbalancer" => {
                Some(ServiceTag::AzureLoadBalancer)
            }
            _ => None,
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl fmt::Display for ServiceTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ServiceTag::VirtualNetwork => "VirtualNetwork",
            ServiceTag::Internet => "Internet",
            ServiceTag::AzureLoadBalancer => "AzureLoadBalancer",
            ServiceTag::Service(name) => name,
        })
    }
}

/// Today's expansion of every tag and group, seen from one virtual network.
#[derive(Debug, Clone)]
pub struct Tags {
    virtual_network: Vec<IpNet>,
    internet: Vec<IpNet>,
    load_balancer: [IpNet; 1],
    /// Keys in lower case.
    services: BTreeMap<String, Vec<IpNet>>,
    /// Group ids in lower case to the members' addresses.
    groups: BTreeMap<String, Vec<IpNet>>,
}

impl Tags {
    /// Tags as a virtual network sees them whose `VirtualNetwork` tag covers
    /// `virtual_network`: its own ranges, those of connected peers and of networks
    /// behind its gateway and, where the caller wants Azure's wider reading, the
    /// prefixes of user routes.
    pub fn new(virtual_network: impl IntoIterator<Item = IpNet>) -> Tags {
        let virtual_network: Vec<IpNet> =
            virtual_network.into_iter().map(|net| net.trunc()).collect();
        Tags {
            internet: internet(&virtual_network),
            virtual_network,
            load_balancer: [host(platform::WIRE_SERVER)],
            services: BTreeMap::new(),
            groups: BTreeMap::new(),
        }
        .service(platform::DNS_TAG, [host(platform::WIRE_SERVER)])
        .service(platform::METADATA_TAG, [host(platform::METADATA)])
    }

    /// Adds the expansion of a service's tag, as the service tag discovery API lists
    /// it. A tag that nobody gave an expansion for stands for no address here, as in a
    /// cloud that has no such service; whoever only has not looked it up asks with
    /// [`PartialTags`].
    #[must_use]
    pub fn service(
        mut self,
        name: &str,
        prefixes: impl IntoIterator<Item = IpNet>,
    ) -> Tags {
        self.services.entry(name.to_ascii_lowercase()).or_default().extend(prefixes);
        self
    }

    /// Adds an application security group by its resource id and the private
    /// addresses of its members.
    #[must_use]
    pub fn group(mut self, id: &str, members: impl IntoIterator<Item = IpAddr>) -> Tags {
        self.groups
            .entry(id.to_ascii_lowercase())
            .or_default()
            .extend(members.into_iter().map(IpNet::from));
        self
    }

    /// What a tag stands for.
    pub fn prefixes(&self, tag: &ServiceTag) -> &[IpNet] {
        match tag {
            ServiceTag::VirtualNetwork => &self.virtual_network,
            ServiceTag::Internet => &self.internet,
            ServiceTag::AzureLoadBalancer => &self.load_balancer,
            ServiceTag::Service(name) => {
                self.services.get(&name.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
            }
        }
    }

    /// Whether somebody said what a service's tag stands for.
    fn knows_service(&self, name: &str) -> bool {
        self.services.contains_key(&name.to_ascii_lowercase())
    }

    /// Whether somebody said who is in a group.
    fn knows_group(&self, id: &str) -> bool {
        self.groups.contains_key(&id.to_ascii_lowercase())
    }

    /// The addresses of a group's members; none for an unknown group.
    pub fn members(&self, group: &str) -> &[IpNet] {
        self.groups.get(&group.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }
}

fn host(address: Ipv4Addr) -> IpNet {
    IpNet::from(IpAddr::V4(address))
}

/// The public space outside the virtual network. Azure's own list begins 1/8, 2/7,
/// 4/6, 8/7, 11/8, 12/6: "this network", private, shared, loopback and link-local
/// space, multicast and the reserved top are cut out.
fn internet(virtual_network: &[IpNet]) -> Vec<IpNet> {
    const ALL_V4: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0);
    const GLOBAL_V6: Ipv6Net =
        Ipv6Net::new_assert(std::net::Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
    const NOT_PUBLIC: [Ipv4Net; 8] = [
        Ipv4Net::new_assert(Ipv4Addr::new(0, 0, 0, 0), 8),
        Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
        Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
        Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
        Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16),
        Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
        Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
        Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 3),
    ];
    // The platform's own address is nobody's Internet. A default route may widen the
    // VirtualNetwork tag to everything; that must not empty this one, or rules that
    // deny the Internet would stop working.
    let mut holes: Vec<IpNet> = NOT_PUBLIC.map(IpNet::V4).to_vec();
    holes.push(host(platform::WIRE_SERVER));
    holes.extend(virtual_network.iter().filter(|net| net.prefix_len() > 0));
    let mut prefixes = prefix::subtract(IpNet::V4(ALL_V4), &holes);
    prefixes.extend(prefix::subtract(IpNet::V6(GLOBAL_V6), &holes));
    prefixes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tags of a virtual network with one range.
    fn tags(range: &str) -> Tags {
        Tags::new([range.parse().expect("a prefix")])
    }

    fn contains(tags: &Tags, tag: &ServiceTag, address: &str) -> bool {
        let address: IpAddr = address.parse().expect("an address");
        tags.prefixes(tag).iter().any(|net| net.contains(&address))
    }

    #[test]
    fn classic_and_odd_spellings_are_the_same_tag() {
        for text in ["VIRTUAL_NETWORK", "virtualnetwork", "VirtualNetwork"] {
            assert_eq!(ServiceTag::parse(text), Some(ServiceTag::VirtualNetwork));
        }
        assert_eq!(
            ServiceTag::parse("storage.westus").map(|tag| tag.to_string()).as_deref(),
            Some("Storage.westus")
        );
    }

    #[test]
    fn any_is_no_tag() {
        for text in ["any", "Any", "VirtualNetworks", "Storage.", "Storage.a b", ""] {
            assert_eq!(ServiceTag::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_public_range_of_the_virtual_network_is_not_internet() {
        let tags = tags("20.0.0.0/16");
        assert!(!contains(&tags, &ServiceTag::Internet, "20.0.0.4"));
        assert!(contains(&tags, &ServiceTag::Internet, "20.1.0.4"));
    }

    #[test]
    fn a_default_route_in_the_virtual_network_leaves_the_internet_alone() {
        let tags = tags("0.0.0.0/0");
        assert!(contains(&tags, &ServiceTag::Internet, "8.8.8.8"));
    }

    #[test]
    fn what_nobody_expanded_is_nowhere() {
        let tags = tags("10.0.0.0/16");
        assert_eq!(tags.prefixes(&ServiceTag::Service("Sql".to_owned())), []);
        assert_eq!(tags.members("asg"), []);
    }
}

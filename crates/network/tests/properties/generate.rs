//! Random worlds that are small enough for rules, tags and flows to meet.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use ipnet::IpNet;
use network::route::{NextHop, Route, Source};
use network::{
    Access, Addresses, Affinity, Direction, Endpoint, Flow, Nsg, Ports, Protocol, Rule,
    ServiceTag, Tags, Translation, Via,
};
use proptest::prelude::*;
use proptest::sample::select;

const V4: [&str; 10] = [
    "0.0.0.0",
    "8.8.8.8",
    "10.0.0.4",
    "10.0.0.5",
    "10.0.1.4",
    "10.200.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.31.0.100",
    "255.255.255.255",
];
const V6: [&str; 4] =
    ["::", "2001:db8::1", "fd00::4", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"];
const LENGTHS: [u8; 8] = [0, 1, 8, 15, 16, 24, 31, 32];
const PORTS: [u16; 8] = [0, 1, 22, 53, 80, 443, 65534, 65535];
const TAGS: [&str; 7] = [
    "VirtualNetwork",
    "Internet",
    "AzureLoadBalancer",
    "Storage",
    "Sql",
    "AzurePlatformDNS",
    "AzurePlatformIMDS",
];
const GROUPS: [&str; 3] = ["web", "db", "empty"];

fn parsed(addresses: &'static [&'static str]) -> impl Strategy<Value = IpAddr> {
    select(addresses).prop_map(|text| text.parse().unwrap())
}

fn v4() -> impl Strategy<Value = IpAddr> {
    prop_oneof![9 => parsed(&V4), 1 => any::<[u8; 4]>().prop_map(IpAddr::from)]
}

pub(crate) fn v4_or_v6() -> impl Strategy<Value = IpAddr> {
    prop_oneof![4 => v4(), 1 => parsed(&V6)]
}

/// A prefix of either family around one of the addresses.
fn net() -> impl Strategy<Value = IpNet> {
    (v4_or_v6(), select(&LENGTHS)).prop_map(|(address, length)| {
        let length = if address.is_ipv4() { length } else { length * 4 };
        IpNet::new(address, length).unwrap().trunc()
    })
}

pub(crate) fn nets() -> impl Strategy<Value = Vec<IpNet>> {
    prop::collection::vec(net(), 0..4)
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![9 => select(&PORTS), 1 => any::<u16>()]
}

fn ports() -> impl Strategy<Value = Ports> {
    let range = (port(), port()).prop_map(|(a, b)| a.min(b)..=a.max(b));
    let some = prop::collection::vec(range, 0..4).prop_map(Ports::from_iter);
    prop_oneof![Just(Ports::any()), port().prop_map(Ports::one), some]
}

fn protocol() -> impl Strategy<Value = Protocol> {
    use Protocol::{Ah, Any, Esp, Icmp, Tcp, Udp};
    prop_oneof![3 => Just(Tcp), 2 => select(&[Udp, Icmp, Esp, Ah, Any])]
}

fn direction() -> impl Strategy<Value = Direction> {
    select(&[Direction::Inbound, Direction::Outbound])
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let groups = prop::collection::vec(select(&GROUPS).prop_map(str::to_owned), 1..3);
    let tag = select(&TAGS).prop_map(|text| ServiceTag::parse(text).unwrap());
    let addresses = prop_oneof![
        2 => Just(Addresses::Any),
        2 => nets().prop_map(Addresses::Prefixes),
        2 => tag.prop_map(Addresses::Tag),
        1 => groups.prop_map(Addresses::Groups),
    ];
    (addresses, ports()).prop_map(|(addresses, ports)| Endpoint { addresses, ports })
}

/// A rule that ARM would take: no side is empty, and prefixes are of one family.
pub(crate) fn rule() -> impl Strategy<Value = Rule> {
    any_rule().prop_filter("ARM takes it", |rule| {
        let sides = [&rule.source, &rule.destination];
        let mut prefixes = sides.into_iter().flat_map(|side| match &side.addresses {
            Addresses::Prefixes(prefixes) => prefixes.as_slice(),
            _ => &[],
        });
        let empty = sides.iter().any(|side| {
            side.ports.ranges().is_empty()
                || side.addresses == Addresses::Prefixes(vec![])
        });
        let first = prefixes.next().map(|net| net.addr().is_ipv4());
        !empty && prefixes.all(|net| Some(net.addr().is_ipv4()) == first)
    })
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let access = select(&[Access::Allow, Access::Deny]);
    (100..=4096u16, direction(), access, protocol(), endpoint(), endpoint()).prop_map(
        |(priority, direction, access, protocol, source, destination)| Rule {
            name: format!("rule-{priority}"),
            description: None,
            priority,
            direction,
            access,
            protocol,
            source,
            destination,
            default: false,
        },
    )
}

/// Up to 80 rules, so that a bitset may need two words.
pub(crate) fn nsg(id: &'static str) -> impl Strategy<Value = Nsg> {
    let few = prop::collection::vec(any_rule(), 0..8);
    let many = prop::collection::vec(any_rule(), 60..80);
    prop_oneof![15 => few, 1 => many].prop_map(move |mut rules| {
        rules.sort_by_key(|rule| (rule.direction, rule.priority));
        rules.dedup_by_key(|rule| (rule.direction, rule.priority));
        Nsg::new(id, rules).unwrap()
    })
}

pub(crate) fn tags() -> impl Strategy<Value = Tags> {
    let members = || prop::collection::vec(v4_or_v6(), 1..3);
    (nets(), nets(), members(), members()).prop_map(|(vnet, storage, web, db)| {
        Tags::new(vnet).service("Storage", storage).group("web", web).group("db", db)
    })
}

fn flow_between(
    address: impl Strategy<Value = (IpAddr, IpAddr)>,
) -> impl Strategy<Value = Flow> {
    (direction(), protocol(), address, port(), port()).prop_map(
        |(direction, protocol, (source, destination), source_port, destination_port)| {
            Flow {
                direction,
                protocol,
                source,
                source_port,
                destination,
                destination_port,
            }
        },
    )
}

pub(crate) fn v4_flow() -> impl Strategy<Value = Flow> {
    flow_between((v4(), v4()))
}

pub(crate) fn flow() -> impl Strategy<Value = Flow> {
    prop_oneof![4 => flow_between((v4(), v4())), 1 => flow_between((parsed(&V6), parsed(&V6)))]
}

/// Routes of every source in any order, with prefixes that often coincide.
pub(crate) fn routes() -> impl Strategy<Value = Vec<Route>> {
    let source = select(&[Source::System, Source::Gateway, Source::User]);
    let hop = select(vec![
        NextHop::VnetLocal,
        NextHop::VnetPeering,
        NextHop::Internet,
        NextHop::VirtualNetworkServiceEndpoint,
        NextHop::VirtualNetworkGateway,
        NextHop::VirtualAppliance(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 4))),
        NextHop::None,
    ]);
    let route =
        (net(), source, hop, any::<u16>()).prop_map(|(prefix, source, next_hop, n)| {
            Route {
                name: Some(format!("route-{n}")),
                source,
                prefix,
                next_hop,
                table: None,
            }
        });
    prop::collection::vec(route, 0..20)
}

pub(crate) fn frontend_address() -> impl Strategy<Value = Ipv4Addr> {
    (1..=3u8).prop_map(|last| Ipv4Addr::new(198, 51, 100, last))
}

pub(crate) fn frontend_port() -> impl Strategy<Value = u16> {
    select(&[22u16, 80, 50001])
}

/// Translations that often speak of the same port.
pub(crate) fn translations() -> impl Strategy<Value = Vec<Translation>> {
    let via =
        select(&[Via::InboundNatRule, Via::InboundNatRange, Via::LoadBalancingRule]);
    let targets = prop::collection::vec((4..=6u8, frontend_port()), 0..3);
    let one = (via, frontend_address(), select(&[6u8, 17]), frontend_port(), targets)
        .prop_map(|(via, frontend, protocol, port, targets)| Translation {
            via,
            rule: format!("{via:?}/{}", targets.len()),
            frontend,
            protocol,
            port,
            targets: targets
                .into_iter()
                .map(|(last, port)| {
                    SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, last), port)
                })
                .collect(),
            affinity: Affinity::default(),
        });
    prop::collection::vec(one, 0..12)
}

/// Public addresses of machines and their private ones.
pub(crate) fn instances() -> impl Strategy<Value = Vec<(Ipv4Addr, Ipv4Addr)>> {
    let one = (frontend_address(), 4..=6u8)
        .prop_map(|(public, last)| (public, Ipv4Addr::new(10, 0, 0, last)));
    prop::collection::vec(one, 0..3)
}

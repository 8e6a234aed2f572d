//! What is said although not every name is understood holds whatever the names stand
//! for, and the decision for all sources is the decision for each.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../properties/generate.rs"]
#[expect(dead_code, reason = "the worlds are those of the property tests")]
mod generate;

use std::collections::HashSet;
use std::net::IpAddr;

use generate::{flow, nets, nsg, v4_or_v6};
use ipnet::IpNet;
use network::{
    Access, Addresses, Attachment, Direction, Flow, Nsg, PartialTags, Protocol, Rule,
    Ruling, ServiceTag, Tags, decide, decide_for_all, rule_on,
};
use proptest::prelude::*;

/// The services and groups of the generated rules; which of them are understood, and
/// what each stands for in truth.
#[derive(Debug, Clone)]
struct World {
    vnet: Vec<IpNet>,
    /// What `VirtualNetwork` may cover besides, and whether it does.
    wider: Vec<(IpNet, bool)>,
    services: Vec<(&'static str, bool, Vec<IpNet>)>,
    groups: Vec<(&'static str, bool, Vec<IpAddr>)>,
}

impl World {
    fn partial(&self) -> PartialTags {
        let mut tags = Tags::new(self.vnet.clone());
        for (name, known, nets) in &self.services {
            if *known {
                tags = tags.service(name, nets.clone());
            }
        }
        for (name, known, members) in &self.groups {
            if *known {
                tags = tags.group(name, members.clone());
            }
        }
        PartialTags::new(tags).wider(self.wider.iter().map(|(net, _)| *net))
    }

    /// One of the worlds that look like this from outside.
    fn truth(&self) -> Tags {
        let wider = self.wider.iter().filter(|(_, is)| *is).map(|(net, _)| *net);
        let mut tags = Tags::new(self.vnet.iter().copied().chain(wider.clone()));
        for (name, _, nets) in &self.services {
            tags = tags.service(name, nets.clone());
        }
        let inside: Vec<IpNet> = self.vnet.iter().copied().chain(wider).collect();
        for (name, known, members) in &self.groups {
            // Members that nobody told of are in the network.
            let members = members.iter().filter(|address| {
                *known || inside.iter().any(|net| net.contains(*address))
            });
            tags = tags.group(name, members.copied());
        }
        tags
    }
}

fn world() -> impl Strategy<Value = World> {
    let members = || prop::collection::vec(v4_or_v6(), 0..4);
    let wider = prop::collection::vec((nets(), any::<bool>()), 0..2).prop_map(|lists| {
        let each =
            |(nets, is): (Vec<IpNet>, bool)| nets.into_iter().map(move |n| (n, is));
        lists.into_iter().flat_map(each).collect()
    });
    (nets(), wider, any::<[bool; 5]>(), nets(), nets(), members(), members()).prop_map(
        |(vnet, wider, known, storage, sql, web, db)| World {
            vnet,
            wider,
            services: vec![("Storage", known[0], storage), ("Sql", known[1], sql)],
            groups: vec![
                ("web", known[2], web),
                ("db", known[3], db),
                ("empty", known[4], Vec::new()),
            ],
        },
    )
}

/// The same flow with the truth as the only thing that is known.
fn truly(nsgs: &[(Attachment, &Nsg)], flow: &Flow, world: &World) -> Access {
    decide(nsgs, flow, &world.truth()).access
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_known_answer_is_the_answer_under_every_expansion(
        subnet in nsg("subnet"),
        nic in nsg("nic"),
        world in world(),
        flows in prop::collection::vec(flow(), 5),
    ) {
        let nsgs = [(Attachment::Subnet, &subnet), (Attachment::NetworkInterface, &nic)];
        for flow in flows {
            match rule_on(&nsgs, &flow, &world.partial()) {
                Ruling::Known(decision) => {
                    prop_assert_eq!(decision.access, truly(&nsgs, &flow, &world), "{:?}", flow);
                }
                Ruling::Unknown(doubts) => prop_assert!(!doubts.is_empty()),
            }
        }
    }

    #[test]
    fn an_unknown_answer_has_an_expansion_for_each_side(
        nsg in nsg("nsg"),
        known in any::<[bool; 2]>(),
        flow in flow(),
    ) {
        // Sources only: a rule that is open on both sides may be unknown for nothing.
        let rules = Direction::Inbound;
        let plain = nsg.rules(rules).iter().filter(|rule| {
            let destination = &rule.destination.addresses;
            !rule.default && matches!(destination, Addresses::Any | Addresses::Prefixes(_))
        });
        let nsg = Nsg::new("nsg", plain.cloned()).unwrap();
        let nsgs = [(Attachment::Subnet, &nsg)];
        let flow = Flow { direction: rules, ..flow };
        let vnet: IpNet = "10.0.0.0/16".parse().unwrap();
        let tags = || Tags::new([vnet]);
        let services = ["Storage", "Sql"];
        let groups = ["web", "db", "empty"];
        let mut partial = tags();
        for (name, known) in services.iter().zip(known) {
            if known {
                partial = partial.service(name, []);
            }
        }
        let mut accesses = HashSet::new();
        for bits in 0..32_u8 {
            let is = |place: usize| bits & (1 << place) != 0;
            let here = IpNet::from(flow.source);
            let mut full = tags();
            for (place, name) in services.iter().enumerate() {
                let there = (!known[place] && is(place)).then_some(here);
                full = full.service(name, there);
            }
            for (place, name) in groups.iter().enumerate() {
                let member = (vnet.contains(&flow.source) && is(place + 2)).then_some(flow.source);
                full = full.group(name, member);
            }
            accesses.insert(decide(&nsgs, &flow, &full).access);
        }
        match rule_on(&nsgs, &flow, &PartialTags::new(partial)) {
            Ruling::Known(decision) => {
                prop_assert_eq!(accesses, HashSet::from([decision.access]));
            }
            Ruling::Unknown(_) => prop_assert_eq!(accesses.len(), 2),
        }
    }

    #[test]
    fn every_source_is_in_the_list_that_it_would_be_decided_into(
        subnet in nsg("subnet"),
        nic in nsg("nic"),
        world in world(),
        flow in flow(),
        among in nets(),
        asked in prop::collection::vec(v4_or_v6(), 20),
    ) {
        let nsgs = [(Attachment::Subnet, &subnet), (Attachment::NetworkInterface, &nic)];
        let tags = world.partial();
        let found = decide_for_all(&nsgs, &flow, &tags, &among);
        let lists = [&found.allowed, &found.denied, &found.unknown];
        // Beside the addresses of the generator, both ends of every piece.
        let ends = lists.iter().flat_map(|list| list.iter());
        let ends = ends.flat_map(|net| [net.network(), net.broadcast()]);
        for source in asked.into_iter().chain(ends).collect::<Vec<_>>() {
            let holding: Vec<usize> = (0..3)
                .filter(|list| lists[*list].iter().any(|net| net.contains(&source)))
                .collect();
            let candidate = source.is_ipv4() == flow.destination.is_ipv4()
                && among.iter().any(|net| net.contains(&source));
            let expected = match rule_on(&nsgs, &Flow { source, ..flow.clone() }, &tags) {
                _ if !candidate => vec![],
                Ruling::Known(decision) if decision.access == Access::Allow => vec![0],
                Ruling::Known(_) => vec![1],
                Ruling::Unknown(_) => vec![2],
            };
            prop_assert_eq!(holding, expected, "{}", source);
        }
    }
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn tag(name: &str) -> Addresses {
    Addresses::Tag(ServiceTag::parse(name).unwrap())
}

fn rule(priority: u16, access: Access, source: Addresses) -> Rule {
    let any = Rule::from_arm(
        &format!("rule-{priority}"),
        &serde_json::json!({
            "priority": priority, "direction": "Inbound", "access": access.to_string(),
            "protocol": "Tcp", "sourceAddressPrefix": "*", "sourcePortRange": "*",
            "destinationAddressPrefix": "*", "destinationPortRange": "22",
        }),
    );
    let mut rule = any.unwrap();
    rule.source.addresses = source;
    rule
}

fn ssh_from(source: &str) -> Flow {
    Flow {
        direction: Direction::Inbound,
        protocol: Protocol::Tcp,
        source: source.parse().unwrap(),
        source_port: 50_000,
        destination: "10.0.0.4".parse().unwrap(),
        destination_port: 22,
    }
}

fn tags() -> PartialTags {
    PartialTags::new(Tags::new([net("10.0.0.0/16")]))
}

/// Yes, no, or the names that leave it open.
fn ruled(
    rules: Vec<Rule>,
    source: &str,
    tags: &PartialTags,
) -> Result<Access, Vec<String>> {
    let nsg = Nsg::new("nsg", rules).unwrap();
    match rule_on(&[(Attachment::Subnet, &nsg)], &ssh_from(source), tags) {
        Ruling::Known(decision) => Ok(decision.access),
        Ruling::Unknown(doubts) => {
            Err(doubts.into_iter().flat_map(|doubt| doubt.names).collect())
        }
    }
}

#[test]
fn a_tag_that_nobody_expanded_is_unknown_only_where_it_matters() {
    use Access::{Allow, Deny};
    let client = "198.51.100.7";
    let allow = |priority| rule(priority, Allow, tag("Storage"));
    let open = Err(vec!["Storage".to_owned()]);
    assert_eq!(ruled(vec![allow(100)], client, &tags()), open);
    let before = rule(100, Deny, Addresses::Any);
    assert_eq!(ruled(vec![before, allow(200)], client, &tags()), Ok(Deny));
    let alike = rule(300, Allow, Addresses::Any);
    assert_eq!(ruled(vec![allow(100), alike], client, &tags()), Ok(Allow));
    // Who is not in it at the first rule is not in it at the second.
    let never = vec![rule(100, Deny, tag("Storage")), allow(200)];
    assert_eq!(ruled(never, client, &tags()), Ok(Deny));
}

#[test]
fn a_network_with_a_gateway_may_reach_further_than_its_address_space() {
    let far = tags().wider([net("172.16.0.0/12")]);
    assert_eq!(ruled(vec![], "172.16.3.4", &tags()), Ok(Access::Deny));
    assert_eq!(ruled(vec![], "172.16.3.4", &far), Err(vec!["VirtualNetwork".to_owned()]));
    assert_eq!(ruled(vec![], "198.51.100.7", &far), Ok(Access::Deny));
    assert_eq!(ruled(vec![], "10.0.3.4", &far), Ok(Access::Allow));
}

#[test]
fn a_group_s_strangers_are_outside_and_its_neighbours_are_unknown() {
    let here: IpAddr = "10.0.0.4".parse().unwrap();
    let tags = tags().resident(here, ["/asg/Web".to_owned()]);
    let of =
        |group: &str| rule(100, Access::Deny, Addresses::Groups(vec![group.to_owned()]));
    let open = vec![of("/asg/db"), rule(200, Access::Allow, Addresses::Any)];
    assert_eq!(ruled(open.clone(), "198.51.100.7", &tags), Ok(Access::Allow));
    assert_eq!(ruled(open.clone(), "10.0.0.4", &tags), Ok(Access::Allow));
    assert_eq!(ruled(open, "10.0.0.5", &tags), Err(vec!["db".to_owned()]));
}

#[test]
fn only_one_office_is_named_exactly() {
    let office = Addresses::Prefixes(vec![net("203.0.113.0/24")]);
    let but = Addresses::Prefixes(vec![net("203.0.113.66/32")]);
    let rules = [rule(100, Access::Deny, but), rule(200, Access::Allow, office)];
    let nsg = Nsg::new("nsg", rules).unwrap();
    let nsgs = [(Attachment::Subnet, &nsg)];
    let among = [net("128.0.0.0/1"), net("::/0")];
    let found = decide_for_all(&nsgs, &ssh_from("0.0.0.0"), &tags(), &among);
    assert!(found.allowed.contains(&net("203.0.113.0/26")));
    assert!(!found.allowed.iter().any(|net| net.contains(&but_one())));
    let size: usize = found.allowed.iter().map(|net| 1 << (32 - net.prefix_len())).sum();
    // And where the load balancer's probes come from.
    assert_eq!((size, found.unknown.len()), (255 + 1, 0));
    assert_eq!(found.denying.unwrap().deciding().unwrap().rule.name, "DenyAllInBound");
}

fn but_one() -> IpAddr {
    "203.0.113.66".parse().unwrap()
}

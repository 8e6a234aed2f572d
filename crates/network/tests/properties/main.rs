//! What is fast or flattened gives the answers of what is written to be read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod generate;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

use generate::{
    flow, frontend_address, frontend_port, instances, nets, nsg, routes, rule, tags,
    translations, v4_flow, v4_or_v6,
};
use ipnet::IpNet;
use network::route::{Detour, NextHop, Route, Routes, Source, State, Turn};
use network::{
    Access, Addresses, Attachment, Compiled, Direction, Filter, Forwarding, Frontends,
    Nsg, Ports, Profile, Protocol, Rule, Translation, Via, decide, diagnose, lower,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn compiled_decides_like_the_naive_definition(
        subnet in nsg("subnet"),
        nic in nsg("nic"),
        tags in tags(),
        flows in prop::collection::vec(flow(), 20),
    ) {
        let nsgs = [(Attachment::Subnet, &subnet), (Attachment::NetworkInterface, &nic)];
        let compiled = Compiled::new(&nsgs, &tags);
        for flow in flows {
            prop_assert_eq!(compiled.decide(&flow), decide(&nsgs, &flow, &tags), "{:?}", flow);
        }
    }

    #[test]
    fn the_lowered_list_decides_like_the_nsg(
        nsg in nsg("nsg"),
        tags in tags(),
        flows in prop::collection::vec(v4_flow(), 20),
    ) {
        for flow in flows {
            let filters = lower(&nsg, flow.direction, &tags);
            let first = filters.iter().find(|filter| filter.matches(&flow)).unwrap();
            let nsgs = [(Attachment::Subnet, &nsg)];
            let decision = decide(&nsgs, &flow, &tags);
            let rule = match decision.deciding() {
                Some(matched) => matched.rule.name.as_str(),
                None => "PlatformExemption",
            };
            prop_assert_eq!((first.rule.as_str(), first.access), (rule, decision.access));
        }
    }

    #[test]
    fn two_lowered_lists_that_must_both_allow_are_the_decision(
        subnet in nsg("subnet"),
        nic in nsg("nic"),
        tags in tags(),
        flow in v4_flow(),
    ) {
        let allowed = [&subnet, &nic].iter().all(|nsg| {
            let filters = lower(nsg, flow.direction, &tags);
            filters.iter().find(|filter| filter.matches(&flow)).unwrap().access == Access::Allow
        });
        let nsgs = [(Attachment::Subnet, &subnet), (Attachment::NetworkInterface, &nic)];
        prop_assert_eq!(allowed, decide(&nsgs, &flow, &tags).access == Access::Allow);
    }

    #[test]
    fn a_set_of_one_flow_is_diagnosed_as_it_is_decided(
        subnet in nsg("subnet"),
        nic in nsg("nic"),
        tags in tags(),
        flow in flow(),
    ) {
        // A profile has no source port: only rules that take every one can match.
        let plain = |nsg: &Nsg| {
            let rules = [Direction::Inbound, Direction::Outbound]
                .into_iter()
                .flat_map(|direction| nsg.rules(direction))
                .filter(|rule| !rule.default && rule.source.ports.is_any());
            Nsg::new(nsg.id.clone(), rules.cloned()).unwrap()
        };
        let (subnet, nic) = (plain(&subnet), plain(&nic));
        let nsgs = [(Attachment::Subnet, &subnet), (Attachment::NetworkInterface, &nic)];
        let one = |address: IpAddr| Addresses::Prefixes(vec![address.into()]);
        let destination_ports = match flow.protocol.has_ports() {
            true => Ports::one(flow.destination_port),
            false => Ports::any(),
        };
        let profile = Profile {
            direction: flow.direction,
            protocol: flow.protocol,
            source: one(flow.source),
            destination: one(flow.destination),
            destination_ports,
        };
        let decision = decide(&nsgs, &flow, &tags);
        let decided: Vec<_> =
            decision.evaluated.iter().map(|one| (one.attachment, one.rule)).collect();
        let diagnosed: Vec<_> = diagnose(&nsgs, &profile, &tags)
            .into_iter()
            .filter_map(|one| Some((one.attachment, one.matched()?)))
            .collect();
        prop_assert_eq!(diagnosed, decided);
    }

    #[test]
    fn lowered_prefixes_are_disjoint_and_ascending(nsg in nsg("nsg"), tags in tags()) {
        // nftables refuses a set with overlapping intervals.
        let ascending = |filter: &Filter| {
            [&filter.source, &filter.destination].into_iter().all(|nets| {
                nets.windows(2).all(|pair| pair[0].broadcast() < pair[1].network())
            })
        };
        for direction in [Direction::Inbound, Direction::Outbound] {
            prop_assert!(lower(&nsg, direction, &tags).iter().all(ascending));
        }
    }

    #[test]
    fn a_rule_survives_arm(rule in rule()) {
        prop_assert_eq!(Rule::from_arm(&rule.name, &rule.to_arm()), Ok(rule));
    }

    #[test]
    fn the_next_hop_is_that_of_the_naive_definition(
        routes in routes(),
        destinations in prop::collection::vec(v4_or_v6(), 20),
    ) {
        let settled = Routes::new(routes.clone());
        for destination in destinations {
            let expected = naive_next_hop(&routes, destination);
            prop_assert_eq!(settled.next_hop(destination), expected, "{}", destination);
        }
    }

    #[test]
    fn the_next_hops_of_a_prefix_are_those_of_its_addresses(
        routes in routes(),
        among in nets(),
        destinations in prop::collection::vec(v4_or_v6(), 20),
    ) {
        let settled = Routes::new(routes);
        let together = settled.next_hops(&among);
        for destination in destinations {
            if among.iter().any(|net| net.contains(&destination)) {
                prop_assert!(together.contains(&settled.next_hop(destination)));
            }
        }
        // None of them is there without an address that takes it: the ends of routes
        // and of prefixes are such addresses.
        let ends = settled.effective().iter().map(|one| one.route.prefix).chain(among.clone());
        let taken: Vec<_> = ends
            .flat_map(|net| [Some(net.network()), Some(net.broadcast()), after(net.broadcast())])
            .flatten()
            .filter(|address| among.iter().any(|net| net.contains(address)))
            .map(|address| settled.next_hop(address))
            .collect();
        prop_assert!(together.iter().all(|route| taken.contains(route)));
    }

    #[test]
    fn detours_take_what_the_next_hop_does_not_simply_forward(
        routes in routes(),
        destinations in prop::collection::vec(v4_or_v6(), 20),
    ) {
        let routes = Routes::new(routes);
        let detours = routes.detours();
        let ascending = detours
            .windows(2)
            .all(|pair| pair[0].destinations.end() < pair[1].destinations.start());
        prop_assert!(ascending);
        for destination in destinations {
            let IpAddr::V4(address) = destination else { continue };
            let taken: Vec<&Detour> =
                detours.iter().filter(|one| one.destinations.contains(&address)).collect();
            let expected = match routes.next_hop(destination).map(|route| route.next_hop) {
                None | Some(NextHop::None | NextHop::VirtualNetworkGateway) => {
                    vec![Turn::Drop]
                }
                Some(NextHop::VirtualAppliance(IpAddr::V4(address))) => {
                    vec![Turn::Appliance(address)]
                }
                _ => vec![],
            };
            let taken: Vec<Turn> = taken.into_iter().map(|one| one.turn).collect();
            prop_assert_eq!(taken, expected, "{}", destination);
        }
    }

    #[test]
    fn frontends_map_like_a_search_in_order_of_precedence(
        translations in translations(),
        instances in instances(),
        questions in prop::collection::vec((frontend_address(), frontend_port()), 20),
    ) {
        let frontends = Frontends::new(translations.clone(), instances.clone());
        for (address, port) in questions {
            for protocol in [Protocol::Tcp, Protocol::Udp] {
                prop_assert_eq!(
                    frontends.map(address, protocol, port),
                    naive_map(&translations, &instances, address, protocol, port),
                    "{}:{}", address, port
                );
            }
        }
    }

    #[test]
    fn at_most_one_route_of_a_prefix_is_active(routes in routes()) {
        let settled = Routes::new(routes);
        let mut active: Vec<_> = settled
            .effective()
            .iter()
            .filter(|effective| effective.state == State::Active)
            .map(|effective| effective.route.prefix)
            .collect();
        active.sort_unstable();
        prop_assert!(active.windows(2).all(|pair| pair[0] != pair[1]));
    }
}

/// The next address, if there is one.
fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => {
            v4.to_bits().checked_add(1).map(|bits| Ipv4Addr::from_bits(bits).into())
        }
        IpAddr::V6(v6) => {
            v6.to_bits().checked_add(1).map(|bits| Ipv6Addr::from_bits(bits).into())
        }
    }
}

/// The order of the documentation, one kind of translation after the other.
fn naive_map<'a>(
    translations: &'a [Translation],
    instances: &[(Ipv4Addr, Ipv4Addr)],
    address: Ipv4Addr,
    protocol: Protocol,
    port: u16,
) -> Option<Forwarding<'a>> {
    for via in [Via::InboundNatRule, Via::InboundNatRange, Via::LoadBalancingRule] {
        let found = translations.iter().find(|one| {
            one.via == via
                && one.frontend == address
                && Some(one.protocol) == protocol.number()
                && one.port == port
        });
        if let Some(one) = found {
            let (rule, targets) = (Some(one.rule.as_str()), one.targets.clone());
            return Some(Forwarding { via, rule, targets });
        }
    }
    // Of two machines with one address, the later entry took it over.
    let (_, private) = instances.iter().rev().find(|(public, _)| *public == address)?;
    let targets = vec![SocketAddrV4::new(*private, port)];
    Some(Forwarding { via: Via::InstanceAddress, rule: None, targets })
}

/// Route selection for one address, rule by rule as the documentation has them.
fn naive_next_hop(routes: &[Route], destination: IpAddr) -> Option<&Route> {
    use NextHop::{VirtualNetworkServiceEndpoint, VnetLocal, VnetPeering};
    let by_user = |prefix: IpNet| {
        routes.iter().any(|route| route.source == Source::User && route.prefix == prefix)
    };
    let user_default = by_user("0.0.0.0/0".parse().unwrap());
    let dropped = |route: &Route| {
        user_default && route.source == Source::System && route.next_hop == NextHop::None
    };
    let candidates: Vec<&Route> = routes
        .iter()
        .filter(|route| route.prefix.contains(&destination) && !dropped(route))
        .collect();
    let before_learnt: Vec<&Route> = candidates
        .iter()
        .filter(|route| route.source == Source::System && !by_user(route.prefix))
        .filter(|route| {
            [VnetLocal, VnetPeering, VirtualNetworkServiceEndpoint]
                .contains(&route.next_hop)
        })
        .copied()
        .collect();
    let length = |route: &Route| route.prefix.prefix_len();
    candidates
        .into_iter()
        .filter(|route| {
            route.source != Source::Gateway
                || before_learnt.iter().all(|system| length(system) > length(route))
        })
        // Of equals the first: `max_by_key` would take the last.
        .rev()
        .max_by_key(|route| (length(route), route.source))
}

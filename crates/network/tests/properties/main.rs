//! What is fast or flattened gives the answers of what is written to be read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod generate;

use std::net::IpAddr;

use generate::{flow, nsg, routes, rule, tags, v4_flow, v4_or_v6};
use ipnet::IpNet;
use network::route::{NextHop, Route, Routes, Source, State};
use network::{Access, Attachment, Compiled, Direction, Filter, Rule, decide, lower};
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

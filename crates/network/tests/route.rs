//! Effective routes: which ones Azure makes, and which ones stand in whose place.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use ipnet::IpNet;
use network::route::{NextHop, Route, RouteError, Routes, State, Surroundings};
use serde_json::json;

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn system(range: &str) -> Vec<Route> {
    Surroundings { address_space: vec![net(range)], ..Surroundings::default() }
        .system_routes()
}

fn user(prefix: &str, next_hop: &str) -> Route {
    let properties = json!({ "addressPrefix": prefix, "nextHopType": next_hop });
    Route::from_arm("/rt", "user", &properties).unwrap()
}

fn next_hop(routes: &Routes, destination: &str) -> Option<NextHop> {
    routes.next_hop(destination.parse().unwrap()).map(|route| route.next_hop)
}

fn states(routes: &Routes, prefix: &str) -> Vec<State> {
    let effective = routes.effective().iter();
    effective
        .filter(|effective| effective.route.prefix == net(prefix))
        .map(|effective| effective.state)
        .collect()
}

#[test]
fn a_network_around_a_reserved_range_owns_it() {
    let routes = Routes::new(system("192.0.0.0/8"));
    assert_eq!(next_hop(&routes, "192.168.1.1"), Some(NextHop::VnetLocal));
    assert_eq!(next_hop(&routes, "10.0.0.1"), Some(NextHop::None));
}

#[test]
fn a_network_inside_a_reserved_range_leaves_the_rest_dropped() {
    let routes = Routes::new(system("10.1.0.0/16"));
    assert_eq!(next_hop(&routes, "10.1.0.4"), Some(NextHop::VnetLocal));
    assert_eq!(next_hop(&routes, "10.2.0.4"), Some(NextHop::None));
}

#[test]
fn the_users_default_route_takes_the_place_of_the_system_one() {
    let routes =
        Routes::new(system("10.1.0.0/16").into_iter().chain([user("0.0.0.0/0", "None")]));
    assert_eq!(states(&routes, "0.0.0.0/0"), [State::Invalid, State::Active]);
    assert_eq!(states(&routes, "192.168.0.0/16"), []);
}

#[test]
fn what_the_gateway_learnt_inside_the_network_is_not_followed() {
    let learnt = [Route::learnt(net("10.1.2.0/24")), Route::learnt(net("10.9.0.0/16"))];
    let routes = Routes::new(system("10.1.0.0/16").into_iter().chain(learnt));
    assert_eq!(states(&routes, "10.1.2.0/24"), [State::Invalid]);
    assert_eq!(next_hop(&routes, "10.1.2.4"), Some(NextHop::VnetLocal));
    assert_eq!(next_hop(&routes, "10.9.0.4"), Some(NextHop::VirtualNetworkGateway));
}

#[test]
fn an_ipv6_address_has_no_way_out_of_an_ipv4_network() {
    assert_eq!(next_hop(&Routes::new(system("10.0.0.0/16")), "2001:db8::1"), None);
    assert_eq!(
        next_hop(&Routes::new(system("fd00::/64")), "2001:db8::1"),
        Some(NextHop::Internet)
    );
}

#[test]
fn a_user_route_needs_a_block_a_type_and_the_appliances_address() {
    let read = |prefix, kind, address| {
        let properties = json!({
            "addressPrefix": prefix,
            "nextHopType": kind,
            "nextHopIpAddress": address,
        });
        Route::from_arm("/rt", "r", &properties).map(|route| route.next_hop)
    };
    let appliance = NextHop::VirtualAppliance("10.0.0.9".parse().unwrap());
    assert_eq!(read("10.0.0.0/8", "VirtualAppliance", "10.0.0.9"), Ok(appliance));
    let refused = |prefix, kind| read(prefix, kind, "").unwrap_err();
    assert!(matches!(refused("10.0.0.1/8", "None"), RouteError::Prefix { .. }));
    assert!(matches!(
        refused("10.0.0.0/8", "VNetPeering"),
        RouteError::NextHopType { .. }
    ));
    assert!(matches!(
        refused("10.0.0.0/8", "VirtualAppliance"),
        RouteError::NextHopAddress { .. }
    ));
}

//! The worked vectors of public documentation (`vectors.json`), asked of this crate.
//!
//! Every vector of the file is either asked here or stands in one of the two tables
//! of what is out of scope, with the reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "vectors/topology.rs"]
mod topology;

use network::route::State;
use network::{
    Access, Decision, Nsg, Protocol, Rule, RuleError, ServiceTag, allot, decide,
};
use serde_json::{Value, json};
use topology::{Topology, texts};

/// Vectors of the kinds asked here that this crate cannot answer.
const OUT_OF_SCOPE: [(&str, &str); 8] = [
    ("AV4-01", "security admin rules of a network manager are not modelled"),
    ("AV5-01", "security admin rules of a network manager are not modelled"),
    ("AV6-01", "security admin rules of a network manager are not modelled"),
    ("QS-25", "deleting an NSG in use: the server knows who uses it"),
    ("QS-26", "deleting a subnet in use: the server knows who uses it"),
    ("QS-27", "deleting a route table in use: the server knows who uses it"),
    ("QS-29", "request rate: the server counts requests"),
    ("QS-30", "locks between operations: the server runs them"),
];

/// Kinds that are not asked here at all, and how many vectors they have.
const OTHER_KINDS: [(&str, usize, &str); 9] = [
    ("connectivity_check", 1, "measures packets"),
    ("effective_nsg_available", 1, "depends on the VM's power state"),
    ("effective_rule_shape", 2, "the shape of a response, made by the server"),
    ("nsg_diagnostic", 1, "asks with a prefix instead of an address"),
    ("private_endpoint_route", 2, "private endpoints are not modelled"),
    ("public_ip_open", 1, "SKUs of public addresses are not modelled"),
    ("return_path", 4, "the way of the reply is not modelled yet"),
    ("stateful", 2, "flow records are kept by whoever forwards"),
    ("tag_route_precedence", 4, "user routes with service tags are not modelled"),
];

fn file() -> Value {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

fn vectors(file: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = file["vectors"].as_array().unwrap().iter();
    all.map(|vector| (vector["id"].as_str().unwrap(), vector))
}

/// Asks every vector of a kind that is in scope and says how many there were.
fn ask(kind: &str, question: impl Fn(&str, &Topology, &Value, &Value)) -> usize {
    let file = file();
    vectors(&file)
        .filter(|(_, vector)| vector["kind"] == kind)
        .filter(|(id, _)| !OUT_OF_SCOPE.iter().any(|(out, _)| out == id))
        .map(|(id, vector)| {
            let name = vector["topology"].as_str().unwrap();
            let topology = Topology::new(&file["topologies"][name]);
            question(id, &topology, &vector["question"], &vector["expected"]);
        })
        .count()
}

#[test]
fn every_vector_is_asked_or_out_of_scope_for_a_reason() {
    const ASKED: [&str; 8] = [
        "effective_routes",
        "frontend_map",
        "ip_flow",
        "nat_pool",
        "next_hop",
        "tag_contains",
        "tag_expansion_prefix",
        "validation",
    ];
    let file = file();
    for (id, vector) in vectors(&file) {
        let kind = vector["kind"].as_str().unwrap();
        let known =
            ASKED.contains(&kind) || OTHER_KINDS.iter().any(|(other, ..)| *other == kind);
        assert!(known, "{id}: kind {kind} is neither asked nor out of scope");
    }
    for (kind, count, reason) in OTHER_KINDS {
        let found = vectors(&file).filter(|(_, vector)| vector["kind"] == kind).count();
        assert_eq!(found, count, "{kind}: {reason}");
    }
    for (out, reason) in OUT_OF_SCOPE {
        assert!(vectors(&file).any(|(id, _)| id == out), "{out}: {reason}");
    }
}

#[test]
fn ip_flow() {
    let asked = ask("ip_flow", |id, topology, question, expected| {
        let nsgs = topology.nsgs_of(question["nic"].as_str().unwrap());
        let nsgs: Vec<_> = nsgs.iter().map(|(at, nsg)| (*at, nsg)).collect();
        let tags = topology.tags();
        let decision = decide(&nsgs, &topology.flow(question), &tags);
        assert_eq!(decision.access.to_string(), expected["access"], "{id}");
        assert_eq!(decided_by(&decision), expected["decidedBy"], "{id}");
        let evaluated: Vec<Value> = decision.evaluated.iter().map(named).collect();
        if let Some(expected) = expected["evaluated"].as_array() {
            assert_eq!(evaluated, *expected, "{id}");
        }
        for nsg in texts(&expected["notEvaluated"]) {
            assert!(evaluated.iter().all(|matched| matched["nsg"] != nsg), "{id}");
        }
    });
    assert_eq!(asked, 45);
}

/// A match in the words of the vectors.
fn named(matched: &network::Match<'_>) -> Value {
    let scope = match matched.attachment {
        network::Attachment::Subnet => "subnet",
        network::Attachment::NetworkInterface => "nic",
    };
    // The documents' names with spaces are no resource names; see topology.rs.
    let rule = matched.rule.name.replace('_', " ");
    json!({ "nsg": matched.nsg.id, "scope": scope, "rule": rule })
}

fn decided_by(decision: &Decision<'_>) -> Value {
    match decision.deciding() {
        Some(matched) => named(&matched),
        None if decision.exempt => {
            json!({ "nsg": "platform", "scope": "host", "rule": "PlatformExemption" })
        }
        None => Value::Null,
    }
}

#[test]
fn frontend_map() {
    let asked = ask("frontend_map", |id, topology, question, expected| {
        let port = u16::try_from(question["port"].as_u64().unwrap()).unwrap();
        let frontends = topology.frontends();
        let frontend = match question["frontend"].as_str() {
            Some(frontend) => frontend.parse().unwrap(),
            // A machine with an address of its own.
            None => Topology::INSTANCE.0,
        };
        let Some(mapped) = frontends.map(frontend, Protocol::Tcp, port) else {
            assert_eq!(expected["access"], "NoMapping", "{id}");
            return;
        };
        let target = mapped.targets[0];
        if !expected["mappedToPort"].is_null() {
            assert_eq!(expected["mappedToPort"], target.port(), "{id}");
            return;
        }
        let nic = expected["backendNic"].as_str().unwrap();
        assert_eq!(*target.ip(), topology.address_of(nic), "{id}");
        assert_eq!(target.port(), expected["backendPort"], "{id}");
        if let Some(via) = expected["via"].as_str() {
            assert_eq!(mapped.rule, Some(via), "{id}");
        }
        let access = topology.access_behind(&target, nic, question);
        assert_eq!(access.to_string(), expected["access"], "{id}");
    });
    assert_eq!(asked, 5);
}

#[test]
fn nat_pool() {
    let asked = ask("nat_pool", |id, _, question, expected| {
        let port = |field: &str| {
            u16::try_from(question["rule"][field].as_u64().unwrap()).unwrap()
        };
        let range = port("frontendPortRangeStart")..=port("frontendPortRangeEnd");
        let members = question["members"].as_u64().unwrap();
        let members: Vec<String> =
            (0..members).map(|member| format!("vm{member}")).collect();
        let Some(given) = allot(&range, &members, &Default::default()) else {
            assert_eq!(expected["scaleOut"], "Blocked", "{id}");
            return;
        };
        assert_eq!(expected["eachMemberOneUniquePortInRange"], true, "{id}");
        let ports: std::collections::BTreeSet<_> = given.values().collect();
        assert_eq!(ports.len(), members.len(), "{id}");
        assert!(ports.into_iter().all(|port| range.contains(port)), "{id}");
    });
    assert_eq!(asked, 2);
}

#[test]
fn next_hop() {
    let asked = ask("next_hop", |id, topology, question, expected| {
        let routes = topology.routes_of(question["nic"].as_str().unwrap());
        let destination = question["destinationIPAddress"].as_str().unwrap();
        let route = routes.next_hop(destination.parse().unwrap()).unwrap();
        assert_eq!(route.next_hop.kind(), expected["nextHopType"], "{id}");
        let table = route.table.as_deref().unwrap_or("System Route");
        assert_eq!(table, expected["routeTableId"], "{id}");
        let address = route.next_hop.address().map(|address| address.to_string());
        assert_eq!(json!(address), expected["nextHopIpAddress"], "{id}");
    });
    assert_eq!(asked, 26);
}

#[test]
fn effective_routes() {
    let asked = ask("effective_routes", |id, topology, question, expected| {
        let routes = topology.routes_of(question["nic"].as_str().unwrap());
        let listed: Vec<Value> = routes
            .effective()
            .iter()
            .map(|effective| {
                assert_eq!(effective.state, State::Active, "{id}");
                json!([[effective.route.prefix], effective.route.next_hop.kind()])
            })
            .collect();
        let expected: Vec<Value> = expected["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|route| json!([route["addressPrefix"], route["nextHopType"]]))
            .collect();
        assert_eq!(listed, expected, "{id}");
    });
    assert_eq!(asked, 1);
}

#[test]
fn tags() {
    let contains = ask("tag_contains", |id, topology, question, expected| {
        let tag = ServiceTag::parse(question["tag"].as_str().unwrap()).unwrap();
        let address = question["address"].as_str().unwrap().parse().unwrap();
        let addresses = network::Addresses::Tag(tag);
        assert_eq!(
            addresses.contain(address, &topology.tags()),
            expected["contains"],
            "{id}"
        );
    });
    let expands = ask("tag_expansion_prefix", |id, topology, question, expected| {
        let tag = ServiceTag::parse(question["tag"].as_str().unwrap()).unwrap();
        let tags = topology.tags();
        let listed: Vec<String> =
            tags.prefixes(&tag).iter().map(|net| net.to_string()).collect();
        let expected: Vec<&str> = texts(&expected["startsWith"]).collect();
        assert_eq!(listed[..expected.len()], expected, "{id}");
    });
    assert_eq!((contains, expands), (1, 1));
}

#[test]
fn validation() {
    let asked = ask("validation", |id, _, question, expected| {
        let error = match &question["samePriorityAndDirectionAs"] {
            Value::String(existing) => {
                let there = rule(existing, &json!(["22"])).unwrap();
                let put =
                    rule(question["name"].as_str().unwrap(), &json!(["22"])).unwrap();
                Nsg::new("nsg", [there, put]).unwrap_err()
            }
            _ => rule("rule", &question["destinationPortRanges"]).unwrap_err(),
        };
        assert_eq!(error.code(), expected["code"], "{id}");
        assert_eq!(error.to_string(), expected["message"], "{id}");
    });
    assert_eq!(asked, 2);
}

fn rule(name: &str, ports: &Value) -> Result<Rule, RuleError> {
    Rule::from_arm(
        name,
        &json!({
            "protocol": Protocol::Tcp.to_string(),
            "access": Access::Allow.to_string(),
            "direction": "Inbound",
            "priority": 100,
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRanges": ports,
        }),
    )
}

//! Packets to a load balancer's frontend.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use machine::{Fabric, Nic, Vnet};
use network::{Access, Affinity, Filter, Translation, Via};

use crate::lab::{Lab, Seen, look};
use crate::{
    SSH, banner, everything, machine, nic, private, public, tcp, topology, vnet,
};

/// A load balancer's port that leads to port 22 of some machines.
fn translation(frontend: Ipv4Addr, port: u16, backends: &[u8]) -> Translation {
    let via =
        if backends.len() == 1 { Via::InboundNatRule } else { Via::LoadBalancingRule };
    Translation {
        via,
        rule: format!("rule-{port}"),
        frontend,
        protocol: 6,
        port,
        targets: backends
            .iter()
            .map(|last| SocketAddrV4::new(private(*last), SSH))
            .collect(),
        affinity: Affinity::default(),
    }
}

#[test]
fn a_frontends_ports_lead_to_the_machines_behind_it() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    machine(&fabric, "a", "vm1", 4);
    machine(&fabric, "a", "vm2", 5);
    let frontend = public(&fabric, 9);
    let hidden = |last| Nic { public: None, ..nic(&fabric, last, &[], &[]) };
    let network = Vnet {
        frontends: vec![
            translation(frontend, 50_001, &[4]),
            translation(frontend, 50_002, &[5]),
            translation(frontend, 2222, &[]),
        ],
        ..vnet("a", vec![hidden(4), hidden(5)])
    };
    fabric.apply(&topology(vec![network.clone()])).unwrap();
    assert_eq!(look(frontend, 50_001), banner("vm1"));
    assert_eq!(look(frontend, 50_002), banner("vm2"));
    assert_eq!(look(frontend, SSH), Seen::TimedOut, "a port that no rule speaks of");
    assert_eq!(look(frontend, 2222), Seen::TimedOut, "a rule without a backend");

    let without = Vnet { frontends: vec![], ..network };
    fabric.update(&[without]).unwrap();
    assert_eq!(look(frontend, 50_001), Seen::TimedOut);
}

#[test]
fn rules_see_the_client_and_the_backends_port_behind_a_frontend() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    machine(&fabric, "a", "vm1", 4);
    let frontend = public(&fabric, 9);
    let seen_with = |port: u16| {
        let rule = Filter {
            source: vec![fabric.client_address().into()],
            destination: vec![private(4).into()],
            ..tcp(Access::Allow, port)
        };
        let nsg = vec![rule, everything(Access::Deny)];
        let network = Vnet {
            frontends: vec![translation(frontend, 50_001, &[4])],
            ..vnet("a", vec![Nic { public: None, ..nic(&fabric, 4, &[nsg], &[]) }])
        };
        fabric.apply(&topology(vec![network])).unwrap();
        look(frontend, 50_001)
    };
    assert_eq!(seen_with(SSH), banner("vm1"));
    assert_eq!(seen_with(50_001), Seen::TimedOut, "the frontend's port is not asked for");
}

#[test]
fn a_balanced_port_reaches_every_member() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let client = machine(&fabric, "a", "vm1", 4);
    machine(&fabric, "a", "vm2", 5);
    machine(&fabric, "a", "vm3", 6);
    let (outside, inside) = (public(&fabric, 9), private(100));
    let network = Vnet {
        frontends: vec![
            translation(outside, 80, &[5, 6]),
            translation(inside, 80, &[5, 6]),
        ],
        ..vnet("a", (4..=6).map(|last| nic(&fabric, last, &[], &[])).collect())
    };
    fabric.apply(&topology(vec![network])).unwrap();
    let members = |look: &dyn Fn() -> Seen| -> BTreeSet<String> {
        let seen = (0..40).map(|_| look());
        seen.map(|seen| match seen {
            Seen::Banner(name) => name,
            other => panic!("{other:?}"),
        })
        .collect()
    };
    let both = BTreeSet::from(["vm2".to_owned(), "vm3".to_owned()]);
    assert_eq!(members(&|| look(outside, 80)), both);
    assert_eq!(members(&|| client.within(|| look(inside, 80)).unwrap()), both);
}

#[test]
fn a_health_probe_obeys_the_rules_for_its_source() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    machine(&fabric, "a", "vm1", 4);
    let probe = Filter {
        source: vec!["168.63.129.16/32".parse().unwrap()],
        ..tcp(Access::Allow, SSH)
    };
    for (rules, healthy) in [
        (vec![probe, everything(Access::Deny)], true),
        (vec![everything(Access::Deny)], false),
    ] {
        let network = vnet("a", vec![nic(&fabric, 4, &[rules], &[])]);
        fabric.apply(&topology(vec![network])).unwrap();
        let target = SocketAddrV4::new(private(4), SSH);
        assert_eq!(fabric.probe("a", target).unwrap(), healthy);
    }
}

//! Packets that do not go where their destination says.

use std::process::Command;

use machine::{Fabric, Nic};
use network::route::{Detour, Turn};

use crate::lab::{Lab, Seen, attachment, id, look};
use crate::{SSH, banner, machine, nic, private, public, topology, vnet};

#[test]
fn packets_follow_the_routes_of_their_sender() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let sender = machine(&fabric, "a", "vm1", 4);
    machine(&fabric, "a", "vm2", 5);
    let appliance = machine(&fabric, "a", "vm3", 6);
    let seen_with = |turn: Option<Turn>, forwards: bool| {
        let detours = |to: u8| {
            let destinations = private(to)..=private(to);
            turn.iter()
                .map(|turn| Detour { destinations: destinations.clone(), turn: *turn })
                .collect()
        };
        let nics = vec![
            Nic { detours: detours(5), ..nic(&fabric, 4, &[], &[]) },
            Nic { detours: detours(4), ..nic(&fabric, 5, &[], &[]) },
            Nic { forwards, ..nic(&fabric, 6, &[], &[]) },
        ];
        fabric.apply(&topology(vec![vnet("a", nics)])).unwrap();
        sender.within(|| look(private(5), SSH)).unwrap()
    };
    let forward = |on: &str| {
        let on = on.to_owned();
        appliance
            .within(move || std::fs::write("/proc/sys/net/ipv4/ip_forward", on))
            .unwrap()
            .unwrap();
    };
    assert_eq!(seen_with(None, false), banner("vm2"));
    assert_eq!(seen_with(Some(Turn::Drop), false), Seen::TimedOut);
    let by_way_of = Some(Turn::Appliance(private(6)));
    forward("1");
    assert_eq!(seen_with(by_way_of, false), Seen::TimedOut, "without IP forwarding");
    assert_eq!(seen_with(by_way_of, true), banner("vm2"));
    forward("0");
    assert_eq!(seen_with(by_way_of, true), Seen::TimedOut, "the appliance's guest drops");
    assert_eq!(seen_with(None, true), banner("vm2"));
    fabric.detach(&id("vm3"), &attachment("a", 6)).unwrap();
    assert_eq!(seen_with(by_way_of, true), Seen::TimedOut, "an appliance that is off");
}

#[test]
fn a_second_address_leads_to_the_same_machine() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let machine = machine(&fabric, "a", "vm1", 4);
    // The guest has to add it itself, as in Azure.
    let added = Command::new("ip")
        .args(["-n", machine.name(), "addr", "add", "10.0.0.20/24", "dev", "eth0"])
        .status()
        .unwrap();
    assert!(added.success());
    let second = public(&fabric, 9);
    let nic =
        Nic { secondary: vec![(private(20), Some(second))], ..nic(&fabric, 4, &[], &[]) };
    fabric.apply(&topology(vec![vnet("a", vec![nic])])).unwrap();
    assert_eq!(look(second, SSH), banner("vm1"));
    assert_eq!(look(public(&fabric, 4), SSH), banner("vm1"));
}

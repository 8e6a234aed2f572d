//! The fabric with packets: what is denied vanishes, what is allowed arrives,
//! and nothing is left when it is gone. Namespaces stand in for VMs here, with
//! a listener that says who it is.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../lab/mod.rs"]
mod lab;
mod load_balancer;
mod steering;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::thread;

use lab::{Lab, PATIENCE, SILENCE, Seen, attachment, id, line, look, remains};
use machine::{Attempt, Fabric, Namespace, Nic, Topology, Vnet};
use network::{Access, Filter};

const SSH: u16 = 22;

/// The `n`th public address of the lab.
fn public(fabric: &Fabric, n: u8) -> Ipv4Addr {
    let base = fabric.public_range().network().to_bits();
    Ipv4Addr::from_bits(base + u32::from(n))
}

fn nic(
    fabric: &Fabric,
    last: u8,
    inbound: &[Vec<Filter>],
    outbound: &[Vec<Filter>],
) -> Nic {
    Nic {
        address: Ipv4Addr::new(10, 0, 0, last),
        public: Some(public(fabric, last)),
        secondary: vec![],
        forwards: false,
        detours: vec![],
        inbound: inbound.to_vec(),
        outbound: outbound.to_vec(),
    }
}

fn vnet(name: &str, nics: Vec<Nic>) -> Vnet {
    Vnet { name: name.to_owned(), nics, frontends: vec![] }
}

fn topology(vnets: Vec<Vnet>) -> Topology {
    Topology { vnets }
}

/// A TCP rule for one port of everybody.
fn tcp(access: Access, port: u16) -> Filter {
    Filter {
        rule: format!("tcp-{port}"),
        access,
        protocol: Some(6),
        source: vec![],
        source_ports: vec![],
        destination: vec![],
        destination_ports: vec![port..=port],
    }
}

fn everything(access: Access) -> Filter {
    Filter { protocol: None, destination_ports: vec![], ..tcp(access, 0) }
}

/// Says `name` to everybody who connects, for as long as the test runs.
fn serve(listener: TcpListener, name: &'static str) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            writeln!(stream, "{name}").unwrap();
            thread::spawn(move || {
                std::io::copy(&mut stream.try_clone().unwrap(), &mut stream)
            });
        }
    });
}

/// A namespace that is connected like a VM and answers on port 22.
fn machine(fabric: &Fabric, vnet: &str, name: &'static str, last: u8) -> Namespace {
    let namespace = fabric.attach(&id(name), &attachment(vnet, last)).unwrap();
    serve(namespace.listen(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, SSH)).unwrap(), name);
    namespace
}

fn banner(name: &str) -> Seen {
    Seen::Banner(name.to_owned())
}

#[test]
fn allowed_is_a_banner_closed_is_refused_denied_is_a_time_out() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let ports =
        vec![tcp(Access::Allow, 22), tcp(Access::Allow, 23), everything(Access::Deny)];
    fabric
        .apply(&topology(vec![vnet("a", vec![nic(&fabric, 4, &[ports], &[])])]))
        .unwrap();
    machine(&fabric, "a", "vm1", 4);

    let address = public(&fabric, 4);
    assert_eq!(look(address, 22), banner("vm1"));
    assert_eq!(look(address, 23), Seen::Refused);
    assert_eq!(look(address, 24), Seen::TimedOut);
}

#[test]
fn both_nsgs_must_allow() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let allow = vec![tcp(Access::Allow, 22), everything(Access::Deny)];
    let deny = vec![everything(Access::Deny)];
    machine(&fabric, "a", "vm1", 4);
    let address = public(&fabric, 4);
    let seen_with = |nsgs: &[Vec<Filter>]| {
        fabric
            .apply(&topology(vec![vnet("a", vec![nic(&fabric, 4, nsgs, &[])])]))
            .unwrap();
        look(address, 22)
    };
    assert_eq!(seen_with(&[allow.clone(), allow.clone()]), banner("vm1"));
    assert_eq!(seen_with(&[allow.clone(), deny.clone()]), Seen::TimedOut);
    assert_eq!(seen_with(&[deny, allow]), Seen::TimedOut);
    assert_eq!(seen_with(&[]), banner("vm1"));
}

#[test]
fn a_rule_sees_the_client_and_the_private_address() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    machine(&fabric, "a", "vm1", 4);
    let rule = Filter {
        source: vec![fabric.client_address().into()],
        destination: vec!["10.0.0.4/32".parse().unwrap()],
        ..tcp(Access::Allow, 22)
    };
    let nsg = vec![rule, everything(Access::Deny)];
    fabric.apply(&topology(vec![vnet("a", vec![nic(&fabric, 4, &[nsg], &[])])])).unwrap();
    assert_eq!(look(public(&fabric, 4), 22), banner("vm1"));
}

#[test]
fn a_connection_outlives_the_rule_that_would_have_denied_it() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let of =
        |nsg: Vec<Filter>| topology(vec![vnet("a", vec![nic(&fabric, 4, &[nsg], &[])])]);
    fabric.apply(&of(vec![everything(Access::Allow)])).unwrap();
    machine(&fabric, "a", "vm1", 4);
    let mut stream = TcpStream::connect((public(&fabric, 4), SSH)).unwrap();
    assert_eq!(line(&mut stream), "vm1");

    fabric.apply(&of(vec![everything(Access::Deny)])).unwrap();
    Fabric::up(lab.state()).unwrap();

    assert_eq!(look(public(&fabric, 4), SSH), Seen::TimedOut);
    stream.write_all(b"still here\n").unwrap();
    assert_eq!(line(&mut stream), "still here");
}

#[test]
fn overlapping_networks_do_not_meet() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let other = Nic { public: Some(public(&fabric, 5)), ..nic(&fabric, 4, &[], &[]) };
    let third = nic(&fabric, 6, &[], &[]);
    let vnets =
        vec![vnet("a", vec![nic(&fabric, 4, &[], &[])]), vnet("b", vec![other, third])];
    fabric.apply(&topology(vnets)).unwrap();
    let in_a = machine(&fabric, "a", "vm-a", 4);
    let in_b = machine(&fabric, "b", "vm-b", 4);
    machine(&fabric, "b", "vm-c", 6);

    assert_eq!(look(public(&fabric, 4), SSH), banner("vm-a"));
    assert_eq!(look(public(&fabric, 5), SSH), banner("vm-b"));
    let third = Ipv4Addr::new(10, 0, 0, 6);
    assert_eq!(in_b.within(|| look(third, SSH)).unwrap(), banner("vm-c"));
    assert_eq!(in_a.within(|| look(third, SSH)).unwrap(), Seen::TimedOut);
}

#[test]
fn neighbours_pass_the_senders_and_the_receivers_rules() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let first = machine(&fabric, "a", "vm1", 4);
    machine(&fabric, "a", "vm2", 5);
    let seen_with = |outbound: &[Vec<Filter>], inbound: &[Vec<Filter>]| {
        let nics = vec![nic(&fabric, 4, &[], outbound), nic(&fabric, 5, inbound, &[])];
        fabric.apply(&topology(vec![vnet("a", nics)])).unwrap();
        first.within(|| look(Ipv4Addr::new(10, 0, 0, 5), SSH)).unwrap()
    };
    let (allow, deny) =
        ([vec![everything(Access::Allow)]], [vec![everything(Access::Deny)]]);
    assert_eq!(seen_with(&allow, &allow), banner("vm2"));
    assert_eq!(seen_with(&deny, &allow), Seen::TimedOut);
    assert_eq!(seen_with(&allow, &deny), Seen::TimedOut);
}

#[test]
fn a_machine_that_takes_anothers_address_is_not_heard() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let nics = vec![nic(&fabric, 4, &[], &[]), nic(&fabric, 5, &[], &[])];
    fabric.apply(&topology(vec![vnet("a", nics)])).unwrap();
    let thief = machine(&fabric, "a", "vm1", 4);
    let victim = machine(&fabric, "a", "vm2", 5);
    let take = ["-n", thief.name(), "addr", "add", "10.0.0.99/32", "dev", "eth0"];
    assert!(std::process::Command::new("ip").args(take).status().unwrap().success());
    let ear = victim.within(|| UdpSocket::bind("10.0.0.5:5000")).unwrap().unwrap();
    for (source, word) in [("10.0.0.99:0", b"stolen"), ("10.0.0.4:0", b"honest")] {
        let mouth = thief.within(|| UdpSocket::bind(source)).unwrap().unwrap();
        mouth.send_to(word, "10.0.0.5:5000").unwrap();
    }
    let mut heard = [0; 16];
    ear.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = ear.recv(&mut heard).unwrap();
    assert_eq!(&heard[..length], b"honest");
}

#[test]
fn an_address_without_a_running_machine_is_a_time_out() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    fabric.apply(&topology(vec![vnet("a", vec![nic(&fabric, 4, &[], &[])])])).unwrap();
    assert_eq!(look(public(&fabric, 4), SSH), Seen::TimedOut, "a VM that is stopped");
    assert_eq!(
        look(public(&fabric, 200), SSH),
        Seen::TimedOut,
        "an address that nobody has"
    );

    let machine = machine(&fabric, "a", "vm1", 4);
    assert_eq!(look(public(&fabric, 4), SSH), banner("vm1"));
    let nobody = Ipv4Addr::new(10, 0, 0, 77);
    assert_eq!(machine.within(|| look(nobody, SSH)).unwrap(), Seen::TimedOut);

    fabric.detach(&id("vm1"), &attachment("a", 4)).unwrap();
    assert_eq!(look(public(&fabric, 4), SSH), Seen::TimedOut, "a VM that was stopped");
}

#[test]
fn the_platform_is_reached_from_machines_only_and_past_every_nsg() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let deny = [vec![everything(Access::Deny)]];
    fabric
        .apply(&topology(vec![vnet("a", vec![nic(&fabric, 4, &deny, &deny)])]))
        .unwrap();
    let wire = Ipv4Addr::new(168, 63, 129, 16);
    let metadata = Ipv4Addr::new(169, 254, 169, 254);
    for (address, name) in [(wire, "wire"), (metadata, "metadata")] {
        for port in [80, 81] {
            serve(fabric.listen("a", SocketAddrV4::new(address, port)).unwrap(), name);
        }
    }
    let machine = machine(&fabric, "a", "vm1", 4);
    let ask = |address, port| machine.within(|| look(address, port)).unwrap();
    assert_eq!(ask(wire, 80), banner("wire"));
    assert_eq!(ask(metadata, 80), banner("metadata"));
    assert_eq!(ask(wire, 81), Seen::TimedOut);
    assert_eq!(
        ask(Ipv4Addr::new(10, 0, 0, 1), 80),
        Seen::TimedOut,
        "the gateway is no platform"
    );
    assert_eq!(ask(wire, 53), Seen::Refused, "a resolver must not wait for nobody");
}

#[test]
fn nothing_of_the_lab_reaches_the_host() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    fabric.apply(&topology(vec![vnet("a", vec![nic(&fabric, 4, &[], &[])])])).unwrap();
    let machine = machine(&fabric, "a", "vm1", 4);
    let host = TcpListener::bind((fabric.client_address(), 0)).unwrap();
    let port = host.local_addr().unwrap().port();
    assert_eq!(
        machine.within(|| look(fabric.client_address(), port)).unwrap(),
        Seen::TimedOut
    );
    // An address of the documentation range: it would be routed out of the host.
    let outside = Ipv4Addr::new(192, 0, 2, 1);
    assert_eq!(machine.within(|| look(outside, 80)).unwrap(), Seen::TimedOut);
}

#[test]
fn an_address_moves_and_a_network_goes() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    machine(&fabric, "a", "vm1", 4);
    machine(&fabric, "b", "vm2", 5);
    let of = |a: Option<u8>, b: Option<u8>| {
        let nic = |last, n: Option<u8>| {
            let public = n.map(|n| public(&fabric, n));
            Nic { public, ..nic(&fabric, last, &[], &[]) }
        };
        topology(vec![vnet("a", vec![nic(4, a)]), vnet("b", vec![nic(5, b)])])
    };
    let address = public(&fabric, 9);
    fabric.apply(&of(Some(9), None)).unwrap();
    assert_eq!(look(address, SSH), banner("vm1"));
    fabric.apply(&of(None, Some(9))).unwrap();
    assert_eq!(look(address, SSH), banner("vm2"));
    fabric.apply(&of(None, None)).unwrap();
    assert_eq!(look(address, SSH), Seen::TimedOut);

    fabric.apply(&topology(vec![])).unwrap();
    assert!(matches!(
        fabric.listen("a", "168.63.129.16:80".parse().unwrap()),
        Err(machine::Error::UnknownVnet(_))
    ));
    fabric.apply(&of(Some(9), None)).unwrap();
    machine(&fabric, "a", "vm1", 4);
    assert_eq!(look(address, SSH), banner("vm1"));
}

fn private(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

#[test]
fn connections_are_tried_from_a_machines_own_place() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    machine(&fabric, "a", "vm1", 4);
    machine(&fabric, "a", "vm2", 5);
    let ports =
        vec![tcp(Access::Allow, SSH), tcp(Access::Allow, 23), everything(Access::Deny)];
    let nics = vec![nic(&fabric, 4, &[], &[]), nic(&fabric, 5, &[ports], &[])];
    fabric.apply(&topology(vec![vnet("a", nics)])).unwrap();
    let tried = |port| {
        let target = SocketAddrV4::new(private(5), port);
        fabric.connect(&id("vm1"), target, 3, SILENCE).unwrap()
    };
    assert!(tried(SSH).iter().all(|one| matches!(one, Attempt::Connected(_))));
    assert_eq!(tried(23), [Attempt::Refused; 3]);
    assert_eq!(tried(24), [Attempt::Unanswered; 3]);
}

#[test]
fn an_update_leaves_other_networks_alone() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    machine(&fabric, "a", "vm1", 4);
    machine(&fabric, "b", "vm2", 5);
    let networks = [
        vnet("a", vec![nic(&fabric, 4, &[], &[])]),
        vnet("b", vec![nic(&fabric, 5, &[], &[])]),
    ];
    fabric.apply(&topology(networks.to_vec())).unwrap();
    let closed = vec![everything(Access::Deny)];
    fabric.update(&[vnet("a", vec![nic(&fabric, 4, &[closed], &[])])]).unwrap();
    assert_eq!(look(public(&fabric, 4), SSH), Seen::TimedOut);
    assert_eq!(look(public(&fabric, 5), SSH), banner("vm2"));
    let moved = Nic { public: Some(public(&fabric, 4)), ..nic(&fabric, 5, &[], &[]) };
    let nowhere = Nic { public: None, ..nic(&fabric, 4, &[], &[]) };
    fabric.update(&[vnet("b", vec![moved]), vnet("a", vec![nowhere])]).unwrap();
    assert_eq!(look(public(&fabric, 4), SSH), banner("vm2"));
}

#[test]
fn a_public_address_of_another_lab_is_refused() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let stranger =
        Nic { public: Some([127, 0, 0, 1].into()), ..nic(&fabric, 4, &[], &[]) };
    let error = fabric.apply(&topology(vec![vnet("a", vec![stranger])])).unwrap_err();
    assert!(matches!(error, machine::Error::PublicAddress { .. }), "{error}");
}

#[test]
fn labs_live_side_by_side_and_a_second_up_adopts_the_first() {
    let (one, two) = (Lab::new(), Lab::new());
    let first = Fabric::up(one.state()).unwrap();
    let second = Fabric::up(two.state()).unwrap();
    assert_ne!(first.public_range(), second.public_range());
    for (fabric, name) in [(&first, "vm1"), (&second, "vm2")] {
        fabric.apply(&topology(vec![vnet("a", vec![nic(fabric, 4, &[], &[])])])).unwrap();
        machine(fabric, "a", name, 4);
    }
    let again = Fabric::up(one.state()).unwrap();
    assert_eq!(again.public_range(), first.public_range());
    assert_eq!(look(public(&first, 4), SSH), banner("vm1"));
    assert_eq!(look(public(&second, 4), SSH), banner("vm2"));
}

#[test]
fn nothing_is_left_after_down() {
    let lab = Lab::new();
    let fabric = Fabric::up(lab.state()).unwrap();
    let [_, _, c, _] = fabric.client_address().octets();
    let (slot, table) = (format!("rg{c}"), format!("regain{c}"));
    fabric.apply(&topology(vec![vnet("a", vec![nic(&fabric, 4, &[], &[])])])).unwrap();
    machine(&fabric, "a", "vm1", 4);
    assert!(remains(&slot, &table, lab.state()).len() >= 5, "the lab is there");

    Fabric::down(lab.state()).unwrap();
    assert_eq!(remains(&slot, &table, lab.state()), Vec::<String>::new());
    Fabric::down(lab.state()).unwrap();
    assert!(machine::teardown(&lab.path("never-existed")).is_ok());
}

#[test]
fn a_slot_of_a_dead_lab_is_swept_and_used_again() {
    let dead = Lab::new();
    let state = dead.path("state");
    let first = Fabric::up(&state).unwrap();
    first.attach(&id("of-the-dead"), &attachment("a", 4)).unwrap();
    let namespace = first.namespace(&id("of-the-dead"));
    assert!(namespace.exists());
    std::fs::remove_dir_all(&state).unwrap();

    // The lowest free slot is taken first; whoever takes the dead lab's, be it
    // another test, has to sweep it.
    let labs: Vec<Lab> = (0..16).map(|_| Lab::new()).collect();
    for lab in &labs {
        Fabric::up(lab.state()).unwrap();
    }
    assert!(!namespace.exists());
}

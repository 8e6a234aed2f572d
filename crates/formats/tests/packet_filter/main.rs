//! The packet filter's evaluator: against the kernel, and against a brute force
//! over everything that is not known.

mod brute_force;
mod kernel;
mod unknown;

use std::net::IpAddr;

use formats::packet_filter::{Direction, Fate, Judgement, Listing, Packet, Ruleset};

/// The client's and the guest's addresses in the recorded rulesets.
const CLIENT: [u8; 4] = [198, 18, 0, 1];
const GUEST: [u8; 4] = [198, 18, 0, 4];

/// A SYN to port 22 of which everything is known but the client's port.
fn syn() -> Packet {
    Packet {
        source: Some(IpAddr::from(CLIENT)),
        destination: Some(IpAddr::from(GUEST)),
        v6: false,
        source_port: 1024..=u16::MAX,
        destination_port: 22..=22,
        interface: Some("eth0".to_owned()),
        direction: Direction::In,
    }
}

/// The answer to it.
fn reply() -> Packet {
    Packet {
        source: Some(IpAddr::from(GUEST)),
        destination: Some(IpAddr::from(CLIENT)),
        source_port: 22..=22,
        destination_port: 1024..=u16::MAX,
        direction: Direction::Out,
        ..syn()
    }
}

fn judge(listing: &Listing, packet: &Packet) -> Judgement {
    Ruleset::read(listing, packet).judge(packet)
}

fn fate(listing: &Listing, packet: &Packet) -> Fate {
    judge(listing, packet).fate
}

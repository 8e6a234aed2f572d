//! Every outcome of name resolution, from a tiny name server on loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use probe::{Names, Resolution};
use tokio::net::UdpSocket;

const LIMIT: Duration = Duration::from_millis(800);

/// How the name server answers everything.
#[derive(Clone, Copy)]
enum Zone {
    Address([u8; 4]),
    Nothing,
    NxDomain,
    ServFail,
    Silence,
}

async fn name_server(zone: Zone) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut packet).await {
            if let Some(reply) = reply(zone, &packet[..length]) {
                socket.send_to(&reply, peer).await.unwrap();
            }
        }
    });
    address
}

/// The question comes back with an answer behind it (RFC 1035 section 4.1).
fn reply(zone: Zone, query: &[u8]) -> Option<Vec<u8>> {
    let mut end = 12;
    while query[end] != 0 {
        end += usize::from(query[end]) + 1;
    }
    let question = &query[12..end + 5];
    let wants_v4 = query[end + 2] == 1;
    let (code, answer) = match zone {
        Zone::Silence => return None,
        Zone::NxDomain => (3, None),
        Zone::ServFail => (2, None),
        Zone::Address(address) if wants_v4 => (0, Some(address)),
        Zone::Address(_) | Zone::Nothing => (0, None),
    };
    let mut reply = query[..2].to_vec();
    reply.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(answer.is_some()), 0, 0, 0, 0]);
    reply.extend(question);
    if let Some(address) = answer {
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        reply.extend(address);
    }
    Some(reply)
}

async fn resolve(servers: &[SocketAddr], name: &str) -> Resolution {
    Names::new("192.0.2.9 in.hosts\n", servers).resolve(name, LIMIT).await.resolution
}

#[tokio::test]
async fn a_name_with_an_address_resolves() {
    let server = name_server(Zone::Address([192, 0, 2, 5])).await;
    let addresses = vec![IpAddr::from([192, 0, 2, 5])];
    assert_eq!(
        resolve(&[server], "vm.example").await,
        Resolution::Resolved { addresses, server: server.to_string() }
    );
}

#[tokio::test]
async fn the_server_that_denies_a_name_is_named() {
    let server = name_server(Zone::NxDomain).await;
    assert_eq!(
        resolve(&[server], "vm.example").await,
        Resolution::NxDomain { server: server.to_string() }
    );
}

#[tokio::test]
async fn a_name_without_an_address_is_not_a_missing_name() {
    let server = name_server(Zone::Nothing).await;
    assert_eq!(
        resolve(&[server], "vm.example").await,
        Resolution::NoAddress { server: server.to_string() }
    );
}

#[tokio::test]
async fn silence_is_unanswered_and_says_who_was_silent() {
    let server = name_server(Zone::Silence).await;
    let Resolution::Unanswered { error } = resolve(&[server], "vm.example").await else {
        panic!("an answer from a silent server");
    };
    assert_eq!(error, format!("{server}: no answer within 0.8 s"));
}

#[tokio::test]
async fn a_failing_server_is_unanswered_but_not_a_time_out() {
    let server = name_server(Zone::ServFail).await;
    let Resolution::Unanswered { error } = resolve(&[server], "vm.example").await else {
        panic!("an answer from a failing server");
    };
    assert!(error.to_lowercase().contains("server failure"), "{error}");
}

#[tokio::test]
async fn the_second_server_answers_for_the_first() {
    let failing = name_server(Zone::ServFail).await;
    let working = name_server(Zone::Address([192, 0, 2, 6])).await;
    let Resolution::Resolved { server, .. } =
        resolve(&[failing, working], "vm.example").await
    else {
        panic!("the second server was not asked");
    };
    assert_eq!(server, working.to_string());
}

#[tokio::test]
async fn what_needs_no_server_asks_none() {
    assert_eq!(
        resolve(&[], "vm.invalid").await,
        Resolution::NxDomain { server: "RFC 6761".to_owned() }
    );
    let Resolution::Resolved { addresses, .. } = resolve(&[], "a.localhost.").await
    else {
        panic!("localhost has addresses");
    };
    assert!(addresses.iter().all(IpAddr::is_loopback));
    let literal = vec![IpAddr::from([192, 0, 2, 1])];
    assert_eq!(
        resolve(&[], "192.0.2.1").await,
        Resolution::Literal { addresses: literal }
    );
    let Resolution::Resolved { server, .. } = resolve(&[], "IN.hosts").await else {
        panic!("the hosts file was not read");
    };
    assert_eq!(server, "hosts file");
    assert!(matches!(resolve(&[], "vm.example").await, Resolution::Unanswered { .. }));
}

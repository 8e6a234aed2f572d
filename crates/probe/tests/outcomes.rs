//! Every outcome of the way in, each from a tiny server on loopback that behaves so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use probe::{
    Found, GreetingOutcome, Limits, Names, Pace, Target, TcpOutcome, WayIn, fleet, way_in,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

const LIMITS: Limits = Limits {
    name: Duration::from_secs(2),
    connect: Duration::from_millis(300),
    greeting: Duration::from_millis(400),
};

/// What a server does with each connection.
#[derive(Clone)]
enum Manner {
    /// Sends these bytes and waits for the client to leave.
    Says(&'static [u8]),
    /// Sends these bytes and hangs up.
    SaysAndCloses(&'static [u8]),
    /// Waits for the client's line, then sends these bytes.
    Answers(&'static [u8]),
    /// Resets the connection.
    Resets,
}

async fn server(manner: Manner) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let manner = manner.clone();
            tokio::spawn(async move {
                let mut line = [0; 64];
                match manner {
                    Manner::Says(bytes) => {
                        stream.write_all(bytes).await.unwrap();
                        while stream.read(&mut line).await.is_ok_and(|n| n > 0) {}
                    }
                    Manner::SaysAndCloses(bytes) => {
                        stream.write_all(bytes).await.unwrap();
                        // Read what came, or the close turns into a reset.
                        let _ = stream.read(&mut line).await;
                    }
                    Manner::Answers(bytes) => {
                        let _ = stream.read(&mut line).await;
                        stream.write_all(bytes).await.unwrap();
                        while stream.read(&mut line).await.is_ok_and(|n| n > 0) {}
                    }
                    Manner::Resets => stream.set_zero_linger().unwrap(),
                }
            });
        }
    });
    address
}

async fn ask(address: SocketAddr) -> WayIn {
    let names = Names::new("", &[]);
    way_in(&names, &address.ip().to_string(), address.port(), &LIMITS).await
}

async fn greeting_of(manner: Manner) -> probe::Greeting {
    ask(server(manner).await).await.greeting.expect("TCP came up")
}

/// A KEXINIT that offers one name per list.
fn kexinit() -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend([0; 16]);
    for name in
        ["kex-a,kex-b", "key-a", "c-a", "c-b", "m-a", "m-b", "none", "none", "", ""]
    {
        payload.extend(u32::try_from(name.len()).unwrap().to_be_bytes());
        payload.extend(name.as_bytes());
    }
    payload.extend([0; 5]);
    let mut packet = u32::try_from(payload.len() + 5).unwrap().to_be_bytes().to_vec();
    packet.push(4);
    packet.extend(payload);
    packet.extend([0; 4]);
    packet
}

#[tokio::test]
async fn an_ssh_server_is_read_to_its_kexinit() {
    let mut bytes = b"welcome\r\nSSH-2.0-Test_1\r\n".to_vec();
    bytes.extend(kexinit());
    let greeting = greeting_of(Manner::Says(bytes.leak())).await;
    assert_eq!(greeting.outcome, GreetingOutcome::Ok);
    assert_eq!(greeting.banner.as_deref(), Some("SSH-2.0-Test_1"));
    assert_eq!(greeting.before_banner, ["welcome"]);
    let offer = greeting.offer.unwrap();
    assert_eq!(offer.kex, ["kex-a", "kex-b"]);
    assert_eq!(offer.host_key_algorithms, ["key-a"]);
    assert_eq!(offer.ciphers_to_client, ["c-b"]);
    assert_eq!(offer.macs_to_client, ["m-b"]);
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let way_in = ask(address).await;
    assert_eq!(way_in.telling_connect().unwrap().outcome, TcpOutcome::Refused);
    assert!(way_in.greeting.is_none());
}

#[tokio::test]
async fn a_port_that_answers_nothing_times_out() {
    // A full accept queue drops SYNs: the same silence as a filter's drop.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    for _ in 0..4 {
        let connect = tokio::net::TcpStream::connect(address);
        held.push(tokio::time::timeout(Duration::from_millis(100), connect).await);
    }
    let way_in = ask(address).await;
    let connect = way_in.telling_connect().unwrap();
    assert_eq!(connect.outcome, TcpOutcome::TimedOut);
    assert!(connect.error.as_deref().unwrap().contains("0.3 s"));
}

#[tokio::test]
async fn a_silent_port_is_silent() {
    let greeting = greeting_of(Manner::Says(b"")).await;
    assert_eq!(greeting.outcome, GreetingOutcome::Silent);
}

#[tokio::test]
async fn a_server_that_hangs_up_is_closed() {
    let greeting = greeting_of(Manner::SaysAndCloses(b"")).await;
    assert_eq!(greeting.outcome, GreetingOutcome::Closed);
}

#[tokio::test]
async fn the_line_before_the_refusal_is_read() {
    let greeting =
        greeting_of(Manner::SaysAndCloses(b"Not allowed at this time\r\n")).await;
    assert_eq!(greeting.outcome, GreetingOutcome::Closed);
    assert_eq!(greeting.before_banner, ["Not allowed at this time"]);
}

#[tokio::test]
async fn a_reset_before_the_banner_is_a_reset() {
    let greeting = greeting_of(Manner::Resets).await;
    assert_eq!(greeting.outcome, GreetingOutcome::Reset);
}

#[tokio::test]
async fn http_on_the_port_is_named() {
    let greeting =
        greeting_of(Manner::Answers(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n")).await;
    assert_eq!(greeting.outcome, GreetingOutcome::NotSsh);
    assert_eq!(greeting.protocol, Some("HTTP"));
    assert_eq!(greeting.before_banner, ["HTTP/1.1 400 Bad Request", "Server: x"]);
}

#[tokio::test]
async fn tls_on_the_port_is_named() {
    let greeting = greeting_of(Manner::Answers(&[0x15, 3, 3, 0, 2, 2, 70])).await;
    assert_eq!(greeting.outcome, GreetingOutcome::NotSsh);
    assert_eq!(greeting.protocol, Some("TLS"));
}

#[tokio::test]
async fn an_unknown_talker_is_not_an_ssh_server() {
    let greeting = greeting_of(Manner::Says(b"what do you want?\r\n")).await;
    assert_eq!(greeting.outcome, GreetingOutcome::NotSsh);
    assert_eq!(greeting.protocol, None);
    assert_eq!(greeting.before_banner, ["what do you want?"]);
}

#[tokio::test]
async fn a_banner_without_a_kexinit_is_told_apart() {
    let greeting = greeting_of(Manner::Says(b"SSH-2.0-Test_1\r\n")).await;
    assert_eq!(greeting.outcome, GreetingOutcome::NoKexinit);
    assert_eq!(greeting.banner.as_deref(), Some("SSH-2.0-Test_1"));
}

#[tokio::test]
async fn an_ssh_1_server_is_not_waited_for() {
    let greeting = greeting_of(Manner::Says(b"SSH-1.5-old\r\n")).await;
    assert_eq!(greeting.outcome, GreetingOutcome::NoKexinit);
    assert_eq!(greeting.error.as_deref(), Some("the server does not speak SSH 2"));
}

#[tokio::test]
async fn the_second_address_is_tried_when_the_first_refuses() {
    let address = server(Manner::SaysAndCloses(b"")).await;
    let names = Names::new("127.0.0.9 two\n127.0.0.1 two\n", &[]);
    let way_in = way_in(&names, "two", address.port(), &LIMITS).await;
    let outcomes: Vec<_> = way_in.tcp.iter().map(|tcp| tcp.outcome).collect();
    assert_eq!(outcomes, [TcpOutcome::Refused, TcpOutcome::Connected]);
    assert_eq!(way_in.telling_connect().unwrap().peer, address);
}

#[tokio::test]
async fn a_fleet_gives_every_target_its_own_result() {
    let open = server(Manner::SaysAndCloses(b"SSH-2.0-Test_1\r\n")).await;
    let targets: Vec<Target> = (0..200)
        .map(|n| {
            let host = if n % 2 == 0 { "127.0.0.1" } else { "no.invalid" };
            Target { host: host.to_owned(), port: open.port() }
        })
        .collect();
    let names = Arc::new(Names::new("", &[]));
    let pace = Pace { concurrency: 16, per_second: None };
    let mut results = fleet(names, targets, LIMITS, pace);
    let mut found: Vec<Found> = Vec::new();
    while let Some(one) = results.recv().await {
        found.push(one);
    }
    let open = |one: &&Found| one.way_in.greeting.is_some();
    assert_eq!(found.len(), 200);
    assert_eq!(found.iter().filter(open).count(), 100);
}

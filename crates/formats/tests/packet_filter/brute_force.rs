//! Against a reference that knows nothing of regions: it tries every value of
//! everything that is not known, one packet at a time.
//!
//! A ruleset is made as rules of a few plain words, written out in nft's and in
//! iptables' form, and followed here in the most literal way. Every constant in it
//! is from a small pool, so that a few values stand for all: each constant, its
//! neighbours, and something far away on both sides.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use formats::packet_filter::{Block, Fate, Listing, Packet};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{judge, syn};

/// What one rule may ask for.
#[derive(Debug, Clone)]
enum Ask {
    /// The client is in `10.0.0.START/LENGTH`.
    Network(u8, u8),
    /// The client is one of these `10.0.0.N`.
    Set(Vec<u8>),
    /// The client's port is in this range.
    Port(u16, u16),
    /// The packet comes in by this; `*` at its end for all that begin so.
    Interface(&'static str),
    /// The server's port is this.
    Server(u16),
    /// Nobody can say: the number of the question.
    Opaque,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Accept,
    Drop,
    Reset,
}

#[derive(Debug, Clone)]
enum Target {
    End(End),
    Jump(usize),
    Goto(usize),
    Return,
    Nothing,
}

#[derive(Debug, Clone)]
struct Line {
    asks: Vec<(bool, Ask)>,
    target: Target,
}

/// Chains 0 and 1 are base chains (prerouting, input), the others are jumped to by
/// chains before them only.
#[derive(Debug, Clone)]
struct Rules {
    chains: Vec<Vec<Line>>,
    policies: [bool; 2],
}

const BASES: usize = 2;
const ALL: usize = 5;

#[derive(Debug, Clone, Copy)]
struct One {
    source: u32,
    port: u16,
    interface: &'static str,
    /// The answer to opaque question N is bit N.
    opaque: u32,
}

fn sources() -> Vec<u32> {
    let near = (0..=9).map(|n| u32::from_be_bytes([10, 0, 0, n]));
    near.chain([u32::from_be_bytes([1, 0, 0, 1]), u32::from_be_bytes([192, 0, 2, 1])])
        .collect()
}
const PORTS: [u16; 8] = [1024, 1025, 29_999, 30_000, 30_001, 30_002, 65_534, 65_535];
const INTERFACES: [&str; 7] = ["eth0", "eth1", "eth9", "ens3", "wlan0", "lo", "br0"];

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        (0u8..8, 29u8..=32).prop_map(|(start, length)| Ask::Network(start, length)),
        Just(Ask::Network(0, 0)),
        prop::collection::vec(0u8..8, 0..5).prop_map(Ask::Set),
        (prop::sample::select(&PORTS[..]), prop::sample::select(&PORTS[..]))
            .prop_map(|(a, b)| Ask::Port(a.min(b), a.max(b))),
        prop::sample::select(vec!["eth0", "eth1", "eth*", "e*", "lo", "br0"])
            .prop_map(Ask::Interface),
        prop::sample::select(vec![22u16, 80]).prop_map(Ask::Server),
    ]
}

fn line(chain: usize, opaque: bool) -> impl Strategy<Value = Line> {
    let end = prop::sample::select(vec![End::Accept, End::Drop, End::Drop, End::Reset]);
    let target = prop_oneof![
        4 => end.prop_map(Target::End),
        2 => any::<(bool, prop::sample::Index)>().prop_map(move |(goto, index)| {
            let first = BASES.max(chain + 1);
            match (first..ALL).nth(index.index((ALL - first).max(1))) {
                Some(next) if goto => Target::Goto(next),
                Some(next) => Target::Jump(next),
                None => Target::Nothing,
            }
        }),
        1 => Just(Target::Return),
        1 => Just(Target::Nothing),
    ];
    let ask = if opaque {
        prop_oneof![5 => ask(), 1 => Just(Ask::Opaque)].boxed()
    } else {
        ask().boxed()
    };
    (prop::collection::vec((any::<bool>(), ask), 0..3), target)
        .prop_map(|(asks, target)| Line { asks, target })
}

fn rules(opaque: bool) -> impl Strategy<Value = Rules> {
    let chains: Vec<_> =
        (0..ALL).map(|chain| prop::collection::vec(line(chain, opaque), 0..4)).collect();
    (chains, any::<[bool; 2]>()).prop_map(|(chains, policies)| Rules { chains, policies })
}

impl Rules {
    /// Opaque questions are numbered as they stand.
    fn number(&self, chain: usize, line: usize, ask: usize) -> u32 {
        let mut number = 0;
        for (c, lines) in self.chains.iter().enumerate() {
            for (l, one) in lines.iter().enumerate() {
                for (a, (_, what)) in one.asks.iter().enumerate() {
                    if (c, l, a) == (chain, line, ask) {
                        return number;
                    }
                    number += u32::from(matches!(what, Ask::Opaque));
                }
            }
        }
        number
    }

    fn holds(&self, one: One, place: (usize, usize, usize)) -> bool {
        let (not, ask) = &self.chains[place.0][place.1].asks[place.2];
        let client = |n: u8| u32::from_be_bytes([10, 0, 0, n]);
        let holds = match ask {
            Ask::Network(start, length) => {
                let shift = 32 - u32::from(*length);
                shift == 32 || one.source >> shift == client(*start) >> shift
            }
            Ask::Set(members) => members.iter().any(|n| client(*n) == one.source),
            Ask::Port(from, to) => (*from..=*to).contains(&one.port),
            Ask::Interface(name) => match name.strip_suffix('*') {
                Some(start) => one.interface.starts_with(start),
                None => one.interface == *name,
            },
            Ask::Server(port) => *port == 22,
            // Its negation is another question that nobody can answer.
            Ask::Opaque => {
                return one.opaque >> self.number(place.0, place.1, place.2) & 1 == 1;
            }
        };
        holds != *not
    }

    /// How a chain ends; `None` if the packet comes out of it undecided.
    fn follow(&self, chain: usize, one: One) -> Option<End> {
        for (index, line) in self.chains[chain].iter().enumerate() {
            if !(0..line.asks.len()).all(|ask| self.holds(one, (chain, index, ask))) {
                continue;
            }
            match &line.target {
                Target::End(end) => return Some(end.clone()),
                Target::Jump(next) => {
                    if let Some(end) = self.follow(*next, one) {
                        return Some(end);
                    }
                }
                Target::Goto(next) => return self.follow(*next, one),
                Target::Return => return None,
                Target::Nothing => {}
            }
        }
        None
    }

    fn outcome(&self, one: One) -> End {
        for base in 0..BASES {
            let policy = if self.policies[base] { End::Drop } else { End::Accept };
            match self.follow(base, one).unwrap_or(policy) {
                End::Accept => {}
                blocked => return blocked,
            }
        }
        End::Accept
    }

    fn questions(&self) -> u32 {
        self.number(usize::MAX, 0, 0)
    }

    /// Every way in which it can end.
    fn outcomes(&self, packet: &Packet) -> BTreeSet<End> {
        let known = |address: IpAddr| match address {
            IpAddr::V4(address) => vec![address.to_bits()],
            IpAddr::V6(_) => Vec::new(),
        };
        let mut outcomes = BTreeSet::new();
        for source in packet.source.map_or_else(sources, known) {
            for port in PORTS.into_iter().filter(|port| packet.source_port.contains(port))
            {
                for interface in INTERFACES {
                    if packet.interface.as_deref().is_some_and(|known| known != interface)
                    {
                        continue;
                    }
                    for opaque in 0..1 << self.questions() {
                        outcomes.insert(self.outcome(One {
                            source,
                            port,
                            interface,
                            opaque,
                        }));
                    }
                }
            }
        }
        outcomes
    }

    fn nft(&self) -> Value {
        let name = |chain: usize| format!("c{chain}");
        let place = |object: Value, chain: usize| {
            let mut object = object;
            object["family"] = json!("inet");
            object["table"] = json!("t");
            let key = if object.get("expr").is_some() { "chain" } else { "name" };
            object[key] = json!(name(chain));
            object
        };
        let mut objects = Vec::new();
        for (chain, lines) in self.chains.iter().enumerate() {
            objects.push(json!({"chain": place(match chain {
                0 => json!({"hook": "prerouting", "prio": -300, "policy": policy(self.policies[0])}),
                1 => json!({"hook": "input", "prio": 0, "policy": policy(self.policies[1])}),
                _ => json!({}),
            }, chain)}));
            for line in lines {
                let mut statements: Vec<Value> = line.asks.iter().map(nft_ask).collect();
                statements.push(match &line.target {
                    Target::End(End::Accept) => json!({"accept": null}),
                    Target::End(End::Drop) => json!({"drop": null}),
                    Target::End(End::Reset) => json!({"reject": {"type": "tcp reset"}}),
                    Target::Jump(next) => json!({"jump": {"target": name(*next)}}),
                    Target::Goto(next) => json!({"goto": {"target": name(*next)}}),
                    Target::Return => json!({"return": null}),
                    Target::Nothing => json!({"counter": null}),
                });
                objects.push(json!({"rule": place(json!({"expr": statements}), chain)}));
            }
        }
        json!({"nftables": objects})
    }

    /// `raw` and `filter`, each with its own copies of the chains that are jumped to.
    fn iptables(&self) -> String {
        let name = |chain: usize| match chain {
            0 => "PREROUTING".to_owned(),
            1 => "INPUT".to_owned(),
            other => format!("c{other}"),
        };
        let mut text = String::new();
        for (base, table) in ["raw", "filter"].into_iter().enumerate() {
            let here: Vec<usize> = std::iter::once(base).chain(BASES..ALL).collect();
            text.push_str(&format!("*{table}\n"));
            for chain in &here {
                let policy = match chain {
                    0 | 1 if self.policies[*chain] => "DROP",
                    0 | 1 => "ACCEPT",
                    _ => "-",
                };
                text.push_str(&format!(":{} {policy} [0:0]\n", name(*chain)));
            }
            for chain in here {
                for line in &self.chains[chain] {
                    let mut words = vec![format!("-A {}", name(chain))];
                    words.extend(line.asks.iter().map(iptables_ask));
                    words.push(match &line.target {
                        Target::End(End::Accept) => "-j ACCEPT".to_owned(),
                        Target::End(End::Drop) => "-j DROP".to_owned(),
                        Target::End(End::Reset) => {
                            "-j REJECT --reject-with tcp-reset".to_owned()
                        }
                        Target::Jump(next) => format!("-j {}", name(*next)),
                        Target::Goto(next) => format!("-g {}", name(*next)),
                        Target::Return => "-j RETURN".to_owned(),
                        Target::Nothing => "-j LOG".to_owned(),
                    });
                    text.push_str(&words.join(" "));
                    text.push('\n');
                }
            }
            text.push_str("COMMIT\n");
        }
        text
    }
}

fn policy(drops: bool) -> &'static str {
    if drops { "drop" } else { "accept" }
}

fn address(n: u8) -> String {
    Ipv4Addr::from([10, 0, 0, n]).to_string()
}

fn nft_ask((not, ask): &(bool, Ask)) -> Value {
    let op = if *not { "!=" } else { "==" };
    let payload = |protocol: &str, field: &str| json!({"payload": {"protocol": protocol, "field": field}});
    let (left, right) = match ask {
        Ask::Network(start, length) => {
            let start = if *length == 0 { "0.0.0.0".to_owned() } else { address(*start) };
            let prefix = json!({"prefix": {"addr": start, "len": length}});
            (payload("ip", "saddr"), prefix)
        }
        Ask::Set(members) => {
            let members: Vec<String> = members.iter().map(|n| address(*n)).collect();
            (payload("ip", "saddr"), json!({"set": members}))
        }
        Ask::Port(from, to) => (payload("tcp", "sport"), json!({"range": [from, to]})),
        Ask::Interface(name) => (json!({"meta": {"key": "iifname"}}), json!(name)),
        Ask::Server(port) => (payload("tcp", "dport"), json!(port)),
        Ask::Opaque => (json!({"meta": {"key": "mark"}}), json!(1)),
    };
    json!({"match": {"op": op, "left": left, "right": right}})
}

fn iptables_ask((not, ask): &(bool, Ask)) -> String {
    let not = if *not { "! " } else { "" };
    match ask {
        Ask::Network(_, 0) => format!("{not}-s 0.0.0.0/0"),
        Ask::Network(start, length) => format!("{not}-s {}/{length}", address(*start)),
        // iptables has no such list; a range does for two members.
        Ask::Set(members) => {
            let (from, to) = bounds(members);
            format!("-m iprange {not}--src-range {}-{}", address(from), address(to))
        }
        Ask::Port(from, to) => format!("-p tcp -m tcp {not}--sport {from}:{to}"),
        Ask::Interface(name) => format!("{not}-i {}", name.replace('*', "+")),
        Ask::Server(port) => format!("-p tcp -m tcp {not}--dport {port}"),
        Ask::Opaque => format!("-m mark {not}--mark 0x1"),
    }
}

fn bounds(members: &[u8]) -> (u8, u8) {
    let from = members.iter().min().copied().unwrap_or(0);
    (from, members.iter().max().copied().unwrap_or(0))
}

/// The rules as iptables can say them.
fn in_ranges(rules: &Rules) -> Rules {
    let mut rules = rules.clone();
    for line in rules.chains.iter_mut().flatten() {
        for (_, ask) in &mut line.asks {
            if let Ask::Set(members) = ask {
                let (from, to) = bounds(members);
                *members = (from..=to).collect();
            }
        }
    }
    rules
}

fn packet() -> impl Strategy<Value = Packet> {
    let source = prop::option::of(prop::sample::select(sources()));
    let port = prop_oneof![
        3 => Just(1024..=u16::MAX),
        1 => prop::sample::select(&PORTS[..]).prop_map(|port| port..=port),
    ];
    let interface = prop::option::of(prop::sample::select(&INTERFACES[..]));
    (source, port, interface).prop_map(|(source, source_port, interface)| Packet {
        source: source.map(|bits| IpAddr::from(Ipv4Addr::from_bits(bits))),
        source_port,
        interface: interface.map(str::to_owned),
        ..syn()
    })
}

fn end(fate: &Fate) -> Option<End> {
    match fate {
        Fate::Accept => Some(End::Accept),
        Fate::Block(Block::Drop) => Some(End::Drop),
        Fate::Block(_) => Some(End::Reset),
        Fate::Unknown(_) => None,
    }
}

fn hold_against(
    rules: &Rules,
    listing: &Listing,
    packet: &Packet,
) -> Result<(), TestCaseError> {
    let outcomes = rules.outcomes(packet);
    let judgement = judge(listing, packet);
    match (end(&judgement.fate), judgement.fate) {
        (Some(end), _) => prop_assert_eq!(outcomes, BTreeSet::from([end])),
        (None, Fate::Unknown(because)) => {
            prop_assert!(outcomes.len() > 1 || rules.questions() > 0, "{outcomes:?}");
            prop_assert!(!because.is_empty());
        }
        (None, known) => prop_assert!(false, "{known:?} is known"),
    }
    // Who certainly blocks it does so for every value.
    if !judgement.blockers.is_empty() {
        prop_assert!(!rules.outcomes(packet).contains(&End::Accept));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_is_known_is_so_for_every_value(rules in rules(false), packet in packet()) {
        let nft = rules.nft();
        hold_against(&rules, &Listing { nft: Some(&nft), ..Listing::default() }, &packet)?;
        let (rules, text) = (in_ranges(&rules), rules.iptables());
        let text = Some(text.as_str());
        hold_against(&rules, &Listing { iptables_nft: text, ..Listing::default() }, &packet)?;
        hold_against(&rules, &Listing { iptables_legacy: text, ..Listing::default() }, &packet)?;
    }

    #[test]
    fn what_nobody_understands_may_be_so_or_not(rules in rules(true), packet in packet()) {
        prop_assume!(rules.questions() <= 5);
        let nft = rules.nft();
        hold_against(&rules, &Listing { nft: Some(&nft), ..Listing::default() }, &packet)?;
        let (rules, text) = (in_ranges(&rules), rules.iptables());
        hold_against(&rules, &Listing { iptables_nft: Some(&text), ..Listing::default() }, &packet)?;
    }
}

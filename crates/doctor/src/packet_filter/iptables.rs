//! iptables' save format, read for one packet.
//!
//! It is needed twice. `iptables-legacy` keeps its rules outside nftables. And
//! `iptables-nft` keeps them inside, but its extensions are opaque there (`xt`),
//! so that a rule which nft lists with an `xt` expression is read in iptables'
//! own words instead.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::nft_expression::in_network;
use super::{
    Base, Block, Chain, Direction, Effect, Packet, Rule, Table, Tool, Tri, Verdict,
    overlap,
};

/// The tables of a save file.
pub(super) fn read(text: &str, tool: Tool, packet: &Packet) -> Vec<Table> {
    let family = match tool {
        Tool::Ip6tables | Tool::Ip6tablesLegacy => "ip6",
        Tool::Nft | Tool::Iptables | Tool::IptablesLegacy => "ip",
    };
    let mut tables: Vec<Table> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('*') {
            tables.push(Table {
                family: family.to_owned(),
                name: name.to_owned(),
                ..Table::default()
            });
            continue;
        }
        let Some(table) = tables.last_mut() else { continue };
        if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split_whitespace();
            let (Some(name), policy) = (words.next(), words.next()) else { continue };
            let base = base(&table.name, name, policy == Some("DROP"));
            let chain = table.chains.entry(name.to_owned()).or_default();
            chain.base = base;
            chain.tool = tool;
        } else if let Some(rule) = line.strip_prefix("-A ") {
            let words = split(rule);
            if let Some((chain, words)) = words.split_first() {
                let rule = Rule {
                    handle: None,
                    text: rule_text(words),
                    effects: effects(words, packet),
                };
                table.chains.entry(chain.clone()).or_default().rules.push(rule);
            }
        }
    }
    tables
}

/// Puts rules in iptables' words where nft lists them with `xt` expressions.
///
/// Rule by rule, and only if both list the same number of rules in that chain:
/// otherwise something changed between the two listings.
pub(super) fn translate(tables: &mut [Table], text: &str, tool: Tool, packet: &Packet) {
    for saved in read(text, tool, packet) {
        let Some(table) = tables
            .iter_mut()
            .find(|table| table.family == saved.family && table.name == saved.name)
        else {
            continue;
        };
        let same = |(name, chain): (&String, &Chain)| {
            // iptables lists its built-in chains also where nothing made them.
            let known = table.chains.get(name).map_or(0, |known| known.rules.len());
            known == chain.rules.len()
        };
        if !saved.chains.iter().all(same) {
            continue;
        }
        for (name, chain) in saved.chains {
            let Some(known) = table.chains.get_mut(&name) else { continue };
            known.tool = tool;
            for (known, saved) in known.rules.iter_mut().zip(chain.rules) {
                known.text = saved.text;
                known.effects = saved.effects;
            }
        }
    }
}

/// Where a built-in chain hangs (netfilter_ipv4.h: NF_IP_PRI_*).
fn base(table: &str, chain: &str, policy_drops: bool) -> Option<Base> {
    let hook = match chain {
        "PREROUTING" => "prerouting",
        "INPUT" => "input",
        "FORWARD" => "forward",
        "OUTPUT" => "output",
        "POSTROUTING" => "postrouting",
        _ => return None,
    };
    let priority = match (table, chain) {
        ("raw", _) => -300,
        ("mangle", _) => -150,
        ("nat", "PREROUTING" | "OUTPUT") => -100,
        ("nat", _) => 100,
        ("security", _) => 50,
        _ => 0,
    };
    Some(Base { hook: hook.to_owned(), priority, policy_drops, applies: Tri::Yes })
}

/// Words of a line; double quotes hold spaces together, `\"` is a quote.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        let Some(word) = words.last_mut() else { break };
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => word.extend(characters.next()),
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(String::new());
                }
            }
            c => word.push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn rule_text(words: &[String]) -> String {
    words.join(" ")
}

/// A rule's options, one after the other.
fn effects(words: &[String], packet: &Packet) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut verdict = None;
    let mut negated = false;
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(option) = words.next() {
        if option == "!" {
            negated = true;
            continue;
        }
        // Values up to the next option; `--tcp-flags` has two.
        let mut values: Vec<&str> = Vec::new();
        while let Some(value) = words
            .next_if(|word| *word != "!" && (!word.starts_with('-') || word.len() == 1))
        {
            values.push(value);
        }
        match option {
            "-j" | "--jump" => verdict = values.first().map(|target| (*target, false)),
            "-g" | "--goto" => verdict = values.first().map(|target| (*target, true)),
            "--reject-with" => {
                let how = values.first().copied().unwrap_or_default();
                effects.push(Effect::verdict(Verdict::Block(rejection(how))));
                verdict = None;
            }
            _ => {
                if let Some(test) = test(option, &values, packet) {
                    effects.push(Effect::Test(if negated { test.not() } else { test }));
                }
            }
        }
        negated = false;
    }
    effects.extend(verdict.and_then(|(target, goto)| decide(target, goto)));
    effects
}

/// What a target does; nothing for one that lets the packet go on.
fn decide(target: &str, goto: bool) -> Option<Effect> {
    Some(Effect::verdict(match target {
        "ACCEPT" | "MASQUERADE" | "SNAT" => Verdict::Accept,
        "DROP" => Verdict::Block(Block::Drop),
        "REJECT" => Verdict::Block(rejection("icmp-port-unreachable")),
        "RETURN" => Verdict::Return,
        "DNAT" | "REDIRECT" | "NFQUEUE" | "TPROXY" | "QUEUE" | "SYNPROXY" | "TARPIT" => {
            Verdict::Elsewhere
        }
        "LOG" | "NFLOG" | "ULOG" | "MARK" | "CONNMARK" | "SET" | "CT" | "NOTRACK"
        | "TOS" | "DSCP" | "TTL" | "TCPMSS" | "CHECKSUM" | "AUDIT" | "TRACE"
        | "CLASSIFY" | "SECMARK" | "CONNSECMARK" | "RATEEST" => return None,
        chain if goto => Verdict::Goto(chain.to_owned()),
        chain => Verdict::Jump(chain.to_owned()),
    }))
}

fn rejection(how: &str) -> Block {
    match how {
        "tcp-reset" | "tcp-rst" => Block::Reset,
        how => Block::Icmp(
            how.trim_start_matches("icmp6-").trim_start_matches("icmp-").to_owned(),
        ),
    }
}

/// Whether an option's condition holds; nothing if the option is none.
fn test(option: &str, values: &[&str], packet: &Packet) -> Option<Tri> {
    let value = values.first().copied().unwrap_or_default();
    let inward = packet.direction == Direction::In;
    Some(match option {
        "-m" | "--match" | "--comment" | "--log-prefix" | "--log-level"
        | "--set-mark" | "--set-xmark" | "--nflog-group" | "--nflog-prefix"
        | "--log-uid" => return None,
        "-p" | "--protocol" => Tri::from(matches!(value, "tcp" | "6" | "all")),
        "-s" | "--source" => address(packet.source, value),
        "-d" | "--destination" => address(packet.destination, value),
        "-i" | "--in-interface" if inward => interface(packet, value),
        "-o" | "--out-interface" if !inward => interface(packet, value),
        "-i" | "--in-interface" | "-o" | "--out-interface" => Tri::No,
        "--dport" | "--dports" | "--destination-port" | "--destination-ports" => {
            ports(&packet.destination_port, value)
        }
        "--sport" | "--sports" | "--source-port" | "--source-ports" => {
            ports(&packet.source_port, value)
        }
        "--ports" => {
            ports(&packet.destination_port, value).or(ports(&packet.source_port, value))
        }
        "--syn" => Tri::from(inward),
        "--tcp-flags" => tcp_flags(packet, values),
        "--state" | "--ctstate" => {
            let state = if inward { "NEW" } else { "ESTABLISHED" };
            let words: Vec<&str> = value.split(',').collect();
            let others = ["DNAT", "SNAT", "UNTRACKED"];
            if words.contains(&state) {
                Tri::Yes
            } else if words.iter().any(|word| others.contains(word)) {
                Tri::Unknown
            } else {
                Tri::No
            }
        }
        "--ctdir" => Tri::from(value == if inward { "ORIGINAL" } else { "REPLY" }),
        "--dst-type" if inward => Tri::from(value == "LOCAL"),
        "--src-type" if !inward => Tri::from(value == "LOCAL"),
        "--pkt-type" => Tri::from(value == "unicast"),
        "-f" | "--fragment" => Tri::No,
        _ => Tri::Unknown,
    })
}

fn address(address: Option<IpAddr>, network: &str) -> Tri {
    let (base, length) = network.split_once('/').unwrap_or((network, ""));
    let (Some(address), Ok(base)) = (address, base.parse::<IpAddr>()) else {
        return if matches!(network, "0.0.0.0/0" | "::/0") {
            Tri::Yes
        } else {
            Tri::Unknown
        };
    };
    let length = match (length.parse::<u32>(), length.parse::<IpAddr>()) {
        (Ok(length), _) => length,
        (_, Ok(IpAddr::V4(mask))) => mask.to_bits().leading_ones(),
        _ if base.is_ipv4() => 32,
        _ => 128,
    };
    Tri::from(in_network(address, base, length))
}

fn interface(packet: &Packet, name: &str) -> Tri {
    let Some(interface) = &packet.interface else { return Tri::Unknown };
    match name.strip_suffix('+') {
        Some(start) => Tri::from(interface.starts_with(start)),
        None => Tri::from(interface == name),
    }
}

fn ports(port: &RangeInclusive<u16>, list: &str) -> Tri {
    let port = u64::from(*port.start())..=u64::from(*port.end());
    list.split(',').fold(Tri::No, |any, item| {
        let (from, to) = item.split_once(':').unwrap_or((item, item));
        let bound = |text: &str, open: u16| match text {
            "" => Some(open),
            "ssh" => Some(22),
            text => text.parse().ok(),
        };
        any.or(match (bound(from, 0), bound(to, u16::MAX)) {
            (Some(from), Some(to)) => overlap(&port, &(from.into()..=to.into())),
            _ => Tri::Unknown,
        })
    })
}

fn tcp_flags(packet: &Packet, values: &[&str]) -> Tri {
    let [mask, set] = values else { return Tri::Unknown };
    let flags = |list: &str| -> Vec<String> {
        match list {
            "ALL" => {
                ["FIN", "SYN", "RST", "PSH", "ACK", "URG"].map(str::to_owned).to_vec()
            }
            "NONE" => Vec::new(),
            list => list.split(',').map(str::to_owned).collect(),
        }
    };
    let ours: &[&str] = match packet.direction {
        Direction::In => &["SYN"],
        Direction::Out => &["SYN", "ACK"],
    };
    let wanted = flags(set);
    Tri::from(
        flags(mask)
            .iter()
            .all(|flag| ours.contains(&flag.as_str()) == wanted.contains(flag)),
    )
}

//! What the guest's packet filter does to the login's first packets.

use std::net::IpAddr;

use formats::packet_filter::{
    Block, Blocker, Direction, Fate, Judgement, Listing, Packet, Ruleset,
};
use serde::Serialize;

use crate::case::{Case, Firewall};

/// What becomes of the login's first packets.
#[derive(Debug, Clone, Serialize)]
pub struct FirewallFacts {
    /// What becomes of the SYN to the SSH port; absent if nobody listed rules,
    /// or if the rules do not settle it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<FirewallVerdict>,
    /// What becomes of the reply to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<FirewallVerdict>,
    /// Everyone who blocks the SYN, in the order in which it meets them.
    pub blockers: Vec<BlockerFacts>,
    /// Everyone who blocks the reply.
    pub reply_blockers: Vec<BlockerFacts>,
    /// Chains whose decision the evidence does not settle, and why.
    pub undecided: Vec<String>,
    /// Tools that own rules and are active.
    pub owners: Vec<String>,
    /// [`FirewallFacts::blockers`] for a repair script, one a line.
    pub repair_lines: String,
    /// [`FirewallFacts::reply_blockers`] for a repair script, one a line.
    pub reply_repair_lines: String,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirewallVerdict {
    /// It passes.
    Accept,
    /// It disappears.
    Drop,
    /// RST, or ICMP port unreachable, goes back: the client is refused.
    RejectRst,
    /// Another ICMP error goes back: the client has no route.
    RejectIcmp,
}

/// Who blocks a packet.
#[derive(Debug, Clone, Serialize)]
pub struct BlockerFacts {
    /// What it does.
    pub verdict: FirewallVerdict,
    /// The table's family.
    pub family: String,
    /// The table.
    pub table: String,
    /// The chain with the rule or the policy.
    pub chain: String,
    /// The hook from which the packet came there.
    pub hook: String,
    /// `nft`, `iptables`, `ip6tables` or `iptables-legacy`.
    pub tool: &'static str,
    /// The rule's handle in nftables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<i64>,
    /// The rule's text, or `policy drop`.
    pub rule: String,
    /// All of it in one line.
    pub text: String,
    /// Whose rule it is: `ufw`, `firewalld`, `fail2ban`, or nothing special.
    pub owner: &'static str,
}

pub(super) fn derive(firewall: &Firewall, case: &Case) -> FirewallFacts {
    let listed = firewall.nft.is_some()
        || firewall.iptables_nft.is_some()
        || firewall.iptables_legacy.is_some();
    let listing = Listing {
        nft: firewall.nft.as_ref(),
        nft_chains: firewall.nft_chains.as_deref(),
        iptables_nft: firewall.iptables_nft.as_deref(),
        ip6tables_nft: firewall.ip6tables_nft.as_deref(),
        iptables_legacy: firewall.iptables_legacy.as_deref(),
        ..Listing::default()
    };
    let judge = |packet: &Packet| Ruleset::read(&listing, packet).judge(packet);
    let syn = syn(firewall, case);
    let reply = Packet {
        source: syn.destination,
        destination: syn.source,
        source_port: syn.destination_port.clone(),
        destination_port: syn.source_port.clone(),
        direction: Direction::Out,
        ..syn.clone()
    };
    let (incoming, outgoing) = (judge(&syn), judge(&reply));
    let mut undecided = Vec::new();
    for judgement in [&incoming, &outgoing] {
        let because = match &judgement.fate {
            Fate::Unknown(because) => because.as_slice(),
            _ => &[],
        };
        for reason in judgement.undecided.iter().chain(because) {
            if !undecided.contains(reason) {
                undecided.push(reason.clone());
            }
        }
    }
    FirewallFacts {
        verdict: verdict(&incoming).filter(|_| listed),
        reply: verdict(&outgoing).filter(|_| listed),
        repair_lines: repair_lines(&incoming),
        reply_repair_lines: repair_lines(&outgoing),
        blockers: incoming.blockers.iter().map(blocker).collect(),
        reply_blockers: outgoing.blockers.iter().map(blocker).collect(),
        undecided,
        owners: firewall.owners.clone(),
    }
}

/// The login's first packet as the guest meets it.
fn syn(firewall: &Firewall, case: &Case) -> Packet {
    let tcp = case.tcp.collected();
    let tried = tcp.and_then(|tcp| bare(&tcp.address));
    let private = case
        .network
        .collected()
        .and_then(|network| bare(network.private_address.as_deref()?));
    let local = |address: IpAddr| {
        firewall.interfaces.iter().find_map(|(name, addresses)| {
            addresses.iter().any(|text| bare(text) == Some(address)).then(|| name.clone())
        })
    };
    // The address that was tried is the guest's own unless something in
    // between translates it; then only the cloud knows which one it became.
    let destination =
        private.or_else(|| tried.filter(|address| local(*address).is_some()));
    let translated = destination.is_none() || destination != tried;
    let source = visitor(case).or_else(|| {
        tcp.filter(|_| !translated).and_then(|tcp| bare(tcp.local_address.as_deref()?))
    });
    Packet {
        source,
        destination,
        v6: destination.or(tried).is_some_and(|address| address.is_ipv6()),
        // ssh never binds a privileged port.
        source_port: 1024..=u16::MAX,
        destination_port: case.target.port..=case.target.port,
        interface: destination.and_then(local).or_else(|| only_interface(firewall)),
        direction: Direction::In,
    }
}

/// The client's address as the cloud, and so the guest, sees it.
pub(super) fn visitor(case: &Case) -> Option<IpAddr> {
    case.network.collected().and_then(|network| bare(network.client_address.as_deref()?))
}

/// An address, be it followed by a prefix length, a zone or nothing.
fn bare(text: &str) -> Option<IpAddr> {
    text.split(['/', '%']).next()?.parse().ok()
}

/// The interface, where there is only one besides the loopback.
fn only_interface(firewall: &Firewall) -> Option<String> {
    let loopback = |name: &str, addresses: &[String]| {
        name == "lo"
            || addresses.iter().any(|text| bare(text).is_some_and(|ip| ip.is_loopback()))
    };
    let mut outward = firewall
        .interfaces
        .iter()
        .filter(|(name, addresses)| !addresses.is_empty() && !loopback(name, addresses));
    match (outward.next(), outward.next()) {
        (Some((name, _)), None) => Some(name.clone()),
        _ => None,
    }
}

fn verdict(judgement: &Judgement) -> Option<FirewallVerdict> {
    match &judgement.fate {
        Fate::Accept => Some(FirewallVerdict::Accept),
        Fate::Block(block) => Some(of_block(block)),
        Fate::Unknown(_) => None,
    }
}

/// What the client makes of it (net/ipv4/icmp.c: icmp_err_convert).
fn of_block(block: &Block) -> FirewallVerdict {
    match block {
        Block::Drop => FirewallVerdict::Drop,
        Block::Reset => FirewallVerdict::RejectRst,
        Block::Icmp(code) if code == "port-unreachable" => FirewallVerdict::RejectRst,
        Block::Icmp(_) => FirewallVerdict::RejectIcmp,
    }
}

fn blocker(blocker: &Blocker) -> BlockerFacts {
    let (handle, rule) = match &blocker.rule {
        Some(rule) => (rule.handle, rule.text.clone()),
        None => (None, "policy drop".to_owned()),
    };
    let mut text = format!(
        "{} table {} {}, chain {}: {rule}",
        blocker.tool.as_str(),
        blocker.family,
        blocker.table,
        blocker.chain
    );
    if let Some(handle) = handle {
        text.push_str(&format!(" (handle {handle})"));
    }
    BlockerFacts {
        verdict: of_block(&blocker.block),
        family: blocker.family.clone(),
        table: blocker.table.clone(),
        chain: blocker.chain.clone(),
        hook: blocker.hook.clone(),
        tool: blocker.tool.as_str(),
        handle,
        owner: owner(blocker, &rule),
        rule,
        text,
    }
}

fn owner(blocker: &Blocker, rule: &str) -> &'static str {
    if blocker.table == "firewalld" {
        "firewalld"
    } else if blocker.table.starts_with("f2b-")
        || blocker.chain.starts_with("f2b-")
        || rule.contains("@addr-set-")
    {
        "fail2ban"
    } else if blocker.chain.starts_with("ufw") {
        "ufw"
    } else {
        ""
    }
}

/// `tool family table chain handle number`, a line for each blocker; `-` stands
/// for a rule that has no handle, `policy` for a chain's policy.
fn repair_lines(judgement: &Judgement) -> String {
    let lines: Vec<String> = judgement
        .blockers
        .iter()
        .map(|blocker| {
            let place = match &blocker.rule {
                Some(rule) => {
                    let handle = rule
                        .handle
                        .map_or_else(|| "-".to_owned(), |handle| handle.to_string());
                    format!("{handle} {}", rule.number)
                }
                None => "policy 0".to_owned(),
            };
            format!(
                "{} {} {} {} {place}",
                blocker.tool.as_str(),
                blocker.family,
                blocker.table,
                blocker.chain
            )
        })
        .collect();
    lines.join("\n")
}

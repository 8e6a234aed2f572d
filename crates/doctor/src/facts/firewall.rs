//! What the guest's packet filter does to the login's first packets.

use std::net::IpAddr;

use formats::packet_filter::{
    Block, Blocker, Direction, Fate, Judgement, Listing, Packet, Ruleset, Tool,
};
use serde::Serialize;

use super::known::Known;
use crate::case::{ActiveState, Addresses, Case, Iptables, Nft, Units};

/// Units that are there because they own packet filter rules.
const OWNERS: [&str; 3] = ["firewalld", "fail2ban", "sshguard"];

/// What becomes of the login's first packets.
#[derive(Debug, Clone, Serialize)]
pub struct FirewallFacts {
    /// What becomes of the SYN to the SSH port.
    pub verdict: Known<FirewallVerdict>,
    /// What becomes of the reply to it.
    pub reply: Known<FirewallVerdict>,
    /// Everyone who blocks the SYN, in the order in which it meets them.
    pub blockers: Known<Vec<BlockerFacts>>,
    /// Everyone who blocks the reply.
    pub reply_blockers: Known<Vec<BlockerFacts>>,
    /// Chains whose decision the evidence does not settle, and why.
    pub undecided: Vec<String>,
    /// Tools that own rules and are active.
    pub owners: Known<Vec<String>>,
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
    /// `nft`, `iptables`, `ip6tables`, `iptables-legacy` or `ip6tables-legacy`.
    pub tool: &'static str,
    /// The rule's handle in nftables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<i64>,
    /// Where its own tool finds the rule again: nft's handle, or the rule's number in
    /// its chain; absent for a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<i64>,
    /// The rule's text, or `policy drop`.
    pub rule: String,
    /// All of it in one line.
    pub text: String,
    /// Whose rule it is: `ufw`, `firewalld`, `fail2ban`, or nothing special.
    pub owner: &'static str,
}

pub(super) fn derive(case: &Case) -> FirewallFacts {
    let (nft, iptables) = (case.nft.known(), case.iptables.known());
    let syn = syn(case);
    let reply = Packet {
        source: syn.destination,
        destination: syn.source,
        source_port: syn.destination_port.clone(),
        destination_port: syn.source_port.clone(),
        direction: Direction::Out,
        ..syn.clone()
    };
    let unlisted: Vec<&str> =
        [nft.why_not(), iptables.why_not()].into_iter().flatten().collect();
    let listing = listing(nft.known().copied(), iptables.known().copied(), &unlisted);
    let judge = |packet: &Packet| Ruleset::read(&listing, packet).judge(packet);
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
    // A rule that was listed blocks whatever else there is. That nothing blocks, only
    // a whole list says.
    let whole = nft.as_ref().zip(iptables.as_ref()).map(|_| ());
    let blockers = |judgement: &Judgement| {
        let found: Vec<_> = judgement.blockers.iter().map(blocker).collect();
        if found.is_empty() { whole.clone().map(|()| found) } else { Known::Is(found) }
    };
    FirewallFacts {
        verdict: verdict(&incoming),
        reply: verdict(&outgoing),
        blockers: blockers(&incoming),
        reply_blockers: blockers(&outgoing),
        undecided,
        owners: case
            .units
            .known()
            .zip(iptables)
            .map(|(units, tables)| owners(units, tables)),
    }
}

fn listing<'a>(
    nft: Option<&'a Nft>,
    iptables: Option<&'a Iptables>,
    unlisted: &'a [&'a str],
) -> Listing<'a> {
    Listing {
        nft: nft.map(|nft| &nft.ruleset),
        nft_chains: nft.and_then(|nft| nft.chains.as_deref()),
        iptables_nft: iptables.and_then(|tables| tables.v4.as_deref()),
        ip6tables_nft: iptables.and_then(|tables| tables.v6.as_deref()),
        iptables_legacy: iptables.and_then(|tables| tables.v4_legacy.as_deref()),
        ip6tables_legacy: iptables.and_then(|tables| tables.v6_legacy.as_deref()),
        unlisted,
    }
}

/// Tools that own rules and are active.
fn owners(units: &Units, iptables: &Iptables) -> Vec<String> {
    let active = |owner: &&str| {
        let unit = units.units.get(&format!("{owner}.service"));
        unit.is_some_and(|unit| unit.active == ActiveState::Active)
    };
    let by_unit = OWNERS.into_iter().filter(active);
    by_unit.chain(iptables.ufw.then_some("ufw")).map(str::to_owned).collect()
}

/// The login's first packet as the guest meets it.
fn syn(case: &Case) -> Packet {
    let addresses = case.addresses.collected();
    let tcp = case.tcp.collected();
    let tried = tcp.and_then(|tcp| bare(&tcp.address));
    let private = case
        .network
        .collected()
        .and_then(|network| bare(network.private_address.as_deref()?));
    let local = |address: IpAddr| {
        addresses?.interfaces.iter().find_map(|(name, addresses)| {
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
        destination_port: case.guest_port()..=case.guest_port(),
        interface: destination
            .and_then(local)
            .or_else(|| addresses.and_then(only_interface)),
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
fn only_interface(addresses: &Addresses) -> Option<String> {
    let loopback = |name: &str, addresses: &[String]| {
        name == "lo"
            || addresses.iter().any(|text| bare(text).is_some_and(|ip| ip.is_loopback()))
    };
    let mut outward = addresses
        .interfaces
        .iter()
        .filter(|(name, addresses)| !addresses.is_empty() && !loopback(name, addresses));
    match (outward.next(), outward.next()) {
        (Some((name, _)), None) => Some(name.clone()),
        _ => None,
    }
}

fn verdict(judgement: &Judgement) -> Known<FirewallVerdict> {
    match &judgement.fate {
        Fate::Accept => Known::Is(FirewallVerdict::Accept),
        Fate::Block(block) => Known::Is(of_block(block)),
        Fate::Unknown(why) => Known::Unknown(why.join("; ")),
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
        place: place(blocker),
        owner: owner(blocker, &rule),
        rule,
        text,
    }
}

fn place(blocker: &Blocker) -> Option<i64> {
    let rule = blocker.rule.as_ref()?;
    match blocker.tool {
        Tool::Nft => rule.handle,
        _ => i64::try_from(rule.number).ok(),
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

//! The guest's packet filter, asked about one packet.
//!
//! There are two ways to write rules (nftables' JSON in [`nft`], iptables' save
//! format in [`iptables`]) and one way to run them ([`Ruleset::judge`]). Both
//! readers know the packet already: they do not keep a rule's expressions, they
//! keep what the expressions say about *this* packet, as a [`Tri`]. What a
//! reader does not understand is [`Tri::Unknown`], never a guess: a chain is
//! said to block only if it blocks whichever way every unknown turns out.

mod iptables;
mod nft;
mod nft_expression;
mod nft_text;
mod run;

pub(crate) use nft_expression::in_network;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde_json::Value;

/// What the guest's tools list; a tool that was not asked lists nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Listing<'a> {
    /// `nft -j list ruleset`.
    pub(crate) nft: Option<&'a Value>,
    /// `nft list chains`.
    pub(crate) nft_chains: Option<&'a str>,
    /// `iptables-nft-save`.
    pub(crate) iptables: Option<&'a str>,
    /// `ip6tables-nft-save`.
    pub(crate) ip6tables: Option<&'a str>,
    /// `iptables-legacy-save`.
    pub(crate) iptables_legacy: Option<&'a str>,
    /// `ip6tables-legacy-save`.
    pub(crate) ip6tables_legacy: Option<&'a str>,
}

/// One packet of the login: the SYN to the SSH port, or the reply to it.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    /// Source address, where it is known.
    pub(crate) source: Option<IpAddr>,
    /// Destination address, where it is known.
    pub(crate) destination: Option<IpAddr>,
    /// IPv6 rather than IPv4.
    pub(crate) v6: bool,
    /// What the TCP source port may be.
    pub(crate) source_port: RangeInclusive<u16>,
    /// What the TCP destination port may be.
    pub(crate) destination_port: RangeInclusive<u16>,
    /// The interface that it comes in or goes out by, where it is known.
    pub(crate) interface: Option<String>,
    /// Which of the two it is.
    pub(crate) direction: Direction,
}

/// The two packets that a connection begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The SYN, coming in.
    In,
    /// The SYN-ACK, going out.
    Out,
}

/// Whether something holds for the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tri {
    Yes,
    No,
    Unknown,
}

impl Tri {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Whether a number that lies somewhere in one range lies in another one.
fn overlap(ours: &RangeInclusive<u64>, theirs: &RangeInclusive<u64>) -> Tri {
    if theirs.contains(ours.start()) && theirs.contains(ours.end()) {
        Tri::Yes
    } else if ours.end() < theirs.start() || theirs.end() < ours.start() {
        Tri::No
    } else {
        Tri::Unknown
    }
}

impl From<bool> for Tri {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// Every table that may see the packet.
#[derive(Debug, Default)]
pub(crate) struct Ruleset {
    tables: Vec<Table>,
}

/// One table.
#[derive(Debug, Default)]
struct Table {
    family: String,
    name: String,
    chains: BTreeMap<String, Chain>,
}

/// The program that a chain's rules are edited with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Tool {
    #[default]
    Nft,
    Iptables,
    Ip6tables,
    IptablesLegacy,
    Ip6tablesLegacy,
}

impl Tool {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Nft => "nft",
            Self::Iptables => "iptables",
            Self::Ip6tables => "ip6tables",
            Self::IptablesLegacy => "iptables-legacy",
            Self::Ip6tablesLegacy => "ip6tables-legacy",
        }
    }
}

/// One chain; a base chain if it hangs on a hook.
#[derive(Debug, Default)]
struct Chain {
    tool: Tool,
    base: Option<Base>,
    rules: Vec<Rule>,
}

/// Where a base chain hangs, and what it does with what its rules let through.
#[derive(Debug, Clone)]
struct Base {
    hook: String,
    priority: i64,
    policy_drops: bool,
    /// Whether the packet comes by it: its table may be asleep, and some hooks
    /// belong to one device only.
    applies: Tri,
}

/// One rule, as this packet meets it.
#[derive(Debug, Default)]
struct Rule {
    handle: Option<i64>,
    text: String,
    effects: Vec<Effect>,
}

/// One statement of a rule, as this packet meets it.
#[derive(Debug, Clone)]
enum Effect {
    /// The rule goes on only if this holds.
    Test(Tri),
    /// The rule ends with the verdict of the first entry that holds. A plain
    /// verdict is one entry that always does.
    Choose(Vec<(Tri, Verdict)>),
}

impl Effect {
    fn verdict(verdict: Verdict) -> Self {
        Self::Choose(vec![(Tri::Yes, verdict)])
    }
}

/// What a rule decides.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Accept,
    Block(Block),
    Jump(String),
    Goto(String),
    Return,
    /// The next rule's turn.
    Continue,
    /// The packet is sent somewhere else, or to a program.
    Elsewhere,
}

/// How a packet is blocked. Each looks different to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// Nothing comes back.
    Drop,
    /// RST comes back.
    Reset,
    /// An ICMP error comes back: its name without the `icmp-` prefix.
    Icmp(String),
}

/// Who blocks the packet.
#[derive(Debug, Clone)]
pub(crate) struct Blocker {
    pub(crate) block: Block,
    pub(crate) family: String,
    pub(crate) table: String,
    pub(crate) chain: String,
    pub(crate) hook: String,
    /// `nft`, `iptables`, `ip6tables`, `iptables-legacy` or `ip6tables-legacy`.
    pub(crate) tool: &'static str,
    /// The deciding rule; none if it is the chain's policy.
    pub(crate) rule: Option<RuleRef>,
}

/// A rule's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleRef {
    /// nftables' handle, where nft lists the rule.
    pub(crate) handle: Option<i64>,
    /// Its number in its chain, from 1.
    pub(crate) number: usize,
    pub(crate) text: String,
}

/// What becomes of the packet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judgement {
    /// Everyone who blocks it, in the order in which it meets them. If the
    /// first let it pass, the second would stop it.
    pub(crate) blockers: Vec<Blocker>,
    /// Chains that may or may not block it.
    pub(crate) undecided: Vec<String>,
}

impl Ruleset {
    /// Reads what the guest's tools said. Where nft did not list the rules that
    /// iptables-nft made, iptables' own list stands for them.
    pub(crate) fn read(listing: &Listing, packet: &Packet) -> Self {
        let chains = listing.nft_chains.unwrap_or_default();
        let mut tables =
            listing.nft.map(|json| nft::read(json, chains, packet)).unwrap_or_default();
        for (text, tool) in
            [(listing.iptables, Tool::Iptables), (listing.ip6tables, Tool::Ip6tables)]
        {
            match text {
                Some(text) if listing.nft.is_some() => {
                    iptables::translate(&mut tables, text, tool, packet);
                }
                Some(text) => tables.extend(iptables::read(text, tool, packet)),
                None => {}
            }
        }
        for (text, tool) in [
            (listing.iptables_legacy, Tool::IptablesLegacy),
            (listing.ip6tables_legacy, Tool::Ip6tablesLegacy),
        ] {
            tables.extend(
                text.into_iter().flat_map(|text| iptables::read(text, tool, packet)),
            );
        }
        Self { tables }
    }
}

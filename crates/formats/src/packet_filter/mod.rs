//! The guest's packet filter, asked about one packet.
//!
//! There are two ways to write rules (nftables' JSON in [`nft`], iptables' save
//! format in [`iptables`]) and one way to run them ([`Ruleset::judge`]). What is
//! known of the packet is a [`Region`]: every packet that it may be. What a rule
//! asks for is a [`Condition`], and a condition cuts the region in two, so that an
//! unknown address that two rules ask for is the same address in both. What a
//! reader does not understand is a condition that nobody can decide; its reason
//! goes up to the verdict: [`Fate::Unknown`] says because of what.

mod condition;
mod iptables;
mod iptables_match;
mod judge;
mod nft;
mod nft_expression;
mod nft_field;
mod nft_text;
mod region;
mod run;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde_json::Value;

use condition::Condition;
use region::Region;

/// What the guest's tools listed. A source that is not given has no rules, unless
/// [`Listing::unlisted`] names it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listing<'a> {
    /// `nft -j list ruleset`; rules written by `iptables-nft` are in it.
    pub nft: Option<&'a Value>,
    /// `nft list chains`: nft 1.0's JSON leaves out the device of `ingress` chains.
    pub nft_chains: Option<&'a str>,
    /// `iptables-nft-save`: the rules of nft's `ip` tables in iptables' words,
    /// because nft shows iptables' extensions as opaque `xt` expressions. Without
    /// nft's JSON it is all that is known of them.
    pub iptables_nft: Option<&'a str>,
    /// `ip6tables-nft-save`, of nft's `ip6` tables.
    pub ip6tables_nft: Option<&'a str>,
    /// `iptables-legacy-save`, IPv4's rules outside nftables.
    pub iptables_legacy: Option<&'a str>,
    /// `ip6tables-legacy-save`, IPv6's rules outside nftables.
    pub ip6tables_legacy: Option<&'a str>,
    /// Sources that may hold rules and could not be read: why, one sentence each.
    pub unlisted: &'a [&'a str],
}

/// One packet of the login: the SYN to the SSH port, or the reply to it.
#[derive(Debug, Clone)]
pub struct Packet {
    /// Source address, where it is known.
    pub source: Option<IpAddr>,
    /// Destination address, where it is known.
    pub destination: Option<IpAddr>,
    /// IPv6 rather than IPv4.
    pub v6: bool,
    /// What the TCP source port may be.
    pub source_port: RangeInclusive<u16>,
    /// What the TCP destination port may be.
    pub destination_port: RangeInclusive<u16>,
    /// The interface that it comes in or goes out by, where it is known.
    pub interface: Option<String>,
    /// Which of the two it is.
    pub direction: Direction,
}

/// The two packets that a connection begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The SYN, coming in.
    In,
    /// The SYN-ACK, going out.
    Out,
}

/// Every table that may see the packet, in the order of the listing.
#[derive(Debug, Default)]
pub struct Ruleset {
    tables: Vec<Table>,
    unlisted: Vec<String>,
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
pub enum Tool {
    /// `nft`
    #[default]
    Nft,
    /// `iptables`, whose rules are in nftables.
    Iptables,
    /// `ip6tables`, whose rules are in nftables.
    Ip6tables,
    /// `iptables-legacy`
    IptablesLegacy,
    /// `ip6tables-legacy`
    Ip6tablesLegacy,
}

impl Tool {
    /// The program's name.
    pub const fn as_str(self) -> &'static str {
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
    /// When the packet comes by it: its table may be asleep, and some hooks belong
    /// to one device only.
    applies: Condition,
}

/// One rule.
#[derive(Debug, Default)]
struct Rule {
    handle: Option<i64>,
    text: String,
    effects: Vec<Effect>,
}

/// One statement of a rule.
#[derive(Debug, Clone)]
enum Effect {
    /// The rule goes on only if this holds.
    Test(Condition),
    /// The rule ends with the verdict of the first entry that holds. A plain
    /// verdict is one entry that always does.
    Choose(Vec<(Condition, Verdict)>),
}

impl Effect {
    fn verdict(verdict: Verdict) -> Self {
        Self::Choose(vec![(Condition::Is(true), verdict)])
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
    /// The packet is sent somewhere else, is rewritten, or goes to a program.
    Elsewhere,
}

/// How a packet is blocked. Each looks different to the client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Block {
    /// Nothing comes back.
    Drop,
    /// RST comes back.
    Reset,
    /// An ICMP error comes back: its name without the `icmp-` prefix.
    Icmp(String),
}

/// Who blocks the packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// How.
    pub block: Block,
    /// The table's family.
    pub family: String,
    /// The table.
    pub table: String,
    /// The chain with the rule or the policy.
    pub chain: String,
    /// The hook from which the packet came there.
    pub hook: String,
    /// What the chain is edited with.
    pub tool: Tool,
    /// The deciding rule; none if it is the chain's policy.
    pub rule: Option<RuleRef>,
}

/// A rule's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRef {
    /// nftables' handle, where nft lists the rule.
    pub handle: Option<i64>,
    /// Its number in its chain, from 1.
    pub number: usize,
    /// The rule as its tool writes it.
    pub text: String,
}

/// What becomes of the packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Every chain lets it pass, whatever is not known.
    Accept,
    /// It is blocked in this way, whatever is not known.
    Block(Block),
    /// It depends on what is not known: each reason names a chain and a rule.
    Unknown(Vec<String>),
}

/// What becomes of the packet, and who has a hand in it.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// What becomes of it.
    pub fate: Fate,
    /// Everyone who certainly blocks it, in the order in which it meets them. If
    /// the first let it pass, the second would stop it.
    pub blockers: Vec<Blocker>,
    /// Chains that may or may not block it, and why nobody can say.
    pub undecided: Vec<String>,
}

impl Ruleset {
    /// Reads what the guest's tools said, as far as `packet` may meet it.
    pub fn read(listing: &Listing, packet: &Packet) -> Self {
        let (saved, tool, legacy, legacy_tool) = if packet.v6 {
            let (nft, legacy) = (listing.ip6tables_nft, listing.ip6tables_legacy);
            (nft, Tool::Ip6tables, legacy, Tool::Ip6tablesLegacy)
        } else {
            let (nft, legacy) = (listing.iptables_nft, listing.iptables_legacy);
            (nft, Tool::Iptables, legacy, Tool::IptablesLegacy)
        };
        let chains = listing.nft_chains.unwrap_or_default();
        let mut tables = match (listing.nft, saved) {
            (Some(json), saved) => {
                let mut tables = nft::read(json, chains, packet);
                if let Some(text) = saved {
                    iptables::translate(&mut tables, text, tool, packet);
                }
                tables
            }
            (None, Some(text)) => iptables::read(text, tool, packet),
            (None, None) => Vec::new(),
        };
        if let Some(text) = legacy {
            tables.extend(iptables::read(text, legacy_tool, packet));
        }
        let unlisted = listing.unlisted.iter().map(|name| (*name).to_owned()).collect();
        Self { tables, unlisted }
    }
}

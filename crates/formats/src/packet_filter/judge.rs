//! What becomes of the packet at all the chains that it meets.
//!
//! Netfilter's rules for that, as nftables documents them: at every hook the
//! base chains run in the order of their priority; `accept` ends one base chain
//! and the next one still has its say; `drop` and `reject` are final; what falls
//! off a base chain's end gets its policy.

use super::condition::Budget;
use super::run::{Ends, MAX_REASONS, Run};
use super::{Base, Block, Direction, Fate, Judgement, Packet, Region, Ruleset, Table};

/// More work than any real ruleset makes; a guard against chains that jump into
/// each other in every possible way.
const MAX_WORK: usize = 5_000_000;

impl Ruleset {
    /// What becomes of the packet.
    pub fn judge(&self, packet: &Packet) -> Judgement {
        let whole = Region::of(packet);
        let mut judgement =
            Judgement { fate: Fate::Accept, blockers: Vec::new(), undecided: Vec::new() };
        let mut budget = Budget(MAX_WORK);
        // What the chains so far let pass, and how they blocked the rest.
        let mut passing = vec![whole.clone()];
        let mut blocks: Vec<Block> = Vec::new();
        let mut because: Vec<String> = Vec::new();
        for (base, table, name) in self.stops(packet) {
            let place = format!("{} {} {name}", table.family, table.name);
            // Asked by itself, it shows what it would do if no other chain blocked.
            let alone =
                Run::of(table, base, name, packet, vec![whole.clone()], &mut budget);
            let next = std::mem::take(&mut passing);
            let met = Run::of(table, base, name, packet, next, &mut budget);
            judgement.add(&place, alone);
            because.extend(met.reasons(&place));
            blocks.extend(met.blockers.into_iter().map(|blocker| blocker.block));
            if met.open.is_some() {
                judgement.fate = Fate::Unknown(Vec::new());
            }
            passing = met.accepted;
        }
        blocks.sort();
        blocks.dedup();
        let settled = judgement.fate == Fate::Accept && self.unlisted.is_empty();
        judgement.fate = match (blocks.as_slice(), passing.is_empty()) {
            ([], _) if settled => Fate::Accept,
            ([block], true) if settled => Fate::Block(block.clone()),
            _ => {
                let missing = self.unlisted.iter();
                because.extend(missing.cloned());
                because.truncate(MAX_REASONS);
                Fate::Unknown(because)
            }
        };
        judgement
    }

    /// The base chains that the packet may meet, in its order.
    fn stops(&self, packet: &Packet) -> Vec<(&Base, &Table, &str)> {
        let hooks: &[&str] = match packet.direction {
            Direction::In => &["ingress", "prerouting", "input"],
            Direction::Out => &["output", "postrouting", "egress"],
        };
        let family = if packet.v6 { "ip6" } else { "ip" };
        let mut stops = Vec::new();
        for table in &self.tables {
            if ![family, "inet", "netdev"].contains(&table.family.as_str()) {
                continue;
            }
            for (name, chain) in &table.chains {
                let Some(base) = &chain.base else { continue };
                if let Some(order) = hooks.iter().position(|hook| *hook == base.hook) {
                    stops.push((order, base, table, name.as_str()));
                }
            }
        }
        stops.sort_by_key(|(order, base, ..)| (*order, base.priority));
        stops.into_iter().map(|(_, base, table, name)| (base, table, name)).collect()
    }
}

impl Judgement {
    /// Adds what one base chain would do by itself.
    fn add(&mut self, place: &str, alone: Ends) {
        if alone.open.is_some()
            || (!alone.accepted.is_empty() && !alone.blockers.is_empty())
        {
            self.undecided.extend(alone.reasons(place));
        } else {
            self.blockers.extend(alone.blockers);
        }
    }
}

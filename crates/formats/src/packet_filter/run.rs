//! Sends the packet through one base chain, and what it jumps to.
//!
//! What travels is the list of regions in which the packet may be. A rule takes
//! its part out of it. Where nobody can say whether a rule matches, the packet both
//! is taken and goes on. So the ends of a chain are exactly those which the unknown
//! allows, and a chain decides if they are all alike.

use super::condition::{Budget, Parts, TooMuch};
use super::{
    Base, Block, Blocker, Chain, Condition, Direction, Effect, Packet, Region, Rule,
    RuleRef, Table, Verdict,
};

/// nftables allows 16 nested jumps (`NFT_JUMP_STACK_SIZE`).
const MAX_DEPTH: usize = 16;

/// More reasons than anybody reads.
pub(super) const MAX_REASONS: usize = 8;

/// How a base chain ends for some regions.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// What it lets pass.
    pub(super) accepted: Vec<Region>,
    /// Everyone in it who blocks something.
    pub(super) blockers: Vec<Blocker>,
    /// Why nobody can say how it ends.
    pub(super) open: Option<String>,
    /// Rules that decide something, and may or may not match: why.
    doubts: Vec<String>,
}

impl Ends {
    /// Why nobody can say how it ends.
    pub(super) fn reasons(&self, place: &str) -> Vec<String> {
        let reasons = self.open.iter().chain(&self.doubts);
        reasons.map(|reason| format!("{place}: {reason}")).collect()
    }
}

/// One base chain being run.
pub(super) struct Run<'a> {
    table: &'a Table,
    base: &'a Base,
    direction: Direction,
    budget: &'a mut Budget,
    ends: Ends,
    /// How often something ended or left a chain.
    decided: usize,
}

impl<'a> Run<'a> {
    /// Runs a base chain for these regions.
    pub(super) fn of(
        table: &'a Table,
        base: &'a Base,
        name: &str,
        packet: &Packet,
        regions: Vec<Region>,
        budget: &'a mut Budget,
    ) -> Ends {
        let (direction, ends) = (packet.direction, Ends::default());
        let mut run = Self { table, base, direction, budget, ends, decided: 0 };
        let done = run.base_chain(name, &regions);
        let mut ends = run.ends;
        if done.is_err() {
            ends.open = Some("it has too many rules and cases".to_owned());
            ends.accepted = regions;
        }
        ends
    }

    fn base_chain(&mut self, name: &str, regions: &[Region]) -> Result<(), TooMuch> {
        let Some(chain) = self.table.chains.get(name) else { return Ok(()) };
        let mut coming = Vec::new();
        for region in regions {
            let parts = self.base.applies.cut(region, self.budget)?;
            if !parts.maybe.is_empty() || (!parts.yes.is_empty() && !parts.no.is_empty())
            {
                self.doubt(&[&self.base.applies], region, "the chain");
            }
            for region in parts.no.into_iter().chain(parts.maybe.iter().cloned()) {
                add(&mut self.ends.accepted, region);
            }
            coming.extend(parts.yes);
            coming.extend(parts.maybe);
        }
        let fallen = self.chain(name, chain, coming, 0)?;
        if self.base.policy_drops && !fallen.is_empty() {
            let blocker = self.blocker(name, None, Block::Drop);
            self.ends.blockers.push(blocker);
        } else {
            fallen.into_iter().for_each(|region| add(&mut self.ends.accepted, region));
        }
        Ok(())
    }

    /// Runs one chain; gives what comes out of it undecided.
    fn chain(
        &mut self,
        name: &str,
        chain: &Chain,
        regions: Vec<Region>,
        depth: usize,
    ) -> Result<Vec<Region>, TooMuch> {
        if depth > MAX_DEPTH {
            self.ends.open = Some("its jumps do not end".to_owned());
            return Ok(Vec::new());
        }
        let mut here = regions;
        let mut leaving = Vec::new();
        for (index, rule) in chain.rules.iter().enumerate() {
            if here.is_empty() {
                break;
            }
            here = self.rule(name, rule, index, here, &mut leaving, depth)?;
        }
        here.into_iter().for_each(|region| add(&mut leaving, region));
        Ok(leaving)
    }

    /// Runs one rule; gives what goes on to the next one.
    fn rule(
        &mut self,
        chain: &str,
        rule: &Rule,
        index: usize,
        regions: Vec<Region>,
        leaving: &mut Vec<Region>,
        depth: usize,
    ) -> Result<Vec<Region>, TooMuch> {
        self.budget.take(4 * regions.len())?;
        let before = self.decided;
        let mut matched = regions.clone();
        let mut next = Vec::new();
        for effect in &rule.effects {
            let mut goes_on = Vec::new();
            match effect {
                Effect::Test(condition) => {
                    for region in &matched {
                        let parts = condition.cut(region, self.budget)?;
                        for region in
                            parts.no.into_iter().chain(parts.maybe.iter().cloned())
                        {
                            add(&mut next, region);
                        }
                        goes_on.extend(parts.yes);
                        goes_on.extend(parts.maybe);
                    }
                }
                Effect::Choose(choices) => {
                    goes_on = matched;
                    for (condition, verdict) in choices {
                        let mut taken = Vec::new();
                        let mut rest = Vec::new();
                        for region in &goes_on {
                            let Parts { yes, no, maybe } =
                                condition.cut(region, self.budget)?;
                            taken.extend(yes);
                            taken.extend(maybe.iter().cloned());
                            rest.extend(no);
                            rest.extend(maybe);
                        }
                        goes_on = rest;
                        if !taken.is_empty() {
                            let way =
                                self.take(verdict, chain, rule, index, taken, depth)?;
                            way.next
                                .into_iter()
                                .for_each(|region| add(&mut next, region));
                            way.leaving
                                .into_iter()
                                .for_each(|region| add(leaving, region));
                        }
                    }
                }
            }
            matched = goes_on;
        }
        matched.into_iter().for_each(|region| add(&mut next, region));
        self.budget.take(next.len() * next.len())?;
        if self.decided == before {
            // Nothing was decided: what was cut apart belongs together again.
            return Ok(regions);
        }
        if !next.is_empty() {
            let conditions: Vec<&Condition> = rule
                .effects
                .iter()
                .flat_map(|effect| match effect {
                    Effect::Test(condition) => vec![condition],
                    Effect::Choose(choices) => {
                        choices.iter().map(|(condition, _)| condition).collect()
                    }
                })
                .collect();
            for region in &regions {
                self.doubt(&conditions, region, &format!("`{}`", rule.text));
            }
        }
        Ok(next)
    }

    /// Carries out a verdict.
    fn take(
        &mut self,
        verdict: &Verdict,
        chain: &str,
        rule: &Rule,
        index: usize,
        taken: Vec<Region>,
        depth: usize,
    ) -> Result<Way, TooMuch> {
        if !matches!(verdict, Verdict::Continue | Verdict::Jump(_)) {
            self.decided += 1;
        }
        let mut way = Way::default();
        match verdict {
            Verdict::Accept => {
                self.budget.take(taken.len() * self.ends.accepted.len())?;
                taken.into_iter().for_each(|region| add(&mut self.ends.accepted, region));
            }
            Verdict::Block(block) => {
                let place = RuleRef {
                    handle: rule.handle,
                    number: index + 1,
                    text: rule.text.clone(),
                };
                let blocker = self.blocker(chain, Some(place), block.clone());
                self.budget.take(self.ends.blockers.len())?;
                if !self.ends.blockers.contains(&blocker) {
                    self.ends.blockers.push(blocker);
                }
            }
            Verdict::Elsewhere => {
                self.ends.open = Some(format!("`{}` takes it elsewhere", rule.text));
            }
            Verdict::Continue => way.next = taken,
            Verdict::Return => way.leaving = taken,
            Verdict::Jump(target) => way.next = self.enter(target, taken, depth)?,
            Verdict::Goto(target) => way.leaving = self.enter(target, taken, depth)?,
        }
        Ok(way)
    }

    fn enter(
        &mut self,
        target: &str,
        taken: Vec<Region>,
        depth: usize,
    ) -> Result<Vec<Region>, TooMuch> {
        let table = self.table;
        match table.chains.get(target) {
            Some(chain) => {
                let (before, came) = (self.decided, taken.clone());
                let fallen = self.chain(target, chain, taken, depth + 1)?;
                // A chain that only lets the packet return has decided nothing.
                if fallen == came {
                    self.decided = before;
                }
                Ok(fallen)
            }
            None => {
                self.decided += 1;
                self.ends.open = Some(format!("chain {target} is not listed"));
                Ok(Vec::new())
            }
        }
    }

    fn blocker(&self, chain: &str, rule: Option<RuleRef>, block: Block) -> Blocker {
        let chain_tool = self.table.chains.get(chain).map(|chain| chain.tool);
        Blocker {
            block,
            family: self.table.family.clone(),
            table: self.table.name.clone(),
            chain: chain.to_owned(),
            hook: self.base.hook.clone(),
            tool: chain_tool.unwrap_or_default(),
            rule,
        }
    }

    /// Notes what it depends on whether something applies.
    fn doubt(&mut self, conditions: &[&Condition], region: &Region, what: &str) {
        if self.ends.doubts.len() >= MAX_REASONS {
            return;
        }
        let mut reasons = Vec::new();
        for condition in conditions {
            condition.reasons(region, self.direction, &mut reasons);
        }
        reasons.sort();
        reasons.dedup();
        if reasons.is_empty() {
            return;
        }
        let doubt = format!(
            "cannot tell whether {what} applies, it depends on {}",
            reasons.join(" and ")
        );
        if !self.ends.doubts.contains(&doubt) {
            self.ends.doubts.push(doubt);
        }
    }
}

/// Where the packet may be after a verdict.
#[derive(Default)]
struct Way {
    /// At the chain's next rule.
    next: Vec<Region>,
    /// Out of the chain, undecided.
    leaving: Vec<Region>,
}

/// Adds a region to a list, unless another one there covers it.
fn add(list: &mut Vec<Region>, region: Region) {
    if !list.iter().any(|known| known.covers(&region)) {
        list.retain(|known| !region.covers(known));
        list.push(region);
    }
}

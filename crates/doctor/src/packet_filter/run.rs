//! Sends the packet through the chains.
//!
//! Netfilter's rules for that, as nftables documents them: at every hook the
//! base chains run in the order of their priority; `accept` ends one base chain
//! and the next one still has its say; `drop` and `reject` are final; what falls
//! off a base chain's end gets its policy.
//!
//! A rule that may or may not match splits the packet's way in two. Both ways
//! are followed, so that the result of a chain is a list of possible ends. The
//! lists stay short: a split adds one end, not a factor.

use super::{
    Base, Block, Blocker, Chain, Direction, Effect, Judgement, Packet, Rule, RuleRef,
    Ruleset, Table, Tri, Verdict,
};

/// nftables allows 16 nested jumps (`NFT_JUMP_STACK_SIZE`).
const MAX_DEPTH: usize = 16;

/// More rules than any packet meets; a guard against chains that jump into each
/// other in every possible way.
const MAX_RULES: usize = 100_000;

/// One way in which a chain may end.
#[derive(Debug)]
enum End {
    Accepted,
    Blocked(Blocker),
    /// Nobody can say: why.
    Open(String),
}

impl Ruleset {
    /// What becomes of the packet.
    pub(crate) fn judge(&self, packet: &Packet) -> Judgement {
        let hooks: &[&str] = match packet.direction {
            Direction::In => &["ingress", "prerouting", "input"],
            Direction::Out => &["output", "postrouting", "egress"],
        };
        let family = if packet.v6 { "ip6" } else { "ip" };
        let mut stops: Vec<(usize, &Base, &Table, &str)> = Vec::new();
        for table in &self.tables {
            if ![family, "inet", "netdev"].contains(&table.family.as_str()) {
                continue;
            }
            for (name, chain) in &table.chains {
                let Some(base) = &chain.base else { continue };
                if let Some(order) = hooks.iter().position(|hook| *hook == base.hook) {
                    stops.push((order, base, table, name));
                }
            }
        }
        stops.sort_by_key(|(order, base, ..)| (*order, base.priority));
        let mut judgement = Judgement::default();
        for (_, base, table, chain) in stops {
            let mut ends = match base.applies {
                Tri::No => continue,
                Tri::Yes | Tri::Unknown => ends(table, chain),
            };
            if base.applies == Tri::Unknown {
                ends.push(End::Accepted);
            }
            judgement.add(&format!("{} {} {chain}", table.family, table.name), ends);
        }
        judgement
    }
}

impl Judgement {
    /// Adds the possible ends of one base chain.
    fn add(&mut self, chain: &str, ends: Vec<End>) {
        let accepted = ends.iter().any(|end| matches!(end, End::Accepted));
        let open = ends.iter().find_map(|end| match end {
            End::Open(why) => Some(why.clone()),
            _ => None,
        });
        let blockers: Vec<Blocker> = ends
            .into_iter()
            .filter_map(|end| match end {
                End::Blocked(blocker) => Some(blocker),
                _ => None,
            })
            .collect();
        match (open, accepted && !blockers.is_empty()) {
            (Some(why), _) => self.undecided.push(format!("{chain}: {why}")),
            (None, true) => {
                let decides = match &blockers[0].rule {
                    Some(rule) => format!("`{}`", rule.text),
                    None => "its policy".to_owned(),
                };
                self.undecided
                    .push(format!("{chain}: cannot tell whether {decides} applies"));
            }
            (None, false) => self.blockers.extend(blockers),
        }
    }
}

/// The possible ends of one base chain.
fn ends(table: &Table, name: &str) -> Vec<End> {
    let Some(base) = table.chains.get(name) else { return Vec::new() };
    let mut run = Run { table, base, ends: Vec::new(), budget: MAX_RULES };
    if run.chain(name, base, 0) {
        let drops = base.base.as_ref().is_some_and(|base| base.policy_drops);
        run.ends.push(if drops {
            End::Blocked(run.blocker(name, None, Block::Drop))
        } else {
            End::Accepted
        });
    }
    run.ends
}

/// One base chain being run.
struct Run<'a> {
    table: &'a Table,
    base: &'a Chain,
    ends: Vec<End>,
    /// Rules that may still be looked at.
    budget: usize,
}

impl Run<'_> {
    /// Runs one chain; says whether the packet may come out of it undecided.
    fn chain(&mut self, name: &str, chain: &Chain, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            self.ends.push(End::Open("its jumps do not end".to_owned()));
            return false;
        }
        let mut may_fall = false;
        for (index, rule) in chain.rules.iter().enumerate() {
            if self.budget == 0 {
                self.ends.push(End::Open("it has too many rules".to_owned()));
                return false;
            }
            self.budget -= 1;
            let mut matched = Tri::Yes;
            for effect in &rule.effects {
                let choices = match effect {
                    Effect::Test(test) => {
                        matched = matched.and(*test);
                        continue;
                    }
                    Effect::Choose(choices) => choices,
                };
                for (test, verdict) in choices {
                    let taken = matched.and(*test);
                    if taken == Tri::No {
                        continue;
                    }
                    let way = self.take(verdict, name, rule, index, depth);
                    may_fall |= way.leaves;
                    if taken == Tri::Yes && !way.goes_on {
                        return may_fall;
                    }
                    matched = matched.and(test.not());
                }
            }
        }
        true
    }

    /// Carries out a verdict.
    fn take(
        &mut self,
        verdict: &Verdict,
        chain: &str,
        rule: &Rule,
        index: usize,
        depth: usize,
    ) -> Way {
        match verdict {
            Verdict::Accept => {
                self.ends.push(End::Accepted);
                Way::ENDS
            }
            Verdict::Block(block) => {
                let place = RuleRef {
                    handle: rule.handle,
                    number: index + 1,
                    text: rule.text.clone(),
                };
                let blocker = self.blocker(chain, Some(place), block.clone());
                self.ends.push(End::Blocked(blocker));
                Way::ENDS
            }
            Verdict::Elsewhere => {
                self.ends.push(End::Open(format!("`{}` takes it elsewhere", rule.text)));
                Way::ENDS
            }
            Verdict::Continue => Way { goes_on: true, leaves: false },
            Verdict::Return => Way { goes_on: false, leaves: true },
            Verdict::Jump(target) => {
                Way { goes_on: self.enter(target, depth), leaves: false }
            }
            Verdict::Goto(target) => {
                Way { goes_on: false, leaves: self.enter(target, depth) }
            }
        }
    }

    fn enter(&mut self, target: &str, depth: usize) -> bool {
        let table = self.table;
        match table.chains.get(target) {
            Some(chain) => self.chain(target, chain, depth + 1),
            None => {
                self.ends.push(End::Open(format!("chain {target} is not listed")));
                false
            }
        }
    }

    fn blocker(&self, chain: &str, rule: Option<RuleRef>, block: Block) -> Blocker {
        let tool =
            self.table.chains.get(chain).map(|chain| chain.tool).unwrap_or_default();
        Blocker {
            block,
            family: self.table.family.clone(),
            table: self.table.name.clone(),
            chain: chain.to_owned(),
            hook: self
                .base
                .base
                .as_ref()
                .map(|base| base.hook.clone())
                .unwrap_or_default(),
            tool: tool.as_str(),
            rule,
        }
    }
}

/// Where the packet may be after a verdict.
struct Way {
    /// At the chain's next rule.
    goes_on: bool,
    /// Out of the chain, undecided.
    leaves: bool,
}

impl Way {
    const ENDS: Self = Self { goes_on: false, leaves: false };
}

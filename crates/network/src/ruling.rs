//! The decision for one flow when not every name in the rules is understood.
//!
//! The rules are tried in order, as in [`decide`](crate::decide()). At a rule of which
//! nobody knows whether it matches, both ways are followed: what happens if it does,
//! and what if it does not. Where all ways end alike the answer is known, however
//! many names are not; otherwise the rules at which the ways part are the answer.
//!
//! A way remembers what it has assumed: who is in `Storage` at one rule is in it at
//! the next. A rule that is open on both sides is the one case where it forgets that
//! the rule did not match; the answer can then be unknown where it need not be, and
//! is never wrong.

use std::collections::BTreeMap;

use crate::decide::{Attachment, Decision, Match, in_evaluation_order};
use crate::flow::{Direction, Flow};
use crate::nsg::Nsg;
use crate::platform;
use crate::rule::{Access, Addresses, Rule};
use crate::tags::{Condition, Membership, PartialTags};

/// A decision, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling<'a> {
    /// This happens, whatever the unknown names stand for. Where an unknown name may
    /// only put another rule of the same kind first, the rules named are those that
    /// decide without it.
    Known(Decision<'a>),
    /// These rules would change it; never empty.
    Unknown(Vec<Doubt<'a>>),
}

/// A rule of which nobody knows whether it matches, and which matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt<'a> {
    /// The rule, and where it stands.
    pub matched: Match<'a>,
    /// The names in it that are not understood, as they are written.
    pub names: Vec<String>,
}

/// Decides about a new flow at a NIC, with `nsgs` as in [`decide`](crate::decide()).
pub fn rule_on<'a>(
    nsgs: &[(Attachment, &'a Nsg)],
    flow: &Flow,
    tags: &PartialTags,
) -> Ruling<'a> {
    Question::new(nsgs, flow, tags).ask(flow)
}

/// The rules that speak of a flow, whatever its source.
pub(crate) struct Question<'a, 't> {
    levels: Vec<(Attachment, &'a Nsg, Vec<&'a Rule>)>,
    tags: &'t PartialTags,
}

impl<'a, 't> Question<'a, 't> {
    /// Leaves out the rules that cannot match for another reason than their source.
    pub(crate) fn new(
        nsgs: &[(Attachment, &'a Nsg)],
        flow: &Flow,
        tags: &'t PartialTags,
    ) -> Question<'a, 't> {
        let speaks = |rule: &&Rule| {
            let destination = &rule.destination.addresses;
            platform::applies(rule, flow)
                && rule.matches_but_for_addresses(flow)
                && tags.membership(destination, flow.destination) != Membership::No
        };
        let levels = in_evaluation_order(nsgs, flow.direction)
            .map(|(attachment, nsg)| {
                let rules = nsg.rules(flow.direction).iter().filter(speaks).collect();
                (attachment, nsg, rules)
            })
            .collect();
        Question { levels, tags }
    }

    /// The sources that its rules name.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &'a Addresses> {
        self.levels
            .iter()
            .flat_map(|(_, _, rules)| rules)
            .map(|rule| &rule.source.addresses)
    }

    /// The ruling on the flow, or on the same flow from another source.
    pub(crate) fn ask(&self, flow: &Flow) -> Ruling<'a> {
        let mut walk = Walk {
            question: self,
            flow,
            assumed: Vec::new(),
            passed: Vec::new(),
            last: Vec::new(),
            doubts: BTreeMap::new(),
        };
        let ends = walk.level(0);
        let Walk { last, doubts, .. } = walk;
        // The way without any assumption that a name matches is walked last.
        let decision = Decision::follow(flow_is_exempt(flow), last.into_iter());
        if !ends.both() {
            return Ruling::Known(decision);
        }
        let parted = doubts
            .into_values()
            .filter(|(_, ends)| ends.has_other_than(decision.access))
            .map(|(doubt, _)| doubt);
        Ruling::Unknown(parted.collect())
    }
}

fn flow_is_exempt(flow: &Flow) -> bool {
    flow.direction == Direction::Outbound && platform::exempt(flow)
}

/// How the ways from one point on end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ends {
    allow: bool,
    deny: bool,
}

impl Ends {
    fn of(access: Access) -> Ends {
        Ends { allow: access == Access::Allow, deny: access == Access::Deny }
    }

    fn and(self, other: Ends) -> Ends {
        Ends { allow: self.allow || other.allow, deny: self.deny || other.deny }
    }

    fn both(self) -> bool {
        self.allow && self.deny
    }

    fn has_other_than(self, access: Access) -> bool {
        match access {
            Access::Allow => self.deny,
            Access::Deny => self.allow,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Destination,
}

/// Something that a way takes for true or for false.
type Assumption = (Side, Condition, bool);

struct Walk<'a, 'q> {
    question: &'q Question<'a, 'q>,
    flow: &'q Flow,
    assumed: Vec<Assumption>,
    passed: Vec<Match<'a>>,
    /// The matches of the way that was walked last.
    last: Vec<Match<'a>>,
    /// By level and place, so in the order in which they are evaluated.
    doubts: BTreeMap<(usize, usize), (Doubt<'a>, Ends)>,
}

impl<'a> Walk<'a, '_> {
    /// Tries the rules of one NSG; gives how all ways from here end.
    fn level(&mut self, level: usize) -> Ends {
        let question = self.question;
        let Some((attachment, nsg, rules)) = question.levels.get(level) else {
            self.last.clone_from(&self.passed);
            return Ends::of(Access::Allow);
        };
        let mut ends = Ends::default();
        let assumed_before = self.assumed.len();
        for (place, &rule) in rules.iter().enumerate() {
            let matched = Match { attachment: *attachment, nsg, rule };
            let source = self.membership(Side::Source, rule);
            let destination = self.membership(Side::Destination, rule);
            let (open, names) = match (source, destination) {
                (Membership::No, _) | (_, Membership::No) => continue,
                (Membership::Yes, Membership::Yes) => {
                    ends = ends.and(self.matches(level, matched));
                    self.assumed.truncate(assumed_before);
                    return ends;
                }
                (source, destination) => both(source, destination, rule),
            };
            let here = self.assumed.len();
            // Of several that would do, none can be taken for true.
            if let [(side, condition)] = open.as_slice() {
                self.assumed.push((*side, condition.clone(), true));
            }
            let if_it_matches = self.matches(level, matched);
            self.assumed.truncate(here);
            let doubt = || (Doubt { matched, names }, Ends::default());
            let (_, known) = self.doubts.entry((level, place)).or_insert_with(doubt);
            *known = known.and(if_it_matches);
            ends = ends.and(if_it_matches);
            if open.iter().all(|(side, _)| *side == open[0].0) {
                let not = |(side, condition)| (side, condition, false);
                self.assumed.extend(open.into_iter().map(not));
            }
        }
        // Only the platform's traffic finds no rule.
        ends = ends.and(self.level(level + 1));
        self.assumed.truncate(assumed_before);
        ends
    }

    fn matches(&mut self, level: usize, matched: Match<'a>) -> Ends {
        self.passed.push(matched);
        let ends = match matched.rule.access {
            Access::Allow => self.level(level + 1),
            Access::Deny => {
                self.last.clone_from(&self.passed);
                Ends::of(Access::Deny)
            }
        };
        self.passed.pop();
        ends
    }

    /// Membership as far as this way has not assumed it.
    fn membership(&self, side: Side, rule: &Rule) -> Membership {
        let (endpoint, address) = match side {
            Side::Source => (&rule.source, self.flow.source),
            Side::Destination => (&rule.destination, self.flow.destination),
        };
        let found = self.question.tags.membership(&endpoint.addresses, address);
        let Membership::If(conditions) = found else { return found };
        let mut open = Vec::new();
        for condition in conditions {
            match self.assumption(side, &condition) {
                Some(true) => return Membership::Yes,
                Some(false) => {}
                None => open.push(condition),
            }
        }
        if open.is_empty() { Membership::No } else { Membership::If(open) }
    }

    fn assumption(&self, side: Side, condition: &Condition) -> Option<bool> {
        let opposite = match condition {
            Condition::Wider => Some(Condition::NotWider),
            Condition::NotWider => Some(Condition::Wider),
            Condition::Named(_) | Condition::Default => None,
        };
        self.assumed.iter().filter(|(of, ..)| *of == side).find_map(|(_, known, is)| {
            if known == condition {
                Some(*is)
            } else if Some(known) == opposite.as_ref() {
                Some(!is)
            } else {
                None
            }
        })
    }
}

/// What a rule leaves open on each side, and the names that it uses for it.
fn both(
    source: Membership,
    destination: Membership,
    rule: &Rule,
) -> (Vec<(Side, Condition)>, Vec<String>) {
    let sides = [
        (Side::Source, source, &rule.source.addresses),
        (Side::Destination, destination, &rule.destination.addresses),
    ];
    let (mut open, mut names) = (Vec::new(), Vec::new());
    for (side, membership, addresses) in sides {
        let Membership::If(conditions) = membership else { continue };
        names.extend(match addresses {
            Addresses::Tag(tag) => vec![tag.to_string()],
            Addresses::Groups(groups) => groups
                .iter()
                .map(|id| id.rsplit('/').next().unwrap_or(id).to_owned())
                .collect(),
            Addresses::Any | Addresses::Prefixes(_) => Vec::new(),
        });
        open.extend(conditions.into_iter().map(|condition| (side, condition)));
    }
    (open, names)
}

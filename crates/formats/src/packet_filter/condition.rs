//! What a rule asks of the packet, and how that cuts a region.

use super::Direction;
use super::region::{Dimension, Region, Values};

/// What a rule asks of the packet.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// It holds, or not, for every packet of this login.
    Is(bool),
    /// The packet's value along a dimension is one of these.
    Within(Dimension, Values),
    /// The condition does not hold.
    Not(Box<Self>),
    /// All of them hold.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
    /// Nobody can say whether it holds: what it asks for.
    Opaque(String),
}

/// The parts of a region: where a condition holds, where it does not, and where
/// nobody can say.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) yes: Vec<Region>,
    pub(super) no: Vec<Region>,
    pub(super) maybe: Vec<Region>,
}

/// A budget is used up: the question is bigger than any real one.
#[derive(Debug)]
pub(super) struct TooMuch;

/// What a cut costs besides the ranges that it looks at.
const CUT: usize = 4;

/// Work that may still be done, in ranges of values that are looked at.
#[derive(Debug)]
pub(super) struct Budget(pub(super) usize);

impl Budget {
    pub(super) fn take(&mut self, work: usize) -> Result<(), TooMuch> {
        self.0 = self.0.checked_sub(work).ok_or(TooMuch)?;
        Ok(())
    }
}

impl Condition {
    pub(super) fn not(self) -> Self {
        match self {
            Self::Is(holds) => Self::Is(!holds),
            Self::Not(inner) => *inner,
            Self::Opaque(why) => Self::Opaque(why),
            other => Self::Not(Box::new(other)),
        }
    }

    /// Cuts a region.
    pub(super) fn cut(
        &self,
        region: &Region,
        budget: &mut Budget,
    ) -> Result<Parts, TooMuch> {
        let mut parts = Parts::default();
        match self {
            Self::Is(true) => parts.yes.push(region.clone()),
            Self::Is(false) => parts.no.push(region.clone()),
            Self::Opaque(_) => parts.maybe.push(region.clone()),
            Self::Within(dimension, set) => {
                budget.take(match region.known(*dimension) {
                    Some(_) => 1,
                    None => set.ranges_len() + region.size(),
                })?;
                let (inside, outside) = region.cut(*dimension, set);
                parts.yes.extend(inside);
                parts.no.extend(outside);
            }
            Self::Not(inner) => {
                let inner = inner.cut(region, budget)?;
                parts = Parts { yes: inner.no, no: inner.yes, maybe: inner.maybe };
            }
            Self::All(all) => {
                parts.yes.push(region.clone());
                for condition in all {
                    parts = parts.and(condition, budget)?;
                }
            }
            // One holds unless all of them do not.
            Self::Any(any) => {
                parts.yes.push(region.clone());
                for condition in any {
                    parts = parts.and_not(condition, budget)?;
                }
                std::mem::swap(&mut parts.yes, &mut parts.no);
            }
        }
        budget.take(CUT)?;
        Ok(parts)
    }

    /// What of the unknown the answer depends on in this region.
    pub(super) fn reasons(
        &self,
        region: &Region,
        direction: Direction,
        found: &mut Vec<String>,
    ) {
        match self {
            Self::Is(_) => {}
            Self::Within(dimension, _) => {
                if region.known(*dimension).is_none() {
                    found.push(dimension.name(direction).to_owned());
                }
            }
            Self::Opaque(why) => found.push(why.clone()),
            Self::Not(inner) => inner.reasons(region, direction, found),
            Self::All(all) | Self::Any(all) => {
                for condition in all {
                    // The first reasons tell enough of a set with thousands of elements.
                    if found.len() < 16 {
                        condition.reasons(region, direction, found);
                    }
                }
            }
        }
    }
}

impl Parts {
    fn and(self, condition: &Condition, budget: &mut Budget) -> Result<Self, TooMuch> {
        self.narrow(budget, |region, budget| condition.cut(region, budget))
    }

    fn and_not(
        self,
        condition: &Condition,
        budget: &mut Budget,
    ) -> Result<Self, TooMuch> {
        self.narrow(budget, |region, budget| {
            let parts = condition.cut(region, budget)?;
            Ok(Self { yes: parts.no, no: parts.yes, maybe: parts.maybe })
        })
    }

    /// Cuts what held, or may have held, until now.
    fn narrow(
        self,
        budget: &mut Budget,
        cut: impl Fn(&Region, &mut Budget) -> Result<Self, TooMuch>,
    ) -> Result<Self, TooMuch> {
        let mut narrowed = Self { no: self.no, ..Self::default() };
        for region in &self.yes {
            let parts = cut(region, budget)?;
            narrowed.yes.extend(parts.yes);
            narrowed.no.extend(parts.no);
            narrowed.maybe.extend(parts.maybe);
        }
        for region in &self.maybe {
            let parts = cut(region, budget)?;
            narrowed.no.extend(parts.no);
            narrowed.maybe.extend(parts.yes);
            narrowed.maybe.extend(parts.maybe);
        }
        Ok(narrowed)
    }
}

//! A fact that the evidence settles, or why it does not.
//!
//! CEL sees a settled fact as its value and an unsettled one as a field that cannot
//! be read: not even `has(...)` answers, because "nobody looked" is not "there is
//! none". A rule that needs it is then undetermined, and [`Facts::why`] says why.
//!
//! [`Facts::why`]: super::Facts::why

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::case::Section;

/// The key under which an unsettled fact is serialized. No fact has such a name.
pub(super) const UNKNOWN: &str = "\u{0}unknown";

/// A fact, or the reason why it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    /// The evidence settles it.
    Is(T),
    /// It does not: why, in one sentence.
    Unknown(String),
}

impl<T> Known<T> {
    /// Not known because of this.
    pub(super) fn unknown(why: &str) -> Self {
        Self::Unknown(why.to_owned())
    }

    /// What an optional piece of evidence says, or why it is not there.
    pub(super) fn or(evidence: Option<T>, why: &str) -> Self {
        evidence.map_or_else(|| Self::unknown(why), Self::Is)
    }

    /// The fact, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Is(fact) => Some(fact),
            Self::Unknown(_) => None,
        }
    }

    /// Why it is not known, if it is not.
    pub fn why_not(&self) -> Option<&str> {
        match self {
            Self::Is(_) => None,
            Self::Unknown(why) => Some(why),
        }
    }

    /// The same by reference.
    pub fn as_ref(&self) -> Known<&T> {
        match self {
            Self::Is(fact) => Known::Is(fact),
            Self::Unknown(why) => Known::Unknown(why.clone()),
        }
    }

    /// What follows from it.
    pub fn map<U>(self, follows: impl FnOnce(T) -> U) -> Known<U> {
        self.and_then(|fact| Known::Is(follows(fact)))
    }

    /// What follows from it, if anything certainly does.
    pub fn and_then<U>(self, follows: impl FnOnce(T) -> Known<U>) -> Known<U> {
        match self {
            Self::Is(fact) => follows(fact),
            Self::Unknown(why) => Known::Unknown(why),
        }
    }

    /// This one, or else another source of the same fact.
    pub fn or_else(self, other: impl FnOnce(String) -> Self) -> Self {
        match self {
            Self::Is(fact) => Self::Is(fact),
            Self::Unknown(why) => other(why),
        }
    }

    /// Both.
    pub fn zip<U>(self, other: Known<U>) -> Known<(T, U)> {
        self.and_then(|one| other.map(|two| (one, two)))
    }
}

impl Known<bool> {
    /// Whether it is known to hold.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Is(true))
    }

    /// Whether one of them holds. One that does is enough, whatever the others are.
    pub(super) fn any(all: impl IntoIterator<Item = Self>) -> Self {
        let mut open = None;
        for one in all {
            match one {
                Self::Is(true) => return Self::Is(true),
                Self::Is(false) => {}
                Self::Unknown(why) => open = open.or(Some(why)),
            }
        }
        open.map_or(Self::Is(false), Self::Unknown)
    }
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Is(fact) => fact.serialize(serializer),
            Self::Unknown(why) => {
                let mut marker = serializer.serialize_map(Some(1))?;
                marker.serialize_entry(UNKNOWN, why)?;
                marker.end()
            }
        }
    }
}

impl<T> Section<T> {
    /// The evidence, or why there is none.
    pub(super) fn known(&self) -> Known<&T> {
        match self {
            Self::Collected(evidence) => Known::Is(evidence),
            Self::Failed(why) | Self::NotTried(why) => Known::unknown(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_holds_if_one_does_and_is_open_while_one_is() {
        let (yes, no) = (|| Known::Is(true), || Known::Is(false));
        let open = || Known::unknown("why");
        assert_eq!(Known::any([open(), yes()]), yes());
        assert_eq!(Known::any([no(), open()]), open());
        assert_eq!(Known::any([no(), no()]), no());
    }
}

//! How much a repair can cost.
//!
//! The order of the variants is the order in which repairs are tried, and the
//! meaning of `--allow CLASS`: everything up to and including that class.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A repair's risk class, from harmless to drastic.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Advice for the client's side; nothing on the VM changes.
    None,
    /// A change in the guest that can be undone to the byte.
    Edit,
    /// A narrow network rule, or a stopped VM started.
    Open,
    /// A key or password is set.
    Credential,
    /// The SSH server's configuration is reset.
    Reset,
    /// The VM is restarted.
    Reboot,
    /// The VM moves to another host: temporary disk and dynamic address are lost.
    Redeploy,
    /// The VM is stopped and a copy of its disk is repaired and swapped in.
    Offline,
}

/// Every class, in order.
pub const RISKS: [Risk; 8] = [
    Risk::None,
    Risk::Edit,
    Risk::Open,
    Risk::Credential,
    Risk::Reset,
    Risk::Reboot,
    Risk::Redeploy,
    Risk::Offline,
];

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Edit => "edit",
            Self::Open => "open",
            Self::Credential => "credential",
            Self::Reset => "reset",
            Self::Reboot => "reboot",
            Self::Redeploy => "redeploy",
            Self::Offline => "offline",
        })
    }
}

/// A word that names no risk class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no risk class: use one of none, edit, open, credential, reset, reboot, redeploy, offline"
)]
pub struct UnknownRisk(String);

impl FromStr for Risk {
    type Err = UnknownRisk;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        RISKS
            .into_iter()
            .find(|risk| risk.to_string() == word)
            .ok_or_else(|| UnknownRisk(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_read_back_from_its_name() {
        for risk in RISKS {
            assert_eq!(risk.to_string().parse(), Ok(risk));
        }
        assert!("mild".parse::<Risk>().is_err());
    }

    #[test]
    fn classes_are_ordered_from_harmless_to_drastic() {
        assert!(RISKS.is_sorted());
    }
}

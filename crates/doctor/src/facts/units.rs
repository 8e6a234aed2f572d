//! systemd's units.

use serde::Serialize;

use crate::case::{ActiveState, EnabledState, Units};

/// A systemd unit.
#[derive(Debug, Clone, Serialize)]
pub struct UnitFacts {
    /// Its name.
    pub name: String,
    /// `active`, `inactive`, `failed`, `activating`, ...
    pub active: ActiveState,
    /// `enabled`, `disabled`, `masked`, `static`, ...
    pub enabled: EnabledState,
    /// systemd's `SubState`.
    pub sub: String,
    /// systemd's `Result` of the last run.
    pub result: String,
}

impl UnitFacts {
    /// Whether it runs.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.active, ActiveState::Active | ActiveState::Reloading)
    }
}

/// Of units that stand for the same thing, the one that does something, else the
/// first that exists.
pub(super) fn unit(units: &Units, names: &[&str]) -> Option<UnitFacts> {
    let known = || names.iter().filter_map(|name| units.units.get_key_value(*name));
    let live = known().find(|(_, unit)| unit.active != ActiveState::Inactive);
    let (name, unit) = live.or_else(|| known().next())?;
    Some(UnitFacts {
        name: name.clone(),
        active: unit.active.clone(),
        enabled: unit.enabled.clone(),
        sub: unit.sub.clone(),
        result: unit.result.clone(),
    })
}

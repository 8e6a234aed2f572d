//! From a verdict to the steps that may bring the login back.
//!
//! The root cause's own repairs come first, least risky first, then those of
//! what would stop the login next. Only after all of them come the platform's
//! general remedies ([`Verdict::remedies`]): they replace more than they have to,
//! so they are for causes that nobody could repair.

use crate::step::Step;
use crate::verdict::Verdict;

/// The steps to try, in order.
pub fn plan(verdict: &Verdict) -> Vec<Step> {
    if verdict.reachable {
        return Vec::new();
    }
    let mut steps: Vec<Step> =
        verdict.causes.iter().flat_map(|cause| cause.repairs.clone()).collect();
    for step in &verdict.remedies {
        if !steps.iter().any(|known| known.action == step.action) {
            steps.push(step.clone());
        }
    }
    steps
}

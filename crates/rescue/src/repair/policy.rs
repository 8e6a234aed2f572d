//! Which step is next, and whether it may be taken.

use doctor::{Action, Catalogue, LAST_RESORT, Lang, Risk, Step, Verdict};

use super::outcome::Status;

/// What a repair may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The highest class of risk that is taken without asking.
    pub allow: Risk,
    /// The steps whose losses the operator agrees to.
    pub consent: Consent,
    /// Only plan.
    pub dry_run: bool,
    /// The language of the verdict's texts.
    pub lang: Lang,
}

/// What the operator agreed to lose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Consent {
    /// Nothing yet.
    #[default]
    None,
    /// What these steps take away (`FAULT STEP`).
    To(Vec<String>),
    /// Whatever a step takes away.
    All,
}

impl Consent {
    /// The same, and what this step takes away.
    #[must_use]
    pub fn with(&self, step: &Step) -> Consent {
        match self {
            Consent::All => Consent::All,
            Consent::None => Consent::To(vec![key(step)]),
            Consent::To(steps) => {
                Consent::To(steps.iter().cloned().chain([key(step)]).collect())
            }
        }
    }

    fn covers(&self, step: &Step) -> bool {
        match self {
            Consent::None => step.losses.is_empty(),
            Consent::To(steps) => step.losses.is_empty() || steps.contains(&key(step)),
            Consent::All => true,
        }
    }
}

/// What a step is called among those of a verdict: `FAULT STEP`.
pub(super) fn key(step: &Step) -> String {
    format!("{} {}", step.fault, step.id)
}

/// The step to try. A cause's advice to the operator waits until what regain can do
/// for the same cause is tried.
pub(super) fn choose<'a>(
    mut untried: impl Iterator<Item = &'a Step>,
) -> Option<&'a Step> {
    let first = untried.next()?;
    if !matches!(first.action, Action::Client { .. }) {
        return Some(first);
    }
    let own = untried.find(|step| {
        step.fault == first.fault && !matches!(step.action, Action::Client { .. })
    });
    Some(own.unwrap_or(first))
}

/// Why the repair stops before a step, if it does.
pub(super) fn stop_before(
    step: &Step,
    verdict: &Verdict,
    catalogue: &Catalogue,
    policy: &Policy,
) -> Option<Status> {
    if policy.dry_run {
        return Some(Status::Planned);
    }
    if matches!(step.action, Action::Client { .. }) {
        return Some(Status::Operators);
    }
    if step.fault == LAST_RESORT && verdict.is_blind(catalogue) {
        return Some(Status::Blind);
    }
    if step.risk > policy.allow {
        return Some(Status::NotAllowed);
    }
    (!policy.consent.covers(step)).then_some(Status::NeedsConsent)
}

#[cfg(test)]
mod tests {
    use doctor::case::Target;
    use doctor::{Channel, NotChecked, PlatformAction, Symptom};

    use super::*;

    fn step(fault: &str, id: &str, risk: Risk, action: Action) -> Step {
        let channel = match action {
            Action::Client { .. } => Channel::Client,
            Action::Guest { .. } => Channel::Guest,
            Action::Platform { .. } => Channel::Platform,
        };
        let (fault, id) = (fault.to_owned(), id.to_owned());
        Step {
            fault,
            id,
            title: String::new(),
            risk,
            channel,
            action,
            losses: Vec::new(),
        }
    }

    fn advice(fault: &str) -> Step {
        let action = Action::Client { command: "chmod 600 key".to_owned() };
        step(fault, "advice", Risk::None, action)
    }

    fn edit(fault: &str) -> Step {
        step(fault, "edit", Risk::Edit, Action::Guest { edits: Vec::new() })
    }

    fn policy(allow: Risk) -> Policy {
        Policy { allow, consent: Consent::None, dry_run: false, lang: Lang::En }
    }

    fn verdict(not_checked: Vec<NotChecked>) -> Verdict {
        let target = Target {
            user: "me".to_owned(),
            host: "vm".to_owned(),
            port: 22,
            resource_id: None,
            identity: None,
        };
        let case = doctor::case::Case::new(target, String::new());
        let empty = Catalogue::parse(std::iter::empty()).unwrap();
        let verdict = doctor::judge(&case, &empty, Lang::En);
        Verdict { not_checked, symptom: Some(Symptom::TcpTimeout), ..verdict }
    }

    fn stopped(step: &Step, policy: &Policy) -> Option<Status> {
        let catalogue = Catalogue::parse(std::iter::empty()).unwrap();
        stop_before(step, &verdict(Vec::new()), &catalogue, policy)
    }

    #[test]
    fn what_regain_can_do_itself_comes_before_advice_for_the_same_cause() {
        let steps = [advice("a"), edit("a"), edit("b")];
        assert_eq!(choose(steps.iter()), Some(&steps[1]));
        let steps = [advice("a"), edit("b")];
        assert_eq!(choose(steps.iter()), Some(&steps[0]));
        assert_eq!(choose([].iter()), None);
    }

    #[test]
    fn a_repair_stops_before_what_it_may_not_do() {
        let edit = edit("a");
        assert_eq!(stopped(&edit, &policy(Risk::Edit)), None);
        assert_eq!(stopped(&edit, &policy(Risk::None)), Some(Status::NotAllowed));
        let dry = Policy { dry_run: true, ..policy(Risk::Offline) };
        assert_eq!(stopped(&edit, &dry), Some(Status::Planned));
        assert_eq!(
            stopped(&advice("a"), &policy(Risk::Offline)),
            Some(Status::Operators)
        );
    }

    #[test]
    fn a_loss_is_agreed_to_step_by_step_whatever_risk_is_allowed() {
        let mut reset = edit("a");
        reset.losses = vec!["AllowUsers goes".to_owned()];
        let mut policy = policy(Risk::Offline);
        assert_eq!(stopped(&reset, &policy), Some(Status::NeedsConsent));
        policy.consent = policy.consent.with(&edit("b"));
        assert_eq!(stopped(&reset, &policy), Some(Status::NeedsConsent));
        policy.consent = policy.consent.with(&reset);
        assert_eq!(stopped(&reset, &policy), None);
        policy.consent = Consent::All;
        assert_eq!(stopped(&reset, &policy), None);
    }

    #[test]
    fn nothing_is_restarted_because_evidence_is_missing() {
        let action = Action::Platform { action: PlatformAction::RestartVm };
        let restart = step(LAST_RESORT, "restart-vm", Risk::Reboot, action);
        let policy = Policy { consent: Consent::All, ..policy(Risk::Offline) };
        let catalogue = Catalogue::builtin().unwrap();
        let open = |fault: &str| {
            let faults = vec![fault.to_owned()];
            let (section, why) = ("firewall".to_owned(), "no answer".to_owned());
            verdict(vec![NotChecked { section, why, faults }])
        };
        let stop = |step: &Step, verdict: Verdict| {
            stop_before(step, &verdict, &catalogue, &policy)
        };
        assert_eq!(stop(&restart, open("gfw.nft-drop")), Some(Status::Blind));
        assert_eq!(stop(&restart, open("auth.key-missing")), None);
        assert_eq!(stop(&restart, verdict(Vec::new())), None);
        // A cause that was named is not a guess.
        let own = Step { fault: "plat.hung".to_owned(), ..restart };
        assert_eq!(stop(&own, open("gfw.nft-drop")), None);
    }
}

//! What the gauntlet found.

use serde::Serialize;

use crate::lab::case::Case;

/// One case's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether the login worked after the injection; none if it did not come to
    /// a diagnosis.
    pub(crate) reachable: Option<bool>,
    /// The root cause that was named.
    pub(crate) named: Option<String>,
    /// Whether the login worked after the repair; none if it was not tried.
    pub(crate) repaired: Option<bool>,
    /// What else went wrong: the injection, a step, the undo.
    pub(crate) trouble: Option<String>,
}

/// The summary of all cases.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// Cases that were run.
    pub(crate) cases: usize,
    /// Broken cases whose root cause was named rightly.
    pub(crate) named: usize,
    /// Broken cases in which something else was named.
    pub(crate) wrong: Vec<Wrong>,
    /// Broken cases in which nothing was named.
    pub(crate) undetermined: Vec<String>,
    /// Broken cases whose login came back.
    pub(crate) repaired: usize,
    /// Healthy cases in which something was named.
    pub(crate) false_alarms: usize,
    /// Cases that could not be carried through.
    pub(crate) failed: Vec<Failed>,
    /// How long it all took.
    pub(crate) seconds: f64,
}

/// A case in which the wrong cause was named.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Wrong {
    case: String,
    expected: Vec<String>,
    named: String,
}

/// A case that could not be carried through.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failed {
    case: String,
    why: String,
}

impl Report {
    /// Counts one case in, and says whether all of it was right.
    pub(crate) fn add(&mut self, case: &Case, verdict: &Verdict) -> bool {
        let before = self.faults();
        self.cases += 1;
        let mut fail = |why: &str| {
            self.failed.push(Failed { case: case.id.clone(), why: why.to_owned() });
        };
        if let Some(why) = &verdict.trouble {
            fail(why);
        }
        let Some(reachable) = verdict.reachable else { return false };
        if verdict.repaired == Some(false) && verdict.trouble.is_none() {
            fail("the login did not come back");
        }
        if case.is_healthy() {
            match (&verdict.named, reachable) {
                (None, true) => {}
                (None, false) => fail("the login of a healthy variant does not work"),
                (Some(_), _) => self.false_alarms += 1,
            }
            return self.faults() == before;
        }
        self.repaired += usize::from(verdict.repaired == Some(true));
        match &verdict.named {
            Some(named) if case.expect.contains(named) => self.named += 1,
            Some(named) => self.wrong.push(Wrong {
                case: case.id.clone(),
                expected: case.expect.clone(),
                named: named.clone(),
            }),
            None => self.undetermined.push(case.id.clone()),
        }
        self.faults() == before
    }

    /// Whether everything was right.
    pub(crate) fn is_clean(&self) -> bool {
        self.faults() == 0
    }

    fn faults(&self) -> usize {
        self.wrong.len() + self.undetermined.len() + self.false_alarms + self.failed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn case(expect: &[&str]) -> Case {
        Case {
            id: "case".to_owned(),
            expect: expect.iter().map(|&id| id.to_owned()).collect(),
            injections: Vec::new(),
            host: None,
            repairable: true,
        }
    }

    fn verdict(named: Option<&str>, repaired: Option<bool>) -> Verdict {
        let named = named.map(str::to_owned);
        Verdict { reachable: Some(false), named, repaired, trouble: None }
    }

    #[test]
    fn any_expected_name_is_right() {
        let mut report = Report::default();
        assert!(report.add(&case(&["a.b", "c.d"]), &verdict(Some("c.d"), Some(true))));
        assert_eq!((report.cases, report.named, report.repaired), (1, 1, 1));
        assert!(report.is_clean());
    }

    #[test]
    fn another_name_is_wrong_and_none_is_undetermined() {
        let mut report = Report::default();
        assert!(!report.add(&case(&["a.b"]), &verdict(Some("x.y"), Some(true))));
        assert!(!report.add(&case(&["a.b"]), &verdict(None, None)));
        assert_eq!(report.wrong[0].named, "x.y");
        assert_eq!(report.undetermined, ["case"]);
        assert!(!report.is_clean());
    }

    #[test]
    fn a_name_for_a_healthy_variant_is_a_false_alarm() {
        let mut report = Report::default();
        let healthy = Verdict { reachable: Some(true), ..verdict(None, None) };
        assert!(report.add(&case(&[]), &healthy));
        let named = Verdict { named: Some("a.b".to_owned()), ..healthy };
        assert!(!report.add(&case(&[]), &named));
        assert_eq!(report.false_alarms, 1);
    }

    #[test]
    fn a_repair_that_does_not_help_fails_the_case() {
        let mut report = Report::default();
        assert!(!report.add(&case(&["a.b"]), &verdict(Some("a.b"), Some(false))));
        assert_eq!(report.failed[0].why, "the login did not come back");
    }

    #[test]
    fn a_case_that_could_not_be_injected_says_nothing_about_the_diagnosis() {
        let mut report = Report::default();
        let trouble = Some("the injection ended with status 1".to_owned());
        let verdict = Verdict { reachable: None, trouble, ..verdict(None, None) };
        assert!(!report.add(&case(&["a.b"]), &verdict));
        assert_eq!((report.failed.len(), report.undetermined.len()), (1, 0));
    }

    #[test]
    fn the_summary_has_the_documented_names() {
        let document = serde_json::to_value(Report::default()).unwrap();
        for name in [
            "cases",
            "named",
            "wrong",
            "undetermined",
            "repaired",
            "falseAlarms",
            "seconds",
        ] {
            assert!(document.get(name).is_some(), "{name}");
        }
    }
}

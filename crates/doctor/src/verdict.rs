//! What a diagnosis says.
//!
//! The JSON of a verdict is the product's interface (`regain diagnose -o json`):
//! field names and meanings change only together with [`VERSION`].

use serde::Serialize;

use crate::case::Target;
use crate::catalogue::Catalogue;
use crate::fault::{Confidence, Layer};
use crate::lang::Lang;
use crate::step::{Action, Step};
use crate::symptom::Symptom;

/// The version of the verdict's JSON.
pub const VERSION: u32 = 1;

/// The result of one diagnosis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// [`VERSION`].
    pub version: u32,
    /// What was diagnosed.
    pub target: Target,
    /// Whether the login works.
    pub reachable: bool,
    /// How the login ended, if it was tried and does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symptom: Option<Symptom>,
    /// The way in, hop by hop.
    pub path: Vec<Hop>,
    /// What is wrong: the root cause first, then what would stop the login next.
    pub causes: Vec<Finding>,
    /// Faults that the evidence excludes.
    pub ruled_out: Vec<RuledOut>,
    /// Evidence that could not be had, and the faults that stay open for it.
    pub not_checked: Vec<NotChecked>,
    /// The platform's general remedies that could help here, whatever the cause.
    pub remedies: Vec<Step>,
    /// The language of its texts.
    #[serde(skip)]
    pub lang: Lang,
}

/// The same text without what would act on a terminal or turn its writing round: much of
/// it comes out of a guest, or of a case file of a stranger's.
pub fn printable(text: &str) -> String {
    let acts = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if acts(c) { '\u{fffd}' } else { c }).collect()
}

impl Verdict {
    /// Makes everything that is shown of it [`printable`]. Edits stay as they are: they
    /// are carried out, not shown.
    pub(crate) fn made_printable(mut self) -> Self {
        let clean = |text: &mut String| *text = printable(text);
        clean(&mut self.target.user);
        clean(&mut self.target.host);
        self.path.iter_mut().for_each(|hop| clean(&mut hop.evidence));
        self.not_checked.iter_mut().for_each(|entry| clean(&mut entry.why));
        for cause in &mut self.causes {
            cause.evidence.iter_mut().for_each(clean);
            cause.doubts.iter_mut().for_each(clean);
            for step in &mut cause.repairs {
                step.losses.iter_mut().for_each(clean);
                if let Action::Client { command } = &mut step.action {
                    clean(command);
                }
            }
        }
        for step in &mut self.remedies {
            step.losses.iter_mut().for_each(clean);
        }
        self
    }

    /// The exit status of `regain diagnose`: 0 the login works, 1 a cause is
    /// named, 4 none could be.
    pub fn exit_code(&self) -> u8 {
        match (self.reachable, self.causes.is_empty()) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 4,
        }
    }

    /// Whether something that could have produced what was seen stayed unchecked. One
    /// of [`Verdict::remedies`] that nobody's evidence asks for is then a guess.
    pub fn is_blind(&self, catalogue: &Catalogue) -> bool {
        let open = self.not_checked.iter().flat_map(|entry| &entry.faults);
        open.filter_map(|fault| catalogue.get(fault)).any(|fault| {
            self.symptom.is_some_and(|symptom| fault.symptoms().contains(&symptom))
        })
    }
}

/// One hop of the way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    /// Its name: `client`, `name`, `network`, `platform`, `firewall`, `tcp`,
    /// `sshd`, `key-exchange`, `authentication`, `session`.
    pub hop: &'static str,
    /// Whether it lets the login pass.
    pub state: HopState,
    /// What shows it, in one line; empty if nothing does.
    pub evidence: String,
}

/// Whether a hop lets the login pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HopState {
    /// It does.
    Ok,
    /// It does not.
    Failed,
    /// There is no evidence.
    Unknown,
    /// The login ended before it.
    Skipped,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The fault's id.
    pub fault: String,
    /// Its layer.
    pub layer: Layer,
    /// How sure that is.
    pub confidence: Confidence,
    /// Why it is not surer: what in the case speaks against it, and what it would
    /// take that is not known. Empty where it is certain.
    pub doubts: Vec<String>,
    /// What is wrong, in one line.
    pub title: String,
    /// Why that stops a login, and what the repair does.
    pub explanation: String,
    /// What shows it; never empty.
    pub evidence: Vec<String>,
    /// Steps that may repair it, least risky first.
    pub repairs: Vec<Step>,
}

/// A fault that the evidence excludes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuledOut {
    /// The fault's id.
    pub fault: String,
    /// Its layer.
    pub layer: Layer,
    /// What would have been wrong, in one line.
    pub title: String,
}

/// Evidence that could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotChecked {
    /// The case's section.
    pub section: String,
    /// Why there is nothing in it.
    pub why: String,
    /// Faults that stay open because of it.
    pub faults: Vec<String>,
}

//! Carries out one step.
//!
//! A step is written into the journal before it acts. A step in the guest runs after
//! the edit prelude (`src/guest/prelude.sh`) and is rolled back there if it fails; a
//! step of the cloud is one request whose opposite is known beforehand. Steps of the
//! client's side are the operator's: they are told, not done.

mod allow_ssh;
mod arm_step;
mod guest_step;
#[cfg(test)]
mod prelude_tests;
pub(crate) mod room;
mod vm_access;

use doctor::case::Target;
use doctor::{Action, Step};
use thiserror::Error;

use crate::channel::ChannelError;
use crate::collect::now;
use crate::journal::{Journal, JournalError, StepState};
use crate::{Request, why};

pub(crate) use arm_step::{document, post};
pub(crate) use guest_step::{remains, with_variables};

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The repair's id, for [`undo`](crate::undo).
    pub undo_id: String,
    /// The step's number within the repair, from 1.
    pub number: u32,
    /// What the step says to the operator.
    pub said: Vec<String>,
}

/// Why a step was not carried out.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The step is a line that the operator types.
    #[error("this step is the operator's: {0}")]
    Operators(String),
    /// The step cannot be done here.
    #[error("{0}")]
    Impossible(String),
    /// The journal could not be written, so that nothing was done.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The guest could not be asked, or did not answer. If it began, the journal
    /// knows, and undoing is safe.
    #[error("the step could not be run in the guest")]
    Channel(#[from] ChannelError),
    /// The script failed. It was rolled back.
    #[error("the step failed in the guest with status {exit}: {why}")]
    Script {
        /// Its exit status.
        exit: i32,
        /// What it said, in one line.
        why: String,
        /// What the rollback could not bring back; usually nothing.
        remains: Vec<String>,
    },
    /// The cloud refused.
    #[error("the cloud refused to {what}")]
    Arm {
        /// What was asked.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<arm::Error>,
    },
}

impl ApplyError {
    pub(crate) fn arm(what: &'static str) -> impl FnOnce(arm::Error) -> Self {
        move |source| Self::Arm { what, source: Box::new(source) }
    }

    pub(crate) fn explain(&self) -> String {
        why::chain(self)
    }
}

/// Carries out one step under the repair `undo_id`, which need not exist yet.
pub async fn apply(
    request: &Request,
    step: &Step,
    undo_id: &str,
) -> Result<Applied, ApplyError> {
    let mut journal = match Journal::load(undo_id) {
        Ok(journal) => journal,
        Err(JournalError::Unknown(_)) => Journal::new(undo_id, now(), target_of(request)),
        Err(error) => return Err(error.into()),
    };
    apply_in(request, step, &mut journal).await
}

/// Carries out one step and records it in `journal`.
pub(crate) async fn apply_in(
    request: &Request,
    step: &Step,
    journal: &mut Journal,
) -> Result<Applied, ApplyError> {
    let (number, said) = match &step.action {
        Action::Client { command } => {
            return Err(ApplyError::Operators(command.clone()));
        }
        Action::Guest { edits } => guest_step::run(request, step, edits, journal).await?,
        Action::Platform { action } => {
            arm_step::run(request, step, *action, journal).await?
        }
    };
    journal.mark(number, StepState::Applied)?;
    Ok(Applied { undo_id: journal.id.clone(), number, said })
}

/// The target of a request, for a journal.
pub(crate) fn target_of(request: &Request) -> Target {
    Target {
        user: request.user.clone(),
        host: request.host.clone().unwrap_or_default(),
        port: request.port,
        resource_id: request.vm.as_ref().map(ToString::to_string),
        identity: request.identity.as_ref().map(|path| path.display().to_string()),
    }
}

//! Carries out one step.
//!
//! A step is written into the journal before it acts. A step in the guest is one script
//! of typed edits (`src/edit`), and is rolled back there if it fails; a step of the
//! platform is one request whose opposite is known beforehand, and one that it refused
//! at once is not in the journal as something that was done. Steps of the
//! client's side are the operator's: they are told, not done.

mod guest_step;
mod platform_step;
mod reset;

use doctor::{Action, Step};
use thiserror::Error;

use crate::channel::ChannelError;
use crate::clock::now;
use crate::collect::target;
use crate::journal::{Journal, JournalError, StepState};
use crate::platform::PlatformError;
use crate::request::Request;
use crate::why;

pub(crate) use guest_step::remains;

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
    /// The platform did not do it.
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

impl ApplyError {
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
        Err(JournalError::Unknown(_)) => new_journal(request, undo_id),
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
            platform_step::run(request, step, *action, journal).await?
        }
    };
    journal.mark(number, StepState::Applied)?;
    Ok(Applied { undo_id: journal.id.clone(), number, said })
}

/// The journal of a repair that begins.
pub(crate) fn new_journal(request: &Request, id: &str) -> Journal {
    let mut journal = Journal::new(id, now(), target(request, request.host.as_deref()));
    journal.through =
        request.channel.as_ref().and_then(|channel| channel.login().cloned());
    journal
}

/// What a step would change, as lines of a diff. Nothing is changed.
pub async fn preview(request: &Request, step: &Step) -> Result<Vec<String>, ApplyError> {
    match &step.action {
        Action::Client { command } => Ok(vec![format!("$ {command}")]),
        Action::Guest { edits } => guest_step::preview(request, edits).await,
        Action::Platform { action } => platform_step::preview(request, *action).await,
    }
}

//! Takes a repair back, the last step first.
//!
//! A step that cannot be taken back now does not keep the others from it, unless they
//! are what it still needs: a VM that the repair started is not stopped, and where SSH
//! is the way into the guest a rule that lets it in is not removed, before the guest
//! has its files back. What remains is named, and the same undo can be tried again.

use thiserror::Error;

use crate::apply::remains;
use crate::channel::ChannelError;
use crate::journal::{Journal, JournalError, JournalStep, StepState, Undo};
use crate::platform::{Closed, Opened, PlatformError, PowerChange};
use crate::request::Request;
use crate::why;

/// What an undo did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Undone {
    /// What is as it was before.
    pub restored: Vec<String>,
    /// What is not, and why.
    pub remains: Vec<String>,
    /// The guest was asked and did not answer: each further question would be waited
    /// for as long.
    #[serde(skip)]
    guest_is_silent: bool,
}

/// Why an undo could not begin.
#[derive(Debug, Error)]
pub enum UndoError {
    /// There is no such repair, or its journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The request is about another VM.
    #[error("the repair {id} was made on {recorded}, not on {asked}")]
    OtherVm {
        /// The repair's id.
        id: String,
        /// The VM of the journal.
        recorded: String,
        /// The VM of the request.
        asked: String,
    },
}

/// Takes back everything that the repair `id` did and that is not taken back yet.
pub async fn undo(request: &Request, id: &str) -> Result<Undone, UndoError> {
    let mut journal = Journal::load(id)?;
    same_vm(request, &journal)?;
    let mut undone = Undone::default();
    let open: Vec<u32> = journal
        .steps
        .iter()
        .rev()
        .filter(|step| step.state != StepState::Undone)
        .map(|step| step.number)
        .collect();
    for number in open {
        undo_step(request, &mut journal, number, &mut undone).await?;
    }
    Ok(undone)
}

fn same_vm(request: &Request, journal: &Journal) -> Result<(), UndoError> {
    let asked = request.platform.as_ref().map(|platform| platform.id());
    match (asked, &journal.target.resource_id) {
        (Some(asked), Some(recorded)) if !asked.eq_ignore_ascii_case(recorded) => {
            let (id, recorded) = (journal.id.clone(), recorded.clone());
            Err(UndoError::OtherVm { id, recorded, asked })
        }
        _ => Ok(()),
    }
}

/// How far a step came back.
enum Back {
    /// As far as it ever will.
    Whole,
    /// A later try may bring back more.
    Later,
}

/// Takes one step back; what could not be is named in `undone`.
pub(crate) async fn undo_step(
    request: &Request,
    journal: &mut Journal,
    number: u32,
    undone: &mut Undone,
) -> Result<(), JournalError> {
    let Some(step) = journal.steps.iter().find(|step| step.number == number) else {
        return Ok(());
    };
    let step = step.clone();
    let later = journal.steps.iter().filter(|later| later.number > number);
    let is_open = |step: &JournalStep| step.state != StepState::Undone;
    let guest_waits = later.clone().any(|one| is_open(one) && one.undo == Undo::Guest);
    let back = match &step.undo {
        Undo::Guest if undone.guest_is_silent => {
            Err("the guest does not answer".to_owned())
        }
        Undo::Guest => in_guest(request, journal, &step, undone).await,
        Undo::Power { .. } if guest_waits => {
            Err("the VM has to run until the guest has its files back".to_owned())
        }
        Undo::Power { was } => to_power(request, was, undone).await,
        Undo::Rule(_) if guest_waits && guest_needs_the_way_in(request) => {
            Err("the way in has to stay until the guest has its files back".to_owned())
        }
        Undo::Rule(opened) => closed(request, opened, undone).await,
        Undo::Nothing { why } => {
            undone.remains.push(why.clone());
            return Ok(());
        }
    };
    match back {
        Ok(Back::Whole) => journal.mark(number, StepState::Undone),
        Ok(Back::Later) => Ok(()),
        Err(why) => {
            undone.remains.push(format!("{} of {}: {why}", step.step, step.fault));
            Ok(())
        }
    }
}

fn guest_needs_the_way_in(request: &Request) -> bool {
    request.guest().is_ok_and(|guest| guest.needs_sshd())
}

async fn in_guest(
    request: &Request,
    journal: &Journal,
    step: &JournalStep,
    undone: &mut Undone,
) -> Result<Back, String> {
    let ran = match request.guest() {
        Ok(guest) => guest.run(&script(&journal.id, step.number)).await,
        Err(error) => Err(error),
    };
    let ran = match ran {
        Ok(ran) => ran,
        Err(ChannelError::Gone) => {
            let why = "the VM does not exist any more, and what was in it neither";
            undone.remains.push(format!("{} of {}: {why}", step.step, step.fault));
            return Ok(Back::Whole);
        }
        Err(error) => {
            undone.guest_is_silent = true;
            return Err(why::chain(&error));
        }
    };
    let restored = ran.stdout.lines().filter_map(|line| line.strip_prefix("restored "));
    undone.restored.extend(restored.map(str::to_owned));
    let left = remains(&ran.stdout);
    if !left.is_empty() {
        undone.remains.extend(left);
        return Ok(Back::Later);
    }
    if ran.exit != 0 {
        return Err(format!("status {}: {}", ran.exit, ran.stderr.trim()));
    }
    // No record in the guest: the step never came to write one, or was rolled back.
    if ran.stdout.starts_with("nothing") && step.state == StepState::Applied {
        return Err("the guest has no record of it any more".to_owned());
    }
    Ok(Back::Whole)
}

/// What runs the undo script that lies beside the records.
fn script(id: &str, number: u32) -> String {
    format!(
        "dir=${{REGAIN_ROOT:-}}/var/lib/regain/undo/{id}/{number}\n\
         if [ -f \"$dir/undo.sh\" ]; then sh \"$dir/undo.sh\"; else echo nothing; fi\n"
    )
}

async fn to_power(
    request: &Request,
    was: &str,
    undone: &mut Undone,
) -> Result<Back, String> {
    let platform = request.platform().map_err(str::to_owned)?;
    let now = match platform.look().await {
        Ok(view) => view.section.power,
        // What does not exist does not run.
        Err(PlatformError::Gone(_)) => return Ok(Back::Whole),
        Err(error) => return Err(why::chain(&error)),
    };
    if now.as_deref() != Some(was) {
        let released = was == "deallocated";
        let change = if released { PowerChange::Release } else { PowerChange::Stop };
        platform.power(change).await.map_err(|error| why::chain(&error))?;
    }
    undone.restored.push(format!("the VM is {was}"));
    Ok(Back::Whole)
}

async fn closed(
    request: &Request,
    opened: &Opened,
    undone: &mut Undone,
) -> Result<Back, String> {
    let platform = request.platform().map_err(str::to_owned)?;
    let closed = platform.close(opened).await.map_err(|error| why::chain(&error))?;
    let name = opened.rule.rsplit('/').next().unwrap_or(&opened.rule);
    match closed {
        Closed::Gone(stay) => {
            undone.restored.push(format!("the security rule {name} is removed"));
            undone.remains.extend(stay);
            Ok(Back::Whole)
        }
        Closed::Kept => Err(format!(
            "somebody changed the security rule {name} since regain made it, so it stays; \
             remove it if nobody needs it"
        )),
    }
}

//! Takes a repair back, the last step first.
//!
//! A step that cannot be taken back now ends the undo there: the steps before it may
//! be what it needs (a VM that the repair started must not be stopped before the
//! guest has its files back). What remains is named, and the same undo can be tried
//! again.

use arm::ResourceId;
use serde_json::Value;
use thiserror::Error;

use crate::apply::room::{self, Moved};
use crate::apply::{ApplyError, document, post, remains};

use crate::channel::{ChannelError, Guest};
use crate::collect::{API as NETWORK, power};
use crate::journal::{Journal, JournalError, JournalStep, StepState, Undo};
use crate::{Request, why};

/// What an undo did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Undone {
    /// What is as it was before.
    pub restored: Vec<String>,
    /// What is not, and why.
    pub remains: Vec<String>,
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
        let complete = undo_step(request, &mut journal, number, &mut undone).await?;
        if !complete {
            break;
        }
    }
    Ok(undone)
}

fn same_vm(request: &Request, journal: &Journal) -> Result<(), UndoError> {
    let recorded = journal.target.resource_id.as_deref();
    let recorded = recorded.and_then(|id| id.parse::<ResourceId>().ok());
    match (&request.vm, recorded) {
        (Some(asked), Some(recorded)) if *asked != recorded => Err(UndoError::OtherVm {
            id: journal.id.clone(),
            recorded: recorded.to_string(),
            asked: asked.to_string(),
        }),
        _ => Ok(()),
    }
}

/// Takes one step back. False if something of it remains that a later try could
/// bring back.
pub(crate) async fn undo_step(
    request: &Request,
    journal: &mut Journal,
    number: u32,
    undone: &mut Undone,
) -> Result<bool, JournalError> {
    let Some(step) = journal.steps.iter().find(|step| step.number == number) else {
        return Ok(true);
    };
    let step = step.clone();
    let before = undone.remains.len();
    let result = match &step.undo {
        Undo::Guest => in_guest(request, journal, &step, undone).await,
        Undo::Power { was } => to_power(request, was, undone).await,
        Undo::Rule { rule, moved, .. } => {
            without_rule(request, rule, moved, undone).await
        }
        Undo::Nothing { why } => {
            undone.remains.push(why.clone());
            return Ok(true);
        }
    };
    if let Err(error) = result {
        undone.remains.push(format!("{} of {}: {error}", step.step, step.fault));
    }
    let complete = undone.remains.len() == before;
    if complete {
        journal.mark(number, StepState::Undone)?;
    }
    Ok(complete)
}

async fn in_guest(
    request: &Request,
    journal: &Journal,
    step: &JournalStep,
    undone: &mut Undone,
) -> Result<(), String> {
    let explain = |error: ChannelError| why::chain(&error);
    let guest = Guest::of(request).map_err(explain)?;
    let ran = guest.run(&script(&journal.id, step.number)).await.map_err(explain)?;
    let restored = ran.stdout.lines().filter_map(|line| line.strip_prefix("restored "));
    undone.restored.extend(restored.map(str::to_owned));
    let left = remains(&ran.stdout);
    let failed_otherwise = ran.exit != 0 && left.is_empty();
    undone.remains.extend(left);
    if failed_otherwise {
        return Err(format!("status {}: {}", ran.exit, ran.stderr.trim()));
    }
    // No record in the guest: the step never came to write one, or was rolled back.
    if ran.stdout.starts_with("nothing") && step.state == StepState::Applied {
        return Err("the guest has no record of it any more".to_owned());
    }
    Ok(())
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
) -> Result<(), String> {
    let explain = |error: ApplyError| error.explain();
    let (cloud, vm) = request.cloud().map_err(str::to_owned)?;
    let now = document(cloud, vm).await.map_err(explain)?;
    if power(&now) == Some(was) {
        undone.restored.push(format!("the VM is {was}"));
        return Ok(());
    }
    let verb = if was == "deallocated" { "deallocate" } else { "powerOff" };
    post(cloud, vm, verb, "stop the VM").await.map_err(explain)?;
    undone.restored.push(format!("the VM is {was}"));
    Ok(())
}

async fn without_rule(
    request: &Request,
    rule: &str,
    moved: &[Moved],
    undone: &mut Undone,
) -> Result<(), String> {
    let (cloud, _) = request.cloud().map_err(str::to_owned)?;
    let explain = |error: arm::Error| why::chain(&error);
    let name = rule.rsplit('/').next().unwrap_or(rule);
    match rule.split_once("/securityRules/") {
        Some((nsg, _)) if !moved.is_empty() => {
            let path = format!("{nsg}?api-version={NETWORK}");
            let mut document = cloud.get(&path).await.map_err(explain)?;
            let rules = document.pointer_mut("/properties/securityRules");
            if let Some(rules) = rules.and_then(Value::as_array_mut) {
                rules.retain(|rule| rule["name"] != name);
            }
            room::move_back(&mut document, moved);
            cloud.put(&path, &document).await.map_err(explain)?;
        }
        _ => match cloud.delete(&format!("{rule}?api-version={NETWORK}")).await {
            Err(error) if !error.is_not_found() => return Err(explain(error)),
            _ => {}
        },
    }
    undone.restored.push(format!("the security rule {name} is removed"));
    Ok(())
}

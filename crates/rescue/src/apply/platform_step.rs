//! A step of the platform's: one request, and its opposite in the journal.

use doctor::{PlatformAction, Step};
use jiff::{SignedDuration, Timestamp};

use super::{ApplyError, reset};
use crate::collect::way;
use crate::journal::{Journal, StepState, Undo};
use crate::platform::{Moved, Opened, Opening, Platform, PlatformError, PowerChange};
use crate::request::Request;

/// How long an opening is meant to stay. Nothing removes it then; the journal knows
/// it, and any later `regain` can.
const HOURS: i64 = 8;

/// Carries out an action; gives the step's number and what there is to say.
pub(super) async fn run(
    request: &Request,
    step: &Step,
    action: PlatformAction,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let platform =
        request.platform().map_err(|why| ApplyError::Impossible(why.to_owned()))?;
    let (change, what) = match action {
        PlatformAction::StartVm => return start(platform, step, journal).await,
        PlatformAction::RestartVm => (PowerChange::Restart, "a restart"),
        PlatformAction::RedeployVm => (PowerChange::Redeploy, "a redeploy"),
        PlatformAction::AllowSsh => return allow(request, platform, step, journal).await,
        PlatformAction::ResetSsh => {
            return reset::sshd(request, platform, step, journal).await;
        }
        PlatformAction::ResetCredentials => {
            return reset::credentials(request, platform, step, journal).await;
        }
    };
    let why = format!("{what} cannot be taken back");
    let number = journal.begin(step, Undo::Nothing { why })?;
    settle(platform.power(change).await, number, journal)?;
    Ok((number, Vec::new()))
}

/// What an action would change.
pub(super) async fn preview(
    request: &Request,
    action: PlatformAction,
) -> Result<Vec<String>, ApplyError> {
    let platform =
        request.platform().map_err(|why| ApplyError::Impossible(why.to_owned()))?;
    if action != PlatformAction::AllowSsh {
        return Ok(Vec::new());
    }
    let opening = opening(request, "preview", 1).await;
    let mut seen = None;
    let mut only_look = |opened: &Opened| {
        seen = Some(opened.clone());
        // What cannot be recorded is not done.
        Err("this is a preview".to_owned())
    };
    let refused = platform.open(&opening, &mut only_look).await;
    match (seen, refused) {
        (Some(opened), _) => Ok(lines(&opened)),
        (None, Err(error)) => Err(error.into()),
        (None, Ok(_)) => Ok(Vec::new()),
    }
}

/// What is opened, as lines of a diff.
fn lines(opened: &Opened) -> Vec<String> {
    let mut lines = Vec::new();
    for Moved { name, was } in &opened.moved {
        lines.push(format!("-{name}: priority {was}"));
        lines.push(format!("+{name}: priority {}", was + 1));
    }
    let made = opened.made.as_object().into_iter().flatten();
    lines.extend(made.map(|(field, value)| match value.as_str() {
        Some(text) => format!("+{field}: {text}"),
        None => format!("+{field}: {value}"),
    }));
    lines
}

/// What was asked is done, or may be; or the journal says that it is not.
pub(super) fn settle(
    asked: Result<(), PlatformError>,
    number: u32,
    journal: &mut Journal,
) -> Result<(), ApplyError> {
    if asked.as_ref().is_err_and(|error| !error.perhaps_done()) {
        journal.mark(number, StepState::Undone)?;
    }
    Ok(asked?)
}

async fn start(
    platform: &dyn Platform,
    step: &Step,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let was = match platform.look().await?.section.power.as_deref() {
        Some(power @ ("stopped" | "deallocated")) => power.to_owned(),
        power => {
            let power = power.unwrap_or("in an unknown state");
            let why = format!("the VM is {power}, not stopped");
            return Err(ApplyError::Impossible(why));
        }
    };
    let number = journal.begin(step, Undo::Power { was })?;
    settle(platform.power(PowerChange::Start).await, number, journal)?;
    Ok((number, Vec::new()))
}

/// Lets this client in. What taking it back needs is written anew before each try: who
/// makes way is known only then.
async fn allow(
    request: &Request,
    platform: &dyn Platform,
    step: &Step,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let opening = opening(request, &journal.id, journal.next()).await;
    let mut number = None;
    let opened = {
        let mut record = |opened: &Opened| {
            let undo = Undo::Rule(opened.clone());
            match number {
                Some(number) => journal.amend(number, undo),
                None => journal.begin(step, undo).map(|begun| number = Some(begun)),
            }
            .map_err(|error| error.to_string())
        };
        platform.open(&opening, &mut record).await
    };
    let Some(number) = number else {
        // Nothing was written, so nothing was begun.
        let why = "the platform opened something without saying what closes it";
        return Err(opened
            .err()
            .map_or_else(|| ApplyError::Impossible(why.to_owned()), ApplyError::from));
    };
    match opened {
        Ok(said) => Ok((number, vec![said])),
        Err(error) => {
            settle(Err(error), number, journal)?;
            Ok((number, Vec::new()))
        }
    }
}

/// What is opened for this client by step `number` of a repair.
async fn opening(request: &Request, undo_id: &str, number: u32) -> Opening {
    let expires = Timestamp::now() + SignedDuration::from_hours(HOURS);
    let expires = Timestamp::from_second(expires.as_second()).unwrap_or(expires);
    Opening {
        way: way(request).await,
        name: format!("regain-{undo_id}-{number}"),
        undo_id: undo_id.to_owned(),
        expires: expires.to_string(),
    }
}

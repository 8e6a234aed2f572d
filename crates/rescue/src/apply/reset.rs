//! The platform's own resets, which replace what they reset.
//!
//! A platform keeps no undo that anybody can call, so the guest records what is about
//! to be replaced. Where that channel does not answer, the reset goes ahead (it is a
//! last resort) and the journal says that it cannot be taken back. Where the guest does
//! answer, and says that it cannot be recorded, there is a reason (something in the
//! home is not what it seems, the disk is full), and nothing is reset.

use doctor::Step;

use super::platform_step::settle;
use super::{ApplyError, guest_step};
use crate::collect::client;
use crate::edit::{self, Keep};
use crate::journal::{Journal, StepState, Undo};
use crate::platform::{Platform, Reset};
use crate::request::Request;
use crate::ssh::Settings;

/// A stock sshd configuration.
pub(super) async fn sshd(
    request: &Request,
    platform: &dyn Platform,
    step: &Step,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let what = "resetting sshd's configuration";
    run(request, platform, step, journal, Keep::Sshd, &Reset::Sshd, what).await
}

/// The account with the client's own public key.
pub(super) async fn credentials(
    request: &Request,
    platform: &dyn Platform,
    step: &Step,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let key = public_key(request).await.ok_or_else(|| {
        let why = "no private key of this client can be read; name one with -i";
        ApplyError::Impossible(why.to_owned())
    })?;
    let reset = Reset::Credentials { user: request.user.clone(), key };
    let what = "setting the account's key";
    run(request, platform, step, journal, Keep::Account(&request.user), &reset, what)
        .await
}

async fn run(
    request: &Request,
    platform: &dyn Platform,
    step: &Step,
    journal: &mut Journal,
    keep: Keep<'_>,
    reset: &Reset,
    what: &str,
) -> Result<(u32, Vec<String>), ApplyError> {
    let number = journal.begin(step, Undo::Guest)?;
    let recorded = record(request, journal, number, keep).await;
    if let Err(ApplyError::Script { why, remains, .. }) = &recorded {
        if remains.is_empty() {
            journal.mark(number, StepState::Undone)?;
        }
        return Err(ApplyError::Impossible(format!(
            "{what} was not begun: what is there now cannot be recorded ({why})"
        )));
    }
    if let Err(error) = &recorded {
        let why = format!(
            "{what} cannot be taken back: the guest did not record what was there \
             before ({})",
            error.explain()
        );
        journal.amend(number, Undo::Nothing { why })?;
    }
    let asked = platform.reset(reset).await;
    if recorded.is_err() {
        settle(asked, number, journal)?;
    } else {
        // Undoing brings back what is as it was, and forgets the guest's records.
        asked?;
    }
    Ok((number, Vec::new()))
}

/// Has the guest record what the platform will replace.
async fn record(
    request: &Request,
    journal: &Journal,
    number: u32,
    keep: Keep<'_>,
) -> Result<(), ApplyError> {
    let script = edit::keep(&format!("{}/{number}", journal.id), keep);
    let ran = request.guest()?.run(&script).await?;
    guest_step::read(&ran).map(drop)
}

/// The public half of the first key that the client has.
async fn public_key(request: &Request) -> Option<String> {
    let host = request.host.as_deref().unwrap_or("localhost");
    let settings = Settings::of(request, host).await;
    let client = client(&settings, &|_| {}).await;
    let identities = &client.collected()?.identities;
    identities.iter().find_map(|identity| identity.public_key.clone())
}

//! Boot diagnostics: a signed address, and the serial log behind it.
//!
//! Whoever has the address reads the log without a token, as with Azure's storage
//! addresses: it is signed with a key of this server and ends after a while.

use std::sync::Arc;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use machine::MachineId;
use serde_json::json;

use super::virtual_machine::machine_id;
use crate::app::network::fabric::blocking;
use crate::app::{Answer, App, Call, Problem};

/// How long an address is good, unless the client says (minutes).
const MINUTES: i64 = 120;

/// `POST …/virtualMachines/{vm}/retrieveBootDiagnosticsData`
pub(crate) async fn post(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let vm = app.existing(&call.id).await?;
    if vm.document["properties"]["diagnosticsProfile"]["bootDiagnostics"]["enabled"]
        != true
    {
        return Err(Problem::Conflict {
            code: "OperationNotAllowed",
            message: format!(
                "Boot diagnostics is not enabled for VM '{}'. Enable it and try again.",
                call.id.name()
            ),
        });
    }
    let minutes = call
        .parameter("sasuriexpirationtimeinminutes")
        .and_then(|text| text.parse().ok())
        .filter(|minutes| (1..=1440).contains(minutes))
        .unwrap_or(MINUTES);
    let machine = machine_id(&vm.document)?;
    let until = jiff::Timestamp::now().as_second() + minutes * 60;
    let signature = sign(&app, &machine, until);
    Ok(Answer::Found(json!({
        "serialConsoleLogBlobUri": format!(
            "{}/blob/{machine}/serialconsole.log?se={until}&sig={signature}",
            app.endpoint
        ),
    })))
}

/// The serial log of `machine`, if the address was signed by this server and is
/// still good.
pub(crate) async fn serial_log(
    app: &App,
    machine: &str,
    until: &str,
    signature: &str,
) -> Result<Vec<u8>, Problem> {
    let refused = || Problem::AuthenticationFailed;
    let machine: MachineId = machine.parse().map_err(|_| refused())?;
    let until: i64 = until.parse().map_err(|_| refused())?;
    let right = sign(app, &machine, until);
    if constant_time::verify_slices_are_equal(right.as_bytes(), signature.as_bytes())
        .is_err()
        || until < jiff::Timestamp::now().as_second()
    {
        return Err(refused());
    }
    let engine = Arc::clone(&app.engine);
    blocking("read the serial log", move || engine.console_log(&machine)).await
}

fn sign(app: &App, machine: &MachineId, until: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &app.seal.derive("blob"));
    let tag = hmac::sign(&key, format!("{machine}\n{until}").as_bytes());
    URL_SAFE_NO_PAD.encode(tag.as_ref())
}

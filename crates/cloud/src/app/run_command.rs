//! Run Command: a script in the guest, as root, and what it printed.
//!
//! It goes the way of an extension, with a handler of its own; the script travels
//! as a protected setting and is forgotten when it has ended. One at a time per
//! machine, as in Azure.

use std::sync::Arc;

use arm::ResourceId;
use guest::settings::RunCommand;
use guest::wire::{Status, Verdict};
use serde_json::{Value, json};

use super::extension;
use super::journal::Job;
use super::work::Work;
use super::{Answer, App, Call, Problem, power, tenant};
use crate::store::{Settings, key_of};

/// The handler in the guest.
const HANDLER: &str = "Microsoft.CPlat.Core.RunCommandLinux";
const VERSION: &str = "1.0.5";
/// How much of each stream is given back, counted from its end. Azure gives 4096
/// bytes; `/metadata/endpoints` says that here it is more.
pub(crate) const OUTPUT_BYTES: usize = 262_144;

/// `GET …/locations/{location}/runCommands`
pub(crate) async fn list(_app: Arc<App>, _call: Call) -> Result<Answer, Problem> {
    Ok(Answer::Found(json!({ "value": [description()] })))
}

/// `GET …/locations/{location}/runCommands/{command}`
pub(crate) async fn get(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    check_command(call.id.name())?;
    let mut command = description();
    command["script"] = json!([]);
    command["parameters"] = json!([]);
    Ok(Answer::Found(command))
}

/// `POST …/virtualMachines/{vm}/runCommand`
pub(crate) async fn post(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let vm = app.existing(&call.id).await?;
    let body = call.object()?;
    check_command(body.get("commandId").and_then(Value::as_str).unwrap_or_default())?;
    let mut protected = json!({});
    for key in ["script", "parameters", "timeoutSeconds"] {
        if let Some(value) = body.get(key).filter(|value| !value.is_null()) {
            protected[key] = value.clone();
        }
    }
    RunCommand::parse(None, Some(&protected))
        .map_err(|error| Problem::parameter("script", error.full_text()))?;
    let turn = app.serial.try_take(&format!("{}#{HANDLER}", key_of(&vm.id))).ok_or_else(
        || Problem::Conflict {
            code: "Conflict",
            message: "Run command extension execution is in progress. Please wait for \
                      completion before invoking a run command."
                .to_owned(),
        },
    )?;
    power::check_running(&app, &vm.id, "Cannot run a command in the VM").await?;
    let guest = app
        .store
        .guest(&vm.id)
        .await?
        .ok_or_else(|| Problem::ResourceNotFound { id: vm.id.clone() })?;
    let settings = Settings {
        public: None,
        protected: Some(tenant::protect(&protected, &guest.tenant)?),
    };
    let work = Work::RunCommand { vm: vm.id.clone(), settings };
    let job = Job::new("virtualMachines/runCommand", &vm.id, work).holding(turn);
    Ok(app.submit(job).await?.answered())
}

/// Runs the script and gives what it printed.
pub(super) async fn run(
    app: &Arc<App>,
    vm: &ResourceId,
    settings: &Settings,
    operation: &str,
) -> Result<Value, Problem> {
    let whole = app.limits.run_command;
    let told =
        extension::tell(app, vm, HANDLER, VERSION, settings, operation, whole).await;
    // Whatever became of it, the script is not to run again after a restart.
    app.store.retire(vm, HANDLER, operation).await?;
    told.map(|status| result(&status))
}

/// A status as Run Command's result.
fn result(status: &Status) -> Value {
    let stream = |name: &str| {
        let text = status
            .substatus
            .iter()
            .find(|one| one.name.eq_ignore_ascii_case(name))
            .map_or("", |one| one.formatted_message.message.as_str());
        tail(text, OUTPUT_BYTES).to_owned()
    };
    // A script that fails has been run: Azure calls that a success, too.
    let verdict = match status.status {
        Verdict::Success | Verdict::Warning => "Enable succeeded: ".to_owned(),
        Verdict::Error | Verdict::Transitioning => {
            format!("Enable failed: {}", extension::message_of(status))
        }
    };
    json!({ "value": [{
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "message": format!(
            "{verdict}\n[stdout]\n{}\n[stderr]\n{}",
            stream("StdOut"),
            stream("StdErr")
        ),
    }] })
}

/// The end of a text, at most `bytes` long.
fn tail(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

fn check_command(id: &str) -> Result<(), Problem> {
    if id.eq_ignore_ascii_case("RunShellScript") {
        return Ok(());
    }
    Err(Problem::Invalid {
        code: "InvalidParameter",
        message: format!(
            "The command '{id}' is not known; this cloud has RunShellScript."
        ),
        target: Some("commandId"),
    })
}

fn description() -> Value {
    json!({
        "$schema": "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json",
        "id": "RunShellScript",
        "osType": "Linux",
        "label": "Executes a Linux shell script",
        "description": "Executes a script in the virtual machine as root.",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_output_keeps_its_end_and_whole_characters() {
        assert_eq!(tail("abc", 9), "abc");
        assert_eq!(tail("abcdef", 2), "ef");
        assert_eq!(tail("あい", 4), "い");
    }
}

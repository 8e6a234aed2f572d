//! Run Command: a script in the guest, as root, and what it printed.
//!
//! It goes the way of an extension, with a handler of its own; the script travels
//! as a protected setting and is forgotten when it has ended. One at a time per
//! machine, as in Azure.
//!
//! Where the [weather](crate::Weather) has it take its time, the script runs at once and
//! only its end is told late: whoever gives up waiting must expect, as in Azure, that the
//! script has run.

use std::sync::Arc;
use std::time::Instant;

use arm::ResourceId;
use guest::settings::RunCommand;
use guest::wire::{Status, Verdict};
use serde_json::{Value, json};

use super::handler::{self, Handler, message_of};
use crate::app::child::parent_of;
use crate::app::document::listed;
use crate::app::journal::Job;
use crate::app::serial::Turn;
use crate::app::work::Work;
use crate::app::{Answer, App, Call, Problem};
use crate::store::{Settings, key_of};

/// The handler in the guest.
const HANDLER: Handler<'_> =
    Handler { name: "Microsoft.CPlat.Core.RunCommandLinux", version: "1.0.5" };
/// How much of each stream is given back, counted from its end. Azure gives 4096
/// bytes; `/metadata/endpoints` says that here it is more, if the weather allows.
const OUTPUT_BYTES: usize = 262_144;

/// What can be run.
struct Command {
    id: &'static str,
    label: &'static str,
    description: &'static str,
    /// None if the script is the caller's.
    script: Option<&'static str>,
}

const COMMANDS: [Command; 2] = [
    Command {
        id: "RunShellScript",
        label: "Executes a Linux shell script",
        description: "Executes a Linux shell script",
        script: None,
    },
    Command {
        id: "ifconfig",
        label: "List network configuration",
        description: "Get the configuration of all network interfaces.",
        // Few systems have the program of that name any more.
        script: Some("ifconfig 2>/dev/null || ip address show"),
    },
];

/// `GET …/locations/{location}/runCommands`
pub(crate) async fn list(_app: Arc<App>, _call: Call) -> Result<Answer, Problem> {
    Ok(Answer::Found(listed(COMMANDS.iter().map(Command::shown))))
}

/// `GET …/locations/{location}/runCommands/{command}`
pub(crate) async fn get(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let command = find(call.id.name())?;
    let mut shown = command.shown();
    shown["script"] = command.script.into_iter().collect();
    shown["parameters"] = json!([]);
    Ok(Answer::Found(shown))
}

/// `GET …/virtualMachines/{vm}/runCommands`: commands that stay as resources of
/// their own, which nobody can make here.
pub(crate) async fn list_managed(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    app.existing(&call.id).await?;
    Ok(Answer::Found(listed([])))
}

/// Any verb on `…/virtualMachines/{vm}/runCommands/{command}`
pub(crate) async fn managed(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    app.existing(&parent_of(&call.id)?).await?;
    Err(Problem::NotFound {
        message: format!(
            "The run command '{}' was not found. This cloud runs commands at once: use `az vm \
             run-command invoke`.",
            call.id.name()
        ),
    })
}

/// `POST …/virtualMachines/{vm}/runCommand`
pub(crate) async fn post(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let vm = app.existing(&call.id).await?;
    let body = call.object()?;
    let command =
        find(body.get("commandId").and_then(Value::as_str).unwrap_or_default())?;
    let mut protected = json!({});
    for key in ["script", "parameters", "timeoutSeconds"] {
        if let Some(value) = body.get(key).filter(|value| !value.is_null()) {
            protected[key] = value.clone();
        }
    }
    if let Some(script) = command.script {
        protected["script"] = json!([script]);
    }
    RunCommand::parse(None, Some(&protected))
        .map_err(|error| Problem::parameter("script", error.full_text()))?;
    let turn = turn(&app, &vm.id).await?;
    let doing = "Cannot run a command in the VM";
    let settings = handler::settings(&app, &vm.id, doing, None, &protected).await?;
    let work = Work::RunCommand { vm: vm.id.clone(), settings };
    let job = Job::new("virtualMachines/runCommand", &vm.id, work).holding(turn);
    Ok(app.submit(job).await?.answered())
}

/// Runs the script and gives what it printed.
pub(in crate::app) async fn run(
    app: &Arc<App>,
    vm: &ResourceId,
    settings: &Settings,
    operation: &str,
) -> Result<Value, Problem> {
    let not_before = Instant::now() + app.weather().run_command;
    let whole = app.limits.run_command;
    let told = handler::tell(app, vm, HANDLER, settings, operation, whole).await;
    // Whatever became of it, the script is not to run again after a restart.
    app.store.retire(vm, HANDLER.name, operation).await?;
    tokio::time::sleep_until(not_before.into()).await;
    told.map(|status| result(&status, output_bytes(app)))
}

/// The turn to run a command in a machine.
async fn turn(app: &App, vm: &ResourceId) -> Result<Turn, Problem> {
    let name = format!("{}#{}", key_of(vm), HANDLER.name);
    if !app.weather().conflict {
        return app.turn(&name).await;
    }
    app.serial.try_take(&name).ok_or_else(|| Problem::Conflict {
        code: "Conflict",
        message: "Run command extension execution is in progress. Please wait for \
                  completion before invoking a run command."
            .to_owned(),
    })
}

/// How much of each stream is given back.
pub(crate) fn output_bytes(app: &App) -> usize {
    app.weather().output.unwrap_or(OUTPUT_BYTES)
}

/// A status as Run Command's result, with so much of each stream.
fn result(status: &Status, output: usize) -> Value {
    let stream = |name: &str| {
        let text = status
            .substatus
            .iter()
            .find(|one| one.name.eq_ignore_ascii_case(name))
            .map_or("", |one| one.formatted_message.message.as_str());
        tail(text, output).to_owned()
    };
    // A script that fails has been run: Azure calls that a success, too.
    let verdict = match status.status {
        Verdict::Success | Verdict::Warning => "Enable succeeded: ".to_owned(),
        Verdict::Error | Verdict::Transitioning => {
            format!("Enable failed: {}", message_of(status))
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

fn find(id: &str) -> Result<&'static Command, Problem> {
    COMMANDS.iter().find(|command| command.id.eq_ignore_ascii_case(id)).ok_or_else(|| {
        let names: Vec<&str> = COMMANDS.iter().map(|command| command.id).collect();
        Problem::parameter(
            "commandId",
            format!(
                "The command '{id}' is not known. This cloud has {}.",
                names.join(" and ")
            ),
        )
    })
}

impl Command {
    fn shown(&self) -> Value {
        json!({
            "$schema": "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json",
            "id": self.id,
            "osType": "Linux",
            "label": self.label,
            "description": self.description,
        })
    }
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

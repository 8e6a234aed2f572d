//! ARM's Run Command: the agent in the guest runs a script as root.

use std::time::Duration;

use arm::{Client, Method, Operation};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::{COMPUTE, Vm, refusal};
use crate::channel::{ChannelError, Nature, Need};

/// What Azure returns of a script's output, bytes.
const AZURE_OUTPUT: u64 = 4096;

/// How long a call through Azure usually takes, and through a regain cloud.
const AZURE_USUAL: Duration = Duration::from_secs(30);
const USUAL: Duration = Duration::from_millis(100);

/// How long the platform and the agent may need besides the script itself. Azure gives
/// up on a silent agent after an hour and a half, and takes no other Run Command for
/// this VM meanwhile; nobody waits for that.
const OVERHEAD: Duration = Duration::from_secs(180);

/// How long somebody else's Run Command is waited for.
const BUSY: Duration = Duration::from_secs(300);

/// Between two looks whether it has ended.
const PAUSE: Duration = Duration::from_secs(4);

const NAME: &str = "Run Command";

/// What Run Command is like at this cloud.
pub(super) fn nature(cloud: &Client) -> Nature {
    let regain = cloud.endpoints().regain.as_ref();
    let output = regain.and_then(|regain| regain.run_command_output_bytes);
    Nature {
        name: "run-command",
        output: output.unwrap_or(AZURE_OUTPUT),
        needs: Need::Agent,
        usual: if regain.is_some() { USUAL } else { AZURE_USUAL },
    }
}

/// One call: a script that ends within `time`, and what it printed.
pub(super) async fn call(
    vm: &Vm,
    script: &str,
    time: Duration,
) -> Result<String, ChannelError> {
    let lines: Vec<&str> = script.lines().collect();
    let body =
        json!({ "commandId": "RunShellScript", "script": lines, "parameters": [] });
    let path = format!("{}/runCommand?api-version={COMPUTE}", vm.id);
    let begun = free(vm, &path, &body).await?;
    let longest = time + OVERHEAD;
    let result = match timeout(longest, begun.wait()).await {
        Ok(ended) => ended.map_err(failed)?,
        Err(_) => {
            return Err(ChannelError::Silent {
                channel: NAME,
                seconds: longest.as_secs(),
                besides: ": it may still be running there, and until it ends (Azure gives \
                          it 90 minutes) the VM takes no other",
            });
        }
    };
    stdout(&result)
        .ok_or_else(|| ChannelError::Garbled(format!("Run Command's result is {result}")))
}

/// Begins a call as soon as the VM takes one: of all callers together only one may
/// run.
async fn free(vm: &Vm, path: &str, body: &Value) -> Result<Operation, ChannelError> {
    let since = Instant::now();
    loop {
        match vm.cloud.begin(Method::POST, path, Some(body)).await {
            Err(error) if is_busy(&error) => {
                if since.elapsed() >= BUSY {
                    let seconds = since.elapsed().as_secs();
                    return Err(ChannelError::Busy { channel: NAME, seconds });
                }
                sleep(PAUSE).await;
            }
            begun => return begun.map_err(failed),
        }
    }
}

/// A conflict with what else runs. An agent that is not there is a conflict, too, and
/// no time cures that.
fn is_busy(error: &arm::Error) -> bool {
    error.status() == Some(409)
        && error.arm().is_some_and(|why| {
            why.code != "OperationNotAllowed" && why.message.contains("progress")
        })
}

fn failed(error: arm::Error) -> ChannelError {
    if error.is_not_found() {
        return ChannelError::Gone;
    }
    ChannelError::Carrier { channel: NAME, source: refusal::told(error) }
}

/// Standard output in Run Command's result. Azure has two shapes of it: one message
/// with both outputs under headings, or one status for each.
fn stdout(result: &Value) -> Option<String> {
    let statuses = result.get("value")?.as_array()?;
    let message =
        |status: &Value| status.get("message").and_then(Value::as_str).map(str::to_owned);
    let code = |status: &Value| {
        status
            .get("code")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    if let Some(status) = statuses.iter().find(|status| code(status).contains("/stdout/"))
    {
        return message(status);
    }
    let both = statuses.iter().find_map(message)?;
    let after = both.split_once("[stdout]").map_or(both.as_str(), |(_, after)| after);
    let text = after.rsplit_once("[stderr]").map_or(after, |(text, _)| text);
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn azure_s_one_message_is_divided_at_its_headings() {
        let result = json!({ "value": [{
            "code": "ProvisioningState/succeeded",
            "message": "Enable succeeded: \n[stdout]\nhello\n\n[stderr]\noops\n",
        }] });
        assert_eq!(stdout(&result).unwrap().trim(), "hello");
    }

    #[test]
    fn only_what_runs_is_waited_for() {
        let refused = |code: &str, message: &str| arm::Error::Api {
            status: 409,
            error: arm::ArmError::new(code, message),
        };
        let runs = "Run command extension execution is in progress. Please wait for \
                    completion before invoking a run command.";
        assert!(is_busy(&refused("Conflict", runs)));
        assert!(!is_busy(&refused(
            "OperationNotAllowed",
            "The VM agent is not installed."
        )));
    }

    #[test]
    fn one_status_for_each_output_is_read_too() {
        let result = json!({ "value": [
            { "code": "ComponentStatus/StdErr/succeeded", "message": "oops" },
            { "code": "ComponentStatus/StdOut/succeeded", "message": "hello" },
        ] });
        assert_eq!(stdout(&result).as_deref(), Some("hello"));
        assert_eq!(stdout(&json!({ "value": [] })), None);
    }
}

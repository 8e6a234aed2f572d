//! ARM's Run Command: the agent in the guest runs a script as root.

use std::time::Duration;

use arm::Client;
use serde_json::{Value, json};

use super::{COMPUTE, Vm};
use crate::channel::{ChannelError, Nature, Need};

/// What Azure returns of a script's output, bytes.
const AZURE_OUTPUT: u64 = 4096;

/// How long a call through Azure may take. Half a minute is usual there, and a large
/// answer needs several calls; a regain cloud answers in well under a second.
const AZURE_PATIENCE: Duration = Duration::from_secs(180);

/// How long a call through a regain cloud may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What Run Command is like at this cloud.
pub(super) fn nature(cloud: &Client) -> Nature {
    let regain = cloud.endpoints().regain.as_ref();
    let output = regain.and_then(|regain| regain.run_command_output_bytes);
    Nature {
        name: "run-command",
        output: output.unwrap_or(AZURE_OUTPUT),
        needs: Need::Agent,
        patience: if regain.is_some() { PATIENCE } else { AZURE_PATIENCE },
    }
}

/// One call: a script, and what it printed.
pub(super) async fn call(vm: &Vm, script: &str) -> Result<String, ChannelError> {
    let lines: Vec<&str> = script.lines().collect();
    let body =
        json!({ "commandId": "RunShellScript", "script": lines, "parameters": [] });
    let path = format!("{}/runCommand?api-version={COMPUTE}", vm.id);
    let result = vm.cloud.post(&path, &body).await.map_err(|error| {
        if error.is_not_found() {
            return ChannelError::Gone;
        }
        ChannelError::Carrier { channel: "Run Command", source: Box::new(error) }
    })?;
    stdout(&result)
        .ok_or_else(|| ChannelError::Garbled(format!("Run Command's result is {result}")))
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
    fn one_status_for_each_output_is_read_too() {
        let result = json!({ "value": [
            { "code": "ComponentStatus/StdErr/succeeded", "message": "oops" },
            { "code": "ComponentStatus/StdOut/succeeded", "message": "hello" },
        ] });
        assert_eq!(stdout(&result).as_deref(), Some("hello"));
        assert_eq!(stdout(&json!({ "value": [] })), None);
    }
}

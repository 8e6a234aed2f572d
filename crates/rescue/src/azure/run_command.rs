//! ARM's Run Command: the agent in the guest runs a script as root.

use std::time::Duration;

use arm::{Client, ResourceId};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::Request;
use crate::channel::frame::{self, Answer};
use crate::channel::{ChannelError, Ran};

/// The api-version of Run Command.
const API: &str = "2024-07-01";

/// What Azure returns of a script's output, bytes.
const AZURE_OUTPUT: u64 = 4096;

/// How long a call through Azure may take. Half a minute is usual there, and a large
/// answer needs several calls; a regain cloud answers in well under a second.
const AZURE_PATIENCE: Duration = Duration::from_secs(180);

/// How long a call through a regain cloud may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The guest of one VM.
#[derive(Clone, Copy)]
pub(crate) struct Guest<'a> {
    cloud: &'a Client,
    vm: &'a ResourceId,
    output_limit: u64,
    patience: Duration,
}

impl<'a> Guest<'a> {
    /// The guest of the request's VM.
    pub(crate) fn of(request: &'a Request) -> Result<Self, ChannelError> {
        let (cloud, vm) = request.cloud().map_err(ChannelError::Unavailable)?;
        let regain = cloud.endpoints().regain.as_ref();
        let output_limit = regain.and_then(|regain| regain.run_command_output_bytes);
        let patience = if regain.is_some() { PATIENCE } else { AZURE_PATIENCE };
        let output_limit = output_limit.unwrap_or(AZURE_OUTPUT);
        Ok(Self { cloud, vm, output_limit, patience })
    }

    /// Waits this long instead.
    pub(crate) fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Runs a script as root and fetches all of what it said.
    pub(crate) async fn run(&self, script: &str) -> Result<Ran, ChannelError> {
        let all = async {
            let job = uuid::Uuid::new_v4().simple().to_string();
            // The guest gives up first, so that it can say so.
            let seconds = self.patience.as_secs().saturating_sub(3).max(2);
            let piece = frame::piece_size(self.output_limit);
            let first = frame::wrap(script, &job, seconds, piece);
            let mut answer = Answer::begin(&self.call(&first).await?)?;
            while !answer.is_whole() {
                let output = self.call(&frame::next(&answer, piece)).await?;
                answer = answer.extend(&output)?;
            }
            answer.unpack()
        };
        timeout(self.patience, all)
            .await
            .unwrap_or_else(|_elapsed| Err(ChannelError::Silent(self.patience.as_secs())))
    }

    /// One call: a script, and what it printed.
    async fn call(&self, script: &str) -> Result<String, ChannelError> {
        let lines: Vec<&str> = script.lines().collect();
        let body =
            json!({ "commandId": "RunShellScript", "script": lines, "parameters": [] });
        let path = format!("{}/runCommand?api-version={API}", self.vm);
        let result = self
            .cloud
            .post(&path, &body)
            .await
            .map_err(|error| ChannelError::Arm(Box::new(error)))?;
        stdout(&result).ok_or_else(|| {
            ChannelError::Garbled(format!("Run Command's result is {result}"))
        })
    }
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

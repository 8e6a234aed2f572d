//! What a VM says about itself: the status file of one handler and the status blob of
//! the whole VM.
//!
//! A handler writes `status/<sequence>.status` ([`StatusFile`]); the agent copies its
//! `status` object into the blob, one [`HandlerStatus`] for each handler, and uploads
//! the blob.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Text for people, with its language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormattedMessage {
    /// Always `en-US` so far.
    #[serde(default)]
    pub lang: String,
    /// The text.
    #[serde(default)]
    pub message: String,
}

impl From<&str> for FormattedMessage {
    fn from(message: &str) -> Self {
        FormattedMessage { lang: "en-US".to_owned(), message: message.to_owned() }
    }
}

/// How far a handler has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Still at work.
    Transitioning,
    /// Done, with a remark.
    Warning,
    /// Failed.
    Error,
    /// Done.
    Success,
}

/// One more result beside the main one, e.g. `StdOut` of a script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Substatus {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub status: Verdict,
    /// A number or a text, `0` is good.
    #[serde(default)]
    pub code: Value,
    /// The content.
    pub formatted_message: FormattedMessage,
}

/// The `status` object of a handler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The handler's name.
    #[serde(default)]
    pub name: String,
    /// `Enable`, or `Check`, `Repair` for the disk actions.
    #[serde(default)]
    pub operation: String,
    /// When the settings were applied, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_applied_time: Option<String>,
    /// How far the handler has come.
    pub status: Verdict,
    /// VMAccess sends a text ("0"), others a number: passed through unchanged.
    #[serde(default)]
    pub code: Value,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formatted_message: Option<FormattedMessage>,
    /// More results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub substatus: Vec<Substatus>,
}

/// An element of a status file's array, and `settingsStatus` of the blob.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingsStatus {
    /// "1.0", as a text in files and as a number in blobs.
    pub version: Value,
    /// When it was written, ISO 8601.
    #[serde(rename = "timestampUTC")]
    pub timestamp_utc: String,
    /// What happened.
    pub status: Status,
}

/// `status/<sequence>.status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusFile(pub Vec<SettingsStatus>);

impl StatusFile {
    /// A file with one status; `timestamp` is ISO 8601 in UTC.
    pub fn new(timestamp: &str, status: Status) -> StatusFile {
        StatusFile(vec![SettingsStatus {
            version: json!("1.0"),
            timestamp_utc: timestamp.to_owned(),
            status,
        }])
    }
}

/// The state of a handler, apart from the state of its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HandlerState {
    /// Installed and able to run.
    Ready,
    /// Cannot run.
    NotReady,
    /// Being installed.
    Installing,
    /// Has not been heard of for ten minutes.
    Unresponsive,
}

/// `runtimeSettingsStatus`: what became of one sequence number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeSettingsStatus {
    /// The sequence number that the status belongs to.
    pub sequence_number: u32,
    /// What the handler said.
    pub settings_status: SettingsStatus,
}

/// One handler in the status blob.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandlerStatus {
    /// Version of the handler.
    #[serde(default)]
    pub handler_version: String,
    /// `Publisher.Type`.
    pub handler_name: String,
    /// Whether the handler can run at all.
    pub status: HandlerState,
    /// Zero, or CRP's error code (1009 enable failed, 1011 time-out).
    #[serde(default)]
    pub code: i64,
    /// Always true: no automatic upgrade.
    #[serde(default)]
    pub use_exact_version: bool,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formatted_message: Option<FormattedMessage>,
    /// Absent for a handler without settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_settings_status: Option<RuntimeSettingsStatus>,
}

/// The agent itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GuestAgentStatus {
    /// Version of the agent.
    #[serde(default)]
    pub version: String,
    /// `Ready` or `NotReady`.
    pub status: String,
    /// Text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formatted_message: Option<FormattedMessage>,
}

/// The agent and all handlers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AggregateStatus {
    /// The agent itself.
    pub guest_agent_status: GuestAgentStatus,
    /// Every handler that the agent knows.
    #[serde(default)]
    pub handler_aggregate_status: Vec<HandlerStatus>,
    /// Whether the goal state itself could be applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm_artifacts_aggregate_status: Option<Value>,
}

/// `guestOSInfo`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GuestOsInfo {
    /// The host name.
    pub computer_name: String,
    /// `ID` of os-release.
    pub os_name: String,
    /// `VERSION_ID` of os-release.
    pub os_version: String,
    /// Version of the agent.
    pub version: String,
}

/// The whole status blob.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusBlob {
    /// "1.1".
    pub version: String,
    /// When it was made, ISO 8601.
    #[serde(rename = "timestampUTC")]
    pub timestamp_utc: String,
    /// The agent and all handlers.
    pub aggregate_status: AggregateStatus,
    /// The operating system.
    #[serde(rename = "guestOSInfo", default)]
    pub guest_os_info: GuestOsInfo,
    /// Optional features of the agent.
    #[serde(default)]
    pub supported_features: Vec<Value>,
}

impl StatusBlob {
    /// Reads an uploaded blob; a page blob's zero padding is cut off.
    pub fn parse(content: &[u8]) -> Result<StatusBlob, super::WireError> {
        let end = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        serde_json::from_slice(&content[..end]).map_err(|source| super::WireError::Json {
            document: "the status blob",
            source,
        })
    }

    /// The blob's text.
    pub fn to_json(&self) -> Vec<u8> {
        // Only maps with keys that are no text cannot be written; there are none.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape that Microsoft's agent uploads, cut to what matters.
    const BLOB: &str = r#"{"version":"1.1","timestampUTC":"2026-01-01T00:00:00Z",
        "aggregateStatus":{"guestAgentStatus":{"version":"2.7.3.0","status":"Ready",
        "formattedMessage":{"lang":"en-US","message":"Guest Agent is running"}},
        "handlerAggregateStatus":[{"handlerVersion":"1.5.25","handlerName":"M.V",
        "status":"Ready","code":0,"useExactVersion":true,"formattedMessage":{"lang":"en-US",
        "message":"Plugin enabled"},"runtimeSettingsStatus":{"settingsStatus":{"status":
        {"name":"M.V","configurationAppliedTime":null,"operation":"Enable",
        "status":"success","code":"0","formattedMessage":{"lang":"en-US",
        "message":"Enable succeeded."}},"version":1.0,"timestampUTC":"2026-01-01T00:00:00Z"},
        "sequenceNumber":3}}],"vmArtifactsAggregateStatus":{}},"guestOSInfo":
        {"computerName":"vm1","osName":"debian","osVersion":"12","version":"2.7.3.0"},
        "supportedFeatures":[{"Key":"MultipleExtensionsPerHandler","Value":"1.0"}]}"#;

    #[test]
    fn reads_the_blob_of_microsofts_agent() {
        let mut padded = BLOB.as_bytes().to_vec();
        padded.resize(4096, 0);
        let blob = StatusBlob::parse(&padded).expect("real shape");
        let handler = &blob.aggregate_status.handler_aggregate_status[0];
        let outcome = handler.runtime_settings_status.as_ref().expect("has settings");
        assert_eq!(outcome.sequence_number, 3);
        assert_eq!(outcome.settings_status.status.status, Verdict::Success);
        assert_eq!(outcome.settings_status.status.code, json!("0"));
        let again = StatusBlob::parse(&blob.to_json()).expect("own text");
        assert_eq!(again, blob);
    }
}

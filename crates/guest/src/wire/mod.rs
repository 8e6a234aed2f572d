//! WireServer's documents, both ways: the cloud builds what the agent parses, and
//! the other way round for the status.
//!
//! A VM asks the WireServer (168.63.129.16, port 80) for its goal state; the goal
//! state names the addresses of the extensions configuration and of the
//! certificates; the outcome goes back as a status blob through the host's plugin
//! (port 32526). Everything here is text to value and value to text: no I/O. Element
//! and attribute names are those that Microsoft's agent reads, so that the same
//! builders serve it too.

mod certificates;
mod extensions;
mod goal_state;
mod manifest;
mod role;
mod status;
mod upload;
mod versions;
mod xml;

pub use certificates::Certificates;
pub use extensions::{
    BlobKind, ExtensionsConfig, HandlerSettings, Plugin, PluginSettings, PluginState,
    StatusUploadBlob, parse_runtime_settings, runtime_settings,
};
pub use goal_state::GoalState;
pub use manifest::plugin_version_manifest;
pub use role::{hosting_environment_config, shared_config};
pub use status::{
    AggregateStatus, FormattedMessage, GuestAgentStatus, GuestOsInfo, HandlerState,
    HandlerStatus, RuntimeSettingsStatus, SettingsStatus, Status, StatusBlob, StatusFile,
    Substatus, Verdict,
};
pub use upload::StatusUpload;
pub use versions::{VERSION, versions};

/// Request header that asks the WireServer to hold a goal state request back until
/// the incarnation differs from the header's value, or 25 seconds have passed.
pub const WAIT_HEADER: &str = "x-regain-wait-incarnation";

/// Response header, value `1`, of a WireServer that understands [`WAIT_HEADER`].
pub const LONG_POLL_HEADER: &str = "x-regain-long-poll";

/// Why a document of the wire protocol could not be understood.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Not well-formed XML.
    #[error("{document} is not well-formed XML: {reason}")]
    Xml {
        /// Which document.
        document: &'static str,
        /// What the XML reader says.
        reason: String,
    },
    /// Not JSON, or not of the expected shape.
    #[error("{document} is not the expected JSON")]
    Json {
        /// Which document.
        document: &'static str,
        /// What the JSON reader says.
        #[source]
        source: serde_json::Error,
    },
    /// Not base64 where base64 belongs.
    #[error("{document} holds text that is not base64")]
    Base64 {
        /// Which document.
        document: &'static str,
        /// What the decoder says.
        #[source]
        source: base64::DecodeError,
    },
    /// A part without which the document has no meaning is absent.
    #[error("{document} has no {part}")]
    Missing {
        /// Which document.
        document: &'static str,
        /// The element or attribute.
        part: &'static str,
    },
    /// A part has a value that is not allowed there.
    #[error("{document} has an unusable {part}: {value:?}")]
    Value {
        /// Which document.
        document: &'static str,
        /// The element or attribute.
        part: &'static str,
        /// What was found.
        value: String,
    },
}

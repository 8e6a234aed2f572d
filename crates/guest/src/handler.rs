//! What every handler does around its work, under our agent and under Microsoft's:
//! find the sequence number, decrypt the settings, write the status, remember the
//! outcome.
//!
//! ```text
//! config/<seq>.settings ─► Started ─► work ─► status/<seq>.status ─► Finished
//! ```
//!
//! The outcome is recorded with the sequence number and a digest of the settings file.
//! Asked again about the same settings, a handler answers with what was recorded: an
//! old success is never given for a sequence that failed, nor for another VM's
//! settings that happen to have the same number (a VM made from a captured image).

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::clock;
use crate::edit::{Attributes, EditError, Place};
use crate::envelope::{self, EnvelopeError, Identity};
use crate::settings::SettingsError;
use crate::wire::{
    FormattedMessage, HandlerSettings, Status, StatusFile, Verdict, WireError,
    parse_runtime_settings,
};

/// Where agents keep certificates, keys and handlers.
pub(crate) const AGENT_DIRECTORY: &str = "var/lib/waagent";
const ENVIRONMENT: &str = "HandlerEnvironment.json";
const OUTCOME: &str = "outcome.json";

/// Why a handler cannot begin, or cannot say how it ended.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// A file of the agent cannot be read or written.
    #[error("could not {action} {path}", path = path.display())]
    File {
        /// What was being done, as a verb.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// `HandlerEnvironment.json` is not what an agent writes.
    #[error("{ENVIRONMENT} has no {0}")]
    Environment(&'static str),
    /// There is no settings file.
    #[error("there are no settings in {path}", path = .0.display())]
    NoSettings(PathBuf),
    /// The settings file is damaged.
    #[error("the settings file cannot be read")]
    Wire(#[source] WireError),
    /// The protected settings are damaged, or for another VM.
    #[error("Failed to decrypt protectedSettings")]
    Decrypt(#[source] EnvelopeError),
    /// They are encrypted to a certificate that this VM does not have.
    #[error("the certificate {0} of the protectedSettings is not on this VM")]
    NoCertificate(String),
    /// The decrypted text is not JSON.
    #[error("Failed to decode protectedSettings")]
    Json(#[source] serde_json::Error),
    /// The settings make no sense.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// A handler's directory.
#[derive(Clone, Debug)]
pub(crate) struct Handler {
    pub(crate) dir: PathBuf,
    config: PathBuf,
    status: PathBuf,
}

/// One set of settings, identified so that it is recognised when it comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) sequence: u32,
    digest: String,
}

/// How far a job has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(crate) enum Progress {
    Started,
    Finished { status: Box<Status> },
}

#[derive(Serialize, Deserialize)]
struct Outcome {
    job: Job,
    #[serde(flatten)]
    progress: Progress,
}

/// Decrypted settings.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) public: Option<Value>,
    pub(crate) protected: Option<Value>,
}

impl Handler {
    /// Makes a handler's directory as Microsoft's agent does.
    pub(crate) fn install(dir: &Path, name: &str) -> Result<Handler, HandlerError> {
        let handler = Handler {
            dir: dir.to_owned(),
            config: dir.join("config"),
            status: dir.join("status"),
        };
        for dir in [&handler.config, &handler.status] {
            make_private_dir(dir)?;
        }
        let logs = format!("/var/log/azure/{name}");
        let environment = json!([{
            "name": name,
            "version": 1.0,
            "handlerEnvironment": {
                "logFolder": logs,
                "configFolder": handler.config,
                "statusFolder": handler.status,
                "heartbeatFile": dir.join("heartbeat.log"),
                "eventsFolder": format!("{logs}/events"),
            },
        }]);
        write(&dir.join(ENVIRONMENT), environment.to_string().as_bytes())?;
        Ok(handler)
    }

    /// Reads `HandlerEnvironment.json` in `dir`.
    pub(crate) fn open(dir: &Path) -> Result<Handler, HandlerError> {
        let text = read(&dir.join(ENVIRONMENT))?;
        let environment: Value = serde_json::from_slice(&text).map_err(|source| {
            HandlerError::Wire(WireError::Json { document: ENVIRONMENT, source })
        })?;
        let folder = |name: &'static str| {
            environment
                .pointer(&format!("/0/handlerEnvironment/{name}"))
                .and_then(Value::as_str)
                .map(PathBuf::from)
                .ok_or(HandlerError::Environment(name))
        };
        Ok(Handler {
            dir: dir.to_owned(),
            config: folder("configFolder")?,
            status: folder("statusFolder")?,
        })
    }

    /// The sequence number to work on: the agent's word for it, or else the newest
    /// settings file.
    pub(crate) fn sequence(&self, told: Option<&str>) -> Result<u32, HandlerError> {
        if let Some(told) = told.and_then(|text| text.trim().parse().ok()) {
            return Ok(told);
        }
        let entries = fs::read_dir(&self.config).map_err(|source| {
            HandlerError::File { action: "list", path: self.config.clone(), source }
        })?;
        let newest = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let number: u32 = name.strip_suffix(".settings")?.parse().ok()?;
                Some((entry.metadata().ok()?.modified().ok()?, number))
            })
            .max();
        newest
            .map(|(_, number)| number)
            .ok_or_else(|| HandlerError::NoSettings(self.config.clone()))
    }

    /// Writes `config/<sequence>.settings`.
    pub(crate) fn put_settings(
        &self,
        sequence: u32,
        text: &str,
    ) -> Result<(), HandlerError> {
        write_lightly(&self.settings_path(sequence), text.as_bytes())
    }

    pub(crate) fn job(&self, sequence: u32) -> Result<Job, HandlerError> {
        let text = read(&self.settings_path(sequence))?;
        let digest =
            Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Job { sequence, digest })
    }

    /// Reads and decrypts the settings of a job.
    pub(crate) fn settings(
        &self,
        root: &Path,
        job: &Job,
    ) -> Result<Settings, HandlerError> {
        let text = read(&self.settings_path(job.sequence))?;
        let settings = parse_runtime_settings(&String::from_utf8_lossy(&text))
            .map_err(HandlerError::Wire)?;
        let protected = decrypt(root, &settings)?;
        Ok(Settings { public: settings.public_settings, protected })
    }

    /// How far this very job has come; `None`: it was never begun.
    pub(crate) fn progress(&self, job: &Job) -> Option<Progress> {
        let text = fs::read(self.dir.join(OUTCOME)).ok()?;
        let outcome: Outcome = serde_json::from_slice(&text).ok()?;
        (outcome.job == *job).then_some(outcome.progress)
    }

    /// Records that work begins, and says so in the status file.
    pub(crate) fn start(&self, job: &Job, name: &str) -> Result<(), HandlerError> {
        self.record(job, Progress::Started)?;
        let status =
            status(name, "Enable", Verdict::Transitioning, json!("0"), "in progress");
        self.put_status(job.sequence, &status)
    }

    /// Records how a job ended. The status file comes first: without it the agent has
    /// nothing to report. Only the record need survive a power cut: the status is
    /// written again from it, and the settings come with the goal state.
    pub(crate) fn finish(&self, job: &Job, status: &Status) -> Result<(), HandlerError> {
        self.put_status(job.sequence, status)?;
        // Microsoft's tools look here.
        write_lightly(&self.dir.join("mrseq"), job.sequence.to_string().as_bytes())?;
        self.record(job, Progress::Finished { status: Box::new(status.clone()) })
    }

    pub(crate) fn put_status(
        &self,
        sequence: u32,
        status: &Status,
    ) -> Result<(), HandlerError> {
        let file = StatusFile::new(&clock::now(), status.clone());
        let text = serde_json::to_vec(&file).unwrap_or_default();
        write_lightly(&self.status_path(sequence), &text)
    }

    /// The status file of a sequence number; `None`: none, or unreadable.
    pub(crate) fn read_status(&self, sequence: u32) -> Option<StatusFile> {
        let text = fs::read(self.status_path(sequence)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn record(&self, job: &Job, progress: Progress) -> Result<(), HandlerError> {
        let outcome = Outcome { job: job.clone(), progress };
        let text = serde_json::to_vec(&outcome).unwrap_or_default();
        write(&self.dir.join(OUTCOME), &text)
    }

    fn settings_path(&self, sequence: u32) -> PathBuf {
        self.config.join(format!("{sequence}.settings"))
    }

    fn status_path(&self, sequence: u32) -> PathBuf {
        self.status.join(format!("{sequence}.status"))
    }
}

/// A status in the shape of Microsoft's handler: the code is a text.
pub(crate) fn status(
    name: &str,
    operation: &str,
    verdict: Verdict,
    code: Value,
    message: &str,
) -> Status {
    Status {
        name: name.to_owned(),
        operation: operation.to_owned(),
        configuration_applied_time: Some(clock::now()),
        status: verdict,
        code,
        formatted_message: Some(FormattedMessage::from(message)),
        substatus: Vec::new(),
    }
}

/// An error with everything that caused it, for a status message.
pub fn full_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn decrypt(
    root: &Path,
    settings: &HandlerSettings,
) -> Result<Option<Value>, HandlerError> {
    let Some(encoded) =
        settings.protected_settings.as_deref().filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    let thumbprint =
        settings.protected_settings_cert_thumbprint.as_deref().unwrap_or_default();
    let identity = identity(root, thumbprint)?;
    let packed: String = encoded.split_whitespace().collect();
    let message = STANDARD.decode(packed).map_err(|source| {
        HandlerError::Wire(WireError::Base64 { document: "protectedSettings", source })
    })?;
    let plain = envelope::decrypt(&message, &identity).map_err(HandlerError::Decrypt)?;
    serde_json::from_slice(&plain).map(Some).map_err(HandlerError::Json)
}

/// The certificate and key that the agent stored under this thumbprint.
fn identity(root: &Path, thumbprint: &str) -> Result<Identity, HandlerError> {
    let missing = || HandlerError::NoCertificate(thumbprint.to_owned());
    let hexadecimal =
        !thumbprint.is_empty() && thumbprint.bytes().all(|b| b.is_ascii_hexdigit());
    if !hexadecimal {
        return Err(missing());
    }
    let stem = root.join(AGENT_DIRECTORY).join(thumbprint.to_ascii_uppercase());
    let text = |extension| fs::read_to_string(stem.with_extension(extension)).ok();
    let (certificate, key) = text("crt").zip(text("prv")).ok_or_else(missing)?;
    Identity::from_pem(&certificate, &key).map_err(HandlerError::Decrypt)
}

fn read(path: &Path) -> Result<Vec<u8>, HandlerError> {
    fs::read(path).map_err(|source| HandlerError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// Replaces a file of the agent in one rename, readable by root only.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), HandlerError> {
    place(path)?.replace(content, &owner_only()).map_err(|error| unwritten(path, error))
}

/// [`write()`] for what a power cut may take.
fn write_lightly(path: &Path, content: &[u8]) -> Result<(), HandlerError> {
    let written = place(path)?.replace_lightly(content, &owner_only());
    written.map_err(|error| unwritten(path, error))
}

fn place(path: &Path) -> Result<Place, HandlerError> {
    let place = Place::exact(Path::new("/"), path);
    place.map_err(|error| unwritten(path, error))?.ok_or_else(|| HandlerError::File {
        action: "write",
        path: path.to_owned(),
        source: std::io::ErrorKind::NotFound.into(),
    })
}

fn unwritten(path: &Path, error: EditError) -> HandlerError {
    HandlerError::File { action: "write", path: path.to_owned(), source: error.source }
}

fn owner_only() -> Attributes {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    Attributes::new(0o600, uid.as_raw(), gid.as_raw())
}

/// Makes a directory for root only, with all above it.
pub(crate) fn make_private_dir(path: &Path) -> Result<(), HandlerError> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| {
        HandlerError::File { action: "make", path: path.to_owned(), source }
    })
}

//! The client's record of a repair, so that it can be taken back later, also by
//! another process and after this one was killed.
//!
//! One JSON document per repair, `$REGAIN_STATE_HOME/undo/ID.json` or
//! `~/.local/state/regain/undo/ID.json`, for its owner only. Each step is written
//! *before* it acts, with what undoing it takes; a step that was killed half-way is
//! then undone like a finished one, because every undo is idempotent.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use doctor::case::Target;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::channel::Login;
use crate::platform::Opened;

/// The version of the document.
const VERSION: u32 = 1;

/// One repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Journal {
    /// [`VERSION`] of the build that wrote it.
    pub version: u32,
    /// The repair's id, as `regain undo` takes it.
    pub id: String,
    /// When it began, RFC 3339 in UTC.
    pub created_at: String,
    /// What was repaired; `resource_id` says which VM an undo needs.
    pub target: Target,
    /// The login through which the guest was reached, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Login>,
    /// What was done, in order.
    pub steps: Vec<JournalStep>,
}

/// One step of a repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalStep {
    /// Its number, from 1.
    pub number: u32,
    /// The fault that it was for.
    pub fault: String,
    /// The step's name within the fault.
    pub step: String,
    /// How far it is.
    pub state: StepState,
    /// How to take it back.
    pub undo: Undo,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepState {
    /// It may have acted.
    Begun,
    /// It has acted.
    Applied,
    /// It is taken back, or it had rolled itself back.
    Undone,
}

/// What takes a step back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "by")]
pub enum Undo {
    /// The undo script in the guest, `/var/lib/regain/undo/ID/NUMBER/undo.sh`.
    Guest,
    /// The VM goes back to this power state.
    Power {
        /// `stopped` or `deallocated`.
        was: String,
    },
    /// What was opened is closed again.
    Rule(Opened),
    /// Nothing takes it back, and why that is so.
    Nothing {
        /// One sentence for the operator.
        why: String,
    },
}

/// What went wrong with a journal.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Neither REGAIN_STATE_HOME nor a home directory is known.
    #[error("no place for the undo journal: set REGAIN_STATE_HOME")]
    NoHome,
    /// The id is not one that regain makes.
    #[error("`{0}` is no undo id")]
    Id(String),
    /// There is no such repair.
    #[error("no repair with the id `{0}` is recorded here")]
    Unknown(String),
    /// The file cannot be read.
    #[error("cannot read the undo journal {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not a journal of this version.
    #[error("the undo journal {} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the undo journal {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Journal {
    /// A new repair's journal. Nothing is written before the first step.
    pub fn new(id: &str, created_at: String, target: Target) -> Self {
        let id = id.to_owned();
        let (through, steps) = (None, Vec::new());
        Self { version: VERSION, id, created_at, target, through, steps }
    }

    /// The journal of a repair.
    pub fn load(id: &str) -> Result<Self, JournalError> {
        Self::load_from(&directory()?, id)
    }

    /// Every repair that is recorded here, oldest first. Files that cannot be read
    /// are left out.
    pub fn list() -> Result<Vec<Self>, JournalError> {
        let directory = directory()?;
        let mut all: Vec<Self> = fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                Self::load_from(&directory, name.strip_suffix(".json")?).ok()
            })
            .collect();
        all.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        Ok(all)
    }

    /// Whether it left a rule that should be gone at `now` (RFC 3339 in UTC).
    pub fn is_expired(&self, now: &str) -> bool {
        self.steps.iter().any(|step| {
            step.state != StepState::Undone
                && matches!(&step.undo, Undo::Rule(opened) if opened.expires.as_str() < now)
        })
    }

    /// The number of the step that comes next.
    pub(crate) fn next(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Records a step before it acts, and gives its number.
    pub(crate) fn begin(
        &mut self,
        step: &doctor::Step,
        undo: Undo,
    ) -> Result<u32, JournalError> {
        let number = self.next();
        self.steps.push(JournalStep {
            number,
            fault: step.fault.clone(),
            step: step.id.clone(),
            state: StepState::Begun,
            undo,
        });
        self.save()?;
        Ok(number)
    }

    /// Records that a step is taken back in another way than was thought.
    pub(crate) fn amend(&mut self, number: u32, undo: Undo) -> Result<(), JournalError> {
        if let Some(step) = self.steps.iter_mut().find(|step| step.number == number) {
            step.undo = undo;
        }
        self.save()
    }

    /// Records how far a step is.
    pub(crate) fn mark(
        &mut self,
        number: u32,
        state: StepState,
    ) -> Result<(), JournalError> {
        if let Some(step) = self.steps.iter_mut().find(|step| step.number == number) {
            step.state = state;
        }
        self.save()
    }

    fn load_from(directory: &Path, id: &str) -> Result<Self, JournalError> {
        check(id)?;
        let path = directory.join(format!("{id}.json"));
        let text = fs::read_to_string(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => JournalError::Unknown(id.to_owned()),
            _ => JournalError::Read { path: path.clone(), source },
        })?;
        serde_json::from_str(&text)
            .map_err(|source| JournalError::Damaged { path, source })
    }

    fn save(&self) -> Result<(), JournalError> {
        self.save_to(&directory()?)
    }

    /// Written beside and renamed, each after an fsync: it is there whole or as it
    /// was before, also after a power cut.
    fn save_to(&self, directory: &Path) -> Result<(), JournalError> {
        check(&self.id)?;
        let path = directory.join(format!("{}.json", self.id));
        let write = || -> io::Result<()> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            let mut file = tempfile::NamedTempFile::new_in(directory)?;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            fs::File::open(directory)?.sync_all()
        };
        write().map_err(|source| JournalError::Write { path: path.clone(), source })
    }
}

/// A new repair's id: short enough to type, and safe as a file's name.
pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..12].to_owned()
}

/// Ids become file names here and in the guest.
fn check(id: &str) -> Result<(), JournalError> {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match id.len() {
        1..=64 if id.bytes().all(plain) => Ok(()),
        _ => Err(JournalError::Id(id.to_owned())),
    }
}

fn directory() -> Result<PathBuf, JournalError> {
    let state = match std::env::var_os("REGAIN_STATE_HOME") {
        Some(state) if !state.is_empty() => PathBuf::from(state),
        _ => {
            std::env::home_dir().ok_or(JournalError::NoHome)?.join(".local/state/regain")
        }
    };
    Ok(state.join("undo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(id: &str) -> Journal {
        let target = Target {
            user: "me".to_owned(),
            host: "127.64.0.4".to_owned(),
            port: 22,
            resource_id: None,
            identity: None,
        };
        let mut journal = Journal::new(id, "2026-11-22T12:00:00Z".to_owned(), target);
        journal.steps.push(JournalStep {
            number: 1,
            fault: "net.nsg-deny".to_owned(),
            step: "allow".to_owned(),
            state: StepState::Begun,
            undo: Undo::Rule(Opened {
                rule: "/rule".to_owned(),
                expires: "2026-11-22T20:00:00Z".to_owned(),
                moved: Vec::new(),
                made: serde_json::Value::Null,
            }),
        });
        journal
    }

    #[test]
    fn what_is_saved_is_loaded_and_belongs_to_its_owner_only() {
        let state = tempfile::tempdir().unwrap();
        let directory = state.path().join("undo");
        let journal = journal("abc123");
        journal.save_to(&directory).unwrap();
        journal.save_to(&directory).unwrap();
        assert_eq!(Journal::load_from(&directory, "abc123").unwrap(), journal);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&directory.join("abc123.json")), 0o600);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    }

    #[test]
    fn an_id_is_never_a_path() {
        let state = tempfile::tempdir().unwrap();
        for id in ["", "../x", "a/b", "A", "a.json"] {
            let error = Journal::load_from(state.path(), id).unwrap_err();
            assert!(matches!(error, JournalError::Id(_)), "{id}");
        }
        let error = Journal::load_from(state.path(), "abc").unwrap_err();
        assert!(matches!(error, JournalError::Unknown(_)));
    }

    #[test]
    fn a_damaged_journal_is_not_a_missing_one() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("abc.json"), "{").unwrap();
        let error = Journal::load_from(state.path(), "abc").unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. }));
    }

    #[test]
    fn a_journal_of_an_older_build_is_read() {
        let undo = r#"{ "by": "rule", "rule": "/r", "expires": "2026-11-22T20:00:00Z" }"#;
        let Undo::Rule(opened) = serde_json::from_str(undo).unwrap() else { panic!() };
        assert_eq!((opened.rule.as_str(), opened.moved.len()), ("/r", 0));
        assert!(opened.made.is_null());
    }

    #[test]
    fn a_rule_expires_until_it_is_undone() {
        let mut journal = journal("abc");
        assert!(!journal.is_expired("2026-11-22T19:59:59Z"));
        assert!(journal.is_expired("2026-11-22T20:00:01Z"));
        journal.steps[0].state = StepState::Undone;
        assert!(!journal.is_expired("2026-11-22T20:00:01Z"));
    }
}

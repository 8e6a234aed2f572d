//! The handlers that the goal state asks for: each has a directory, and runs as a
//! child process, at most one at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{Config, Event};
use crate::enable::Kind;
use crate::handler::{Handler, HandlerError, full_text, status};
use crate::process::{self, Ended, Limits};
use crate::settings::RunCommand;
use crate::wire::{
    ExtensionsConfig, FormattedMessage, HandlerState, HandlerStatus, Plugin,
    PluginSettings, PluginState, RuntimeSettingsStatus, SettingsStatus, Status,
    StatusFile, Verdict, runtime_settings,
};

/// VMAccess takes a second; file systems may take minutes.
const TIME_LIMIT: Duration = Duration::from_secs(300);
/// A script's own limit is enforced by its handler, which then writes its status.
const GRACE: Duration = Duration::from_secs(30);
/// The handler prints nothing but complaints.
const OUTPUT: usize = 16 << 10;
/// CRP's error codes.
const CODE_NOT_INSTALLED: i64 = 1007;

/// A handler process has ended.
#[derive(Debug)]
pub(super) struct Done {
    name: String,
    sequence: u32,
    /// An end without a status: what to say instead.
    failure: Option<Status>,
}

pub(super) struct Handlers {
    root: PathBuf,
    program: PathBuf,
    directory: PathBuf,
    slots: BTreeMap<String, Slot>,
}

/// One plugin of the goal state.
struct Slot {
    plugin: Plugin,
    /// `None`: this agent has no such handler.
    kind: Option<Kind>,
    running: bool,
    /// The last settings that were begun.
    begun: Option<PluginSettings>,
    /// What became of it, if the handler itself could not say.
    failure: Option<(u32, Status)>,
}

impl Handlers {
    pub(super) fn new(config: &Config, directory: &Path) -> Handlers {
        Handlers {
            root: config.root.clone(),
            program: config.program.clone(),
            directory: directory.to_owned(),
            slots: BTreeMap::new(),
        }
    }

    /// Takes a new goal state over.
    pub(super) fn apply(&mut self, config: ExtensionsConfig, send: &Sender<Event>) {
        let wanted: Vec<Plugin> = config
            .plugins
            .into_iter()
            .filter(|plugin| plugin.state != PluginState::Uninstalled)
            .collect();
        self.forget_all_but(&wanted);
        for plugin in wanted {
            let name = plugin.name.clone();
            match self.slots.get_mut(&name) {
                Some(slot) => slot.plugin = plugin,
                None => {
                    let kind = Kind::from_name(&name);
                    let slot =
                        Slot { plugin, kind, running: false, begun: None, failure: None };
                    self.slots.insert(name.clone(), slot);
                }
            }
            self.start(&name, send);
        }
    }

    /// A handler that is no longer wanted starts anew when it is wanted again.
    fn forget_all_but(&mut self, wanted: &[Plugin]) {
        let gone = |name: &str| !wanted.iter().any(|plugin| plugin.name == name);
        self.slots.retain(|name, slot| slot.running || !gone(name));
        for kind in [Kind::VmAccess, Kind::RunCommand] {
            let running = self.slots.get(kind.name()).is_some_and(|slot| slot.running);
            if gone(kind.name()) && !running {
                // There is usually none.
                let _ = std::fs::remove_dir_all(self.directory.join(kind.name()));
            }
        }
    }

    /// Notes the end of a run. Settings that came in the meantime are run now.
    pub(super) fn finish(&mut self, done: Done, send: &Sender<Event>) {
        let Some(slot) = self.slots.get_mut(&done.name) else { return };
        slot.running = false;
        slot.failure = done.failure.map(|status| (done.sequence, status));
        self.start(&done.name, send);
    }

    fn start(&mut self, name: &str, send: &Sender<Event>) {
        let Some(slot) = self.slots.get_mut(name) else { return };
        let (Some(kind), Some(settings)) = (slot.kind, slot.plugin.settings.clone())
        else {
            return;
        };
        let enabled = slot.plugin.state == PluginState::Enabled;
        if !enabled || slot.running || slot.begun.as_ref() == Some(&settings) {
            return;
        }
        slot.running = true;
        slot.begun = Some(settings.clone());
        slot.failure = None;
        let run = Run {
            kind,
            name: name.to_owned(),
            root: self.root.clone(),
            program: self.program.clone(),
            directory: self.directory.join(name),
        };
        let send = send.clone();
        thread::spawn(move || {
            let failure = run.execute(&settings);
            let done = Done { name: run.name, sequence: settings.sequence, failure };
            // The main loop never ends before the process does.
            let _ = send.send(Event::Done(Box::new(done)));
        });
    }

    /// What to report about each handler.
    pub(super) fn statuses(&self) -> Vec<HandlerStatus> {
        self.slots.values().map(|slot| self.describe(slot)).collect()
    }

    fn describe(&self, slot: &Slot) -> HandlerStatus {
        let plugin = &slot.plugin;
        let (state, code, message) = match (slot.kind, plugin.state) {
            (None, _) => (
                HandlerState::NotReady,
                CODE_NOT_INSTALLED,
                "this agent has no such handler",
            ),
            (Some(_), PluginState::Enabled) => (HandlerState::Ready, 0, "Plugin enabled"),
            (Some(_), _) => (HandlerState::NotReady, 0, "Plugin disabled"),
        };
        let settings = plugin.settings.as_ref().filter(|_| slot.kind.is_some());
        HandlerStatus {
            handler_version: plugin.version.clone(),
            handler_name: plugin.name.clone(),
            status: state,
            code,
            use_exact_version: true,
            formatted_message: Some(FormattedMessage::from(message)),
            runtime_settings_status: settings
                .and_then(|settings| self.outcome(slot, settings)),
        }
    }

    /// The status of exactly these settings, from the handler's file.
    fn outcome(
        &self,
        slot: &Slot,
        settings: &PluginSettings,
    ) -> Option<RuntimeSettingsStatus> {
        let sequence = settings.sequence;
        let name = &slot.plugin.name;
        let told = || {
            let handler = Handler::open(&self.directory.join(name)).ok()?;
            handler.read_status(sequence)?.0.into_iter().next()
        };
        let begun = slot.begun.as_ref() == Some(settings);
        let mut status = match &slot.failure {
            Some((number, status)) if *number == sequence => first(status.clone()),
            // A file of this number may be left from settings before a reinstall.
            _ if begun => told(),
            _ => None,
        }
        .or_else(|| {
            let text = "waiting for the handler";
            first(status(name, "Enable", Verdict::Transitioning, json!("0"), text))
        })?;
        status.version = json!(1.0);
        Some(RuntimeSettingsStatus { sequence_number: sequence, settings_status: status })
    }
}

fn first(status: Status) -> Option<SettingsStatus> {
    StatusFile::new(&crate::clock::now(), status).0.into_iter().next()
}

/// One run of a handler.
struct Run {
    kind: Kind,
    name: String,
    root: PathBuf,
    program: PathBuf,
    directory: PathBuf,
}

impl Run {
    /// Runs the handler to its end. Gives a status if it left none that is final.
    fn execute(&self, settings: &PluginSettings) -> Option<Status> {
        match self.attempt(settings) {
            Ok(failure) => failure,
            Err(error) => Some(self.failed(&full_text(&error))),
        }
    }

    fn attempt(&self, settings: &PluginSettings) -> Result<Option<Status>, HandlerError> {
        let sequence = settings.sequence;
        let handler = Handler::install(&self.directory, &self.name)?;
        handler.put_settings(sequence, &runtime_settings(&settings.handler))?;
        let mut command = Command::new(&self.program);
        command
            .args([self.kind.word(), "enable", "--root"])
            .arg(&self.root)
            .current_dir(&self.directory)
            .env("ConfigSequenceNumber", sequence.to_string())
            .env("AZURE_GUEST_AGENT_EXTENSION_PATH", &self.directory);
        let limits = Limits { time: self.time_limit(&handler, sequence), output: OUTPUT };
        let done = process::run(&mut command, &[], &limits).map_err(|source| {
            HandlerError::File { action: "run", path: self.program.clone(), source }
        })?;
        let final_status = handler
            .read_status(sequence)
            .and_then(|file| file.0.into_iter().next())
            .is_some_and(|told| told.status.status != Verdict::Transitioning);
        if final_status {
            return Ok(None);
        }
        let reason = match done.ended {
            Ended::TimedOut => {
                format!("the handler was killed after {} seconds", limits.time.as_secs())
            }
            Ended::Signal(signal) => format!("the handler was killed by signal {signal}"),
            Ended::Exit(code) => {
                format!("the handler ended with {code}: {}", done.text())
            }
        };
        let failure = self.failed(&reason);
        // Recorded, so that it is neither run again nor forgotten at the next start.
        let job = handler.job(sequence)?;
        handler.finish(&job, &failure)?;
        Ok(Some(failure))
    }

    fn failed(&self, reason: &str) -> Status {
        let message = format!("Enable failed: {reason}");
        status(&self.name, "Enable", Verdict::Error, json!("1"), &message)
    }

    fn time_limit(&self, handler: &Handler, sequence: u32) -> Duration {
        if self.kind == Kind::VmAccess {
            return TIME_LIMIT;
        }
        let settings = handler
            .job(sequence)
            .and_then(|job| handler.settings(&self.root, &job))
            .unwrap_or_default();
        RunCommand::parse(settings.public.as_ref(), settings.protected.as_ref())
            .map_or(TIME_LIMIT, |command| command.time_limit + GRACE)
    }
}

//! `regain-guest vmaccess enable` and `regain-guest run-command enable`: one run of a
//! handler, as an agent starts it.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use serde_json::json;

use crate::handler::{Handler, HandlerError, Job, Progress, Settings, full_text, status};
use crate::run_command;
use crate::settings::{RunCommand, VmAccess};
use crate::vmaccess;
use crate::wire::{Status, Verdict};

/// The handlers that are built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Microsoft.OSTCExtensions.VMAccessForLinux
    VmAccess,
    /// Microsoft.CPlat.Core.RunCommandLinux
    RunCommand,
}

impl Kind {
    /// The handler's name in goal states.
    pub fn name(self) -> &'static str {
        match self {
            Kind::VmAccess => vmaccess::NAME,
            Kind::RunCommand => run_command::NAME,
        }
    }

    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Kind::VmAccess => "vmaccess",
            Kind::RunCommand => "run-command",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Kind> {
        [Kind::VmAccess, Kind::RunCommand]
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// Runs a handler in its directory. `sequence` is the agent's `ConfigSequenceNumber`.
/// The status file says what happened; the exit code is 0 for success, else 1.
pub fn enable(kind: Kind, root: &Path, dir: &Path, sequence: Option<&str>) -> ExitCode {
    let ended = Handler::open(dir).and_then(|handler| {
        let number = handler.sequence(sequence)?;
        let job = handler.job(number)?;
        run(kind, root, &handler, &job)
    });
    match ended {
        Ok(Verdict::Error) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            // No place for a status: the agent reports the exit code.
            crate::log::line(&format!("{}: {}", kind.name(), full_text(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run(
    kind: Kind,
    root: &Path,
    handler: &Handler,
    job: &Job,
) -> Result<Verdict, HandlerError> {
    match handler.progress(job) {
        Some(Progress::Finished { status }) => {
            if handler.read_status(job.sequence).is_none() {
                handler.put_status(job.sequence, &status)?;
            }
            return Ok(status.status);
        }
        // A script may have been the reason for the interruption (reboot): it must not
        // run a second time. A reset may, it does the same again.
        Some(Progress::Started) if kind == Kind::RunCommand => {
            let text = "the VM or its agent was stopped while the script ran";
            let status = status(kind.name(), "Enable", Verdict::Error, json!(1), text);
            handler.finish(job, &status)?;
            return Ok(Verdict::Error);
        }
        Some(Progress::Started) | None => {}
    }
    handler.start(job, kind.name())?;
    report_panics(kind, handler, job);
    let status = match handler.settings(root, job) {
        Ok(settings) => work(kind, root, handler, &settings),
        Err(error) => unreadable(kind, &error),
    };
    handler.finish(job, &status)?;
    Ok(status.status)
}

fn work(kind: Kind, root: &Path, handler: &Handler, settings: &Settings) -> Status {
    let (public, protected) = (settings.public.as_ref(), settings.protected.as_ref());
    match kind {
        Kind::VmAccess => match VmAccess::parse(public, protected) {
            Ok(request) => vm_access(root, &request),
            Err(error) => failed(kind, &error),
        },
        Kind::RunCommand => match RunCommand::parse(public, protected) {
            Ok(command) => run_command::run(&handler.dir, &command),
            Err(error) => failed(kind, &error),
        },
    }
}

fn vm_access(root: &Path, request: &VmAccess) -> Status {
    let operation = vmaccess::operation(request);
    match vmaccess::apply(root, request) {
        Ok(remarks) => {
            let mut message = "Enable succeeded.".to_owned();
            if !remarks.is_empty() {
                message = format!("{message} {}.", remarks.join("; "));
            }
            status(vmaccess::NAME, operation, Verdict::Success, json!("0"), &message)
        }
        Err(error) => {
            let message = format!("Enable failed: {}", full_text(&error));
            status(vmaccess::NAME, operation, Verdict::Error, json!("0"), &message)
        }
    }
}

fn failed(kind: Kind, error: &dyn std::error::Error) -> Status {
    let message = format!("Enable failed: {}", full_text(error));
    status(kind.name(), "Enable", Verdict::Error, json!("0"), &message)
}

/// Microsoft's handler has the code 1 for settings that it cannot read.
fn unreadable(kind: Kind, error: &HandlerError) -> Status {
    let message = full_text(error);
    status(kind.name(), "Enable", Verdict::Error, json!("1"), &message)
}

/// A panic becomes an error status too, also under an agent that is not ours. The
/// text of the panic may hold settings and is left out; the place is enough.
fn report_panics(kind: Kind, handler: &Handler, job: &Job) {
    let context = Mutex::new((handler.clone(), job.clone()));
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = format!("Enable failed: internal error at {place}");
        if let Ok(context) = context.lock() {
            let (handler, job) = &*context;
            let status =
                status(kind.name(), "Enable", Verdict::Error, json!("1"), &message);
            // There is nobody left to tell when this fails as well.
            let _ = handler.finish(job, &status);
        }
        crate::log::line(&message);
    }));
}

//! The programs of the system's OpenSSH, run for some seconds at most.
//!
//! Each may ask something that never answers: an agent, a command in the operator's
//! configuration, a key on a dead file system. None of them may hold up a diagnosis.

use std::os::unix::process::ExitStatusExt;
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use thiserror::Error;
use tokio::process::Command;
use tokio::time::timeout;

/// How long a program that only tells something may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a program told nothing.
#[derive(Debug, Error)]
pub(crate) enum LocalError {
    /// It could not be started.
    #[error("cannot run {program}: {source}")]
    Start {
        /// Its name.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It was ended, with everything that it had started.
    #[error("{program} did not end within {seconds} s")]
    Late {
        /// Its name.
        program: String,
        /// How long it was waited for.
        seconds: u64,
    },
}

/// A program of OpenSSH, with texts in English: they are read by this program.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("LC_ALL", "C").kill_on_drop(true);
    command
}

/// Runs one that only tells something, without input and in a process group of its
/// own, which is ended when it takes too long.
pub(crate) async fn run(command: &mut Command) -> Result<Output, LocalError> {
    run_for(command, PATIENCE).await
}

async fn run_for(command: &mut Command, limit: Duration) -> Result<Output, LocalError> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command
        .process_group(0)
        .spawn()
        .map_err(|source| LocalError::Start { program: program.clone(), source })?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    match timeout(limit, child.wait_with_output()).await {
        Ok(output) => output.map_err(|source| LocalError::Start { program, source }),
        Err(_elapsed) => {
            if let Some(group) = group {
                // It may have ended by itself just now.
                let _ = kill_process_group(group, Signal::KILL);
            }
            Err(LocalError::Late { program, seconds: limit.as_secs() })
        }
    }
}

/// The status of a program, or of the signal that ended it, for a message.
pub(crate) fn ending(output: &Output) -> String {
    match (output.status.code(), output.status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no status".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_program_that_hangs_is_ended_with_what_it_started() {
        let begun = Instant::now();
        let mark = format!("31{}", std::process::id());
        let mut command = program("sh");
        command.arg("-c").arg(format!("sleep {mark} & sleep {mark}"));
        let error = run_for(&mut command, Duration::from_millis(300)).await.unwrap_err();
        assert_eq!(error.to_string(), "sh did not end within 0 s");
        assert!(begun.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let lives = std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            line == format!("sleep\0{mark}\0").into_bytes()
        });
        assert!(!lives);
    }
}

//! A real login by the system's ssh, without a terminal and without a question.
//!
//! The login counts when the remote side has computed something and left with 0. It
//! is asked for a sum of two random numbers, because a token that is sent along can
//! come back in an error message and look like a success.
//!
//! The operator's known hosts are honoured and never written: ssh writes new keys to
//! the first file of its list, and that one is temporary.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use doctor::case::{Login, LoginStage};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use crate::ssh::{Settings, program, transcript};

/// How long everything after the connect may take. A shell start-up file that
/// downloads something is slow, one that has not answered by now hangs.
const PATIENCE: Duration = Duration::from_secs(8);

/// How much of either output is kept, bytes.
const OUTPUT_LIMIT: u64 = 256 * 1024;

/// Which host keys are believed.
#[derive(Debug, Clone)]
pub(crate) enum HostKeys {
    /// Those that the operator knows, and any key of an unknown host.
    Known,
    /// Only these OpenSSH lines (`type base64`), read from the guest itself.
    Pinned(Vec<String>),
}

/// Why no login could be tried.
#[derive(Debug, Error)]
pub(crate) enum LoginError {
    /// The temporary known hosts file could not be made.
    #[error("cannot write a temporary known hosts file")]
    KnownHosts(#[source] std::io::Error),
    /// ssh could not be started.
    #[error("cannot run ssh; install the OpenSSH client")]
    Start(#[source] std::io::Error),
}

/// Logs in once.
pub(crate) async fn login(
    settings: &Settings,
    host_keys: &HostKeys,
    connect_timeout: Duration,
) -> Result<Login, LoginError> {
    let known_hosts = known_hosts(settings, host_keys).map_err(LoginError::KnownHosts)?;
    let (sum, remote) = sum();
    let mut command = program("ssh");
    command
        .args(["-v", "-T", "-x", "-a"])
        .args(options(settings, host_keys, &known_hosts, connect_timeout))
        .args(settings.arguments())
        .args(["--", &settings.host, &remote])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());

    let started = Instant::now();
    let mut child = command.spawn().map_err(LoginError::Start)?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let all = async {
        tokio::join!(drain(&mut out, &mut stdout), drain(&mut err, &mut stderr));
        child.wait().await
    };
    let ended = timeout(connect_timeout + PATIENCE, all).await;
    let exit = ended.ok().and_then(Result::ok).and_then(|status| status.code());
    // On a time-out the child is killed when it is dropped; its words so far stay.
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut said = transcript::read(&String::from_utf8_lossy(&stderr));
    said.words.retain(|line| !may_be_secret(line));
    let (stdout, computed) = answer(&String::from_utf8_lossy(&stdout), &sum);
    let stage = match exit {
        Some(0) if computed => LoginStage::LoggedIn,
        _ => said.stage,
    };
    Ok(Login {
        stage,
        exit,
        stderr: said.words,
        stdout,
        methods: said.methods,
        offered: said.offered,
        key_accepted: said.key_accepted,
        host_key: said.host_key,
        millis,
    })
}

async fn drain(pipe: &mut Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    if let Some(pipe) = pipe {
        // What was read before an error is what there is.
        let _ = pipe.take(OUTPUT_LIMIT).read_to_end(into).await;
    }
}

/// What the remote side should print, and the command that makes it do so in every
/// shell: `expr` is older than all of them.
fn sum() -> (String, String) {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    let (a, b) = (high % 1_000_000_000, low % 1_000_000_000);
    ((a + b).to_string(), format!("expr {a} + {b}; id -u"))
}

/// How many lines of a session's own are kept, and how much of each.
const LINES: usize = 20;
const LINE: usize = 200;

/// Whether a line may hold a key: a word with forty characters of base64 on end, or the
/// head of a file of keys. What a profile prints is the user's, and may be anything.
/// Paths and fingerprints are no keys.
fn may_be_secret(line: &str) -> bool {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let long = |word: &str| word.split(|c| !is_base64(c)).any(|run| run.len() >= 40);
    let words = line.split(|c: char| c.is_whitespace() || "'\"(".contains(c));
    line.contains("-----")
        || words
            .filter(|word| !word.starts_with('/') && !word.starts_with("SHA256:"))
            .any(long)
}

/// The lines that were not asked for, and whether the sum came with a uid after it.
fn answer(stdout: &str, sum: &str) -> (Vec<String>, bool) {
    let mut lines: Vec<String> =
        stdout.lines().map(|line| line.trim_end().to_owned()).collect();
    let is_uid = |line: &String| line.parse::<u32>().is_ok();
    let at = lines.windows(2).position(|pair| pair[0] == sum && is_uid(&pair[1]));
    if let Some(at) = at {
        lines.drain(at..at + 2);
    }
    lines.retain(|line| !may_be_secret(line));
    lines.truncate(LINES);
    for line in &mut lines {
        *line = line.chars().take(LINE).collect();
    }
    (lines, at.is_some())
}

fn options(
    settings: &Settings,
    host_keys: &HostKeys,
    own: &tempfile::TempPath,
    connect_timeout: Duration,
) -> Vec<String> {
    let mut files = vec![own.to_path_buf()];
    let mut strict = "yes";
    if matches!(host_keys, HostKeys::Known) {
        files.extend(settings.known_hosts.iter().cloned());
        strict = "accept-new";
    }
    let global = match host_keys {
        HostKeys::Known => None,
        HostKeys::Pinned(_) => Some("GlobalKnownHostsFile=none".to_owned()),
    };
    [
        "BatchMode=yes".to_owned(),
        format!("ConnectTimeout={}", connect_timeout.as_secs().max(1)),
        "ConnectionAttempts=1".to_owned(),
        format!("UserKnownHostsFile={}", quoted(&files)),
        format!("StrictHostKeyChecking={strict}"),
        "UpdateHostKeys=no".to_owned(),
        // A connection that somebody else holds open would hide the VM's state.
        "ControlMaster=no".to_owned(),
        "ControlPath=none".to_owned(),
        "ClearAllForwardings=yes".to_owned(),
        "PermitLocalCommand=no".to_owned(),
        "RemoteCommand=none".to_owned(),
        "RequestTTY=no".to_owned(),
        "LogLevel=DEBUG1".to_owned(),
    ]
    .into_iter()
    .chain(global)
    .flat_map(|option| ["-o".to_owned(), option])
    .collect()
}

/// A list of files as ssh reads one: quoted, and `%` begins a token.
fn quoted(files: &[PathBuf]) -> String {
    let quoted: Vec<String> = files
        .iter()
        .map(|file| format!("\"{}\"", file.display().to_string().replace('%', "%%")))
        .collect();
    quoted.join(" ")
}

fn known_hosts(
    settings: &Settings,
    host_keys: &HostKeys,
) -> std::io::Result<tempfile::TempPath> {
    let mut file = tempfile::Builder::new().prefix("regain-known-hosts-").tempfile()?;
    if let HostKeys::Pinned(keys) = host_keys {
        for key in keys {
            writeln!(file, "{} {key}", settings.known_as())?;
        }
    }
    Ok(file.into_temp_path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_does_not_stand_in_the_command() {
        let (sum, command) = sum();
        assert!(!command.contains(&sum), "{command} contains {sum}");
    }

    #[test]
    fn what_may_be_a_key_is_not_kept_and_a_fingerprint_is() {
        let key = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gt";
        let printed =
            format!("hello\n-----BEGIN OPENSSH PRIVATE KEY-----\n{key}\nT={key}\nbye\n");
        assert_eq!(answer(&printed, "7").0, ["hello", "bye"]);
        for line in [
            "ED25519 key fingerprint is SHA256:O1hJ9dWvN2o3sQ5kXbMTQY1f8h3q7n5vZ0x2c4b6d8e.",
            "bash: /usr/local/share/applications/of/ours/and/theirs/run: not found",
        ] {
            assert!(!may_be_secret(line), "{line}");
        }
    }

    #[test]
    fn only_a_sum_and_a_uid_together_are_an_answer() {
        let (rest, computed) = answer("motd\n7\n1000\nbye\n", "7");
        assert!(computed);
        assert_eq!(rest, ["motd", "bye"]);
        assert!(!answer("7\n", "7").1);
        assert!(!answer("7\nThis account is currently not available.\n", "7").1);
        let (rest, computed) = answer("This account is currently not available.\n", "7");
        assert!(!computed);
        assert_eq!(rest, ["This account is currently not available."]);
    }

    #[test]
    fn paths_survive_ssh_s_way_of_reading_them() {
        let files = [PathBuf::from("/tmp/a b"), PathBuf::from("/tmp/100%")];
        assert_eq!(quoted(&files), "\"/tmp/a b\" \"/tmp/100%%\"");
    }
}

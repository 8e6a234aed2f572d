//! Run Command: a script runs as root, and what it prints is the result.

use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::handler::status;
use crate::process::{self, Ended, Finished, Limits};
use crate::settings::{Parameter, RunCommand};
use crate::wire::{FormattedMessage, Status, Substatus, Verdict};

/// The handler's name.
pub const NAME: &str = "Microsoft.CPlat.Core.RunCommandLinux";
/// Bytes of each output that are kept.
const OUTPUT: usize = 1 << 20;
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs a script in the handler's directory. A script that fails is an error status
/// with its exit code; both outputs are substatuses either way.
pub(crate) fn run(dir: &Path, command: &RunCommand) -> Status {
    let done = match execute(dir, command) {
        Ok(done) => done,
        Err(error) => {
            let message = format!("the script could not be started: {error}");
            return status(NAME, "Enable", Verdict::Error, json!(1), &message);
        }
    };
    let seconds = command.time_limit.as_secs();
    let (verdict, code, message) = match done.ended {
        Ended::Exit(0) => (Verdict::Success, 0, "Enable succeeded.".to_owned()),
        Ended::Exit(code) => {
            (Verdict::Error, code, format!("command terminated with exit status={code}"))
        }
        Ended::Signal(signal) => (
            Verdict::Error,
            128 + signal,
            format!("command was killed by signal {signal}"),
        ),
        Ended::TimedOut => {
            (Verdict::Error, 124, format!("command was killed after {seconds} seconds"))
        }
    };
    let mut status = status(NAME, "Enable", verdict, json!(code), &message);
    status.substatus =
        vec![stream("StdOut", &done.stdout), stream("StdErr", &done.stderr)];
    status
}

fn stream(name: &str, output: &[u8]) -> Substatus {
    Substatus {
        name: name.to_owned(),
        status: Verdict::Success,
        code: Value::from(0),
        formatted_message: FormattedMessage::from(
            String::from_utf8_lossy(output).as_ref(),
        ),
    }
}

fn execute(dir: &Path, command: &RunCommand) -> io::Result<Finished> {
    let script = Script::write(dir, command)?;
    let mut child = Command::new(&script.interpreter[0]);
    child
        .args(&script.interpreter[1..])
        .arg(&script.path)
        .current_dir(dir)
        .env_remove("NOTIFY_SOCKET")
        .env("PATH", PATH)
        .env("HOME", "/root");
    if !script.arguments_inside {
        child.args(command.parameters.iter().map(|parameter| &parameter.value));
    }
    for Parameter { name, value } in &command.parameters {
        if !name.is_empty() {
            child.env(name, value);
        }
    }
    process::run(&mut child, &[], &Limits { time: command.time_limit, output: OUTPUT })
}

/// A script on disk, for root only, and only as long as it runs.
struct Script {
    path: PathBuf,
    interpreter: Vec<String>,
    arguments_inside: bool,
}

impl Script {
    fn write(dir: &Path, command: &RunCommand) -> io::Result<Script> {
        let path = dir.join("script");
        let declared = shebang(&command.script);
        let arguments_inside = declared.is_none();
        let text = if arguments_inside {
            // Arguments of a process are everybody's to read, this file is not.
            format!("{}{}\n", set_arguments(&command.parameters), command.script)
        } else {
            command.script.clone()
        };
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = std::fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.set_permissions(std::fs::Permissions::from_mode(0o700))?;
        let interpreter = declared.unwrap_or_else(default_interpreter);
        Ok(Script { path, interpreter, arguments_inside })
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It is overwritten by the next script at the latest.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn shebang(script: &str) -> Option<Vec<String>> {
    let line = script.strip_prefix("#!")?.lines().next()?.trim();
    // The kernel passes everything after the program as one argument.
    let (program, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    if program.is_empty() {
        return None;
    }
    let argument = argument.trim();
    let argument = (!argument.is_empty()).then(|| argument.to_owned());
    Some(std::iter::once(program.to_owned()).chain(argument).collect())
}

fn default_interpreter() -> Vec<String> {
    let bash = Path::new("/bin/bash");
    vec![if bash.exists() { "/bin/bash" } else { "/bin/sh" }.to_owned()]
}

/// `set -- ...` on the first line, so that line numbers in messages stay right.
fn set_arguments(parameters: &[Parameter]) -> String {
    if parameters.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = parameters
        .iter()
        .map(|parameter| format!("'{}'", parameter.value.replace('\'', "'\\''")))
        .collect();
    format!("set -- {}; ", quoted.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn command(script: &str, parameters: &[(&str, &str)]) -> RunCommand {
        let parameter = |(name, value): &(&str, &str)| Parameter {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        };
        RunCommand {
            script: script.to_owned(),
            parameters: parameters.iter().map(parameter).collect(),
            time_limit: Duration::from_secs(60),
        }
    }

    fn outputs(status: &Status) -> (&str, &str) {
        let text =
            |index: usize| status.substatus[index].formatted_message.message.as_str();
        (text(0), text(1))
    }

    #[test]
    fn arguments_come_by_position_and_by_name() {
        let dir = tempfile::tempdir().expect("tempdir");
        let script = "echo \"$1|$2|$who\"\necho err >&2";
        let status = run(dir.path(), &command(script, &[("who", "it's"), ("", "a b")]));
        assert_eq!(status.status, Verdict::Success);
        assert_eq!(outputs(&status), ("it's|a b|it's\n", "err\n"));
        assert_eq!(
            std::fs::read_dir(dir.path()).expect("dir").count(),
            0,
            "no script left"
        );
    }

    #[test]
    fn a_shebang_chooses_the_interpreter() {
        let dir = tempfile::tempdir().expect("tempdir");
        let status = run(dir.path(), &command("#!/bin/sh -e\nfalse\necho no", &[]));
        assert_eq!((status.status, &status.code), (Verdict::Error, &json!(1)));
        let status = run(dir.path(), &command("#!/bin/cat\nx", &[]));
        assert_eq!(outputs(&status).0, "#!/bin/cat\nx");
        let status = run(dir.path(), &command("#!/no/such/thing\nx", &[]));
        assert_eq!(status.status, Verdict::Error);
    }

    #[test]
    fn a_failing_script_keeps_its_output_and_code() {
        let dir = tempfile::tempdir().expect("tempdir");
        let status = run(dir.path(), &command("echo out; exit 7", &[]));
        assert_eq!((status.status, &status.code), (Verdict::Error, &json!(7)));
        assert_eq!(outputs(&status).0, "out\n");
        let mut slow = command("echo begun; sleep 60", &[]);
        slow.time_limit = Duration::from_millis(300);
        let status = run(dir.path(), &slow);
        assert_eq!((status.status, outputs(&status).0), (Verdict::Error, "begun\n"));
    }
}

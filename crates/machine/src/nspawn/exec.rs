//! Runs commands in a guest from the outside, through its namespaces: neither
//! the network nor anything that the guest runs is needed.

use std::process::Command;
use std::time::Duration;

use crate::command;
use crate::engine::ExecOutput;
use crate::error::Error;
use crate::nspawn::boot;
use crate::process::Process;

/// Runs `argv` beside the init `leader`, as root, with the environment of a
/// fresh root login and none of ours.
pub(crate) fn run(
    leader: &Process,
    argv: &[String],
    stdin: &[u8],
    limit: Duration,
) -> Result<ExecOutput, Error> {
    let mut command = Command::new("nsenter");
    command
        .args(["-t", &leader.pid().to_string(), "-a", "--"])
        .args(argv)
        .env_clear()
        .envs([
            ("PATH", boot::PATH),
            ("HOME", "/root"),
            ("USER", "root"),
            ("LOGNAME", "root"),
        ])
        .envs([("SHELL", "/bin/sh"), ("LANG", "C.UTF-8"), ("TERM", "dumb")])
        .current_dir("/");
    Ok(command::run(&mut command, stdin, limit)?)
}

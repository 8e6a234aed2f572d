//! `regain-guest`: the one binary inside a VM. Chooses what to do by its first word;
//! everything else is in the library.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use guest::agent::{self, Config};
use guest::enable::{Kind, enable};
use guest::{handler, layer, provision, undo};

const USAGE: &str = "\
usage: regain-guest agent [--root DIR] [--wire-server ADDRESS] [--host-plugin ADDRESS]
       regain-guest vmaccess enable [--root DIR]     run the VMAccess handler (cwd: its directory)
       regain-guest run-command enable [--root DIR]  run the Run Command handler (the same)
       regain-guest provision [--root DIR]           apply and delete /var/lib/regain/provision.json
       regain-guest undo ID [--root DIR]             take the changes of one run back
       regain-guest layer DIR                        write this binary and its units for an image
       regain-guest package DIR                      write a VMAccess package for Microsoft's agent
       regain-guest version";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let Some(arguments) = Arguments::parse(&arguments) else {
        say(USAGE);
        return ExitCode::from(2);
    };
    let root = arguments.root.as_path();
    let words: Vec<&str> = arguments.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["agent"] => run_agent(&arguments),
        ["vmaccess", "enable"] => run_handler(Kind::VmAccess, root),
        ["run-command", "enable"] => run_handler(Kind::RunCommand, root),
        // Microsoft's agent calls these too, and nothing needs to be done.
        ["vmaccess" | "run-command", "install" | "update" | "disable" | "uninstall"] => {
            ExitCode::SUCCESS
        }
        ["provision"] => finish(provision::run(root).map(|_| ())),
        ["undo", id] => finish(undo::undo(root, id).map(|paths| {
            for path in paths {
                say(&format!("restored {}", path.display()));
            }
        })),
        ["layer", dir] => {
            finish_with_program(|program| layer::write(Path::new(dir), program))
        }
        ["package", dir] => {
            finish_with_program(|program| layer::write_package(Path::new(dir), program))
        }
        ["version"] => {
            let text = format!("regain-guest {}\n", env!("CARGO_PKG_VERSION"));
            finish(std::io::stdout().write_all(text.as_bytes()))
        }
        _ => {
            say(USAGE);
            ExitCode::from(2)
        }
    }
}

struct Arguments {
    words: Vec<String>,
    root: PathBuf,
    wire_server: Option<String>,
    host_plugin: Option<String>,
}

impl Arguments {
    fn parse(arguments: &[OsString]) -> Option<Arguments> {
        let mut parsed = Arguments {
            words: Vec::new(),
            root: PathBuf::from("/"),
            wire_server: None,
            host_plugin: None,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let argument = argument.to_str()?;
            match argument {
                "--root" => parsed.root = rest.next()?.into(),
                "--wire-server" => {
                    parsed.wire_server = Some(rest.next()?.to_str()?.to_owned());
                }
                "--host-plugin" => {
                    parsed.host_plugin = Some(rest.next()?.to_str()?.to_owned());
                }
                _ if argument.starts_with('-') => return None,
                _ => parsed.words.push(argument.to_owned()),
            }
        }
        // Links inside the root are resolved against it, so it must be one path.
        parsed.root = parsed.root.canonicalize().ok()?;
        Some(parsed)
    }
}

fn run_agent(arguments: &Arguments) -> ExitCode {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return finish(Err(error)),
    };
    let platform = Config::platform(program);
    let config = Config {
        root: arguments.root.clone(),
        wire_server: arguments.wire_server.clone().unwrap_or(platform.wire_server),
        host_plugin: arguments.host_plugin.clone().unwrap_or(platform.host_plugin),
        program: platform.program,
    };
    finish(agent::run(&config).map(|never| match never {}))
}

fn run_handler(kind: Kind, root: &Path) -> ExitCode {
    let sequence = std::env::var("ConfigSequenceNumber").ok();
    match std::env::current_dir() {
        Ok(dir) => enable(kind, root, &dir, sequence.as_deref()),
        Err(error) => finish(Err(error)),
    }
}

/// Does something with this very binary.
fn finish_with_program<E: std::error::Error>(
    work: impl FnOnce(&Path) -> Result<(), E>,
) -> ExitCode {
    match std::env::current_exe() {
        Ok(program) => finish(work(&program)),
        Err(error) => finish(Err(error)),
    }
}

fn finish(done: Result<(), impl std::error::Error>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("regain-guest: {}", handler::full_text(&error)));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    // There is no other place to complain.
    let _ = writeln!(std::io::stderr(), "{text}");
}

//! What the program says of its own doings, always on stderr: warnings, with
//! `--verbose` steps, with `--debug` every request. `REGAIN_LOG` overrides both
//! with tracing's filter syntax.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::args::{Command, Global};

/// Starts logging.
pub(crate) fn start(global: &Global, command: &Command) {
    let level = match command {
        _ if global.debug => {
            "warn,regain=debug,arm=debug,cloud=debug,machine=debug,rescue=debug,probe=debug"
        }
        // A server's log is read later, by somebody who was not there.
        Command::Serve(_) | Command::MachineKeeper(_) => "info",
        _ if global.verbose => "warn,regain=info,arm=info,machine=info,rescue=info",
        _ => "warn",
    };
    let filter = env::var("REGAIN_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = EnvFilter::try_new(filter.as_deref().unwrap_or(level))
        .unwrap_or_else(|_| EnvFilter::new(level));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    debug_assert!(started.is_ok(), "logging is started once");
}

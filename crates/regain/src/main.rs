//! `regain`: finds out why SSH to a Linux VM fails, and gets you back in.
//!
//! ```text
//! args (what was typed) ─ commands (what it does) ─ output (what is printed)
//!                           │
//!                           ├─ session     which cloud, signed in
//!                           ├─ lab         the local cloud of this host
//!                           ├─ provision   VMs, made and taken back
//!                           └─ query       --query
//! ```

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod api;
mod args;
mod commands;
mod context;
mod edit;
mod failure;
mod file_or_text;
mod knowledge;
mod lab;
mod language;
mod logging;
mod output;
mod provision;
mod public_key;
mod query;
mod session;
mod settings;
mod shape;
mod vm_details;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;

use crate::args::Cli;
use crate::context::Context;
use crate::output::Printer;

/// Says what is wrong with the line that was typed, and ends. clap quotes the word that
/// it does not understand, and a private key is a word that begins with dashes.
fn refuse(error: &clap::Error) -> ! {
    if error.to_string().contains("PRIVATE KEY") {
        let key = "error: a private key was given where a public one belongs: name the file \
                   that ends in .pub";
        let _ = writeln!(std::io::stderr(), "{key}");
        std::process::exit(2);
    }
    error.exit()
}

fn main() -> anyhow::Result<ExitCode> {
    let Cli { global, command } = Cli::try_parse().unwrap_or_else(|error| refuse(&error));
    logging::start(&global, &command);
    let lang = global.lang.unwrap_or_else(language::of_locale);
    let printer = Printer::new(global.output, global.query.clone(), lang);
    let context = Context { global, printer };

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(commands::run(command, &context));
    // What was interrupted is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));

    let exit = result
        .and_then(|answer| context.printer.answer(&answer))
        .unwrap_or_else(|failure| context.printer.failure(&failure));
    Ok(ExitCode::from(exit))
}

//! `vm boot-diagnostics`: what a VM wrote to its console.

mod disable;
mod enable;
mod get_boot_log;

use crate::args::vm::BootDiagnostics;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(
    diagnostics: BootDiagnostics,
    context: &Context,
) -> Result<Answer, Failure> {
    match diagnostics {
        BootDiagnostics::Enable(args) => enable::run(args, context).await,
        BootDiagnostics::Disable(args) => disable::run(args, context).await,
        BootDiagnostics::GetBootLog(args) => get_boot_log::run(args, context).await,
    }
}

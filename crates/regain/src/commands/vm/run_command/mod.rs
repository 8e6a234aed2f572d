//! `vm run-command`: scripts in a VM.

mod invoke;
mod list;
mod show;

use crate::args::vm::RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(
    command: RunCommand,
    context: &Context,
) -> Result<Answer, Failure> {
    match command {
        RunCommand::Invoke(args) => invoke::run(args, context).await,
        RunCommand::List(args) => list::run(args, context).await,
        RunCommand::Show(args) => show::run(args, context).await,
    }
}

//! `lab exec VM -- CMD...`

use std::time::Duration;

use crate::args::lab::Exec;
use crate::context::Context;
use crate::failure::Failure;
use crate::lab::{LabState, machine};
use crate::output::Answer;

/// A command that has not ended by then is ended.
const LIMIT: Duration = Duration::from_secs(3600);

pub(super) async fn run(args: Exec, context: &Context) -> Result<Answer, Failure> {
    let lab = LabState::of(&context.global);
    let output = machine::exec(&lab, &args.vm, args.command, LIMIT).await?;
    context.printer.pass_through(&output.stdout, &output.stderr);
    Ok(Answer::done().with_exit(u8::try_from(output.status).unwrap_or(255)))
}

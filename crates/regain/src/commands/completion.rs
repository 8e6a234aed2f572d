//! `completion SHELL`

use clap::CommandFactory;
use serde_json::Value;

use crate::args::{Cli, Completion};
use crate::failure::Failure;
use crate::output::Answer;

pub(super) fn run(args: &Completion) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "regain", &mut script);
    Ok(Answer::new(Value::Null).with_text(String::from_utf8_lossy(&script)))
}

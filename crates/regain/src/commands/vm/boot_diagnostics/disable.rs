//! `vm boot-diagnostics disable`

use serde_json::json;

use super::super::targets;
use super::enable;
use crate::args::vm::Target;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Target, context: &Context) -> Result<Answer, Failure> {
    enable::set(targets::read(&args)?, json!({ "enabled": false }), context).await
}

//! `vm user reset-ssh`

use serde_json::json;

use super::set_access;
use crate::args::vm::Power;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(in crate::commands::vm) async fn run(
    args: Power,
    context: &Context,
) -> Result<Answer, Failure> {
    set_access(&args.vm, json!({ "reset_ssh": true }), args.no_wait, context).await
}

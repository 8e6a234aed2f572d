//! `vm user delete`

use serde_json::json;

use super::set_access;
use crate::args::vm::DeleteUser;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(in crate::commands::vm) async fn run(
    args: DeleteUser,
    context: &Context,
) -> Result<Answer, Failure> {
    set_access(&args.vm, json!({ "remove_user": args.username }), args.no_wait, context)
        .await
}

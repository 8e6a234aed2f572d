//! `vm user update`

use serde_json::json;

use super::set_access;
use crate::args::vm::UpdateUser;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::public_key;

pub(in crate::commands::vm) async fn run(
    args: UpdateUser,
    context: &Context,
) -> Result<Answer, Failure> {
    let mut settings = json!({ "username": args.username });
    if let Some(password) = &args.password {
        settings["password"] = password.as_str().into();
    }
    // Without either, az takes the caller's own key; unlike az, a key file that
    // is not there is an error here and not sent as a key.
    let key = match (&args.ssh_key_value, &args.password) {
        (Some(value), _) => Some(public_key::read(value)?),
        (None, Some(_)) => None,
        (None, None) => Some(public_key::own()?),
    };
    if let Some(key) = key {
        settings["ssh_key"] = key.into();
    }
    set_access(&args.vm, &settings, args.no_wait, context).await
}

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
    if let Some(expiration) = &args.expiration {
        settings["expiration"] = expiration.as_str().into();
    }
    let key = match (&args.ssh_key_value, &args.password) {
        // ARM would refuse it: az exits as if it had been asked.
        (Some(value), _) => {
            Some(public_key::read(value).map_err(|failure| failure.exiting(1))?)
        }
        (None, Some(_)) => None,
        // Without either, az takes the caller's own key; unlike az, a key file
        // that is not there is an error here and its path is not sent as a key.
        (None, None) => Some(public_key::own().map_err(|failure| {
            failure.exiting(1).next(
                "without --password and --ssh-key-value your own key is set, as az does, from \
                 ~/.ssh/id_rsa.pub: give one of the two, or make a key with ssh-keygen",
            )
        })?),
    };
    if let Some(key) = key {
        settings["ssh_key"] = key.into();
    }
    set_access(&args.vm, settings, args.no_wait, context).await
}

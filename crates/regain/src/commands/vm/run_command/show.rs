//! `vm run-command show`

use crate::api::{self, EXTENSION};
use crate::args::vm::ShowCommand;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(super) async fn run(args: ShowCommand, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let path = if let (Some(group), Some(vm), Some(name)) =
        (&args.group, &args.vm_name, &args.run_command_name)
    {
        let id =
            session.vm(group, vm)?.with_child("runCommands", name).map_err(|_| {
                Failure::usage(format!("'{name}' cannot be the name of a command"))
            })?;
        if args.instance_view {
            api::with_instance_view(&id, EXTENSION)
        } else {
            api::path(&id, EXTENSION)
        }
    } else {
        let location = args.location.as_deref().unwrap_or_default();
        let command = args.command_id.as_deref().unwrap_or_default();
        let what = format!(
            "providers/Microsoft.Compute/locations/{location}/runCommands/{command}"
        );
        api::below(&session.scope(None)?, &what, EXTENSION)
    };
    Ok(Answer::new(flat(session.client.get(&path).await?)))
}

//! `classic vm reset-access`: three commands in one.

use super::target;
use crate::args::classic::ResetAccess;
use crate::args::vm::{DeleteUser, Power, UpdateUser, User, Vm};
use crate::failure::Failure;

/// The same in our words.
pub(super) fn said(args: &ResetAccess) -> Result<Vm, Failure> {
    let vm = target(&args.vm)?;
    let user = match (args.reset_ssh, &args.user_name, &args.remove_user) {
        (true, None, None) => User::ResetSsh(Power { vm, no_wait: false }),
        (false, Some(name), None)
            if args.password.is_some() || args.ssh_key_file.is_some() =>
        {
            User::Update(UpdateUser {
                vm,
                username: name.clone(),
                password: args.password.clone(),
                ssh_key_value: args.ssh_key_file.clone(),
                expiration: args.expiration.clone(),
                no_wait: false,
            })
        }
        (false, None, Some(name)) => {
            User::Delete(DeleteUser { vm, username: name.clone(), no_wait: false })
        }
        _ => {
            return Err(Failure::usage("what is to be reset is not said").next(
                "give one of --reset-ssh; --user-name with --password or --ssh-key-file; \
                 --remove-user",
            ));
        }
    };
    Ok(Vm::User(user))
}

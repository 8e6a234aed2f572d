//! `vm`: virtual machines.

mod boot_diagnostics;
mod create;
mod deallocate;
mod delete;
mod extension;
mod list;
mod restart;
mod run_command;
mod show;
mod start;
mod stop;
mod targets;
mod user;

pub(super) use targets::vm_id;

use crate::args::vm::{BootDiagnostics, Extension, RunCommand, User, Vm};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(vm: Vm, context: &Context) -> Result<Answer, Failure> {
    match vm {
        Vm::Create(args) => create::run(*args, context).await,
        Vm::List(args) => list::run(args, context).await,
        Vm::Show(args) => show::run(args, context).await,
        Vm::Delete(args) => delete::run(args, context).await,
        Vm::Start(args) => start::run(args, context).await,
        Vm::Stop(args) => stop::run(args, context).await,
        Vm::Restart(args) => restart::run(args, context).await,
        Vm::Deallocate(args) => deallocate::run(args, context).await,
        Vm::User(User::ResetSsh(args)) => user::reset_ssh::run(args, context).await,
        Vm::User(User::Update(args)) => user::update::run(args, context).await,
        Vm::User(User::Delete(args)) => user::delete::run(args, context).await,
        Vm::RunCommand(RunCommand::Invoke(args)) => {
            run_command::invoke::run(args, context).await
        }
        Vm::BootDiagnostics(BootDiagnostics::GetBootLog(args)) => {
            boot_diagnostics::get_boot_log::run(args, context).await
        }
        Vm::Extension(Extension::Set(args)) => extension::set::run(args, context).await,
        Vm::Extension(Extension::List(args)) => extension::list::run(args, context).await,
        Vm::Extension(Extension::Show(args)) => extension::show::run(args, context).await,
        Vm::Extension(Extension::Delete(args)) => {
            extension::delete::run(args, context).await
        }
    }
}

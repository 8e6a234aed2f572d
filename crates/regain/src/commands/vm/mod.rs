//! `vm`: virtual machines.

mod access;
mod boot_diagnostics;
mod create;
mod delete;
mod extension;
mod get_instance_view;
mod list;
mod list_ip_addresses;
mod list_sizes;
mod open_port;
mod power;
mod run_command;
mod show;
mod side_by_side;
mod targets;
mod update;
mod user;
mod wait;

pub(super) use targets::vm_id;

use crate::args::vm::Vm;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(vm: Vm, context: &Context) -> Result<Answer, Failure> {
    match vm {
        Vm::Create(args) => create::run(*args, context).await,
        Vm::List(args) => list::run(args, context).await,
        Vm::Show(args) => show::run(args, context).await,
        Vm::GetInstanceView(args) => get_instance_view::run(args, context).await,
        Vm::ListIpAddresses(args) => list_ip_addresses::run(args, context).await,
        Vm::ListSizes(args) => list_sizes::run(args, context).await,
        Vm::Update(args) => update::run(args, context).await,
        Vm::Wait(args) => wait::run(args, context).await,
        Vm::Delete(args) => delete::run(args, context).await,
        Vm::Start(args) => power::start(args, context).await,
        Vm::Stop(args) => power::stop(args, context).await,
        Vm::Restart(args) => power::restart(args, context).await,
        Vm::Deallocate(args) => power::deallocate(args, context).await,
        Vm::Redeploy(args) => power::redeploy(args, context).await,
        Vm::Reapply(args) => power::reapply(args, context).await,
        Vm::OpenPort(args) => open_port::run(args, context).await,
        Vm::User(args) => user::run(args, context).await,
        Vm::Access(args) => access::run(args, context).await,
        Vm::RunCommand(args) => run_command::run(args, context).await,
        Vm::BootDiagnostics(args) => boot_diagnostics::run(args, context).await,
        Vm::Extension(args) => extension::run(args, context).await,
    }
}

//! What each command does: one file per command, named after it.
//!
//! A command takes its arguments and a [`Context`], and returns an [`Answer`].
//! It neither prints its result nor exits.

mod account;
mod ad;
mod classic;
mod cloud;
mod completion;
mod diagnose;
mod explain;
mod faults;
mod group;
mod lab;
mod machine_keeper;
mod man;
mod monitor;
mod network;
mod noun;
mod probe;
mod provider;
mod repair;
mod resource;
mod rest;
mod role;
mod serve;
mod target;
mod undo;
mod vm;

use crate::args::Command;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

/// Runs a command.
pub(crate) async fn run(command: Command, context: &Context) -> Result<Answer, Failure> {
    match command {
        Command::Diagnose(args) => diagnose::run(args, context).await,
        Command::Repair(args) => repair::run(args, context).await,
        Command::Undo(args) => undo::run(args, context).await,
        Command::Explain(args) => explain::run(&args, context),
        Command::Faults(args) => faults::run(args, context),
        Command::Probe(args) => probe::run(args, context).await,
        Command::Lab(args) => lab::run(args, context).await,
        Command::Vm(args) => vm::run(args, context).await,
        Command::Network(args) => network::run(args, context).await,
        Command::Group(args) => group::run(args, context).await,
        Command::Resource(args) => resource::run(args, context).await,
        Command::Monitor(args) => monitor::run(args, context).await,
        Command::Role(args) => role::run(args, context).await,
        Command::Ad(args) => ad::run(args, context).await,
        Command::Account(args) => account::run(args, context).await,
        Command::Cloud(args) => cloud::run(args, context).await,
        Command::Classic(args) => classic::run(args, context).await,
        Command::Rest(args) => rest::run(args, context).await,
        Command::Serve(args) => serve::run(args, context).await,
        Command::Completion(args) => completion::run(&args),
        Command::Man(args) => man::run(&args),
        Command::MachineKeeper(args) => machine_keeper::run(args).await,
    }
}

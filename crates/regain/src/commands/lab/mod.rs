//! `lab`: the local cloud and its VMs.

mod down;
mod env;
mod exec;
mod gauntlet;
mod inject;
mod status;
mod up;
mod weather;

use crate::args::lab::Lab;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

pub(super) async fn run(lab: Lab, context: &Context) -> Result<Answer, Failure> {
    match lab {
        Lab::Up(args) => up::run(args, context).await,
        Lab::Down => down::run(context).await,
        Lab::Status => status::run(context).await,
        Lab::Env => env::run(context),
        Lab::Weather(args) => weather::run(&args, context),
        Lab::Exec(args) => exec::run(args, context).await,
        Lab::Inject(args) => inject::run(args, context).await,
        Lab::Gauntlet(args) => gauntlet::run(args, context).await,
    }
}

/// Signs in to the lab itself, whatever the environment says.
async fn sign_in(context: &Context) -> Result<Session, Failure> {
    let mut global = context.global.clone();
    global.cloud = Some(crate::session::LAB.to_owned());
    crate::session::sign_in(&global).await
}

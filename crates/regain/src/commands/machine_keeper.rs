//! `machine-keeper DIR`: holds one VM; started by the server, never by hand.

use crate::args::MachineKeeper;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: MachineKeeper) -> Result<Answer, Failure> {
    let held = tokio::task::spawn_blocking(move || machine::keeper::run(&args.dir)).await;
    match held {
        Ok(Ok(())) => Ok(Answer::done()),
        Ok(Err(error)) => Err(Failure::new("the VM cannot be held").because(error)),
        Err(error) => Err(Failure::new("the VM's keeper broke").because(error)),
    }
}

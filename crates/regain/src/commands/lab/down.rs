//! `lab down`

use std::fs;

use crate::context::Context;
use crate::failure::Failure;
use crate::lab::{LabState, removal};
use crate::output::{Answer, Progress};

pub(super) async fn run(context: &Context) -> Result<Answer, Failure> {
    let lab = LabState::of(&context.global);
    let mut content = fs::read_dir(lab.dir()).into_iter().flatten();
    if !lab.is_lab() && content.next().is_some() {
        return Err(Failure::usage(format!(
            "{} is not a lab's state directory; nothing was removed",
            lab.dir().display()
        ))
        .next("name the lab's with --state"));
    }
    let progress = Progress::start();
    progress.step("removing the lab");
    removal::remove(&lab).await?;
    Ok(Answer::done())
}

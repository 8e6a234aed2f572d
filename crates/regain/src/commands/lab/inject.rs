//! `lab inject FAULT`

use crate::args::lab::Inject;
use crate::commands::explain;
use crate::context::Context;
use crate::failure::Failure;
use crate::knowledge;
use crate::lab::inject::Subject;
use crate::lab::{LabState, inject, vms};
use crate::output::Answer;

pub(super) async fn run(args: Inject, context: &Context) -> Result<Answer, Failure> {
    let catalogue = knowledge::catalogue(&args.faults)?;
    let Some(fault) = catalogue.get(&args.fault) else {
        return Err(explain::unknown(&args.fault, &catalogue));
    };
    let Some(injection) = &fault.inject else {
        let why = fault.not_injected.as_deref().unwrap_or("its file has no `inject`");
        return Err(Failure::new(format!("{} cannot be injected: {why}", fault.id)));
    };
    let lab = LabState::of(&context.global);
    let session = super::sign_in(context).await?;
    let vm = vms::one(vms::list(&session, &lab).await?, &args.vm)?;
    let unknown =
        |what: &str| Failure::new(format!("the {what} of {} is not known", args.vm));
    let subject = Subject {
        host: vm.host.ok_or_else(|| unknown("address"))?,
        user: vm.user.ok_or_else(|| unknown("administrator"))?,
        key: vm.key.ok_or_else(|| unknown("private key"))?,
        group: vm.group,
        name: vm.name,
    };
    inject::run(&lab, &subject, injection.place, &injection.script).await?;
    let host = injection
        .host
        .as_ref()
        .map(|host| format!("; diagnose it as {}@{host}", subject.user));
    context.printer.note(&format!(
        "{}/{} now has {}{}",
        subject.group,
        subject.name,
        fault.id,
        host.unwrap_or_default()
    ));
    Ok(Answer::done())
}

//! `undo [ID]`

use std::sync::Arc;
use std::time::Duration;

use arm::ResourceId;
use rescue::azure::Vm;
use rescue::{
    Channel, Journal, JournalError, Platform, Request, StepState, Through, UndoError,
};
use serde_json::json;

use super::target;
use crate::args::rescue::Undo;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Undo, context: &Context) -> Result<Answer, Failure> {
    let Some(id) = &args.id else { return open(context) };
    let journal = Journal::load(id).map_err(no_journal)?;
    let vm = match &journal.target.resource_id {
        None => None,
        Some(id) => {
            Some(ResourceId::parse(id).map_err(|error| Failure::new(error.to_string()))?)
        }
    };
    let machine = match vm {
        Some(vm) => Some(Vm::new(context.sign_in().await?.client, vm)),
        None => None,
    };
    let connect_timeout = Duration::from_secs(5);
    let login = match &args.through {
        Some(text) => Some(target::login(text)?),
        None => journal.through.clone(),
    };
    let through = login.map(|login| Through { login, connect_timeout }.channel());
    let agent = || machine.clone().map(|vm| vm as Arc<dyn Channel>);
    let request = Request {
        user: journal.target.user.clone(),
        host: Some(journal.target.host.clone()),
        port: journal.target.port,
        identity: None,
        known_hosts: None,
        channel: through.or_else(agent),
        platform: machine.map(|vm| vm as Arc<dyn Platform>),
        client_address: None,
        connect_timeout,
    };
    let undone = rescue::undo(&request, id).await.map_err(|error| match error {
        UndoError::Journal(error) => no_journal(error),
        other => Failure::new("the repair cannot be taken back").because(other),
    })?;

    let lang = context.lang();
    let mut text = String::new();
    for line in &undone.restored {
        text.push_str(&format!("{}: {line}\n", lang.pick("restored", "復元")));
    }
    for line in &undone.remains {
        text.push_str(&format!("{}: {line}\n", lang.pick("remains", "未復元")));
    }
    if text.is_empty() {
        text.push_str(
            lang.pick("nothing was left to take back\n", "元に戻すものはありません\n"),
        );
    }
    let exit = u8::from(!undone.remains.is_empty());
    Ok(Answer::new(json!(undone)).with_text(text).with_exit(exit))
}

/// The repairs of which something has not been taken back, oldest first.
fn open(context: &Context) -> Result<Answer, Failure> {
    let mut all = Journal::list().map_err(no_journal)?;
    all.retain(|repair| repair.steps.iter().any(|it| it.state != StepState::Undone));
    let mut text = String::new();
    for Journal { id, created_at, target, steps, .. } in &all {
        let steps: Vec<&str> = steps.iter().map(|step| step.step.as_str()).collect();
        let (user, host, steps) = (&target.user, &target.host, steps.join(", "));
        text.push_str(&format!("{id}  {created_at}  {user}@{host}  {steps}\n"));
    }
    if text.is_empty() {
        let none = "no repair is recorded here that could be taken back";
        text.push_str(context.lang().pick(none, "元に戻せる修復の記録はありません"));
        text.push('\n');
    }
    let documents = all.iter().map(|repair| {
        json!({
            "id": repair.id,
            "createdAt": repair.created_at,
            "target": repair.target,
            "steps": repair.steps,
        })
    });
    Ok(Answer::new(documents.collect()).with_text(text))
}

fn no_journal(error: JournalError) -> Failure {
    match error {
        JournalError::Unknown(_) => Failure::not_found(error.to_string()).next(
            "`regain undo` without an id lists what can be taken back from this host",
        ),
        JournalError::Id(_) => Failure::usage(error.to_string()),
        other => Failure::new("the repair cannot be taken back").because(other),
    }
}

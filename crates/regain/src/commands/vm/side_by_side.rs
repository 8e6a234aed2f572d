//! The same work on many VMs, a bounded number of them at once.
//!
//! One VM is as if there were no list: its failure is the command's. Of several,
//! one that fails stops none of the others; each failure is said with its VM's
//! id, the results are a list in the order of the ids, and the exit status tells
//! that something failed. Ctrl-C starts nothing more and tells what was done.

use std::time::Instant;

use arm::ResourceId;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::context::Context;
use crate::failure::Failure;
use crate::lab::interrupt;
use crate::output::{Answer, Progress};

/// More at once only makes ARM throttle.
const AT_ONCE: usize = 16;

/// Does the work on each VM.
pub(super) async fn each<W, F>(
    context: &Context,
    ids: Vec<ResourceId>,
    work: W,
) -> Result<Answer, Failure>
where
    W: Fn(ResourceId) -> F,
    F: Future<Output = Result<Value, Failure>> + Send + 'static,
{
    if let [id] = ids.as_slice() {
        return Ok(Answer::of_each(vec![work(id.clone()).await?]));
    }
    let mut run = Run::new(ids);
    let progress = Progress::start_quiet();
    let mut under_way = JoinSet::new();
    let interrupted = interrupt::interrupted();
    tokio::pin!(interrupted);
    loop {
        while under_way.len() < AT_ONCE
            && let Some((at, id)) = run.begin()
        {
            let result = work(id);
            under_way.spawn(async move { (at, result.await) });
        }
        progress.step(&run.line());
        tokio::select! {
            ended = under_way.join_next() => match ended {
                None => break,
                Some(Ok((at, result))) => {
                    if let Some(said) = run.end(at, result) {
                        progress.hidden(|| context.printer.note(&said));
                    }
                }
                Some(Err(lost)) => return Err(Failure::new("a task was lost").because(lost)),
            },
            () = &mut interrupted => {
                drop(progress);
                context.printer.note(&run.broken_off());
                return Ok(run.answer().with_exit(130));
            }
        }
    }
    drop(progress);
    context.printer.note(&run.summary());
    let exit = u8::from(run.failed > 0);
    Ok(run.answer().with_exit(exit))
}

/// Where each VM stands.
#[derive(Debug)]
struct Run {
    vms: Vec<(ResourceId, State)>,
    begun: usize,
    failed: usize,
    started: Instant,
}

#[derive(Debug)]
enum State {
    Waiting,
    UnderWay,
    Done(Value),
    Failed,
}

impl Run {
    fn new(ids: Vec<ResourceId>) -> Self {
        let vms = ids.into_iter().map(|id| (id, State::Waiting)).collect();
        Self { vms, begun: 0, failed: 0, started: Instant::now() }
    }

    fn begin(&mut self) -> Option<(usize, ResourceId)> {
        let at = self.begun;
        let (id, state) = self.vms.get_mut(at)?;
        *state = State::UnderWay;
        self.begun += 1;
        Some((at, id.clone()))
    }

    /// Notes a result; gives what is to be said of it.
    fn end(&mut self, at: usize, result: Result<Value, Failure>) -> Option<String> {
        let (id, state) = &mut self.vms[at];
        match result {
            Ok(document) => {
                *state = State::Done(document);
                None
            }
            Err(failure) => {
                *state = State::Failed;
                self.failed += 1;
                Some(format!("ERROR: {id}: {}", failure.chain()))
            }
        }
    }

    fn count(&self, wanted: impl Fn(&State) -> bool) -> usize {
        self.vms.iter().filter(|(_, state)| wanted(state)).count()
    }

    fn names(&self, wanted: impl Fn(&State) -> bool) -> String {
        const SHOWN: usize = 20;
        let names: Vec<&str> = self
            .vms
            .iter()
            .filter(|(_, state)| wanted(state))
            .map(|(id, _)| id.name())
            .collect();
        match names.get(..SHOWN) {
            Some(first) if names.len() > SHOWN => {
                format!("{} and {} more", first.join(" "), names.len() - SHOWN)
            }
            _ => names.join(" "),
        }
    }

    fn line(&self) -> String {
        let done = self.count(|state| matches!(state, State::Done(_)));
        format!("{done} of {} VMs done, {} failed", self.vms.len(), self.failed)
    }

    fn summary(&self) -> String {
        format!("{} ({:.1} s)", self.line(), self.started.elapsed().as_secs_f64())
    }

    fn broken_off(&self) -> String {
        let mut text = format!("interrupted: {}", self.line());
        let under_way = self.names(|state| matches!(state, State::UnderWay));
        if !under_way.is_empty() {
            text.push_str(&format!(
                "\nbegun, and the cloud may go on with them: {under_way}"
            ));
        }
        let waiting = self.names(|state| matches!(state, State::Waiting));
        if !waiting.is_empty() {
            text.push_str(&format!("\nnot begun: {waiting}"));
        }
        text
    }

    /// What was done, in the order of the ids.
    fn answer(self) -> Answer {
        let documents: Vec<Value> = self
            .vms
            .into_iter()
            .filter_map(|(_, state)| match state {
                State::Done(document) if !document.is_null() => Some(document),
                _ => None,
            })
            .collect();
        if documents.is_empty() {
            Answer::done()
        } else {
            Answer::new(Value::Array(documents))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(names: &[&str]) -> Run {
        let id = |name: &&str| {
            ResourceId::parse(&format!(
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{name}"
            ))
            .unwrap()
        };
        Run::new(names.iter().map(id).collect())
    }

    #[test]
    fn a_failure_names_its_vm_and_the_rest_is_told() {
        let mut run = run(&["a", "b", "c", "d"]);
        for _ in 0..3 {
            run.begin();
        }
        assert!(run.end(1, Ok(json!({"name": "b"}))).is_none());
        let said = run.end(0, Err(Failure::new("no agent"))).unwrap();
        assert!(said.starts_with("ERROR: /subscriptions/s/"), "{said}");
        assert!(said.ends_with("/virtualMachines/a: no agent"), "{said}");
        assert_eq!(
            run.broken_off(),
            "interrupted: 1 of 4 VMs done, 1 failed\n\
             begun, and the cloud may go on with them: c\nnot begun: d"
        );
    }

    #[test]
    fn many_names_are_cut() {
        let names: Vec<String> = (0..30).map(|n| format!("vm{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let said = run(&names).broken_off();
        assert!(said.ends_with("vm19 and 10 more"), "{said}");
    }
}

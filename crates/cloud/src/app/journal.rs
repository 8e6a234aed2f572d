//! Operations: promised in the journal, then done, then concluded.
//!
//! [`App::submit`] writes the promise together with the resource's document, and
//! starts a task that does the [`Work`]. Whoever asked waits for a moment: work
//! that ends within it is answered as if it had been synchronous, anything longer
//! gets a [`Ticket`]. [`App::resume`] finds the promises that a killed server left
//! and does their work again; all work is written so that it can be begun twice.

use std::pin::Pin;
use std::sync::Arc;

use arm::{ArmError, ResourceId};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::activity::Asking;
use super::call::{Answer, Call};
use super::serial::Turn;
use super::work::Work;
use super::{App, Problem};
use crate::store::{Operation, Resource, Status, key_of, now};

/// Where to ask how an operation is getting on.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    /// The operation's id.
    pub(crate) operation: String,
    /// What it works on; its provider's address is the one to ask.
    pub(crate) target: ResourceId,
}

/// What is to be promised.
pub(crate) struct Job {
    /// As in `virtualMachines/restart`.
    pub(crate) name: String,
    /// What it works on.
    pub(crate) target: ResourceId,
    /// What to do.
    pub(crate) work: Work,
    /// The target's document from now on, and those that change with it.
    pub(crate) documents: Vec<Resource>,
    /// The lock to hold until the end.
    pub(crate) turn: Option<Turn>,
    /// The lock to hold until the promise is written.
    pub(crate) brief: Option<Turn>,
    /// Whether only the operation tells of a failure, however soon it comes.
    pub(crate) fails_later: bool,
}

/// How far an operation came while its client waited.
pub(crate) enum Progress {
    /// It succeeded; this is the final body.
    Done(Value),
    /// It goes on.
    Running(Ticket),
}

/// What [`App::submit`] gives.
type Submitted<'a> = Pin<Box<dyn Future<Output = Result<Progress, Problem>> + Send + 'a>>;

impl Job {
    /// A job without a document or a lock.
    pub(crate) fn new(name: impl Into<String>, target: &ResourceId, work: Work) -> Self {
        Self {
            name: name.into(),
            target: target.clone(),
            work,
            documents: Vec::new(),
            turn: None,
            brief: None,
            fails_later: false,
        }
    }

    /// The same job; `turn` goes as soon as the promise is written.
    pub(crate) fn promised_in(mut self, turn: Turn) -> Self {
        self.brief = Some(turn);
        self
    }

    /// The same job; its failure is told by the operation only.
    pub(crate) fn failing_later(mut self) -> Self {
        self.fails_later = true;
        self
    }

    /// The same job, holding `turn` to its end.
    pub(crate) fn holding(mut self, turn: Turn) -> Self {
        self.turn = Some(turn);
        self
    }

    /// The same job, with one more new document.
    pub(crate) fn writing(mut self, document: Resource) -> Self {
        self.documents.push(document);
        self
    }
}

impl Progress {
    /// The answer to a PUT whose resource reads `body` meanwhile.
    pub(crate) fn written(self, body: Value, created: bool) -> Answer {
        match self {
            Self::Done(body) if created => Answer::Created(body),
            Self::Done(body) => Answer::Found(body),
            Self::Running(ticket) => Answer::Writing { body, created, ticket },
        }
    }

    /// The answer to a DELETE.
    pub(crate) fn deleted(self) -> Answer {
        match self {
            Self::Done(_) => Answer::Done,
            Self::Running(ticket) => Answer::Accepted(ticket),
        }
    }

    /// The answer to a POST that ends with a body.
    pub(crate) fn answered(self) -> Answer {
        match self {
            Self::Done(Value::Null) => Answer::Done,
            Self::Done(body) => Answer::Found(body),
            Self::Running(ticket) => Answer::Accepted(ticket),
        }
    }
}

impl App {
    /// Promises a job, begins it, and waits for its end for a moment.
    ///
    /// Boxed by name: a template's work submits jobs of its own, and the compiler
    /// could not see the end of that otherwise.
    pub(crate) fn submit(self: &Arc<Self>, job: Job) -> Submitted<'_> {
        Box::pin(self.begin(job))
    }

    async fn begin(self: &Arc<Self>, job: Job) -> Result<Progress, Problem> {
        let operation = Operation {
            id: Uuid::new_v4().to_string(),
            name: job.name,
            target: key_of(&job.target),
            serial: job.turn.as_ref().map(|turn| turn.name.clone()),
            status: Status::InProgress,
            result: Value::Null,
            error: None,
            started_at: now(),
            ended_at: None,
            asked: Asking::taken_over(),
        };
        self.store.promise(&operation, &job.work, &job.documents).await?;
        drop(job.brief);
        let (ended, end) = oneshot::channel();
        let ticket = Ticket { operation: operation.id.clone(), target: job.target };
        let app = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = app.carry_out(&operation, job.work, false).await;
            // The lock goes before the answer, so that who hears the answer can
            // have the resource at once.
            drop(job.turn);
            let _nobody_waits_any_more = ended.send(outcome);
        });
        match tokio::time::timeout(self.limits.synchronous, end).await {
            Err(_elapsed) => Ok(Progress::Running(ticket)),
            Ok(Ok(Err(_told_later))) if job.fails_later => Ok(Progress::Running(ticket)),
            Ok(Ok(outcome)) => outcome.map(Progress::Done),
            Ok(Err(_stopped)) => Err(Problem::Internal {
                doing: "finish the operation",
                why: "the server is stopping; it goes on when the server is back"
                    .to_owned(),
            }),
        }
    }

    /// Does the work of an operation and writes how it ended.
    async fn carry_out(
        self: &Arc<Self>,
        operation: &Operation,
        work: Work,
        again: bool,
    ) -> Result<Value, Problem> {
        let work = work.perform(self, &operation.id, again);
        let outcome = match &operation.asked {
            Some(request) => Asking::new(request.clone()).within(work).await,
            None => work.await,
        };
        let recorded = match &outcome {
            Ok(body) => Ok(body.clone()),
            Err(problem) => Err(problem.to_arm()),
        };
        match &recorded {
            Ok(_) => {
                tracing::debug!(name = operation.name, target = operation.target, "done");
            }
            Err(error) => {
                tracing::warn!(name = operation.name, target = operation.target, %error, "failed");
            }
        }
        self.store.conclude(operation, &recorded).await?;
        outcome
    }

    /// Takes up what a server that was killed had promised. The locks are taken
    /// before this returns, so that no new request comes in between.
    pub(crate) async fn resume(self: &Arc<Self>) -> Result<(), Problem> {
        let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
        self.store.forget_operations(&yesterday.to_string()).await?;
        for (operation, work) in self.store.unfinished::<Work>().await? {
            tracing::info!(
                name = operation.name,
                target = operation.target,
                "taking up again"
            );
            let work = match work {
                Ok(work) => work,
                Err(error) => {
                    let error = Problem::Store(error).to_arm();
                    self.store.conclude(&operation, &Err(error)).await?;
                    continue;
                }
            };
            let turn =
                operation.serial.as_deref().and_then(|name| self.serial.try_take(name));
            let app = Arc::clone(self);
            tokio::spawn(async move {
                // Its failure is in the journal and in the log.
                let _recorded = app.carry_out(&operation, work, true).await;
                drop(turn);
            });
        }
        Ok(())
    }

    /// Waits for the end of an operation.
    pub(crate) async fn finished(&self, operation: &str) -> Result<Value, Problem> {
        loop {
            let record = self.store.operation(operation).await?.ok_or_else(unknown)?;
            match record.status {
                Status::InProgress => {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                Status::Succeeded => return Ok(record.result),
                Status::Failed => return Err(failure(&record)),
            }
        }
    }
}

/// `GET …/operations/{id}`: how far an operation is. This request succeeds also
/// when the operation failed.
pub(crate) async fn status(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let record = app.store.operation(call.id.name()).await?.ok_or_else(unknown)?;
    let mut body = shown(&record);
    if let (Some(error), Some(object)) = (&record.error, body.as_object_mut()) {
        object.insert("error".to_owned(), json!(error));
    }
    match record.status {
        Status::InProgress => Ok(Answer::Underway(body)),
        Status::Succeeded | Status::Failed => Ok(Answer::Found(body)),
    }
}

/// `GET …/operationResults/{id}`: what a synchronous answer would have been.
pub(crate) async fn result(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let record = app.store.operation(call.id.name()).await?.ok_or_else(unknown)?;
    match record.status {
        Status::InProgress => Ok(Answer::Accepted(Ticket {
            operation: record.id,
            target: ResourceId::parse(&record.target).unwrap_or(call.id),
        })),
        Status::Succeeded if record.result.is_null() => Ok(Answer::Done),
        Status::Succeeded => Ok(Answer::Found(record.result)),
        Status::Failed => Err(failure(&record)),
    }
}

/// How an operation is shown, without its error.
fn shown(record: &Operation) -> Value {
    let mut body = json!({
        "startTime": record.started_at,
        "status": record.status.as_str(),
        "name": record.id,
    });
    if let (Some(ended), Some(object)) = (&record.ended_at, body.as_object_mut()) {
        object.insert("endTime".to_owned(), json!(ended));
    }
    if !record.result.is_null()
        && let Some(object) = body.as_object_mut()
    {
        object.insert("properties".to_owned(), json!({ "output": record.result }));
    }
    body
}

fn failure(record: &Operation) -> Problem {
    Problem::Recorded(record.error.clone().unwrap_or_else(|| {
        ArmError::new("InternalServerError", "the operation failed and left no reason")
    }))
}

fn unknown() -> Problem {
    Problem::NotFound {
        message: "The entity was not found: no such operation.".to_owned(),
    }
}

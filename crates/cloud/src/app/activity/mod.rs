//! The activity log: every write, with who asked for it and how it ended.
//!
//! A request that writes carries its [`Request`] with it, as the task that answers
//! it does (a task-local, because what a noun [submits](super::journal) must know
//! who asked without every noun in between passing it on). An operation keeps it in
//! the journal: its beginning and its end are logged in the same transactions that
//! promise and conclude it, whatever becomes of the server. What needs no operation
//! is logged before it is answered. Bodies are never logged, nor the texts of
//! errors, which may quote them; a refusal's text is: it quotes nothing.

mod event;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arm::ResourceId;
use uuid::Uuid;

pub(crate) use event::{categories, list};

use super::{Answer, App, Kind, Problem};
use crate::store::{Event, Request};

tokio::task_local! {
    static CURRENT: Arc<Asking>;
}

/// A request while it is answered.
#[derive(Debug)]
pub(crate) struct Asking {
    request: Request,
    /// Set when an operation has taken over the logging.
    journalled: AtomicBool,
}

impl Asking {
    /// A request that is about to be answered.
    pub(crate) fn new(request: Request) -> Arc<Self> {
        Arc::new(Self { request, journalled: AtomicBool::new(false) })
    }

    /// Does something on this request's behalf.
    pub(crate) async fn within<F: Future>(self: &Arc<Self>, work: F) -> F::Output {
        CURRENT.scope(Arc::clone(self), work).await
    }

    /// The request on whose behalf this task works, for an operation that takes over.
    pub(super) fn taken_over() -> Option<Request> {
        CURRENT
            .try_with(|asking| {
                asking.journalled.store(true, Ordering::Relaxed);
                asking.request.clone()
            })
            .ok()
    }

    /// A part of this task's request: one resource of a template is written, or
    /// deleted.
    pub(super) fn part(id: &ResourceId, verb: &str) -> Option<Arc<Self>> {
        CURRENT
            .try_with(|asking| {
                Self::new(Request {
                    action: format!("{}/{verb}", id.resource_type()),
                    resource: id.to_string(),
                    operation: Uuid::new_v4().to_string(),
                    came_at: crate::store::now(),
                    ..asking.request.clone()
                })
            })
            .ok()
    }
}

impl App {
    /// Logs how a request ended, unless an operation does.
    pub(crate) async fn log_end(
        &self,
        asking: &Asking,
        outcome: &Result<Answer, Problem>,
    ) -> Result<(), Problem> {
        let request = &asking.request;
        let journalled = asking.journalled.load(Ordering::Relaxed);
        let events = match outcome {
            Ok(Answer::Writing { created: true, .. }) if journalled => {
                vec![Event::new(request, "Accepted", "Created")]
            }
            Ok(Answer::Writing { .. }) if journalled => {
                vec![Event::new(request, "Accepted", "OK")]
            }
            Ok(Answer::Accepted(_)) if journalled => {
                vec![Event::new(request, "Accepted", "Accepted")]
            }
            _ if journalled => Vec::new(),
            Ok(answer) => {
                let sub_status = match answer {
                    Answer::Created(_) => "Created",
                    Answer::Nothing => "NoContent",
                    _ => "OK",
                };
                vec![
                    Event::started(request),
                    Event::new(request, "Succeeded", sub_status),
                ]
            }
            Err(problem @ Problem::AuthorizationFailed { .. }) => {
                let event = Event::new(request, "Failed", "Forbidden");
                vec![event.because(problem.code(), Some(problem.to_string()))]
            }
            Err(problem) => {
                let event = Event::new(request, "Failed", status_word(problem.kind()));
                vec![Event::started(request), event.because(problem.code(), None)]
            }
        };
        if !events.is_empty() {
            self.store.record(&events).await?;
        }
        Ok(())
    }
}

/// HTTP's word for a kind of problem.
fn status_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Unauthenticated => "Unauthorized",
        Kind::Forbidden => "Forbidden",
        Kind::NotFound => "NotFound",
        Kind::MethodNotAllowed => "MethodNotAllowed",
        Kind::Conflict => "Conflict",
        Kind::PreconditionFailed => "PreconditionFailed",
        Kind::TooLarge => "RequestEntityTooLarge",
        Kind::Internal => "InternalServerError",
        _ => "BadRequest",
    }
}

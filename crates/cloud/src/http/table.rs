//! The table of paths: which noun answers which verb of which path. The
//! [routes](mod@super::routes) fill it; a path also says what kind of resource it is
//! about, and which action it takes to ask.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::routing::{self, MethodRouter};
use axum::{Extension, Json, Router};

use super::call;
use super::page::Place;
use crate::app::access::{Asked, Verb};
use crate::app::activity::Asking;
use crate::app::{Answer, App, Call, Caller, Deed, Door, Doors, Problem, spelling};

pub(super) mod verb {
    //! The verbs of the table.
    use axum::routing::MethodFilter;
    pub(in crate::http) const GET: MethodFilter = MethodFilter::GET;
    pub(in crate::http) const HEAD: MethodFilter = MethodFilter::HEAD;
    pub(in crate::http) const PUT: MethodFilter = MethodFilter::PUT;
    pub(in crate::http) const PATCH: MethodFilter = MethodFilter::PATCH;
    pub(in crate::http) const POST: MethodFilter = MethodFilter::POST;
    pub(in crate::http) const DELETE: MethodFilter = MethodFilter::DELETE;
}

/// The routes so far.
#[derive(Default)]
pub(super) struct Table {
    /// Behind sign-in, without its state.
    pub(super) router: Router<Arc<App>>,
    /// Those of single resources, for those inside.
    pub(super) doors: Doors,
    /// Every verb of every path.
    pub(super) all: Vec<(Method, String)>,
}

/// One path of the table, to which verbs are added.
pub(super) struct At<'a> {
    table: &'a mut Table,
    path: String,
    depth: usize,
}

impl Table {
    /// The verbs of a path.
    pub(super) fn at(&mut self, path: &str) -> At<'_> {
        let last = path.rfind('{').unwrap_or_default();
        let depth = path[..last].matches('/').count();
        At { table: self, path: path.to_owned(), depth }
    }

    /// The verbs of a path of whose segments the first `depth` are an id.
    pub(super) fn below(&mut self, path: &str, depth: usize) -> At<'_> {
        At { table: self, path: path.to_owned(), depth }
    }

    /// A list that is in nothing: of what its caller knows.
    pub(super) fn fixed(
        &mut self,
        path: &str,
        list: fn(&App, &Caller) -> serde_json::Value,
    ) {
        let handler = move |State(app): State<Arc<App>>,
                            Extension(caller): Extension<Caller>| async move {
            Json(list(&app, &caller))
        };
        self.add(path, routing::get(handler));
    }

    fn add(&mut self, path: &str, verb: MethodRouter<Arc<App>>) {
        self.router = std::mem::take(&mut self.router).route(path, verb);
    }
}

impl At<'_> {
    /// Binds a verb to a noun's function.
    pub(super) fn on<F, Fut>(self, verb: routing::MethodFilter, noun: F) -> Self
    where
        F: Fn(Arc<App>, Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        let depth = self.depth;
        let asked = Asked::of(&self.path, meaning(verb));
        let word = METHODS.iter().find(|(filter, ..)| *filter == verb);
        if let Some((_, method, inside)) = word {
            self.table.all.push((method.clone(), self.path.clone()));
            if let (Some(inside), Some(kind)) = (inside, type_of(&self.path)) {
                let noun = noun.clone();
                let door: Door = Arc::new(move |app, call| Box::pin(noun(app, call)));
                self.table.doors.add(*inside, &kind, door);
            }
        }
        let handler = move |State(app): State<Arc<App>>, request: Request| async move {
            let place = Place::of(&request);
            match answer(&app, request, depth, &place, &asked, noun).await {
                Ok(answer) => call::respond(&app, answer, &place),
                Err(problem) => call::refuse(&problem),
            }
        };
        self.table.add(&self.path, routing::on(verb, handler));
        self
    }
}

/// What a method does.
fn meaning(method: routing::MethodFilter) -> Verb {
    match method {
        verb::PUT | verb::PATCH => Verb::Write,
        verb::DELETE => Verb::Delete,
        verb::POST => Verb::Act,
        _ => Verb::Read,
    }
}

/// The methods of the table, and those that have doors.
const METHODS: [(routing::MethodFilter, Method, Option<Deed>); 6] = [
    (verb::GET, Method::GET, Some(Deed::Get)),
    (verb::HEAD, Method::HEAD, None),
    (verb::PUT, Method::PUT, Some(Deed::Put)),
    (verb::PATCH, Method::PATCH, Some(Deed::Patch)),
    (verb::POST, Method::POST, None),
    (verb::DELETE, Method::DELETE, Some(Deed::Delete)),
];

/// The type of the resources at a path, in Azure's spelling; none for the paths of
/// lists and of actions.
fn type_of(path: &str) -> Option<String> {
    let is_name = |segment: &str| segment.starts_with('{');
    let Some((_, own)) = path.rsplit_once("/providers/") else {
        let group = path.ends_with("/resourcegroups/{group}");
        return group.then(|| "Microsoft.Resources/resourceGroups".to_owned());
    };
    let mut segments = own.split('/');
    let mut kind =
        segments.next().filter(|word| !is_name(word)).map(spelling::of)?.to_owned();
    let rest: Vec<&str> = segments.collect();
    let pairs = rest.chunks(2);
    if rest.is_empty() || !rest.len().is_multiple_of(2) {
        return None;
    }
    for pair in pairs {
        if is_name(pair[0]) || !is_name(pair[1]) {
            return None;
        }
        kind = format!("{kind}/{}", spelling::of(pair[0]));
    }
    Some(kind)
}

/// Asks a noun. What it does goes on when the client hangs up: a document that is
/// written must have its packets follow.
async fn answer<F, Fut>(
    app: &Arc<App>,
    request: Request,
    depth: usize,
    place: &Place,
    asked: &Asked,
    noun: F,
) -> Result<Answer, Problem>
where
    F: Fn(Arc<App>, Call) -> Fut,
    Fut: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    let (parts, body) = request.into_parts();
    let call = call::read_head(app, &parts, depth, place)?;
    app.check_subscription(&call.id)?;
    let asking = (asked.verb != Verb::Read)
        .then(|| Asking::new(call::request_of(&parts, &call, asked, place)));
    let judged = judged(app, call, (&parts, body), asked, asking.as_ref(), noun);
    let outcome = judged.await;
    if let Some(asking) = asking {
        app.log_end(&asking, &outcome).await?;
    }
    outcome
}

async fn judged<F, Fut>(
    app: &Arc<App>,
    mut call: Call,
    (parts, body): (&Parts, Body),
    asked: &Asked,
    asking: Option<&Arc<Asking>>,
    noun: F,
) -> Result<Answer, Problem>
where
    F: Fn(Arc<App>, Call) -> Fut,
    Fut: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    let pass = app.allow(&call, asked).await?;
    call.body = call::read_body(app, parts, &call.id, body).await?;
    let work = noun(Arc::clone(app), call);
    let task = match asking.cloned() {
        Some(asking) => tokio::spawn(async move { asking.within(work).await }),
        None => tokio::spawn(work),
    };
    let answer = task.await.unwrap_or_else(|error| {
        Err(Problem::Internal { doing: "answer the request", why: error.to_string() })
    })?;
    Ok(pass.shown(answer))
}

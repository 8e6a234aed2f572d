//! Resource providers: which types there are, and in which versions of the API.
//! Clients that are given a type and no version ask here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::{Answer, App, Call, Page, Problem};

/// Every version is taken; these are real ones that clients of today send, the
/// newest first.
fn versions(namespace: &str) -> &'static [&'static str] {
    match namespace.to_ascii_lowercase().as_str() {
        "microsoft.compute" => &[
            "2025-04-01",
            "2024-11-01",
            "2024-07-01",
            "2024-03-01",
            "2023-09-01",
            "2022-11-01",
            "2021-03-01",
            "2017-03-30",
        ],
        "microsoft.network" => &[
            "2024-07-01",
            "2024-05-01",
            "2023-11-01",
            "2022-01-01",
            "2020-11-01",
            "2015-06-15",
        ],
        "microsoft.authorization" => &["2022-04-01", "2020-10-01", "2015-07-01"],
        "microsoft.insights" => &["2017-03-01-preview", "2015-04-01"],
        "microsoft.resourcehealth" => &["2025-05-01", "2022-10-01", "2020-05-01"],
        _ => &["2024-11-01", "2022-12-01", "2021-04-01", "2016-06-01"],
    }
}

/// `GET /subscriptions/{subscription}/providers`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let all = namespaces(&app);
    let shown = all.iter().map(|(namespace, types)| document(&call, namespace, types));
    Ok(Answer::Listed(Page::whole(shown)))
}

/// `GET /subscriptions/{subscription}/providers/{namespace}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let asked = call.rest.get(1).cloned().unwrap_or_default();
    namespaces(&app)
        .iter()
        .find(|(namespace, _)| namespace.eq_ignore_ascii_case(&asked))
        .map(|(namespace, types)| Answer::Found(document(&call, namespace, types)))
        .ok_or_else(|| Problem::NoSuchNamespace { namespace: asked })
}

/// `POST …/providers/{namespace}/register`: all are.
pub(crate) async fn register(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    get(app, call).await
}

/// The types of each namespace.
fn namespaces(app: &App) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for kind in app.doors.types() {
        if let Some((namespace, kind)) = kind.split_once('/') {
            all.entry(namespace.to_owned()).or_default().push(kind.to_owned());
        }
    }
    all
}

fn document(call: &Call, namespace: &str, types: &[String]) -> Value {
    let subscription = call.id.subscription();
    let types: Vec<Value> = types
        .iter()
        .map(|kind| {
            json!({
                "resourceType": kind,
                "locations": ["Local"],
                "apiVersions": versions(namespace),
                "capabilities": "SupportsTags, SupportsLocation",
            })
        })
        .collect();
    json!({
        "id": format!("/subscriptions/{subscription}/providers/{namespace}"),
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": types,
    })
}

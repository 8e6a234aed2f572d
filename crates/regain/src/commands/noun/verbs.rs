//! list, show, create, update, delete.

use arm::Method;
use serde_json::{Value, json};

use super::place::place;
use super::{Place, at, ids};
use crate::api;
use crate::args::noun::{Delete, List, Named, Noun, Show, Tags, Target, Update};
use crate::context::Context;
use crate::edit;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;
use crate::shape::flat;

/// Lists a group's, the subscription's or a parent's.
pub(in crate::commands) async fn list<N: Noun>(
    args: List<N>,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let path = match (&args.group, &args.parent, N::PARENT) {
        (Some(group), Some(name), Some(parent)) => api::below(
            &session.resource(group, N::TYPE, name)?,
            parent.collection,
            N::VERSION,
        ),
        (group, ..) => {
            let scope = session.scope(group.as_deref())?;
            api::below(&scope, &format!("providers/{}", N::TYPE), N::VERSION)
        }
    };
    Ok(Answer::new(flat(Value::Array(session.client.list(&path).await?))))
}

/// Shows what was named.
pub(in crate::commands) async fn show<N: Noun>(
    args: Show<N>,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let expand = args
        .expand
        .map_or_else(String::new, |expand| format!("&$expand={}", api::encoded(&expand)));
    let mut documents = Vec::new();
    for place in ids(&args.target, &session)? {
        let path = format!("{}{expand}", place.path::<N>());
        documents.push(flat(session.client.get(&path).await?));
    }
    Ok(Answer::of_each(documents))
}

/// Shows a noun that has nothing to expand.
pub(in crate::commands) async fn target<N: Noun>(
    target: Target<N>,
    context: &Context,
) -> Result<Answer, Failure> {
    show(Show { target, expand: None }, context).await
}

/// PUTs a new one. Gives its flat document; null if it is not waited for.
pub(in crate::commands) async fn create<N: Noun>(
    named: &Named<N>,
    session: &Session,
    body: &Value,
    no_wait: bool,
) -> Result<Value, Failure> {
    let path = place(named, session)?.path::<N>();
    Ok(flat(begin(session, Method::PUT, &path, Some(body), no_wait).await?))
}

/// The answer of a `create` that az wraps: `{"NewNSG": …}`.
pub(in crate::commands) fn under(wrapper: &str, document: &Value) -> Answer {
    if document.is_null() {
        return Answer::done();
    }
    Answer::new(json!({ wrapper: document }))
}

/// GETs, edits and PUTs what was named. `edit` does what the noun's own flags
/// say; `--tags` and the generic edits come after it, as in az.
pub(in crate::commands) async fn update<N: Noun>(
    args: &Update<N>,
    tags: Option<&Tags>,
    context: &Context,
    edit: impl Fn(&mut Value, &Place, &Session) -> Result<(), Failure>,
) -> Result<Answer, Failure> {
    update_between(args, tags, context, edit, |_| ()).await
}

/// The same, with a last touch after the generic edits.
pub(in crate::commands) async fn update_between<N: Noun>(
    args: &Update<N>,
    tags: Option<&Tags>,
    context: &Context,
    edit: impl Fn(&mut Value, &Place, &Session) -> Result<(), Failure>,
    finish: impl Fn(&mut Value),
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut documents = Vec::new();
    for place in ids(&args.target, &session)? {
        let path = place.path::<N>();
        let mut document = session.client.get(&path).await?;
        edit(&mut document, &place, &session)?;
        if let Some(tags) = tags.and_then(Tags::given)
            && let Some(present) = at(&mut document, "tags").as_object_mut()
        {
            if tags.is_empty() {
                present.clear();
            }
            present.extend(tags);
        }
        edit::apply(&mut document, &args.edits)?;
        finish(&mut document);
        documents.push(flat(put(&session, &path, document, args.wait.no_wait).await?));
    }
    Ok(Answer::of_each(documents))
}

/// Deletes what was named. What does not exist is deleted already, and so is what
/// was in a group that does not exist.
pub(in crate::commands) async fn delete<N: Noun>(
    args: Delete<N>,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    for place in ids(&args.target, &session)? {
        let path = place.path::<N>();
        match begin(&session, Method::DELETE, &path, None, args.wait.no_wait).await {
            Err(failure) if failure.is_gone() => {}
            other => drop(other?),
        }
    }
    Ok(Answer::done())
}

/// PUTs an edited document. What only the cloud may write is not sent back.
pub(in crate::commands) async fn put(
    session: &Session,
    path: &str,
    mut document: Value,
    no_wait: bool,
) -> Result<Value, Failure> {
    if let Some(object) = document.as_object_mut() {
        object.shift_remove("etag");
    }
    begin(session, Method::PUT, path, Some(&document), no_wait).await
}

/// Sends a request and waits for the end of its operation, unless told not to.
pub(in crate::commands) async fn begin(
    session: &Session,
    method: Method,
    path: &str,
    body: Option<&Value>,
    no_wait: bool,
) -> Result<Value, Failure> {
    let operation = session.client.begin(method, path, body).await?;
    if no_wait { Ok(Value::Null) } else { Ok(operation.wait().await?) }
}

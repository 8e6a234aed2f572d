//! Parts: what ARM keeps inside its parent's document, and az shows as a noun of
//! its own (a NIC's IP configurations, a load balancer's rules). Each verb reads
//! the parent, and writes it back whole.

use serde_json::Value;

use super::{Place, put};
use crate::args::noun::{List, Named, Noun};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;
use crate::shape::flat;

/// A parent's document, open for a change of one of its parts.
#[derive(Debug)]
pub(in crate::commands) struct Parent {
    pub(in crate::commands) document: Value,
    pub(in crate::commands) parts: Vec<Value>,
    pub(in crate::commands) session: Session,
    pub(in crate::commands) group: String,
    pub(in crate::commands) id: String,
    path: String,
    collection: &'static str,
}

impl Parent {
    /// Reads the parent of a named part.
    pub(in crate::commands) async fn of<N: Noun>(
        named: &Named<N>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let session = context.sign_in().await?;
        let group = &named.group;
        Self::read::<N>(session, group, named.parent.as_deref()).await
    }

    async fn read<N: Noun>(
        session: Session,
        group: &str,
        parent: Option<&str>,
    ) -> Result<Self, Failure> {
        let id = session.resource(group, N::TYPE, parent.unwrap_or_default())?;
        let place = Place { id, group: group.to_owned() };
        let path = place.path::<N>();
        let mut document = session.client.get(&path).await?;
        let collection = N::PARENT.map_or("", |parent| parent.collection);
        Ok(Self {
            parts: taken(&mut document, collection),
            document,
            session,
            group: place.group,
            id: place.id.to_string(),
            path,
            collection,
        })
    }

    /// The part of a name.
    pub(in crate::commands) fn part(
        &mut self,
        name: &str,
    ) -> Result<&mut Value, Failure> {
        // az says no more than this.
        find(&mut self.parts, name).ok_or_else(|| Failure::new("ResourceNotFoundError"))
    }

    /// Writes the parent back. Gives it as the cloud then has it.
    pub(in crate::commands) async fn write(
        mut self,
        no_wait: bool,
    ) -> Result<Value, Failure> {
        self.document["properties"][self.collection] = Value::Array(self.parts);
        put(&self.session, &self.path, self.document, no_wait).await
    }

    /// Writes the parent back and answers with the part of a name, flat.
    pub(in crate::commands) async fn answer(
        self,
        name: &str,
        no_wait: bool,
    ) -> Result<Answer, Failure> {
        let collection = self.collection;
        let mut parent = self.write(no_wait).await?;
        if no_wait {
            return Ok(Answer::done());
        }
        let mut parts = taken(&mut parent, collection);
        let part = find(&mut parts, name).map(Value::take);
        Ok(Answer::new(flat(part.unwrap_or_default())))
    }
}

/// Lists the parts.
pub(in crate::commands) async fn list<N: Noun>(
    args: List<N>,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let group = args.group.as_deref().unwrap_or_default();
    let parent = Parent::read::<N>(session, group, args.parent.as_deref()).await?;
    Ok(Answer::new(flat(Value::Array(parent.parts))))
}

/// Shows a part.
pub(in crate::commands) async fn show<N: Noun>(
    named: Named<N>,
    context: &Context,
) -> Result<Answer, Failure> {
    let mut parent = Parent::of(&named, context).await?;
    Ok(Answer::new(flat(parent.part(&named.name)?.take())))
}

/// Takes a part out. One that is not there is out already.
pub(in crate::commands) async fn delete<N: Noun>(
    named: Named<N>,
    no_wait: bool,
    context: &Context,
) -> Result<Answer, Failure> {
    let mut parent = match Parent::of(&named, context).await {
        Err(failure) if failure.is_gone() => return Ok(Answer::done()),
        parent => parent?,
    };
    parent.parts.retain(|part| !is_called(part, &named.name));
    parent.write(no_wait).await?;
    Ok(Answer::done())
}

fn taken(document: &mut Value, collection: &str) -> Vec<Value> {
    match document["properties"][collection].take() {
        Value::Array(parts) => parts,
        _ => Vec::new(),
    }
}

fn find<'v>(parts: &'v mut [Value], name: &str) -> Option<&'v mut Value> {
    parts.iter_mut().find(|part| is_called(part, name))
}

fn is_called(part: &Value, name: &str) -> bool {
    part["name"].as_str() == Some(name)
}

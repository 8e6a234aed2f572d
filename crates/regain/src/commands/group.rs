//! `group`: resource groups. az prints them as ARM gives them.

use arm::{Method, ResourceId};
use serde_json::{Value, json};

use super::noun;
use crate::api::{self, RESOURCES};
use crate::args::group::{Create, Delete, Group, List, Named, Update, Wait};
use crate::context::Context;
use crate::edit;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape;

pub(super) async fn run(group: Group, context: &Context) -> Result<Answer, Failure> {
    match group {
        Group::Create(args) => create(args, context).await,
        Group::List(args) => list(args, context).await,
        Group::Show(args) => show(args, context).await,
        Group::Exists(args) => exists(args, context).await,
        Group::Update(args) => update(args, context).await,
        Group::Delete(args) => delete(args, context).await,
        Group::Wait(args) => wait(args, context).await,
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let path = path(&session.group(&args.group.name)?);
    let mut body = json!({ "location": args.location });
    if let Some(manager) = args.managed_by {
        body["managedBy"] = manager.into();
    }
    if let Some(tags) = args.tags.given() {
        body["tags"] = tags.into();
    }
    Ok(Answer::new(shaped(session.client.put(&path, &body).await?)))
}

async fn list(args: List, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let filter = args.tag.as_deref().map_or_else(String::new, |tag| {
        let filter = tagged(tag);
        format!("&$filter={}", api::encoded(&filter))
    });
    let path = api::below(&session.scope(None)?, "resourcegroups", RESOURCES);
    let groups = session.client.list(&format!("{path}{filter}")).await?;
    let groups: Value = groups.into_iter().map(shaped).collect();
    Ok(Answer::new(groups).with_columns(columns))
}

async fn show(args: Named, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let path = path(&session.group(&args.name)?);
    Ok(Answer::new(shaped(session.client.get(&path).await?)))
}

async fn exists(args: Named, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let path = path(&session.group(&args.name)?);
    match session.client.request(&Method::HEAD, &path, None).await {
        Ok(_) => Ok(Answer::new(true.into())),
        Err(error) if error.is_not_found() => Ok(Answer::new(false.into())),
        Err(error) => Err(error.into()),
    }
}

async fn update(args: Update, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let path = path(&session.group(&args.group.name)?);
    let mut group = session.client.get(&path).await?;
    if let Some(tags) = args.tags.given() {
        group["tags"] = tags.into();
    }
    edit::apply(&mut group, &args.edits)?;
    Ok(Answer::new(shaped(session.client.put(&path, &group).await?)))
}

async fn delete(args: Delete, context: &Context) -> Result<Answer, Failure> {
    context.confirm("Are you sure you want to perform this operation?", args.yes)?;
    let session = context.sign_in().await?;
    let mut path = path(&session.group(&args.group.name)?);
    if let Some(types) = args.force_deletion_types {
        path = format!("{path}&forceDeletionTypes={}", api::encoded(&types));
    }
    noun::begin(&session, Method::DELETE, &path, None, args.wait.no_wait).await?;
    Ok(Answer::done())
}

async fn wait(args: Wait, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let path = path(&session.group(&args.group.name)?);
    noun::until(&args.until, &session, &path, shaped).await?;
    Ok(Answer::done())
}

/// The filter of `--tag KEY[=VALUE]`.
pub(super) fn tagged(tag: &str) -> String {
    match tag.split_once('=') {
        Some((key, value)) if !value.is_empty() => {
            format!("tagname eq '{key}' and tagvalue eq '{value}'")
        }
        Some((key, _)) => format!("tagname eq '{key}'"),
        None => format!("tagname eq '{tag}'"),
    }
}

/// As az asks for a group.
fn path(group: &ResourceId) -> String {
    api::path(group, RESOURCES).replacen("/resourceGroups/", "/resourcegroups/", 1)
}

fn shaped(group: Value) -> Value {
    shape::with_nulls(
        group,
        &["id", "name", "type", "properties", "location", "managedBy", "tags"],
    )
}

fn columns(groups: &Value) -> Value {
    let row = |group: &Value| {
        json!({
            "Name": group["name"],
            "Location": group["location"],
            "Status": group["properties"]["provisioningState"],
        })
    };
    groups.as_array().into_iter().flatten().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_asked_for_with_or_without_its_value() {
        assert_eq!(tagged("a=b"), "tagname eq 'a' and tagvalue eq 'b'");
        assert_eq!(tagged("a"), "tagname eq 'a'");
        assert_eq!(tagged("a="), "tagname eq 'a'");
    }
}

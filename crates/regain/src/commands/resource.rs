//! `resource`: resources of any kind, asked for with their provider's newest
//! version. az prints them as ARM gives them, null where there is nothing.

use arm::{Method, ResourceId};
use serde_json::{Map, Value, json};

use super::group::tagged;
use super::{noun, provider};
use crate::api::{self, RESOURCES};
use crate::args::resource::{Delete, List, Resource, Show, Tag, Target};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;
use crate::shape;

/// What az's type for any resource has.
const KEYS: [&str; 12] = [
    "extendedLocation",
    "id",
    "identity",
    "kind",
    "location",
    "managedBy",
    "name",
    "plan",
    "properties",
    "sku",
    "tags",
    "type",
];
/// What az's types of the parts have.
const PARTS: [(&str, &[&str]); 3] = [
    ("sku", &["capacity", "family", "model", "name", "size", "tier"]),
    ("identity", &["principalId", "tenantId", "type", "userAssignedIdentities"]),
    ("plan", &["name", "product", "promotionCode", "publisher", "version"]),
];
/// What a list says beyond that.
const LISTED: [&str; 3] = ["changedTime", "createdTime", "provisioningState"];
/// Kinds whose tags are changed by PATCH; others are written back whole.
const PATCHED: [&str; 2] =
    ["Microsoft.Resources/resourceGroups", "Microsoft.Network/publicIPAddresses"];

pub(super) async fn run(
    resource: Resource,
    context: &Context,
) -> Result<Answer, Failure> {
    match resource {
        Resource::List(args) => list(args, context).await,
        Resource::Show(args) => show(args, context).await,
        Resource::Tag(args) => tag(args, context).await,
        Resource::Delete(args) => delete(args, context).await,
    }
}

async fn list(args: List, context: &Context) -> Result<Answer, Failure> {
    let filter = filter(&args)?;
    let session = context.sign_in().await?;
    if let Some(group) = &args.group {
        // A group that does not exist is an error, and not an empty list.
        session.client.get(&api::path(&session.group(group)?, RESOURCES)).await?;
    }
    let filter = if filter.is_empty() {
        String::new()
    } else {
        format!("&$filter={}", api::encoded(&filter))
    };
    let path = format!(
        "{}{filter}&$expand=createdTime%2CchangedTime%2CprovisioningState",
        api::below(&session.scope(None)?, "resources", RESOURCES)
    );
    let keys = [&KEYS[..], &LISTED[..]].concat();
    let resources = session.client.list(&path).await?.into_iter();
    let resources = resources.map(|resource| {
        let mut resource = shaped(resource, &keys);
        for key in ["changedTime", "createdTime"] {
            resource[key] = shape::python_time(&resource[key]);
        }
        resource
    });
    Ok(Answer::new(resources.collect()).with_columns(columns))
}

fn filter(args: &List) -> Result<String, Failure> {
    let mut filters = Vec::new();
    if let Some(tag) = &args.tag {
        let others = [
            ("--resource-group", args.group.is_some()),
            ("--namespace", args.namespace.is_some()),
            ("--resource-type", args.resource_type.is_some()),
            ("--name", args.name.is_some()),
            ("--location", args.location.is_some()),
        ];
        if let Some((other, _)) = others.iter().find(|(_, given)| *given) {
            return Err(Failure::new(format!("you cannot use '--tag' with '{other}'")));
        }
        filters.push(match tag.strip_suffix('*') {
            Some(start) => format!("startswith(tagname, '{start}')"),
            None => tagged(tag),
        });
    }
    for (key, value) in [
        ("resourceGroup", &args.group),
        ("name", &args.name),
        ("location", &args.location),
    ] {
        filters.extend(value.as_ref().map(|value| format!("{key} eq '{value}'")));
    }
    match (&args.namespace, &args.resource_type) {
        (Some(namespace), Some(kind)) => {
            filters.push(format!("resourceType eq '{namespace}/{kind}'"));
        }
        (None, Some(kind)) if kind.contains('/') => {
            filters.push(format!("resourceType eq '{kind}'"));
        }
        (None, Some(_)) => {
            return Err(Failure::new(
                "Malformed resource-type: --resource-type=<namespace>/<resource-type> expected.",
            ));
        }
        (Some(_), None) => {
            return Err(Failure::new("--namespace also requires --resource-type"));
        }
        (None, None) => {}
    }
    Ok(filters.join(" and "))
}

async fn show(args: Show, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut documents = Vec::new();
    for id in ids(&args.target, &session)? {
        let path = versioned(&args.target, &id, &session).await?;
        let body = session.client.get(&path).await?;
        let kept = (args.include_response_body == Some(true)).then(|| body.clone());
        let mut document = shaped(body, &KEYS);
        if let Some(body) = kept {
            document["responseBody"] = body;
        }
        documents.push(document);
    }
    Ok(Answer::of_each(documents))
}

async fn tag(args: Tag, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut documents = Vec::new();
    for id in ids(&args.target, &session)? {
        let path = versioned(&args.target, &id, &session).await?;
        let mut resource = session.client.get(&path).await?;
        let tags = new_tags(&args, &resource["tags"])?;
        let kind = resource["type"].as_str().unwrap_or_default();
        let (method, body) = if PATCHED.contains(&kind) {
            (Method::PATCH, json!({ "tags": tags }))
        } else {
            let mut body = json!({ "tags": tags });
            for key in
                ["location", "plan", "properties", "kind", "managedBy", "sku", "identity"]
            {
                if !resource[key].is_null() {
                    body[key] = resource[key].take();
                }
            }
            (Method::PUT, body)
        };
        let resource = noun::begin(&session, method, &path, Some(&body), false).await?;
        documents.push(shaped(resource, &KEYS));
    }
    Ok(Answer::of_each(documents))
}

fn new_tags(args: &Tag, present: &Value) -> Result<Map<String, Value>, Failure> {
    let given = args.tags.iter().filter(|tag| !tag.is_empty()).map(|tag| {
        let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
        (key.to_owned(), value.into())
    });
    let mut tags: Map<String, Value> = Map::new();
    if args.is_incremental {
        if args.tags.iter().all(String::is_empty) {
            return Err(Failure::new(
                "When modifying tag incrementally, the parameters of tag must have specific values.",
            ));
        }
        tags.extend(present.as_object().cloned().unwrap_or_default());
    }
    tags.extend(given);
    Ok(tags)
}

/// Deletes in rounds: what hangs on another resource can go only after it.
async fn delete(args: Delete, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut left = Vec::new();
    for id in ids(&args.target, &session)? {
        let path = versioned(&args.target, &id, &session).await?;
        left.push((id, path));
    }
    while !left.is_empty() {
        let mut begun = Vec::new();
        let mut refused = Vec::new();
        for (id, path) in left {
            match session.client.begin(Method::DELETE, &path, None).await {
                Ok(operation) => begun.push(operation),
                Err(error) if error.arm().is_some() => refused.push((id, path)),
                Err(error) => return Err(error.into()),
            }
        }
        if begun.is_empty() {
            let ids: Vec<&str> = refused.iter().map(|(id, _)| id.as_str()).collect();
            return Err(Failure::new(format!(
                "Some resources failed to be deleted (run with `--verbose` for more \
                 information):\n{}",
                ids.join("\n")
            )));
        }
        for operation in begun {
            if !args.wait.no_wait {
                operation.wait().await?;
            }
        }
        left = refused;
    }
    Ok(Answer::done())
}

fn ids(target: &Target, session: &Session) -> Result<Vec<ResourceId>, Failure> {
    if !target.ids.is_empty() {
        let parsed = target.ids.iter().map(|id| {
            ResourceId::parse(id).map_err(|_| {
                Failure::new(format!(
                    "az resource: error: argument --ids: invalid ResourceId value: '{id}'"
                ))
            })
        });
        return parsed.collect();
    }
    let needed = |value: &Option<String>, flag: &str| {
        value.clone().ok_or_else(|| Failure::new(format!("{flag} is required")))
    };
    let group = target
        .group
        .clone()
        .ok_or_else(|| Failure::new("--resource-group/-g is required."))?;
    let kind = needed(&target.resource_type, "--resource-type")?;
    let name = needed(&target.name, "--name/-n")?;
    let (namespace, kind) = match (&target.namespace, kind.split_once('/')) {
        (Some(namespace), _) => (namespace.clone(), kind),
        (None, Some((namespace, kind))) if target.parent.is_none() => {
            (namespace.to_owned(), kind.to_owned())
        }
        _ => return Err(Failure::new("--namespace is required")),
    };
    let parent =
        target.parent.as_deref().map_or_else(String::new, |path| format!("{path}/"));
    let text =
        format!("{}/providers/{namespace}/{parent}{kind}/{name}", session.group(&group)?);
    let id =
        ResourceId::parse(&text).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(vec![id])
}

async fn versioned(
    target: &Target,
    id: &ResourceId,
    session: &Session,
) -> Result<String, Failure> {
    let version = match &target.api_version {
        Some(version) => version.clone(),
        None => provider::version(session, id, target.latest_include_preview).await?,
    };
    Ok(api::path(id, &version))
}

fn shaped(resource: Value, keys: &[&str]) -> Value {
    let mut resource = shape::with_nulls(resource, keys);
    for (part, keys) in PARTS {
        if resource[part].is_object() {
            resource[part] = shape::with_nulls(resource[part].take(), keys);
        }
    }
    resource
}

fn columns(resources: &Value) -> Value {
    let row = |resource: &Value| {
        json!({
            "Name": resource["name"],
            "ResourceGroup": resource["resourceGroup"],
            "Location": resource["location"],
            "Type": resource["type"],
            "Status": resource["provisioningState"],
        })
    };
    resources.as_array().into_iter().flatten().map(row).collect()
}

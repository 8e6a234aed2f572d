//! The collections of network documents: every verb of every noun, once.
//!
//! A noun says two things about its documents: what a whole one must be before it
//! is stored ([`judge`]) and what is added to it when it is shown ([`dress`]). A child
//! with an address of its own (a rule, a subnet, a route) lives in its parent's
//! document, so writing or deleting it is writing the parent, judged as a whole.
//!
//! ```text
//! PUT noun  ─┐
//! PUT child ─┼─ draft of the whole document ─ judge ─ network_document::write
//! DELETE child
//! ```

use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Value, json};

use super::network_document::{Written, write};
use super::topology::reach;
use super::usage::check_unused;
use super::{
    application_security_group, load_balancer, network_interface, network_security_group,
    public_ip_address, route_table, virtual_network,
};
use crate::app::child::{drop_child, parent_of, part_of, place_child};
use crate::app::document::{self, check_precondition, items, properties, shown};
use crate::app::journal::Job;
use crate::app::resources::tag;
use crate::app::work::Work;
use crate::app::{Answer, App, Call, Page, Problem};
use crate::store::Resource;

/// A kind of network document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noun {
    /// As it stands in ids.
    pub(crate) name: &'static str,
    /// The collections of children that are written one by one.
    pub(crate) children: &'static [&'static str],
    /// The collections of children that are only shown.
    pub(crate) views: &'static [&'static str],
}

/// Every kind that there is.
pub(crate) const NOUNS: [Noun; 7] = [
    Noun { name: "virtualNetworks", children: &["subnets"], views: &[] },
    Noun { name: "networkInterfaces", children: &[], views: &["ipConfigurations"] },
    Noun { name: "publicIPAddresses", children: &[], views: &[] },
    Noun {
        name: "networkSecurityGroups",
        children: &["securityRules"],
        views: &["defaultSecurityRules"],
    },
    Noun { name: "routeTables", children: &["routes"], views: &[] },
    Noun { name: "applicationSecurityGroups", children: &[], views: &[] },
    Noun {
        name: "loadBalancers",
        children: &[load_balancer::POOLS, load_balancer::NAT_RULES],
        views: &[
            load_balancer::FRONTENDS,
            load_balancer::RULES,
            load_balancer::PROBES,
            load_balancer::OUTBOUND,
        ],
    },
];

/// Makes of a draft what can be stored, or refuses it. `before` is what it replaces.
/// Gives the other documents that change with it.
async fn judge(
    app: &App,
    before: Option<&Resource>,
    draft: &mut Resource,
) -> Result<Vec<Resource>, Problem> {
    match draft.id.resource_type().to_ascii_lowercase().as_str() {
        network_interface::KIND => {
            return network_interface::judge(app, before, draft).await;
        }
        virtual_network::KIND => virtual_network::judge(app, before, draft).await?,
        public_ip_address::KIND => public_ip_address::judge(app, before, draft).await?,
        network_security_group::KIND => {
            network_security_group::judge(app, draft).await?;
        }
        route_table::KIND => route_table::judge(draft)?,
        application_security_group::KIND => application_security_group::judge(draft),
        load_balancer::KIND => load_balancer::judge(app, before, draft).await?,
        _ => return Err(Problem::NoSuchRoute { path: draft.id.to_string() }),
    }
    Ok(Vec::new())
}

/// Adds to a shown document what Azure derives from others.
async fn dress(app: &App, id: &ResourceId, document: &mut Value) -> Result<(), Problem> {
    match id.resource_type().to_ascii_lowercase().as_str() {
        network_security_group::KIND => {
            network_security_group::dress(app, id, document).await
        }
        public_ip_address::KIND => public_ip_address::dress(app, id, document).await,
        virtual_network::KIND => virtual_network::dress(app, id, document).await,
        route_table::KIND => route_table::dress(app, id, document).await,
        load_balancer::KIND => load_balancer::dress(app, id, document).await,
        _ => Ok(()),
    }
}

impl App {
    /// A network document as it is shown: with the back references that Azure
    /// gives, and the default rules.
    pub(super) async fn dressed(&self, resource: &Resource) -> Result<Value, Problem> {
        let mut document = shown(resource);
        dress(self, &resource.id, &mut document).await?;
        mark_children(&mut document);
        Ok(document)
    }
}

/// `GET` of all documents of a kind in a group or in the subscription.
pub(crate) async fn list(
    app: Arc<App>,
    call: Call,
    noun: &'static Noun,
) -> Result<Answer, Problem> {
    let kind = format!("microsoft.network/{}", noun.name.to_ascii_lowercase());
    let (found, next) = app.page(&call, &kind).await?;
    let mut items = Vec::with_capacity(found.len());
    for resource in found {
        items.push(app.dressed(&resource).await?);
    }
    Ok(Answer::Listed(Page { items, next }))
}

/// `GET` of a document.
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let resource = app.existing(&call.id).await?;
    Ok(Answer::Found(app.dressed(&resource).await?))
}

/// `PUT` of a document.
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let before = app.before_put(&call).await?;
    let given = properties(call.object()?)?;
    let mut draft = document::framed(&call, before.as_ref(), given)?;
    let companions = judge(&app, before.as_ref(), &mut draft).await?;
    let name = operation(&call.id, "write");
    let written = Written { document: draft, companions, child: None };
    let (progress, body) = write(&app, name, before.as_ref(), written, turn).await?;
    Ok(progress.written(body, before.is_none()))
}

/// `PATCH` of a document: its tags, replaced as a whole.
pub(crate) async fn tag(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let _turn = app.network_turn().await?;
    let mut resource = app.existing(&call.id).await?;
    check_precondition(&call, Some(&resource))?;
    if let Some(tags) = tag::of(call.object()?)? {
        resource.document["tags"] = tags;
    }
    app.store.put(&resource).await?;
    // Read again, because its etag has changed.
    get(Arc::clone(&app), call).await
}

/// `DELETE` of a document that nobody refers to.
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    app.group_of(&call.id).await?;
    let Some(resource) = app.store.get(&call.id).await? else {
        return Ok(Answer::Nothing);
    };
    check_precondition(&call, Some(&resource))?;
    check_unused(&app, &resource.id, None).await?;
    let networks = Some(reach(&app, &resource).await?);
    let work = Work::Remove { resource: resource.id.clone(), networks };
    let job = Job::new(operation(&call.id, "delete"), &resource.id, work).holding(turn);
    Ok(app.submit(job).await?.deleted())
}

/// `GET` of all children in a collection.
pub(crate) async fn list_children(
    app: Arc<App>,
    call: Call,
    collection: &'static str,
) -> Result<Answer, Problem> {
    let parent = app.existing(&call.id).await?;
    let document = app.dressed(&parent).await?;
    let all = items(&document, &format!("/properties/{collection}")).cloned();
    Ok(Answer::Listed(Page::whole(all)))
}

/// `GET` of a child.
pub(crate) async fn get_child(
    app: Arc<App>,
    call: Call,
    collection: &'static str,
) -> Result<Answer, Problem> {
    let parent = app.existing(&parent_of(&call.id)?).await?;
    let document = app.dressed(&parent).await?;
    let child = (collection.to_owned(), call.id.name().to_owned());
    Ok(Answer::Found(part_of(document, Some(&child))?))
}

/// `PUT` of a child.
pub(crate) async fn put_child(
    app: Arc<App>,
    call: Call,
    collection: &'static str,
) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let before = app.before_child(&call, collection).await?;
    let given = properties(call.object()?)?;
    let name = call.id.name();
    document::check_name(name)?;
    let mut draft = before.clone();
    let child = json!({ "name": name, "properties": given });
    let created = place_child(&mut draft.document, collection, child);
    let companions = judge(&app, Some(&before), &mut draft).await?;
    let child = Some((collection.to_owned(), name.to_owned()));
    let name = operation(&call.id, "write");
    let written = Written { document: draft, companions, child };
    let (progress, body) = write(&app, name, Some(&before), written, turn).await?;
    Ok(progress.written(body, created))
}

/// `DELETE` of a child.
pub(crate) async fn delete_child(
    app: Arc<App>,
    call: Call,
    collection: &'static str,
) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let before = app.before_child(&call, collection).await?;
    let mut draft = before.clone();
    if !drop_child(&mut draft.document, collection, call.id.name()) {
        return Ok(Answer::Nothing);
    }
    let companions = judge(&app, Some(&before), &mut draft).await?;
    let name = operation(&call.id, "delete");
    let written = Written { document: draft, companions, child: None };
    let (progress, _) = write(&app, name, Some(&before), written, turn).await?;
    Ok(progress.deleted())
}

/// As in `networkSecurityGroups/securityRules/write`.
fn operation(id: &ResourceId, verb: &str) -> String {
    let kind = id.resource_type();
    let kind = kind.split_once('/').map_or(kind.as_str(), |(_, kind)| kind);
    format!("{kind}/{verb}")
}

/// A child changes whenever its parent does, so they have one etag.
fn mark_children(document: &mut Value) {
    let etag = document["etag"].clone();
    let Some(properties) = document.get_mut("properties").and_then(Value::as_object_mut)
    else {
        return;
    };
    for child in properties.values_mut().filter_map(Value::as_array_mut).flatten() {
        // A mere reference has an id and no name.
        if child["name"].is_string() && child["id"].is_string() {
            child["etag"] = etag.clone();
        }
    }
}

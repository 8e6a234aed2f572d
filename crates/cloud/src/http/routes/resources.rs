//! Subscriptions, groups, deployments, operations.

use super::super::table::Table;
use super::super::table::verb::{DELETE, GET, HEAD, PATCH, POST, PUT};
use super::{GROUP, SUBSCRIPTION, everywhere};
use crate::app::journal;
use crate::app::resources::{
    deployment, provider, resource, resource_group, subscription, tags_resource,
};

pub(super) fn add(t: &mut Table) {
    let subscription = SUBSCRIPTION;
    let group = GROUP;
    let deployments = &format!("{group}/providers/microsoft.resources/deployments");
    let deployment = &format!("{deployments}/{{deployment}}");

    t.fixed("/subscriptions", subscription::list);
    t.fixed("/tenants", subscription::tenants);
    t.at(subscription).on(GET, subscription::get);
    t.at(&format!("{subscription}/locations")).on(GET, subscription::locations);
    t.at(&format!("{subscription}/resources")).on(GET, resource::list);

    t.at(&format!("{subscription}/resourcegroups")).on(GET, resource_group::list);
    t.at(group)
        .on(GET, resource_group::get)
        .on(HEAD, resource_group::head)
        .on(PUT, resource_group::put)
        .on(PATCH, resource_group::patch)
        .on(DELETE, resource_group::delete);
    t.at(&format!("{group}/resources")).on(GET, resource::list);

    t.at(deployments).on(GET, deployment::list);
    t.at(deployment)
        .on(GET, deployment::get)
        .on(HEAD, deployment::head)
        .on(PUT, deployment::put)
        .on(DELETE, deployment::delete);
    t.at(&format!("{deployment}/validate")).on(POST, deployment::validate);
    t.at(&format!("{deployment}/operations")).on(GET, deployment::operations);
    t.below(&format!("{group}/deployments/{{deployment}}/operations"), 4)
        .on(GET, deployment::operations);

    let providers = &format!("{subscription}/providers");
    t.at(providers).on(GET, provider::list);
    t.below(&format!("{providers}/{{namespace}}"), 2).on(GET, provider::get);
    t.below(&format!("{providers}/{{namespace}}/register"), 2)
        .on(POST, provider::register);

    t.at(&format!("{subscription}/tagnames")).on(GET, tags_resource::names);
    let resource = &format!("{group}/providers/{{namespace}}/{{type}}/{{name}}");
    for scope in [subscription, group, resource, &format!("{resource}/{{part}}/{{of}}")] {
        t.at(&format!("{scope}/providers/microsoft.resources/tags/default"))
            .on(GET, tags_resource::get)
            .on(PUT, tags_resource::put)
            .on(PATCH, tags_resource::patch)
            .on(DELETE, tags_resource::delete);
    }

    for provider in ["compute", "network", "resources"] {
        let here = everywhere(&format!("microsoft.{provider}/locations/{{location}}"));
        t.at(&format!("{here}/operations/{{operation}}")).on(GET, journal::status);
        t.at(&format!("{here}/operationresults/{{operation}}")).on(GET, journal::result);
    }
}

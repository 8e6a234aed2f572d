//! Subscriptions, groups, deployments, operations.

use super::super::router::Table;
use super::super::router::verb::{DELETE, GET, HEAD, PATCH, POST, PUT};
use super::{GROUP, SUBSCRIPTION, everywhere};
use crate::app::{deployment, journal, resource, resource_group, subscription};

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
        .on(PUT, deployment::put)
        .on(DELETE, deployment::delete);
    t.at(&format!("{deployment}/validate")).on(POST, deployment::validate);

    for provider in ["compute", "network", "resources"] {
        let here = everywhere(&format!("microsoft.{provider}/locations/{{location}}"));
        t.at(&format!("{here}/operations/{{operation}}")).on(GET, journal::status);
        t.at(&format!("{here}/operationresults/{{operation}}")).on(GET, journal::result);
    }
}

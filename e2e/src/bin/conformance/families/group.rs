//! A resource group comes, is found, and takes everything in it when it goes.

use e2e::way_in::Knock;
use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "group",
        BOTH,
        World::Empty,
        vec![
            run("group exists -n {g}").then(Says("false")),
            fails(3, "group show -n {g}").then(Complains("(ResourceGroupNotFound)")),
            run("group create -n {g} -l westus --tags owner=me")
                .then(Is("/name", json!("{g}")))
                .then(Is("/location", json!("westus")))
                .then(Is("/properties/provisioningState", json!("Succeeded"))),
            run("group exists -n {g}").then(Says("true")),
            run("group show -n {g}").then(Is("/tags/owner", json!("me"))),
            run("group list").then(Lists("", "/name", "{g}")),
            run("group list --tag owner=me").then(Lists("", "/name", "{g}")),
            run("group list --query [].name -o tsv").then(Says("{g}")),
            run("vm create -g {g} -n {vm} --image Debian12 --admin-username azureuser \
                 --ssh-key-values {pub}")
            .keep("ip", "/publicIpAddress")
            .then(Soon(Box::new(Login("azureuser")))),
            run("group delete -n {g} --yes")
                .then(Silent)
                .then(Gone("vm show -g {g} -n {vm}"))
                .then(Knock("{ip}", "22", Knock::Silent)),
            run("group exists -n {g}").then(Says("false")),
            fails(3, "group delete -n {g} --yes")
                .then(Complains("(ResourceGroupNotFound)")),
        ],
    )
}

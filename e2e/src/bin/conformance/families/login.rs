//! A private cloud is registered, and somebody logs in to it.

use e2e::Client;
use serde_json::json;

use crate::case::{Case, Family, World, fails, run};
use crate::check::Check::*;

/// In a directory of its own: nobody has registered anything there.
fn anew(case: Case) -> Case {
    case.by("anew")
}

pub(crate) fn family() -> Family {
    let az = &[Client::Az];
    Family::new(
        "login",
        az,
        World::Empty,
        vec![
            anew(run("cloud register -n Private --endpoint-resource-manager {endpoint}")),
            anew(run("cloud set -n Private")),
            anew(run("cloud list --query [].name").then(Lists("", "", "Private"))),
            anew(
                run("cloud show -n Private")
                    .then(Is("/endpoints/resourceManager", json!("{endpoint}"))),
            ),
            anew(
                fails(
                    1,
                    "login --service-principal -u {client} -p wrong --tenant {tenant}",
                )
                .then(Complains("client")),
            ),
            anew(
                run(
                    "login --service-principal -u {client} -p {secret} --tenant {tenant}",
                )
                .then(Is("/0/id", json!("{sub}")))
                .then(Is("/0/state", json!("Enabled"))),
            ),
            anew(
                run("account show")
                    .then(Is("/id", json!("{sub}")))
                    .then(Is("/tenantId", json!("{tenant}")))
                    .then(Is("/user/type", json!("servicePrincipal"))),
            ),
            anew(run("account list").then(Count("", 1))),
            anew(run("group list").then(SaysNot("ERROR"))),
            anew(run("account get-access-token").then(There("/accessToken"))),
            anew(
                run("login --identity")
                    .env("IDENTITY_ENDPOINT", "{endpoint}/msi/token")
                    .env("IDENTITY_HEADER", "{identity}")
                    .then(Is("/0/id", json!("{sub}"))),
            ),
            anew(
                run("group list")
                    .env("IDENTITY_ENDPOINT", "{endpoint}/msi/token")
                    .env("IDENTITY_HEADER", "{identity}"),
            ),
            anew(
                run("login --identity")
                    .env(
                        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
                        "{endpoint}/identity/{identity}",
                    )
                    .then(Is("/0/id", json!("{sub}"))),
            ),
            run("group list")
                .with(Client::Regain)
                .env("REGAIN_ENDPOINT", "{endpoint}")
                .env("REGAIN_SUBSCRIPTION", "{sub}")
                .env("IDENTITY_ENDPOINT", "{endpoint}/msi/token")
                .env("IDENTITY_HEADER", "{identity}"),
            anew(run("logout")),
            anew(fails(1, "group list").then(Complains("az login"))),
        ],
    )
}

//! `cloud register`: a cloud says about itself what was not typed.

use arm::{Client, Credential, Secret};
use serde_json::Value;

use crate::args::cloud::Register;
use crate::failure::Failure;
use crate::session::clouds;
use crate::settings;

/// What no cloud can do without, and the flag that says it.
const REQUIRED: [(&str, &str); 3] = [
    ("resourceManager", "--endpoint-resource-manager"),
    ("activeDirectory", "--endpoint-active-directory"),
    ("activeDirectoryResourceId", "--endpoint-active-directory-resource-id"),
];

/// The new cloud, as it is kept.
pub(super) async fn document(args: Register) -> Result<Value, Failure> {
    let config = match &args.cloud_config {
        Some(text) => settings::read("--cloud-config", text)?,
        None => Value::Null,
    };
    let manager = args
        .endpoint_resource_manager
        .as_deref()
        .or(config["endpoints"]["resourceManager"].as_str());
    let (mut endpoints, mut suffixes) = match manager {
        Some(manager) if !args.skip_endpoint_discovery => {
            clouds::described(&ask(manager).await?)
        }
        _ => {
            (Value::Object(serde_json::Map::new()), Value::Object(serde_json::Map::new()))
        }
    };
    overlay(&mut endpoints, &config["endpoints"]);
    overlay(&mut suffixes, &config["suffixes"]);
    let typed = [
        ("resourceManager", &args.endpoint_resource_manager),
        ("management", &args.endpoint_management),
        ("activeDirectory", &args.endpoint_active_directory),
        ("activeDirectoryResourceId", &args.endpoint_active_directory_resource_id),
        (
            "activeDirectoryGraphResourceId",
            &args.endpoint_active_directory_graph_resource_id,
        ),
        ("microsoftGraphResourceId", &args.endpoint_microsoft_graph_resource_id),
        ("gallery", &args.endpoint_gallery),
        ("sqlManagement", &args.endpoint_sql_management),
        ("vmImageAliasDoc", &args.endpoint_vm_image_alias_doc),
    ];
    for (key, value) in typed {
        if let Some(value) = value {
            endpoints[key] = value.as_str().into();
        }
    }
    for (key, value) in [
        ("storageEndpoint", &args.suffix_storage_endpoint),
        ("keyvaultDns", &args.suffix_keyvault_dns),
        ("sqlServerHostname", &args.suffix_sql_server_hostname),
    ] {
        if let Some(value) = value {
            suffixes[key] = value.as_str().into();
        }
    }
    let missing: Vec<&str> = REQUIRED
        .iter()
        .filter(|(key, _)| !endpoints[*key].is_string())
        .map(|(_, flag)| *flag)
        .collect();
    if missing.is_empty() {
        return Ok(clouds::document(&args.name, &endpoints, &suffixes));
    }
    Err(Failure::new(format!(
        "The following endpoints are required for the CLI to function and were not specified \
         on the command line, in the cloud config or could not be autodetected.\n\
         Specify them on the command line or through the cloud config file:\n{}",
        missing.join(", ")
    )))
}

fn overlay(onto: &mut Value, from: &Value) {
    for (key, value) in from.as_object().into_iter().flatten() {
        if !value.is_null() {
            onto[key] = value.clone();
        }
    }
}

/// Asks a cloud about itself. No token is sent: whose it is, is not known yet.
async fn ask(manager: &str) -> Result<Value, Failure> {
    let failed = |error: arm::Error| {
        Failure::new("Unable to get endpoints from the cloud.").because(error).next(
            "check the address, and REQUESTS_CA_BUNDLE if its certificate is not public",
        )
    };
    let ca = std::env::var_os("REQUESTS_CA_BUNDLE").filter(|path| !path.is_empty());
    let credential = Credential::Token(Secret::new(""));
    let client =
        Client::connect(manager, ca.as_deref().map(std::path::Path::new), credential)
            .await
            .map_err(failed)?;
    let url = format!(
        "{}/metadata/endpoints?api-version=2022-09-01",
        manager.trim_end_matches('/')
    );
    let text = client.download(&url).await.map_err(failed)?;
    serde_json::from_slice(&text).map_err(|error| {
        Failure::new("Unable to get endpoints from the cloud.").because(error)
    })
}

//! `vm user`: accounts and SSH of a VM, through the VMAccess extension.

mod agent;
pub(super) mod delete;
pub(super) mod reset_ssh;
pub(super) mod update;

use arm::{Client, Method, ResourceId};
use serde_json::{Value, json};

use super::{extension, side_by_side, targets};
use crate::api::{self, EXTENSION, VM};
use crate::args::vm::{Target, User};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape;

const PUBLISHER: &str = "Microsoft.OSTCExtensions";
const KIND: &str = "VMAccessForLinux";
const VERSION: &str = "1.5";
/// The name that az gives the extension where there is none yet.
const NAME: &str = "enablevmaccess";

pub(super) async fn run(user: User, context: &Context) -> Result<Answer, Failure> {
    match user {
        User::ResetSsh(args) => reset_ssh::run(args, context).await,
        User::Update(args) => update::run(args, context).await,
        User::Delete(args) => delete::run(args, context).await,
    }
}

/// Gives the extension of each VM these protected settings.
async fn set_access(
    target: &Target,
    settings: Value,
    no_wait: bool,
    context: &Context,
) -> Result<Answer, Failure> {
    let vms = targets::read(target)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    side_by_side::each(context, vms, |vm| {
        let (client, settings) = (session.client.clone(), settings.clone());
        async move { set(&client, &vm, &settings, !no_wait).await }
    })
    .await
}

async fn set(
    client: &Client,
    id: &ResourceId,
    settings: &Value,
    wait: bool,
) -> Result<Value, Failure> {
    let vm = client.get(&api::with_instance_view(id, VM)).await?;
    if vm["properties"]["storageProfile"]["osDisk"]["osType"] == "Windows" {
        return Err(Failure::new(format!(
            "{} is a Windows VM, and accounts and SSH are managed on Linux VMs only",
            id.name()
        )));
    }
    if wait {
        agent::heard(client, id, &vm).await?;
    }
    let (version, upgrade) = version(&vm);
    let mut properties = json!({
        "publisher": PUBLISHER,
        "type": KIND,
        "typeHandlerVersion": version,
        "settings": {},
        "protectedSettings": settings,
    });
    if upgrade {
        properties["autoUpgradeMinorVersion"] = true.into();
    }
    let body = json!({ "location": vm["location"], "properties": properties });
    let name = extension::instance_name(&vm, PUBLISHER, KIND).unwrap_or(NAME);
    let path = api::path(&extension::child(id, name)?, EXTENSION);
    let operation = client.begin(Method::PUT, &path, Some(&body)).await?;
    if wait { Ok(shape::extension(operation.wait().await?)) } else { Ok(Value::Null) }
}

/// The version to ask for, and whether a lower one is there that must be told to
/// go up. A higher one stays.
fn version(vm: &Value) -> (String, bool) {
    let there = vm["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|resource| resource["name"] == KIND)
        .and_then(|resource| resource["properties"]["typeHandlerVersion"].as_str());
    let numbers = |version: &str| -> Vec<u64> {
        version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    match there {
        Some(version) if numbers(version) > numbers(VERSION) => {
            (version.to_owned(), false)
        }
        Some(version) => (VERSION.to_owned(), numbers(version) < numbers(VERSION)),
        None => (VERSION.to_owned(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_handler_goes_up_and_a_newer_one_stays() {
        let vm = |version: &str| json!({"resources": [{"name": KIND, "properties": {"typeHandlerVersion": version}}]});
        assert_eq!(version(&json!({})), ("1.5".to_owned(), false));
        assert_eq!(version(&vm("1.4")), ("1.5".to_owned(), true));
        assert_eq!(version(&vm("1.5")), ("1.5".to_owned(), false));
        assert_eq!(version(&vm("1.10")), ("1.10".to_owned(), false));
    }
}

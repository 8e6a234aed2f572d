//! Signing in: which cloud, with which credential, in which subscription.
//!
//! The first that applies: `--cloud`; a lab named by `--state`; the cloud of
//! `REGAIN_ENDPOINT`; the one that `cloud set` chose; a running lab; Azure by
//! credentials in the environment; the cloud that `az` is logged in to. Nothing
//! is sent anywhere before it is known where to.

mod azure_cli;
pub(crate) mod clouds;
mod environment;
mod kept;

pub(crate) use clouds::{Clouds, LAB};

use arm::{Client, Credential, ResourceId, Secret};

use crate::args::Global;
use crate::failure::Failure;
use crate::lab::LabState;
use environment::Environment;

/// The list of the subscriptions that a login sees.
const SUBSCRIPTIONS: &str = "/subscriptions?api-version=2022-12-01";

/// A signed-in way to one subscription of one cloud.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// The way.
    pub(crate) client: Client,
    /// The subscription's id.
    pub(crate) subscription: String,
}

/// Signs in.
pub(crate) async fn sign_in(global: &Global) -> Result<Session, Failure> {
    let environment = Environment::read();
    let subscription =
        global.subscription.clone().or_else(|| environment.subscription.clone());
    let lab = LabState::of(global);
    environment.check()?;
    let azure = match global.cloud.as_deref() {
        Some(name) if name.eq_ignore_ascii_case(LAB) => {
            return in_lab(&lab, global).await;
        }
        Some(name) if name.eq_ignore_ascii_case("azure") => true,
        Some(name) => return by_name(name, &lab, &environment, subscription).await,
        None if global.state.is_some() => return in_lab(&lab, global).await,
        None => false,
    };
    if !azure && let Some(endpoint) = &environment.endpoint {
        let credential = match environment.credential.clone() {
            Some(credential) => credential,
            None => azure_cli::credential()?,
        };
        return connect(endpoint, &environment, credential, subscription).await;
    }
    if !azure {
        match Clouds::read(&lab)?.set() {
            Some(LAB) => return in_lab(&lab, global).await,
            Some(name) => return by_name(name, &lab, &environment, subscription).await,
            None if lab.server()?.is_some() => return in_lab(&lab, global).await,
            None => {}
        }
    }
    if let Some(credential) = environment.credential.clone() {
        return connect(environment::AZURE, &environment, credential, subscription).await;
    }
    let account = azure_cli::account().await?;
    let subscription = subscription.or(Some(account.subscription));
    connect(&account.endpoint, &environment, Credential::AzureCli, subscription).await
}

/// Whether there is a cloud to ask: a lab runs, the environment has a credential, or
/// `az` is logged in.
pub(crate) fn is_at_hand(global: &Global) -> bool {
    let environment = Environment::read();
    environment.credential.is_some()
        || LabState::of(global).server().is_ok_and(|server| server.is_some())
        || azure_cli::is_logged_in()
}

async fn in_lab(lab: &LabState, global: &Global) -> Result<Session, Failure> {
    let Some(server) = lab.server()? else { return Err(lab.is_down()) };
    let credentials = lab.credentials()?;
    let credential = Credential::ClientSecret {
        tenant: credentials.tenant,
        client_id: credentials.client_id,
        secret: credentials.client_secret,
    };
    let client = kept::client(lab, &server, credential).await?;
    let subscription = global.subscription.clone().unwrap_or(credentials.subscription);
    Ok(Session { client, subscription })
}

/// A cloud of `cloud list`, by the environment's credential, or az's if az is
/// logged in to the same cloud.
async fn by_name(
    name: &str,
    lab: &LabState,
    environment: &Environment,
    subscription: Option<String>,
) -> Result<Session, Failure> {
    let endpoint = Clouds::read(lab)?.endpoint(name)?;
    if let Some(credential) = environment.credential.clone() {
        return connect(&endpoint, environment, credential, subscription).await;
    }
    let account = azure_cli::account().await?;
    let bare = |url: &str| url.trim_end_matches('/').to_lowercase();
    if bare(&account.endpoint) != bare(&endpoint) {
        return Err(Failure::new(format!(
            "there is no credential for the cloud '{name}': az is logged in to {}",
            account.endpoint
        ))
        .next(format!(
            "set REGAIN_TENANT, REGAIN_CLIENT_ID and REGAIN_CLIENT_SECRET; or \
             `az cloud set -n {name}` and `az login`"
        )));
    }
    let subscription = subscription.or(Some(account.subscription));
    connect(&endpoint, environment, Credential::AzureCli, subscription).await
}

async fn connect(
    endpoint: &str,
    environment: &Environment,
    credential: Credential,
    subscription: Option<String>,
) -> Result<Session, Failure> {
    let client = Client::connect(endpoint, environment.ca.as_deref(), credential).await?;
    let subscription = match subscription {
        Some(subscription) if is_id(&subscription) => subscription,
        Some(name) => named_subscription(&client, &name).await?,
        None => only_subscription(&client).await?,
    };
    Ok(Session { client, subscription })
}

/// Whether this is a subscription's id, a GUID, and not its name.
fn is_id(subscription: &str) -> bool {
    let hex = subscription.chars().filter(char::is_ascii_hexdigit).count();
    hex == 32 && subscription.len() == 36
}

/// The subscription with this display name, as `az --subscription` takes it too.
async fn named_subscription(client: &Client, name: &str) -> Result<String, Failure> {
    let all = client.list(SUBSCRIPTIONS).await?;
    let is_named = |item: &&serde_json::Value| {
        item["displayName"].as_str().is_some_and(|its| its.eq_ignore_ascii_case(name))
    };
    let named: Vec<&str> = all
        .iter()
        .filter(is_named)
        .filter_map(|item| item["subscriptionId"].as_str())
        .collect();
    match named.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(Failure::not_found(format!(
            "this login sees no subscription with the id or the name '{name}'"
        ))
        .next("`regain account list` shows those that it sees")),
        several => Err(Failure::usage(format!(
            "{} subscriptions are called '{name}'",
            several.len()
        ))
        .next(format!("name one by its id: {}", several.join(", ")))),
    }
}

async fn only_subscription(client: &Client) -> Result<String, Failure> {
    let all = client.list(SUBSCRIPTIONS).await?;
    let ids: Vec<&str> =
        all.iter().filter_map(|item| item["subscriptionId"].as_str()).collect();
    match ids.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(Failure::not_found("this login sees no subscription")
            .next("ask for a role on the subscription, then try again")),
        several => Err(Failure::usage(format!(
            "this login sees {} subscriptions",
            several.len()
        ))
        .next(format!("name one with --subscription: {}", several.join(", ")))),
    }
}

impl Session {
    /// The id of a resource group.
    pub(crate) fn group(&self, group: &str) -> Result<ResourceId, Failure> {
        ResourceId::of_group(&self.subscription, group)
            .map_err(|_| bad_name("group", group))
    }

    /// The id of a resource in a group: `kind` is a full type, as in
    /// `Microsoft.Compute/virtualMachines`.
    pub(crate) fn resource(
        &self,
        group: &str,
        kind: &str,
        name: &str,
    ) -> Result<ResourceId, Failure> {
        let (namespace, kind) = kind.split_once('/').unwrap_or((kind, ""));
        self.group(group)?
            .with_resource(namespace, kind, name)
            .map_err(|_| bad_name("resource", name))
    }

    /// The id of a VM.
    pub(crate) fn vm(&self, group: &str, name: &str) -> Result<ResourceId, Failure> {
        self.resource(group, "Microsoft.Compute/virtualMachines", name)
    }

    /// The scope of a list: a group, or the whole subscription.
    pub(crate) fn scope(&self, group: Option<&str>) -> Result<ResourceId, Failure> {
        match group {
            Some(group) => self.group(group),
            None => ResourceId::of_subscription(&self.subscription)
                .map_err(|_| bad_name("subscription", &self.subscription)),
        }
    }
}

fn bad_name(what: &str, name: &str) -> Failure {
    Failure::new(format!("'{name}' cannot be the name of a {what}"))
}

/// A client secret as the lab's file holds it.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServicePrincipal {
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) subscription: String,
}

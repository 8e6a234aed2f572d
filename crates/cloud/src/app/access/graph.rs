//! The directory as Microsoft Graph shows it: applications, service principals and
//! secrets, as far as `az ad` and role assignments by name need them.
//!
//! Everybody who can sign in may read it. Who may give roles in the subscription
//! may write it. There are no users and no groups.

use arm::ResourceId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::LOCK;
use super::identity::secret_of;
use crate::app::document::text;
use crate::app::odata::{self, Term};
use crate::app::{App, Caller, Problem};
use crate::state::new_secret;
use crate::store::{Application, Kind, Principal, Secret, now};

/// How many ids `getByIds` takes.
const IDS: usize = 1000;

impl App {
    /// `GET /applications`
    pub(crate) async fn applications(&self, filter: &str) -> Result<Value, Problem> {
        let mut shown = Vec::new();
        for one in self.store.applications().await? {
            shown.push(self.application_shown(&one).await?);
        }
        filtered(shown, filter)
    }

    /// `GET /applications/{id}`
    pub(crate) async fn application(&self, id: &str) -> Result<Value, Problem> {
        let one = self.application_of(id).await?;
        self.application_shown(&one).await
    }

    /// `POST /applications`
    pub(crate) async fn create_application(
        &self,
        caller: &Caller,
        body: &Value,
    ) -> Result<Value, Problem> {
        self.check_directory_writer(caller)?;
        if body["keyCredentials"].as_array().is_some_and(|keys| !keys.is_empty()) {
            return Err(bad_request(
                "Applications sign in here with a secret, not with a certificate.",
            ));
        }
        let one = Application {
            id: Uuid::new_v4().to_string(),
            app_id: Uuid::new_v4().to_string(),
            name: display_name(body)?.to_owned(),
            created_at: now(),
        };
        self.store.put_application(&one).await?;
        self.application_shown(&one).await
    }

    /// `PATCH /applications/{id}`: its name.
    pub(crate) async fn update_application(
        &self,
        caller: &Caller,
        id: &str,
        body: &Value,
    ) -> Result<(), Problem> {
        self.check_directory_writer(caller)?;
        let _turn = self.turn(LOCK).await?;
        let mut one = self.application_of(id).await?;
        if body.get("displayName").is_some() {
            display_name(body)?.clone_into(&mut one.name);
            self.store.put_application(&one).await?;
        }
        Ok(())
    }

    /// `DELETE /applications/{id}`: with its secrets and its principal.
    pub(crate) async fn delete_application(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(), Problem> {
        self.check_directory_writer(caller)?;
        let _turn = self.turn(LOCK).await?;
        let one = self.application_of(id).await?;
        if let Some(principal) = self.directory.of_app(&one.app_id) {
            self.remove_service_principal(&principal).await?;
        }
        Ok(self.store.remove_application(&one.app_id).await?)
    }

    /// `GET /servicePrincipals`
    pub(crate) async fn service_principals(
        &self,
        filter: &str,
    ) -> Result<Value, Problem> {
        let mut shown = Vec::new();
        for one in self.directory.everybody() {
            shown.push(self.principal_shown(&one).await?);
        }
        filtered(shown, filter)
    }

    /// `GET /servicePrincipals/{id}`
    pub(crate) async fn service_principal(&self, id: &str) -> Result<Value, Problem> {
        let one = self.directory.principal(id).ok_or_else(|| missing(id))?;
        self.principal_shown(&one).await
    }

    /// `POST /servicePrincipals`: the principal of an application.
    pub(crate) async fn create_service_principal(
        &self,
        caller: &Caller,
        body: &Value,
    ) -> Result<Value, Problem> {
        self.check_directory_writer(caller)?;
        let app_id = text(body, "/appId").unwrap_or_default();
        let _turn = self.turn(LOCK).await?;
        let applications = self.store.applications().await?;
        let one = applications.iter().find(|one| one.app_id.eq_ignore_ascii_case(app_id));
        let one = one.ok_or_else(|| {
            bad_request(format!(
                "The appId '{app_id}' of the service principal does not reference a valid \
                 application object."
            ))
        })?;
        if self.directory.of_app(app_id).is_some() {
            return Err(Problem::Conflict {
                code: "Request_MultipleObjectsWithSameKeyValue",
                message: format!(
                    "The service principal cannot be created, updated, or restored because the \
                     service principal name {app_id} is already in use."
                ),
            });
        }
        let made =
            Principal::new(one.app_id.clone(), one.name.clone(), Kind::Application);
        self.store.put_principal(&made).await?;
        self.directory.reload(&self.store).await?;
        self.principal_shown(&made).await
    }

    /// `DELETE /servicePrincipals/{id}`
    pub(crate) async fn delete_service_principal(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(), Problem> {
        self.check_directory_writer(caller)?;
        let _turn = self.turn(LOCK).await?;
        let one = self.directory.principal(id).ok_or_else(|| missing(id))?;
        self.remove_service_principal(&one).await
    }

    async fn remove_service_principal(&self, one: &Principal) -> Result<(), Problem> {
        if one.machine.is_some() || self.comes_with_the_state(one) {
            return Err(Problem::Denied {
                code: "Authorization_RequestDenied",
                message: format!(
                    "The service principal '{}' comes with a virtual machine or with this \
                     cloud, and goes with it only.",
                    one.name
                ),
            });
        }
        self.store.remove_principal(&one.id).await?;
        self.directory.reload(&self.store).await
    }

    /// `POST /applications/{id}/addPassword` and `POST /servicePrincipals/{id}/addPassword`
    pub(crate) async fn add_password(
        &self,
        caller: &Caller,
        id: &str,
        body: &Value,
    ) -> Result<Value, Problem> {
        self.check_directory_writer(caller)?;
        let app_id = self.app_id_of(id).await?;
        let asked = &body["passwordCredential"];
        let end = match text(asked, "/endDateTime") {
            Some(end) => end.parse::<jiff::Timestamp>().map_err(|error| {
                bad_request(format!("The endDateTime '{end}' is not a time: {error}."))
            })?,
            None => {
                jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 365 * 2)
            }
        };
        let clear = new_secret();
        let end = end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let secret = secret_of(&clear, text(asked, "/displayName"), &end);
        self.store.put_secret(&app_id, &secret, &clear).await?;
        let mut shown = secret_shown(&secret);
        // The only time that it is told.
        shown["secretText"] = json!(clear);
        Ok(shown)
    }

    /// `POST …/removePassword`
    pub(crate) async fn remove_password(
        &self,
        caller: &Caller,
        id: &str,
        body: &Value,
    ) -> Result<(), Problem> {
        self.check_directory_writer(caller)?;
        let app_id = self.app_id_of(id).await?;
        let key = text(body, "/keyId").unwrap_or_default();
        if self.store.remove_secret(&app_id, key).await? {
            return Ok(());
        }
        Err(bad_request(format!("No password credential found with keyId '{key}'.")))
    }

    /// `POST /directoryObjects/getByIds`
    pub(crate) async fn directory_objects(&self, body: &Value) -> Result<Value, Problem> {
        let ids =
            body["ids"].as_array().ok_or_else(|| bad_request("'ids' is missing."))?;
        let mut found = Vec::new();
        for id in ids.iter().take(IDS).filter_map(Value::as_str) {
            if let Some(one) = self.directory.principal(id) {
                let mut shown = self.principal_shown(&one).await?;
                shown["@odata.type"] = json!("#microsoft.graph.servicePrincipal");
                found.push(shown);
            }
        }
        Ok(json!({ "value": found }))
    }

    /// `GET /organization`
    pub(crate) fn organization(&self) -> Value {
        json!({ "value": [{ "id": self.tenant, "displayName": "regain", "verifiedDomains": [] }] })
    }

    fn check_directory_writer(&self, caller: &Caller) -> Result<(), Problem> {
        let subscription = ResourceId::of_subscription(&self.subscription)
            .map_err(|error| Problem::NotFound { message: error.to_string() })?;
        let action = "Microsoft.Authorization/roleAssignments/write";
        self.require(caller, action, &subscription).map_err(|_refused| Problem::Denied {
            code: "Authorization_RequestDenied",
            message: "Insufficient privileges to complete the operation. Who may give roles in \
                      the subscription may write the directory."
                .to_owned(),
        })
    }

    async fn application_of(&self, id: &str) -> Result<Application, Problem> {
        let mut all = self.store.applications().await?.into_iter();
        all.find(|one| one.id.eq_ignore_ascii_case(id)).ok_or_else(|| missing(id))
    }

    /// The application's id for the object id of an application or of its principal.
    async fn app_id_of(&self, id: &str) -> Result<String, Problem> {
        match self.directory.principal(id) {
            Some(one) if one.kind == Kind::ManagedIdentity => Err(bad_request(
                "A managed identity has no passwords; the platform vouches for it.",
            )),
            Some(one) => Ok(one.app_id.clone()),
            None => Ok(self.application_of(id).await?.app_id),
        }
    }

    async fn application_shown(&self, one: &Application) -> Result<Value, Problem> {
        let secrets = self.store.secrets(&one.app_id).await?;
        Ok(json!({
            "id": one.id,
            "appId": one.app_id,
            "displayName": one.name,
            "createdDateTime": one.created_at,
            "identifierUris": [],
            "publisherDomain": "regain.invalid",
            "signInAudience": "AzureADMyOrg",
            "tags": [],
            "keyCredentials": [],
            "passwordCredentials": secrets.iter().map(secret_shown).collect::<Vec<_>>(),
        }))
    }

    async fn principal_shown(&self, one: &Principal) -> Result<Value, Problem> {
        Ok(json!({
            "id": one.id,
            "appId": one.app_id,
            "displayName": one.name,
            "appDisplayName": one.name,
            "accountEnabled": true,
            "appOwnerOrganizationId": self.tenant,
            "createdDateTime": one.created_at,
            "servicePrincipalType": one.service_principal_type(),
            "servicePrincipalNames": [one.app_id],
            "alternativeNames": one.machine.iter().collect::<Vec<_>>(),
            "tags": [],
            "keyCredentials": [],
            "passwordCredentials": [],
        }))
    }
}

fn secret_shown(secret: &Secret) -> Value {
    json!({
        "keyId": secret.id,
        "displayName": secret.name,
        "hint": secret.hint,
        "startDateTime": secret.start_at,
        "endDateTime": secret.end_at,
        "customKeyIdentifier": null,
        "secretText": null,
    })
}

fn display_name(body: &Value) -> Result<&str, Problem> {
    let name = text(body, "/displayName").unwrap_or_default();
    if (1..=256).contains(&name.chars().count()) {
        return Ok(name);
    }
    Err(bad_request("A displayName of 1 to 256 characters is needed."))
}

/// Those of a list that a filter lets through.
fn filtered(all: Vec<Value>, filter: &str) -> Result<Value, Problem> {
    let terms = odata::terms(filter)?;
    let mut shown = Vec::new();
    for one in all {
        let mut wanted = true;
        for term in &terms {
            wanted &= holds(term, &one)?;
        }
        if wanted {
            shown.push(one);
        }
    }
    Ok(json!({ "value": shown }))
}

fn holds(term: &Term, one: &Value) -> Result<bool, Problem> {
    let same = |field: &str, value: &str| {
        one[field].as_str().is_some_and(|is| is.eq_ignore_ascii_case(value))
    };
    match term {
        Term::Compare(field, operator, value) if operator == "eq" => {
            Ok(same(field, value))
        }
        Term::Compare(field, operator, value) if operator == "ne" => {
            Ok(!same(field, value))
        }
        Term::Any(field, value) => {
            let all = one[field.as_str()].as_array().into_iter().flatten();
            Ok(all.filter_map(Value::as_str).any(|is| is.eq_ignore_ascii_case(value)))
        }
        Term::Call(name, arguments) if name.eq_ignore_ascii_case("startswith") => {
            let [field, start] = arguments.as_slice() else {
                return Err(odata::unsupported(
                    "startswith() takes a field and a text".to_owned(),
                ));
            };
            let is = one[field.as_str()].as_str().unwrap_or_default().to_lowercase();
            Ok(is.starts_with(&start.to_lowercase()))
        }
        _ => Err(odata::unsupported(format!("{term:?} is not understood here"))),
    }
}

fn missing(id: &str) -> Problem {
    Problem::Missing {
        code: "Request_ResourceNotFound",
        message: format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects \
             are not present."
        ),
    }
}

fn bad_request(message: impl Into<String>) -> Problem {
    Problem::Invalid { code: "Request_BadRequest", message: message.into(), target: None }
}

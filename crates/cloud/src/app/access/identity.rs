//! Who signs in how: applications by their secrets; this host and virtual machines
//! by managed identities, for which the platform vouches.
//!
//! Two principals come with the state directory and own the subscription: the
//! application of `credentials.json`, and this host's identity.

use arm::ResourceId;
use aws_lc_rs::constant_time;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Access, OWNER};
use crate::app::document::text;
use crate::app::{App, Caller, Problem};
use crate::state::Credentials;
use crate::store::{Application, Kind, Principal, Secret, key_of, now};

/// The display name of this host's identity.
const HOST: &str = "regain-host";
/// When a secret ends that does not end.
const NEVER: &str = "2999-12-31T23:59:59Z";
/// How much of a secret is shown.
const HINT: usize = 3;

impl App {
    /// Makes the principals that come with the state directory, those that are not
    /// there yet, and brings all of them and their roles into memory.
    pub(crate) async fn admit(&self, credentials: &Credentials) -> Result<(), Problem> {
        self.directory.reload(&self.store).await?;
        let scope = format!("/subscriptions/{}", self.subscription);
        let app_id = credentials.client_id.to_ascii_lowercase();
        if self.directory.of_app(&app_id).is_none() {
            let application = Application {
                id: Uuid::new_v4().to_string(),
                app_id: app_id.clone(),
                name: "regain".to_owned(),
                created_at: now(),
            };
            let owner =
                Principal::new(app_id.clone(), "regain".to_owned(), Kind::Application);
            let secret =
                secret_of(&credentials.client_secret, Some("credentials.json"), NEVER);
            // The principal is written last: it is what says that all is there.
            self.store.put_application(&application).await?;
            self.store.put_secret(&app_id, &secret, &credentials.client_secret).await?;
            Access::promise(&self.store, &owner.id, OWNER, &scope).await?;
            self.store.put_principal(&owner).await?;
        }
        let host =
            |one: &Caller| one.kind == Kind::ManagedIdentity && one.machine.is_none();
        if !self.directory.everybody().iter().any(host) {
            let app_id = Uuid::new_v4().to_string();
            let host = Principal::new(app_id, HOST.to_owned(), Kind::ManagedIdentity);
            Access::promise(&self.store, &host.id, OWNER, &scope).await?;
            self.store.put_principal(&host).await?;
        }
        self.directory.reload(&self.store).await?;
        self.access.reload(&self.store).await
    }

    /// Who signs in with an application's id and a secret.
    pub(crate) async fn sign_in(
        &self,
        app_id: &str,
        secret: &str,
    ) -> Result<Caller, Problem> {
        let who =
            self.directory.of_app(app_id).filter(|who| who.kind == Kind::Application);
        let who = who.ok_or_else(|| Problem::SignInRefused {
            why: format!(
                "AADSTS700016: Application with identifier '{app_id}' was not found in the \
                 directory 'regain'. This cloud's own is in credentials.json in the server's \
                 state directory."
            ),
        })?;
        match self.store.secret_end(&who.app_id, secret).await? {
            Some(end) if is_past(&end) => Err(Problem::SignInRefused {
                why: format!(
                    "AADSTS7000222: The provided client secret keys for app '{app_id}' are \
                     expired. Make a new one: az ad sp credential reset --id {app_id}"
                ),
            }),
            Some(_) => Ok(who),
            None => Err(Problem::SignInRefused {
                why: format!(
                    "AADSTS7000215: Invalid client secret provided. Ensure the secret being \
                     sent in the request is the client secret value, not the client secret ID, \
                     for a secret added to app '{app_id}'."
                ),
            }),
        }
    }

    /// This host's identity, for who knows its secret.
    pub(crate) fn host_identity(&self, secret: &str) -> Option<Caller> {
        constant_time::verify_slices_are_equal(
            secret.as_bytes(),
            self.host_secret.as_bytes(),
        )
        .ok()?;
        let mut all = self.directory.everybody().into_iter();
        all.find(|one| one.kind == Kind::ManagedIdentity && one.machine.is_none())
    }

    /// Whether a principal is one of the two that come with the state directory.
    pub(super) fn comes_with_the_state(&self, one: &Principal) -> bool {
        one.app_id.eq_ignore_ascii_case(&self.founder)
            || one.kind == Kind::ManagedIdentity && one.machine.is_none()
    }

    /// The identity of a virtual machine, if it has one.
    pub(crate) fn machine_identity(&self, vm: &ResourceId) -> Option<Caller> {
        self.directory.of_machine(&key_of(vm))
    }

    /// Makes a machine's principal be as its document says (`identity.type`), and
    /// the document's `identity` name it.
    ///
    /// # Errors
    /// A kind of identity that this cloud does not have.
    pub(crate) async fn settle_identity(
        &self,
        vm: &ResourceId,
        document: &mut Value,
    ) -> Result<(), Problem> {
        let kind = text(document, "/identity/type").unwrap_or("None").to_owned();
        if kind.eq_ignore_ascii_case("None") {
            if let Some(object) = document.as_object_mut() {
                object.shift_remove("identity");
            }
            return self.dismiss_identity(vm).await;
        }
        if !kind.eq_ignore_ascii_case("SystemAssigned") {
            return Err(Problem::parameter(
                "identity.type",
                format!(
                    "This cloud's virtual machines have an identity of type 'SystemAssigned' \
                     or 'None', not '{kind}'."
                ),
            ));
        }
        let key = key_of(vm);
        if self.directory.of_machine(&key).is_none() {
            let app_id = Uuid::new_v4().to_string();
            let made =
                Principal::new(app_id, vm.name().to_owned(), Kind::ManagedIdentity);
            self.store
                .put_principal(&Principal { machine: Some(key.clone()), ..made })
                .await?;
            self.directory.reload(&self.store).await?;
        }
        let who = self.directory.of_machine(&key).map(|who| who.id.clone());
        document["identity"] = json!({
            "type": "SystemAssigned",
            "principalId": who,
            "tenantId": self.tenant,
        });
        Ok(())
    }

    /// A machine's principal goes. Roles that it had stay on record, as in Azure,
    /// and are of no use to anybody: its id does not come back.
    pub(crate) async fn dismiss_identity(&self, vm: &ResourceId) -> Result<(), Problem> {
        if let Some(who) = self.directory.of_machine(&key_of(vm)) {
            self.store.remove_principal(&who.id).await?;
            self.directory.reload(&self.store).await?;
        }
        Ok(())
    }
}

/// What is kept of a new secret beside its hash.
pub(crate) fn secret_of(clear: &str, name: Option<&str>, end_at: &str) -> Secret {
    Secret {
        id: Uuid::new_v4().to_string(),
        name: name.map(str::to_owned),
        hint: clear.chars().take(HINT).collect(),
        start_at: now(),
        end_at: end_at.to_owned(),
    }
}

/// Whether a time (RFC 3339) is over. One that cannot be read is: nobody is let in
/// by mistake.
fn is_past(time: &str) -> bool {
    time.parse::<jiff::Timestamp>().map_or(true, |end| end <= jiff::Timestamp::now())
}

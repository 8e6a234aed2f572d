//! Tenant certificates: one for each machine. Protected settings are encrypted to it
//! before they are written anywhere, and only its machine is given the key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guest::envelope::{self, Cipher, Identity};
use serde_json::Value;

use crate::app::{App, Problem};
use crate::store::Tenant;

impl App {
    /// A tenant certificate for a new machine. Simulated machines have no secrets
    /// from each other and share one, so that a thousand of them are made quickly.
    pub(super) async fn new_tenant(&self) -> Result<Tenant, Problem> {
        if self.simulated {
            return self.shared_tenant.get_or_try_init(new_tenant).await.cloned();
        }
        new_tenant().await
    }
}

/// A new tenant certificate. Takes a good part of a second.
async fn new_tenant() -> Result<Tenant, Problem> {
    let made = tokio::task::spawn_blocking(|| {
        let identity = Identity::generate("regain tenant").map_err(broken)?;
        Ok(Tenant {
            certificate: identity.certificate_pem().map_err(broken)?,
            key: identity.key_pem().map_err(broken)?,
        })
    });
    made.await.map_err(|error| Problem::Internal {
        doing: "make a tenant certificate",
        why: error.to_string(),
    })?
}

/// Protected settings for a machine: only its agent can read them.
pub(super) fn protect(settings: &Value, tenant: &Tenant) -> Result<String, Problem> {
    let der = identity(tenant)?.certificate_der().map_err(broken)?;
    let clear = settings.to_string();
    let message =
        envelope::encrypt(clear.as_bytes(), &der, Cipher::Aes128Cbc).map_err(broken)?;
    Ok(STANDARD.encode(message))
}

/// Opens protected settings as a machine's agent does.
pub(super) fn unprotect(message: &str, tenant: &Tenant) -> Result<Value, Problem> {
    let broken =
        |why: String| Problem::Internal { doing: "open protected settings", why };
    let message = STANDARD.decode(message).map_err(|error| broken(error.to_string()))?;
    let clear = envelope::decrypt(&message, &identity(tenant)?)
        .map_err(|error| broken(error.to_string()))?;
    serde_json::from_slice(&clear).map_err(|error| broken(error.to_string()))
}

pub(super) fn identity(tenant: &Tenant) -> Result<Identity, Problem> {
    Identity::from_pem(&tenant.certificate, &tenant.key).map_err(broken)
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
pub(super) fn broken(error: envelope::EnvelopeError) -> Problem {
    Problem::Internal { doing: "use a tenant certificate", why: error.to_string() }
}

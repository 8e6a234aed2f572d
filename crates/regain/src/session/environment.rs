//! What the environment says about the cloud and how to sign in.
//!
//! `REGAIN_*` as `regain lab env` prints them; `AZURE_*` and `IDENTITY_*` as
//! Azure's SDKs read them; `REQUESTS_CA_BUNDLE` as `az` reads it.

use std::env;
use std::path::PathBuf;

use arm::{Credential, IdentityEndpoint, Secret};

use crate::failure::Failure;

/// Azure's public cloud.
pub(super) const AZURE: &str = "https://management.azure.com";

/// The environment, read once.
#[derive(Debug)]
pub(super) struct Environment {
    pub(super) endpoint: Option<String>,
    pub(super) ca: Option<PathBuf>,
    pub(super) subscription: Option<String>,
    pub(super) credential: Option<Credential>,
    /// What is set in part only, so that it cannot be meant.
    half: Option<(String, String)>,
}

impl Environment {
    pub(super) fn read() -> Self {
        Self::from(|name| env::var(name).ok())
    }

    /// Says what is set in part only, if nothing else signs in.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match &self.half {
            Some((there, missing)) if self.credential.is_none() => {
                Err(Failure::usage(format!("{there} is set, and {missing} is not"))
                    .next("set all of them, or none"))
            }
            _ => Ok(()),
        }
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let either = |name: &str| {
            set(&format!("REGAIN_{name}")).or_else(|| set(&format!("AZURE_{name}")))
        };
        let principal = || {
            Some(Credential::ClientSecret {
                tenant: set("REGAIN_TENANT").or_else(|| set("AZURE_TENANT_ID"))?,
                client_id: either("CLIENT_ID")?,
                secret: Secret::new(either("CLIENT_SECRET")?),
            })
        };
        let token = || {
            set("REGAIN_ACCESS_TOKEN").map(|text| Credential::Token(Secret::new(text)))
        };
        let service = || {
            Some(IdentityEndpoint::AppService {
                url: set("IDENTITY_ENDPOINT")?,
                header: Secret::new(set("IDENTITY_HEADER")?),
            })
        };
        // A metadata service is asked only if somebody says that there is one:
        // elsewhere its address is a stranger's.
        let machine = || {
            let base = set("AZURE_POD_IDENTITY_AUTHORITY_HOST").or_else(|| {
                set("REGAIN_MANAGED_IDENTITY").map(|_| IdentityEndpoint::IMDS.to_owned())
            })?;
            Some(IdentityEndpoint::Imds { base })
        };
        let identity = || {
            let endpoint = service().or_else(machine)?;
            Some(Credential::ManagedIdentity { endpoint, client_id: either("CLIENT_ID") })
        };
        // All of a secret's three parts, or of a service's two, or none.
        let half = |names: &[&str], needed: &str| {
            let is_set = |name: &&&str| set(name).is_some();
            let (there, missing): (Vec<&str>, Vec<&str>) =
                names.iter().partition(|name| is_set(name));
            let meant = there.contains(&needed) && !missing.is_empty();
            meant.then(|| (there.join(" and "), missing.join(" and ")))
        };
        let half = half(
            &["REGAIN_TENANT", "REGAIN_CLIENT_ID", "REGAIN_CLIENT_SECRET"],
            "REGAIN_CLIENT_SECRET",
        )
        .or_else(|| {
            half(
                &["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"],
                "AZURE_CLIENT_SECRET",
            )
        })
        .or_else(|| half(&["IDENTITY_HEADER", "IDENTITY_ENDPOINT"], "IDENTITY_HEADER"));
        Self {
            half,
            endpoint: set("REGAIN_ENDPOINT"),
            ca: set("REQUESTS_CA_BUNDLE").map(PathBuf::from),
            subscription: set("REGAIN_SUBSCRIPTION")
                .or_else(|| set("AZURE_SUBSCRIPTION_ID")),
            credential: token().or_else(principal).or_else(identity),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(set: &[(&str, &str)]) -> Environment {
        Environment::from(|name| {
            set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_labs_variables_are_enough() {
        let environment = with(&[
            ("REGAIN_ENDPOINT", "https://127.0.0.1:1"),
            ("REGAIN_TENANT", "t"),
            ("REGAIN_CLIENT_ID", "c"),
            ("REGAIN_CLIENT_SECRET", "s"),
            ("REGAIN_SUBSCRIPTION", "sub"),
            ("REQUESTS_CA_BUNDLE", "/ca.pem"),
        ]);
        assert!(matches!(environment.credential, Some(Credential::ClientSecret { .. })));
        assert_eq!(environment.subscription.as_deref(), Some("sub"));
        assert_eq!(environment.ca, Some(PathBuf::from("/ca.pem")));
    }

    #[test]
    fn nothing_and_the_empty_string_are_no_credential() {
        assert!(with(&[]).credential.is_none());
        let empty = with(&[
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_CLIENT_SECRET", ""),
        ]);
        assert!(empty.credential.is_none());
    }

    #[test]
    fn what_is_set_in_part_is_named() {
        let half = with(&[("REGAIN_TENANT", "t"), ("REGAIN_CLIENT_SECRET", "hunter2")]);
        let failure = half.check().unwrap_err();
        assert_eq!(
            failure.chain(),
            "REGAIN_TENANT and REGAIN_CLIENT_SECRET is set, and REGAIN_CLIENT_ID is not"
        );
        assert_eq!(failure.exit_code(), 2);
        assert!(with(&[("AZURE_CLIENT_ID", "me")]).check().is_ok());
    }

    #[test]
    fn a_metadata_service_is_asked_only_when_named() {
        let named = with(&[("REGAIN_MANAGED_IDENTITY", "1"), ("AZURE_CLIENT_ID", "me")]);
        assert!(matches!(
            named.credential,
            Some(Credential::ManagedIdentity {
                endpoint: IdentityEndpoint::Imds { .. },
                ..
            })
        ));
    }
}

//! `account`: the subscriptions that this login sees, and who it is.

use serde_json::{Value, json};

use crate::args::account::Account;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

const SUBSCRIPTIONS: &str = "/subscriptions?api-version=2022-12-01";

pub(super) async fn run(account: Account, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    match account {
        Account::List(args) => {
            let mut all = all(&session, "cloudName").await?;
            if !args.all {
                all.retain(|subscription| subscription["state"] == "Enabled");
            }
            Ok(Answer::new(all.into()).with_columns(columns))
        }
        Account::Show(args) => {
            let name = args.name.unwrap_or_else(|| session.subscription.clone());
            let is_it = |subscription: &Value| {
                ["id", "name"].iter().any(|key| {
                    subscription[*key]
                        .as_str()
                        .is_some_and(|text| text.eq_ignore_ascii_case(&name))
                })
            };
            let all = all(&session, "environmentName").await?;
            all.into_iter().find(is_it).map(Answer::new).ok_or_else(|| {
                Failure::new(format!(
                    "Subscription '{name}' not found. Check the spelling and casing and try again."
                ))
            })
        }
    }
}

async fn all(session: &Session, cloud: &str) -> Result<Vec<Value>, Failure> {
    let claims = session.client.claims().await?;
    let user = user(&claims);
    let name = &session.client.endpoints().name;
    let subscriptions = session.client.list(SUBSCRIPTIONS).await?.into_iter();
    Ok(subscriptions
        .map(|subscription| {
            json!({
                cloud: name,
                "homeTenantId": subscription["tenantId"],
                "id": subscription["subscriptionId"],
                "isDefault": subscription["subscriptionId"] == session.subscription.as_str(),
                "managedByTenants": subscription["managedByTenants"],
                "name": subscription["displayName"],
                "state": subscription["state"],
                "tenantId": subscription["tenantId"],
                "user": user,
            })
        })
        .collect())
}

/// A person by its name, everything else by its application.
fn user(claims: &Value) -> Value {
    match ["upn", "unique_name", "preferred_username"]
        .iter()
        .find_map(|key| claims[*key].as_str())
    {
        Some(name) => json!({ "name": name, "type": "user" }),
        None => json!({ "name": claims["appid"], "type": "servicePrincipal" }),
    }
}

fn columns(accounts: &Value) -> Value {
    let row = |account: &Value| {
        json!({
            "Name": account["name"],
            "CloudName": account["cloudName"],
            "SubscriptionId": account["id"],
            "TenantId": account["tenantId"],
            "State": account["state"],
            "IsDefault": account["isDefault"],
        })
    };
    accounts.as_array().into_iter().flatten().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_a_service_principal() {
        assert_eq!(
            user(&json!({"appid": "a", "oid": "o"})),
            json!({"name": "a", "type": "servicePrincipal"})
        );
        assert_eq!(user(&json!({"upn": "me@x", "appid": "az"}))["type"], "user");
    }
}

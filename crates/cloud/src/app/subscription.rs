//! The one subscription, its tenant, its location and what `az` asks about them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::document::listed;
use super::{Answer, App, Call, Problem};

/// `GET /subscriptions`
pub(crate) fn list(app: &App) -> Value {
    listed(vec![shown(app)])
}

/// `GET /tenants`
pub(crate) fn tenants(app: &App) -> Value {
    let tenant = &app.tenant;
    listed(vec![json!({
        "id": format!("/tenants/{tenant}"),
        "tenantId": tenant,
        "tenantCategory": "Home",
        "displayName": "regain",
    })])
}

/// `GET /subscriptions/{subscription}`
pub(crate) async fn get(app: Arc<App>, _call: Call) -> Result<Answer, Problem> {
    Ok(Answer::Found(shown(&app)))
}

/// `GET /subscriptions/{subscription}/locations`
pub(crate) async fn locations(app: Arc<App>, _call: Call) -> Result<Answer, Problem> {
    Ok(Answer::Found(listed(vec![json!({
        "id": format!("/subscriptions/{}/locations/local", app.subscription),
        "name": "local",
        "displayName": "Local",
        "regionalDisplayName": "This host",
        "metadata": { "regionType": "Physical", "regionCategory": "Recommended" },
    })])))
}

/// `GET /subscriptions/{subscription}/resources`: everything, for `az resource list`.
/// Of its filters `resourceGroup eq`, `resourceType eq` and `name eq` are understood.
pub(crate) async fn resources(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let filter = call.parameter("$filter").unwrap_or_default();
    let wanted = |field: &str, value: &str| {
        condition(filter, field).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    let all = app.store.list_all(&call.id).await?;
    let shown = all
        .iter()
        .filter(|resource| {
            let kind = resource.id.resource_type();
            // Groups are not resources, and children belong to theirs.
            kind.matches('/').count() == 1
                && !kind.starts_with("Microsoft.Resources/")
                && wanted("resourceGroup", resource.id.group().unwrap_or_default())
                && wanted("resourceType", &kind)
                && wanted("name", resource.id.name())
        })
        .map(|resource| {
            let document = &resource.document;
            json!({
                "id": document["id"],
                "name": document["name"],
                "type": document["type"],
                "location": document["location"],
                "tags": document["tags"],
                "createdTime": resource.created_at,
                "provisioningState": document["properties"]["provisioningState"],
            })
        });
    Ok(Answer::Found(listed(shown)))
}

/// The value in `field eq 'value'` of an OData filter.
fn condition<'a>(filter: &'a str, field: &str) -> Option<&'a str> {
    let lower = filter.to_ascii_lowercase();
    let at = lower.find(&format!("{} eq '", field.to_ascii_lowercase()))?;
    filter[at..].split('\'').nth(1)
}

fn shown(app: &App) -> Value {
    json!({
        "id": format!("/subscriptions/{}", app.subscription),
        "subscriptionId": app.subscription,
        "tenantId": app.tenant,
        "displayName": "regain",
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::condition;

    #[test]
    fn a_filter_is_read_without_regard_to_case() {
        let filter = "resourceGroup eq 'Lab' and ResourceType eq 'A.B/c'";
        assert_eq!(condition(filter, "resourceGroup"), Some("Lab"));
        assert_eq!(condition(filter, "resourceType"), Some("A.B/c"));
        assert_eq!(condition(filter, "name"), None);
    }
}

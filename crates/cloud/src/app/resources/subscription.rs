//! The one subscription, its tenant, its location and what `az` asks about them.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::document::listed;
use crate::app::{Answer, App, Call, Caller, Problem};

/// `GET /subscriptions`: the one there is, for who has a role in it.
pub(crate) fn list(app: &App, caller: &Caller) -> Value {
    let scope = format!("/subscriptions/{}", app.subscription);
    let known = app.access.policy().knows(&caller.id, &scope);
    listed(known.then(|| shown(app)))
}

/// `GET /tenants`
pub(crate) fn tenants(app: &App, _caller: &Caller) -> Value {
    let tenant = &app.tenant;
    listed(vec![json!({
        "id": format!("/tenants/{tenant}"),
        "tenantId": tenant,
        "tenantCategory": "Home",
        "displayName": app.cloud_name(),
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

/// The subscription as ARM shows it.
pub(super) fn shown(app: &App) -> Value {
    json!({
        "id": format!("/subscriptions/{}", app.subscription),
        "subscriptionId": app.subscription,
        "tenantId": app.tenant,
        "displayName": app.cloud_name(),
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

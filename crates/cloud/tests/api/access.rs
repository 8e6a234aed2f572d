//! Who asks, what they may do, and what is on record of it.

use std::time::Duration;

use cloud::{Limits, Rate};
use reqwest::Method;
use serde_json::{Value, json};

use crate::lab::{Lab, Reply, limits, machine_path, rule};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const VM_CONTRIBUTOR: &str = "9980e02c-c2be-4d73-94e8-173b1dc7cf3c";
const MANAGEMENT: &str = "https://management.regain.invalid//.default";

/// Somebody who signed in.
struct Somebody {
    id: String,
    app_id: String,
    secret: String,
    token: String,
}

impl Lab {
    async fn graph(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let address = format!("{}/graph/v1.0{path}", self.endpoint);
        let scope = format!("{}/graph/.default", self.endpoint);
        self.json(method, &address, &self.token_for(&scope).await, body).await
    }

    async fn token_for(&self, scope: &str) -> String {
        let credentials = self.credentials();
        let (id, secret) = (&credentials["clientId"], &credentials["clientSecret"]);
        self.token_of(id.as_str().unwrap(), secret.as_str().unwrap(), scope).await
    }

    async fn token_of(&self, app_id: &str, secret: &str, scope: &str) -> String {
        let reply = self
            .sign_in(&[
                ("grant_type", "client_credentials"),
                ("client_id", app_id),
                ("client_secret", secret),
                ("scope", scope),
            ])
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        format!("Bearer {}", reply.body["access_token"].as_str().unwrap())
    }

    /// An application with a principal and a secret, signed in.
    async fn somebody(&self, name: &str) -> Somebody {
        let body = json!({ "displayName": name });
        let application =
            self.graph(Method::POST, "/applications", Some(body)).await.body;
        let app_id = application["appId"].as_str().unwrap().to_owned();
        let path =
            format!("/applications/{}/addPassword", application["id"].as_str().unwrap());
        let password = self.graph(Method::POST, &path, Some(json!({}))).await.body;
        let body = json!({ "appId": app_id });
        let principal = self.graph(Method::POST, "/servicePrincipals", Some(body)).await;
        assert_eq!(principal.status, 201, "{principal:?}");
        let secret = password["secretText"].as_str().unwrap().to_owned();
        let token = self.token_of(&app_id, &secret, MANAGEMENT).await;
        Somebody {
            id: principal.body["id"].as_str().unwrap().to_owned(),
            app_id,
            secret,
            token,
        }
    }

    /// Gives a role at a scope below the subscription.
    async fn give(&self, scope: &str, name: u8, role: &str, who: &str) -> Reply {
        let name = format!("00000000-0000-0000-0000-0000000000{name:02}");
        let definition = format!(
            "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            self.subscription
        );
        self.put(
            &format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"),
            json!({ "properties": { "roleDefinitionId": definition, "principalId": who } }),
        )
        .await
    }

    /// A request of somebody's to a path below the subscription.
    async fn by(
        &self,
        who: &Somebody,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Reply {
        let mark = if path.contains('?') { '&' } else { '?' };
        let address = format!(
            "{}/subscriptions/{}{path}{mark}api-version=2024-11-01",
            self.endpoint, self.subscription
        );
        self.json(method, &address, &who.token, body).await
    }

    async fn log(&self, filter: &str) -> Vec<Value> {
        let path = "/providers/Microsoft.Insights/eventtypes/management/values";
        let reply = self.get(&format!("{path}?$filter={filter}")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["value"].as_array().unwrap().clone()
    }
}

fn reset() -> Option<Value> {
    Some(json!({ "location": "westus", "properties": {
        "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
        "typeHandlerVersion": "1.5", "settings": {}, "protectedSettings": { "reset_ssh": true },
    } }))
}

#[tokio::test]
async fn a_reader_sees_and_does_not_touch() {
    let lab = Lab::new().await;
    let vm = lab.machine("lab", "vm1").await;
    let reader = lab.somebody("reader").await;
    let refused = lab.by(&reader, Method::GET, &vm, None).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "AuthorizationFailed"));

    assert_eq!(lab.give("/resourceGroups/lab", 1, READER, &reader.id).await.status, 201);
    assert_eq!(lab.by(&reader, Method::GET, &vm, None).await.status, 200);
    let path = format!("{vm}/extensions/enablevmaccess");
    let refused = lab.by(&reader, Method::PUT, &path, reset()).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "AuthorizationFailed"));
    assert_eq!(
        refused.message(),
        format!(
            "The client '{}' with object id '{}' does not have authorization to perform action \
             'Microsoft.Compute/virtualMachines/extensions/write' over scope \
             '/subscriptions/{}{path}' or the scope is invalid. If access was recently granted, \
             please refresh your credentials.",
            reader.app_id, reader.id, lab.subscription
        )
    );
}

#[tokio::test]
async fn a_machines_contributor_resets_and_opens_no_port() {
    let lab = Lab::new().await;
    let vm = lab.machine("lab", "vm1").await;
    let who = lab.somebody("operator").await;
    lab.give("/resourceGroups/lab", 1, VM_CONTRIBUTOR, &who.id).await;
    let path = format!("{vm}/extensions/enablevmaccess");
    let reply = lab.by(&who, Method::PUT, &path, reset()).await;
    assert!(reply.status.is_success(), "{reply:?}");
    let nsg = "/resourceGroups/lab/providers/Microsoft.Network/networkSecurityGroups/nsg";
    let body = json!({ "properties": rule(900, "80", "Allow") });
    let refused =
        lab.by(&who, Method::PUT, &format!("{nsg}/securityRules/web"), Some(body)).await;
    assert_eq!(refused.code(), "AuthorizationFailed");
}

#[tokio::test]
async fn lists_show_what_their_caller_may_read() {
    let lab = Lab::new().await;
    lab.machine("one", "vm1").await;
    lab.machine("two", "vm2").await;
    let who = lab.somebody("somebody").await;
    let names = |reply: &Reply| -> Vec<String> {
        let all = reply.body["value"].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let vms = "/providers/Microsoft.Compute/virtualMachines";
    assert_eq!(lab.by(&who, Method::GET, vms, None).await.code(), "AuthorizationFailed");
    let address = format!("{}/subscriptions?api-version=1", lab.endpoint);
    let none = lab.raw(Method::GET, &address, Some(&who.token)).await;
    assert_eq!(none.body["value"], json!([]));

    lab.give("/resourceGroups/two", 1, READER, &who.id).await;
    assert_eq!(names(&lab.by(&who, Method::GET, vms, None).await), ["vm2"]);
    assert_eq!(names(&lab.by(&who, Method::GET, "/resourceGroups", None).await), ["two"]);
    let all = lab.by(&who, Method::GET, "/resources", None).await;
    let all = all.body["value"].as_array().unwrap();
    assert!(!all.is_empty());
    assert!(
        all.iter()
            .all(|one| one["id"].as_str().unwrap().contains("/resourceGroups/two/"))
    );
    let one = lab.raw(Method::GET, &address, Some(&who.token)).await;
    assert_eq!(one.body["value"][0]["subscriptionId"], lab.subscription);
}

#[tokio::test]
async fn a_template_is_refused_for_the_part_that_its_caller_may_not_write() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/lab", json!({ "location": "westus" })).await;
    let who = lab.somebody("operator").await;
    lab.give("/resourceGroups/lab", 1, VM_CONTRIBUTOR, &who.id).await;
    let template = json!({ "properties": { "mode": "incremental", "template": { "resources": [
        { "type": "Microsoft.Network/networkSecurityGroups", "name": "n", "apiVersion": "1",
          "location": "westus", "properties": {} },
    ] } } });
    let path = "/resourceGroups/lab/providers/Microsoft.Resources/deployments/d";
    let reply = lab.by(&who, Method::PUT, path, Some(template)).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (403, "InvalidTemplateDeployment"));
    assert_eq!(reply.body["error"]["details"][0]["code"], "AuthorizationFailed");
}

#[tokio::test]
async fn a_role_of_ones_own_allows_what_it_says() {
    let lab = Lab::new().await;
    let vm = lab.machine("lab", "vm1").await;
    let who = lab.somebody("restarter").await;
    let role = "11111111-2222-3333-4444-555555555555";
    let path = format!("/providers/Microsoft.Authorization/roleDefinitions/{role}");
    let body = json!({ "properties": {
        "roleName": "Restarter", "type": "CustomRole",
        "assignableScopes": [format!("/subscriptions/{}", lab.subscription)],
        "permissions": [{
            "actions": ["Microsoft.Compute/virtualMachines/*"],
            "notActions": ["Microsoft.Compute/virtualMachines/delete"],
        }],
    } });
    let made = lab.put(&path, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(lab.give(&vm, 1, role, &who.id).await.status, 201);
    let restarted = lab.by(&who, Method::POST, &format!("{vm}/restart"), None).await;
    assert!(restarted.status.is_success(), "{restarted:?}");
    assert_eq!(
        lab.by(&who, Method::DELETE, &vm, None).await.code(),
        "AuthorizationFailed"
    );
    assert_eq!(lab.delete(&path).await.code(), "RoleDefinitionHasAssignments");
    let filter = "$filter=roleName%20eq%20'Restarter'";
    let found = lab
        .get(&format!("/providers/Microsoft.Authorization/roleDefinitions?{filter}"))
        .await;
    assert_eq!(found.body["value"][0]["name"], role);
}

#[tokio::test]
async fn an_assignment_is_judged_before_it_is_made() {
    let lab = Lab::new().await;
    let who = lab.somebody("somebody").await;
    let nobody = "99999999-9999-9999-9999-999999999999";
    assert_eq!(lab.give("", 1, READER, nobody).await.code(), "PrincipalNotFound");
    assert_eq!(
        lab.give("", 1, nobody, &who.id).await.code(),
        "RoleDefinitionDoesNotExist"
    );
    let elsewhere = lab.give("/resourceGroups/none", 1, READER, &who.id).await;
    assert_eq!(elsewhere.code(), "ResourceGroupNotFound");
    assert_eq!(lab.give("", 1, READER, &who.id).await.status, 201);
    assert_eq!(lab.give("", 2, READER, &who.id).await.code(), "RoleAssignmentExists");
    let list = "/providers/Microsoft.Authorization/roleAssignments";
    let of_who =
        lab.get(&format!("{list}?$filter=principalId%20eq%20'{}'", who.id)).await;
    assert_eq!(of_who.body["value"].as_array().unwrap().len(), 1);
    let gone = lab.delete(&format!("{list}/00000000-0000-0000-0000-000000000001")).await;
    assert_eq!(gone.status, 200);
    assert_eq!(lab.by(&who, Method::GET, "/resourceGroups", None).await.status, 403);
}

#[tokio::test]
async fn roles_at_a_resource_go_with_it() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/g", json!({ "location": "local" })).await;
    let who = lab.somebody("somebody").await;
    let nsg = "/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/n";
    let body = json!({ "location": "local" });
    lab.put(nsg, body.clone()).await;
    assert_eq!(lab.give(nsg, 1, READER, &who.id).await.status, 201);
    assert_eq!(lab.by(&who, Method::GET, nsg, None).await.status, 200);
    assert!(lab.delete(nsg).await.status.is_success());
    lab.put(nsg, body).await;
    assert_eq!(lab.by(&who, Method::GET, nsg, None).await.status, 403);
}

#[tokio::test]
async fn tokens_hold_for_their_audience_and_name_their_principal() {
    let lab = Lab::new().await;
    let address = format!("{}/subscriptions?api-version=1", lab.endpoint);
    let graph = lab.token_for("https://graph.regain.invalid/.default").await;
    let reply = lab.raw(Method::GET, &address, Some(&graph)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "InvalidAuthenticationTokenAudience")
    );
    assert!(reply.header("www-authenticate").starts_with("Bearer authorization_uri="));
    let users = format!("{}/graph/v1.0/users", lab.endpoint);
    assert_eq!(lab.raw(Method::GET, &users, Some(&lab.bearer())).await.status, 401);
    assert_eq!(lab.raw(Method::GET, &users, Some(&graph)).await.body["value"], json!([]));

    let who = lab.somebody("somebody").await;
    let path = format!("/servicePrincipals/{}", who.id);
    assert_eq!(lab.graph(Method::DELETE, &path, None).await.status, 204);
    let reply = lab.raw(Method::GET, &address, Some(&who.token)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "InvalidAuthenticationToken")
    );
}

#[tokio::test]
async fn secrets_are_not_in_the_database() {
    let mut lab = Lab::new().await;
    let who = lab.somebody("somebody").await;
    let first = lab.credentials()["clientSecret"].as_str().unwrap().to_owned();
    lab.stop().await.unwrap();
    let database = std::fs::read(lab.state.path().join("cloud.sqlite")).unwrap();
    for secret in [&first, &who.secret] {
        assert!(!database.windows(secret.len()).any(|part| part == secret.as_bytes()));
    }
    lab.start().await;
    lab.token_of(&who.app_id, &who.secret, MANAGEMENT).await;
}

#[tokio::test]
async fn this_host_signs_in_by_managed_identity_in_both_ways() {
    let lab = Lab::new().await;
    let credentials = lab.credentials();
    let secret = credentials["identityHeader"].as_str().unwrap();
    let query = "api-version=2018-02-01&resource=https://management.regain.invalid/";
    let by_path = format!(
        "{}/identity/{secret}/metadata/identity/oauth2/token?{query}",
        lab.endpoint
    );
    let token = lab.raw(Method::GET, &by_path, None).await.body;
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let address = format!("{}/subscriptions?api-version=1", lab.endpoint);
    let seen = lab.raw(Method::GET, &address, Some(&bearer)).await;
    assert_eq!(seen.body["value"].as_array().unwrap().len(), 1);
    let wrong = by_path.replace(secret, "x");
    assert_eq!(lab.raw(Method::GET, &wrong, None).await.status, 401);
    let bare = format!("{}/msi/token?{query}", lab.endpoint);
    assert_eq!(lab.raw(Method::GET, &bare, None).await.status, 401);
}

#[tokio::test]
async fn a_machines_identity_comes_and_goes_with_it() {
    let lab = Lab::new().await;
    lab.network("lab", "vm1").await;
    let path = machine_path("lab", "vm1");
    let mut body = lab.vm_body("lab", "vm1", &json!({}));
    body["identity"] = json!({ "type": "SystemAssigned" });
    let vm = lab.made(&path, body).await;
    let id = vm["identity"]["principalId"].as_str().unwrap();
    let found = lab.graph(Method::GET, &format!("/servicePrincipals/{id}"), None).await;
    assert_eq!(found.body["servicePrincipalType"], "ManagedIdentity");
    let gone = lab.delete(&path).await;
    lab.end_of(&gone).await;
    let found = lab.graph(Method::GET, &format!("/servicePrincipals/{id}"), None).await;
    assert_eq!(found.status, 404);
}

#[tokio::test]
async fn writes_are_on_record_with_who_asked_and_how_they_ended() {
    let lab = Lab::with(Limits {
        synchronous: Duration::from_millis(50),
        simulated_work: Duration::from_millis(200),
        ..limits()
    })
    .await;
    let vm = lab.machine("lab", "vm1").await;
    let path = format!("{vm}/extensions/enablevmaccess");
    let mut body = reset().unwrap();
    body["properties"]["protectedSettings"] =
        json!({ "username": "u", "password": "S3cret!pass" });
    let reply = lab.put(&path, body).await;
    lab.end_of(&reply).await;
    let events = lab
        .log(&format!("resourceId%20eq%20'/subscriptions/{}{path}'", lab.subscription))
        .await;
    let told: Vec<_> =
        events.iter().map(|event| event["status"]["value"].as_str().unwrap()).collect();
    assert_eq!(told, ["Succeeded", "Accepted", "Started"]);
    let first = &events[2];
    assert_eq!(
        first["operationName"]["value"],
        "Microsoft.Compute/virtualMachines/extensions/write"
    );
    assert_eq!(first["httpRequest"]["method"], "PUT");
    assert_eq!(first["httpRequest"]["clientIpAddress"], "127.0.0.1");
    assert!(events.iter().all(|event| event["correlationId"] == first["correlationId"]));
    assert!(!format!("{events:?}").contains("S3cret!pass"));

    let who = lab.somebody("somebody").await;
    lab.by(&who, Method::DELETE, &vm, None).await;
    let refused = lab
        .log(&format!("caller%20eq%20'{}'%20and%20status%20eq%20'Failed'", who.id))
        .await;
    assert_eq!(refused[0]["subStatus"]["value"], "Forbidden");
    assert_eq!(refused[0]["level"], "Error");
    assert_eq!(lab.log("eventTimestamp%20ge%20'2999-01-01T00:00:00Z'").await.len(), 0);
}

#[tokio::test]
async fn who_manages_machines_sees_networks_but_not_their_subnets() {
    let lab = Lab::new().await;
    lab.machine("g", "vm1").await;
    let who = lab.somebody("operator").await;
    lab.give("/resourceGroups/g", 1, VM_CONTRIBUTOR, &who.id).await;
    let network = "/resourceGroups/g/providers/Microsoft.Network";
    for (path, status) in [
        ("virtualNetworks/vnet", 200),
        ("virtualNetworks/vnet/subnets/subnet", 403),
        ("networkInterfaces/nic-vm1", 200),
        ("networkSecurityGroups/nsg", 200),
        ("networkSecurityGroups/nsg/securityRules/allow-ssh", 403),
        ("publicIPAddresses/ip-vm1", 200),
        ("routeTables", 403),
    ] {
        let reply = lab.by(&who, Method::GET, &format!("{network}/{path}"), None).await;
        assert_eq!(reply.status, status, "{path}: {reply:?}");
    }
}

#[tokio::test]
async fn who_sends_too_much_is_told_when_to_come_back() {
    let reads = Rate { burst: 3, per_second: 1 };
    let lab = Lab::with(Limits { reads, ..limits() }).await;
    let left = |reply: &Reply| {
        reply.header("x-ms-ratelimit-remaining-subscription-reads").to_owned()
    };
    assert_eq!(left(&lab.get("/resourceGroups").await), "2");
    lab.get("/resourceGroups").await;
    lab.get("/resourceGroups").await;
    let reply = lab.get("/resourceGroups").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (429, "SubscriptionRequestsThrottled")
    );
    assert_eq!(reply.header("retry-after"), "1");
    tokio::time::sleep(Duration::from_millis(1050)).await;
    assert_eq!(lab.get("/resourceGroups").await.status, 200);
}

//! Writers that meet: etags, preconditions, and states that clients echo. And what
//! all writes have in common: tags.

use reqwest::Method;
use serde_json::{Value, json};

use crate::lab::{Lab, rule};

const NETWORK: &str = "/resourceGroups/g/providers/Microsoft.Network";

fn etag(body: &Value) -> String {
    body["etag"].as_str().unwrap_or_else(|| panic!("no etag: {body}")).to_owned()
}

#[tokio::test]
async fn the_etag_in_a_body_is_the_one_in_its_header() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    for path in [
        vm,
        format!("{NETWORK}/virtualNetworks/vnet"),
        format!("{NETWORK}/virtualNetworks/vnet/subnets/subnet"),
        format!("{NETWORK}/networkSecurityGroups/nsg"),
        format!("{NETWORK}/networkSecurityGroups/nsg/securityRules/allow-ssh"),
        format!("{NETWORK}/networkInterfaces/nic-vm1"),
        format!("{NETWORK}/publicIPAddresses/ip-vm1"),
    ] {
        let reply = lab.get(&path).await;
        let body = etag(&reply.body);
        assert!(body.starts_with("W/\"") && body.ends_with('"'), "{body}");
        assert_eq!(reply.header("etag"), body, "{path}");
    }
    let nsg = lab.get(&format!("{NETWORK}/networkSecurityGroups/nsg")).await.body;
    assert_eq!(nsg["properties"]["securityRules"][0]["etag"], nsg["etag"]);
    let put = lab
        .put(
            &format!("{NETWORK}/networkSecurityGroups/nsg/securityRules/r"),
            json!({ "properties": rule(300, "80", "Allow") }),
        )
        .await;
    let now = lab.get(&format!("{NETWORK}/networkSecurityGroups/nsg")).await.body;
    assert_eq!(etag(&put.body), etag(&now), "what a PUT answers can be written over");
}

#[tokio::test]
async fn who_writes_over_what_he_has_not_seen_is_refused() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    let nsg = format!("{NETWORK}/networkSecurityGroups/nsg");
    let allow_ssh = format!("{nsg}/securityRules/allow-ssh");
    let subnet = format!("{NETWORK}/virtualNetworks/vnet/subnets/subnet");
    for path in [vm.as_str(), &nsg, &allow_ssh, &subnet] {
        let seen = lab.get(path).await.body;
        let stale = ("if-match", "W/\"00000000-0000-0000-0000-000000000000\"");
        let reply = lab.with_header(Method::PUT, path, Some(seen.clone()), stale).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (412, "PreconditionFailed"),
            "{path}"
        );
        let reply = lab.with_header(Method::DELETE, path, None, stale).await;
        assert_eq!(reply.status, 412, "{path}");
        let new = ("if-none-match", "*");
        let reply = lab.with_header(Method::PUT, path, Some(seen.clone()), new).await;
        assert_eq!(reply.status, 412, "{path}");
        let tag = etag(&seen);
        let both = format!("\"x\", {tag}");
        let reply = lab
            .with_header(Method::PUT, path, Some(seen.clone()), ("if-match", &both))
            .await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        lab.end_of(&reply).await;
        let again =
            lab.with_header(Method::PUT, path, Some(seen), ("if-match", &tag)).await;
        assert_eq!(again.status, 412, "{path}: it was written meanwhile");
    }
    let nothing = format!("{nsg}/securityRules/new");
    let body = json!({ "properties": rule(300, "80", "Allow") });
    let any = ("if-match", "*");
    let reply = lab.with_header(Method::PUT, &nothing, Some(body), any).await;
    assert_eq!(reply.status, 412, "there is nothing to match");
    let new = ("if-none-match", "*");
    let body = json!({ "location": "westus" });
    let reply = lab.with_header(Method::PUT, "/resourceGroups/g", Some(body), new).await;
    assert_eq!(reply.status, 412);
}

#[tokio::test]
async fn a_put_that_echoes_another_state_changes_nothing_about_it() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    for path in [
        vm,
        format!("{NETWORK}/networkSecurityGroups/nsg"),
        format!("{NETWORK}/virtualNetworks/vnet"),
        format!("{NETWORK}/networkInterfaces/nic-vm1"),
        format!("{NETWORK}/publicIPAddresses/ip-vm1"),
        "/resourceGroups/g".to_owned(),
    ] {
        let mut body = lab.get(&path).await.body;
        body["properties"]["provisioningState"] = json!("Failed");
        let after = lab.made(&path, body).await;
        assert_eq!(after["properties"]["provisioningState"], "Succeeded", "{path}");
    }
}

#[tokio::test]
async fn a_put_replaces_tags_and_a_patch_names_all_that_stay() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    for path in [
        vm,
        "/resourceGroups/g".to_owned(),
        format!("{NETWORK}/networkSecurityGroups/nsg"),
        format!("{NETWORK}/networkInterfaces/nic-vm1"),
    ] {
        let mut body = lab.get(&path).await.body;
        body["tags"] = json!({ "a": "1", "b": "2" });
        assert_eq!(lab.made(&path, body.clone()).await["tags"], body["tags"], "{path}");
        body["tags"] = json!({ "c": "3" });
        assert_eq!(lab.made(&path, body.clone()).await["tags"], body["tags"], "{path}");
        let patch = |body: Value| lab.send(Method::PATCH, &path, Some(body));
        let reply = patch(json!({ "tags": { "d": "4" } })).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        lab.end_of(&reply).await;
        assert_eq!(lab.get(&path).await.body["tags"], json!({ "d": "4" }), "{path}");
        let reply = patch(json!({})).await;
        lab.end_of(&reply).await;
        assert_eq!(lab.get(&path).await.body["tags"], json!({ "d": "4" }), "{path}");
        let reply = patch(json!({ "tags": { "a<b": "" } })).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (400, "InvalidTagNameCharacters"),
            "{path}"
        );
    }
}

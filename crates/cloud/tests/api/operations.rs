//! Operations that take a while, and writers that meet.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lab::{Lab, limits};

fn reset() -> Value {
    json!({ "location": "westus", "properties": {
        "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
        "typeHandlerVersion": "1.5", "protectedSettings": { "reset_ssh": true },
    } })
}

/// A lab whose agents take as long as that, and whose answers do not wait.
async fn slow(work: Duration) -> Lab {
    Lab::with(cloud::Limits {
        synchronous: Duration::from_millis(100),
        simulated_work: work,
        extension: Duration::from_secs(20),
        ..limits()
    })
    .await
}

#[tokio::test]
async fn what_takes_longer_is_followed_by_its_address() {
    let lab = slow(Duration::from_millis(600)).await;
    let path = lab.machine("g", "vm1").await;
    let extension = format!("{path}/extensions/enablevmaccess");
    let reply = lab.put(&extension, reset()).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.body["properties"]["provisioningState"], "Creating");
    let wait: f64 = reply.header("retry-after").parse().unwrap();
    assert!(wait > 0.0, "az sleeps half a minute at zero");
    let status = reply.header("azure-asyncoperation");
    let early = lab.raw(reqwest::Method::GET, status, Some(&lab.bearer())).await;
    assert_eq!(early.body["status"], "InProgress");
    let wait: f64 = early.header("retry-after").parse().unwrap();
    assert!(wait > 0.0, "and also when there is none");
    let end = lab.end_of(&reply).await;
    assert_eq!(end["status"], "Succeeded");
    assert!(end["endTime"].is_string() && end["startTime"].is_string());
    assert_eq!(
        lab.get(&extension).await.body["properties"]["provisioningState"],
        "Succeeded"
    );
}

#[tokio::test]
async fn a_long_scripts_output_is_at_the_location() {
    let lab = slow(Duration::from_millis(600)).await;
    let path = lab.machine("g", "vm1").await;
    let script = json!({ "commandId": "RunShellScript", "script": ["echo hello"] });
    let reply = lab.post(&format!("{path}/runCommand"), Some(script.clone())).await;
    assert_eq!(reply.status, 202);
    let second = lab.post(&format!("{path}/runCommand"), Some(script)).await;
    assert_eq!(second.status, 409);
    assert!(
        second.message().starts_with("Run command extension execution is in progress")
    );
    let location = reply.header("location");
    let early = lab.raw(reqwest::Method::GET, location, Some(&lab.bearer())).await;
    assert_eq!(early.status, 202);
    lab.end_of(&reply).await;
    let result = lab.raw(reqwest::Method::GET, location, Some(&lab.bearer())).await;
    assert!(result.body["value"][0]["message"].as_str().unwrap().contains("echo hello"));
}

#[tokio::test]
async fn of_two_writers_one_waits_or_is_refused() {
    let lab = slow(Duration::from_millis(1500)).await;
    let path = lab.machine("g", "vm1").await;
    let extension = format!("{path}/extensions/enablevmaccess");
    let (one, other) =
        tokio::join!(lab.put(&extension, reset()), lab.put(&extension, reset()));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let refused = if one.status == 409 { one } else { other };
    assert_eq!(refused.code(), "Conflict");
    // The machine itself is not held up by its extension.
    assert_eq!(lab.post(&format!("{path}/restart"), None).await.status.as_u16() / 100, 2);
}

#[tokio::test]
async fn concurrent_rules_are_all_kept() {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    let nsg = "/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/nsg";
    let put = |n: u16| {
        let body = json!({ "properties": crate::lab::rule(200 + n, "80", "Allow") });
        let path = format!("{nsg}/securityRules/r{n}");
        let lab = &lab;
        async move { lab.put(&path, body).await }
    };
    let (a, b, c, d) = tokio::join!(put(0), put(1), put(2), put(3));
    for reply in [&a, &b, &c, &d] {
        assert_eq!(reply.status, 201, "{reply:?}");
        lab.end_of(reply).await;
    }
    let document = lab.get(nsg).await.body;
    assert_eq!(document["properties"]["securityRules"].as_array().unwrap().len(), 5);
    assert_eq!(document["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test]
async fn an_unknown_operation_is_not_found() {
    let lab = Lab::new().await;
    let reply =
        lab.get("/providers/Microsoft.Compute/locations/local/operations/x").await;
    assert_eq!(reply.status, 404);
}

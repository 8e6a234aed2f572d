//! Extensions and run commands, against a simulated agent.

use serde_json::{Value, json};

use crate::lab::Lab;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBIR5cpWRG9I7s9zCwO7Lc2C4x6HVIrqqN4ZqYlFyN0B me";

fn access(protected: &Value) -> Value {
    json!({ "location": "westus", "properties": {
        "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
        "typeHandlerVersion": "1.5", "settings": {}, "protectedSettings": protected,
    } })
}

#[tokio::test]
async fn a_reset_is_answered_when_the_agent_has_done_it() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let extension = format!("{path}/extensions/enablevmaccess");
    let reply = lab.put(&extension, access(&json!({ "reset_ssh": true }))).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(reply.body["properties"]["provisioningState"], "Succeeded");
    assert!(reply.body["properties"]["protectedSettings"].is_null());
    assert!(reply.header("azure-asyncoperation").is_empty());

    let view = lab.get(&format!("{extension}?$expand=instanceView")).await.body;
    let status = &view["properties"]["instanceView"]["statuses"][0];
    assert_eq!(
        (status["code"].as_str(), status["message"].as_str()),
        (Some("ProvisioningState/succeeded"), Some("Enable succeeded."))
    );
    let vm = lab.get(&format!("{path}?$expand=instanceView")).await.body;
    let shown = &vm["properties"]["instanceView"]["extensions"][0];
    assert_eq!(shown["type"], "Microsoft.OSTCExtensions.VMAccessForLinux");
    assert_eq!(vm["resources"][0]["name"], "enablevmaccess");
    assert_eq!(
        lab.put(&extension, access(&json!({ "username": "u", "ssh_key": KEY })))
            .await
            .status,
        200
    );

    let reply = lab.delete(&extension).await;
    assert!(reply.status.is_success());
    assert_eq!(lab.get(&extension).await.status, 404);
    assert_eq!(
        lab.put(&extension, access(&json!({ "reset_ssh": true }))).await.status,
        201
    );
}

#[tokio::test]
async fn settings_as_clients_really_send_them_are_understood() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let extension = format!("{path}/extensions/VMAccessForLinux");
    // Microsoft's page puts the flag into the public settings.
    let body = json!({ "location": "westus", "properties": {
        "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
        "typeHandlerVersion": "1.2", "autoUpgradeMinorVersion": true,
        "settings": { "reset_ssh": true },
    } });
    let reply = lab.put(&extension, body).await;
    assert_eq!(
        reply.body["properties"]["settings"],
        json!({ "reset_ssh": true }),
        "{reply:?}"
    );
    // The classic client sends nulls and a task of its own.
    let body = json!({ "location": "westus", "tags": null, "properties": {
        "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
        "typeHandlerVersion": "1.4", "autoUpgradeMinorVersion": null, "settings": null,
        "protectedSettings": { "username": "u", "password": "P@ssw0rd1234!", "task_id": "1" },
    } });
    let reply = lab.put(&extension, body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    for file in ["cloud.sqlite", "cloud.sqlite-wal"] {
        let file = std::fs::read(lab.state.path().join(file)).unwrap_or_default();
        assert!(!file.windows(8).any(|part| part == b"P@ssw0rd"));
    }
}

#[tokio::test]
async fn wrong_settings_are_refused_before_anything_is_stored() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let extension = format!("{path}/extensions/enablevmaccess");
    for protected in [
        json!({ "username": "u", "ssh_key": "/root/.ssh/id_rsa.pub" }),
        json!({ "username": "u", "ssh_key": ["x"] }),
        json!({ "username": "u" }),
        json!({ "remove_user": "u", "reset_ssh": true }),
        json!({ "resetssh": true }),
    ] {
        let reply = lab.put(&extension, access(&protected)).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (400, "InvalidParameter"),
            "{protected}"
        );
    }
    let mut unknown = access(&json!({}));
    unknown["properties"]["type"] = json!("CustomScript");
    assert_eq!(lab.put(&extension, unknown).await.status, 404);
    assert_eq!(lab.get(&extension).await.status, 404);
}

#[tokio::test]
async fn a_handler_is_known_by_publisher_type_and_version() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let extension = format!("{path}/extensions/x");
    let with = |field: &str, value: &str| {
        let mut body = access(&json!({ "reset_ssh": true }));
        body["properties"][field] = json!(value);
        body
    };
    for (field, value) in [
        ("publisher", "Nobody"),
        ("type", "CustomScript"),
        ("typeHandlerVersion", "9.9"),
        ("typeHandlerVersion", "latest"),
    ] {
        let reply = lab.put(&extension, with(field, value)).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (404, "ArtifactNotFound"));
        assert!(reply.message().contains(value), "{reply:?}");
    }
    for version in ["1.2", "1.4", "1.5", "1.5.25"] {
        let reply = lab.put(&extension, with("typeHandlerVersion", version)).await;
        assert!(reply.status.is_success(), "{version}: {reply:?}");
        assert_eq!(reply.body["properties"]["typeHandlerVersion"], version);
    }
    let update = json!({ "tags": { "a": "b" }, "properties": {
        "protectedSettings": { "reset_ssh": true },
    } });
    let reply = lab.send(reqwest::Method::PATCH, &extension, Some(update)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.body["properties"]["typeHandlerVersion"], "1.5.25");
}

#[tokio::test]
async fn an_unnamed_version_is_found_from_the_publisher_down() {
    let lab = Lab::new().await;
    let publisher = "/providers/Microsoft.Compute/locations/westus/publishers";
    let kind = format!(
        "{publisher}/Microsoft.OSTCExtensions/artifacttypes/vmextension/types/VMAccessForLinux"
    );
    let versions = lab.get(&format!("{kind}/versions")).await.body;
    assert_eq!(versions.as_array().unwrap().last().unwrap()["name"], "1.5");
    let one = lab.get(&format!("{kind}/versions/1.5")).await.body;
    assert_eq!(one["properties"]["operatingSystem"], "Linux");
    assert_eq!(lab.get(&format!("{kind}/versions/9.9")).await.code(), "ArtifactNotFound");
    let offers = format!("{publisher}/Debian/artifacttypes/vmimage/offers");
    let latest = lab.get(&format!("{offers}/debian-12/skus/12/versions")).await.body;
    assert_eq!(latest[0]["location"], "westus");
    let none = lab.get(&format!("{offers}/debian-12/skus/99/versions")).await;
    assert_eq!(none.status, 404);
    assert!(none.message().contains("Debian12"), "it says what there is: {none:?}");
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    let images = "/resourceGroups/g/providers/Microsoft.Compute/images";
    let alias = lab.get(&format!("{images}/Windows95")).await;
    assert_eq!(alias.status, 404);
    assert!(alias.message().contains("Debian12"), "az shows it as it is: {alias:?}");
}

#[tokio::test]
async fn one_handler_has_one_name() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    lab.made(
        &format!("{path}/extensions/enablevmaccess"),
        access(&json!({ "reset_ssh": true })),
    )
    .await;
    let reply = lab
        .put(&format!("{path}/extensions/other"), access(&json!({ "reset_ssh": true })))
        .await;
    assert_eq!(reply.status, 400);
    assert!(reply.message().contains("enablevmaccess"), "{}", reply.message());
}

#[tokio::test]
async fn a_machine_that_is_off_takes_no_extensions() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    lab.post(&format!("{path}/deallocate"), None).await;
    let reply = lab
        .put(
            &format!("{path}/extensions/enablevmaccess"),
            access(&json!({ "reset_ssh": true })),
        )
        .await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "OperationNotAllowed"));
    let script = json!({ "commandId": "RunShellScript", "script": ["id"] });
    let reply = lab.post(&format!("{path}/runCommand"), Some(script)).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "OperationNotAllowed"));
}

/// Makes a machine misbehave, asks for a reset and gives the error it ends with.
async fn failure(behaviour: &str) -> Value {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let mut vm = lab.get(&path).await.body;
    vm["tags"] = json!({ "regain-simulate": behaviour });
    lab.made(&path, vm).await;
    let extension = format!("{path}/extensions/enablevmaccess");
    let reply = lab.put(&extension, access(&json!({ "reset_ssh": true }))).await;
    let error = match reply.code() {
        "" => lab.end_of(&reply).await["error"].clone(),
        _ => reply.body["error"].clone(),
    };
    let shown = lab.get(&extension).await.body;
    assert_eq!(shown["properties"]["provisioningState"], "Failed");
    error
}

#[tokio::test]
async fn a_handler_that_fails_is_quoted() {
    let error = failure("fail").await;
    assert_eq!(error["code"], "VMExtensionProvisioningError");
    assert!(error["message"].as_str().unwrap().contains("told to fail"), "{error}");
}

#[tokio::test]
async fn an_agent_that_does_not_answer_is_told_with_what_to_do() {
    let error = failure("silent").await;
    assert_eq!(error["code"], "VMAgentStatusCommunicationError");
    assert!(error["message"].as_str().unwrap().contains("serial console"), "{error}");
}

#[tokio::test]
async fn a_handler_that_hangs_ends_at_its_time_out() {
    let error = failure("hang").await;
    assert_eq!(error["code"], "VMExtensionProvisioningTimeout");
}

#[tokio::test]
async fn a_script_is_run_and_its_output_given() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let script = json!({ "commandId": "RunShellScript", "parameters": [], "script": ["echo hello", "id"] });
    let reply = lab.post(&format!("{path}/runCommand"), Some(script)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let result = &reply.body["value"][0];
    assert_eq!(result["code"], "ProvisioningState/succeeded");
    assert_eq!(
        result["message"],
        "Enable succeeded: \n[stdout]\necho hello\nid\n[stderr]\n"
    );
    let empty = json!({ "commandId": "RunShellScript", "script": [] });
    assert_eq!(lab.post(&format!("{path}/runCommand"), Some(empty)).await.status, 400);
    let ready = json!({ "commandId": "ifconfig" });
    let reply = lab.post(&format!("{path}/runCommand"), Some(ready)).await;
    assert!(reply.body["value"][0]["message"].as_str().unwrap().contains("ip address"));
    let unknown = json!({ "commandId": "RemoveUser" });
    let reply = lab.post(&format!("{path}/runCommand"), Some(unknown)).await;
    assert_eq!(reply.status, 400);
    assert!(reply.message().contains("RunShellScript and ifconfig"), "{reply:?}");
}

//! Virtual machines: made, looked at, switched, deleted.

use reqwest::Method;
use serde_json::{Value, json};

use crate::lab::{Lab, machine_path};

fn power(view: &Value) -> &str {
    let statuses = view["properties"]["instanceView"]["statuses"].as_array().unwrap();
    statuses
        .iter()
        .filter_map(|status| status["code"].as_str())
        .find(|code| code.starts_with("PowerState/"))
        .unwrap()
}

#[tokio::test]
async fn a_machine_is_made_shown_and_never_tells_its_password() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let vm = lab.get(&path).await.body;
    assert_eq!(vm["properties"]["provisioningState"], "Succeeded");
    assert_eq!(vm["properties"]["osProfile"]["adminUsername"], "azureuser");
    assert!(!vm.to_string().contains("P@ssw0rd"), "{vm}");
    assert!(vm["resources"].is_null() && vm["properties"]["instanceView"].is_null());

    let view = lab.get(&format!("{path}?$expand=instanceView")).await.body;
    assert_eq!(power(&view), "PowerState/running");
    let agent = &view["properties"]["instanceView"]["vmAgent"]["statuses"][0];
    assert_eq!(agent["displayStatus"], "Ready");
    let nic = lab
        .get("/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic-vm1")
        .await
        .body;
    assert_eq!(nic["properties"]["virtualMachine"]["id"], vm["id"]);
    for list in ["/resourceGroups/g", ""] {
        let all = lab
            .get(&format!("{list}/providers/Microsoft.Compute/virtualMachines"))
            .await
            .body;
        assert_eq!(all["value"][0]["name"], "vm1");
    }
    let database = std::fs::read(lab.state.path().join("cloud.sqlite")).unwrap();
    let log =
        std::fs::read(lab.state.path().join("cloud.sqlite-wal")).unwrap_or_default();
    for file in [database, log] {
        assert!(!file.windows(8).any(|part| part == b"P@ssw0rd"));
    }
}

#[tokio::test]
async fn power_goes_off_and_on_and_the_answer_is_an_object() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    for (action, state) in [
        ("powerOff?skipShutdown=false", "PowerState/stopped"),
        ("start", "PowerState/running"),
        ("deallocate", "PowerState/deallocated"),
        ("start", "PowerState/running"),
        ("restart", "PowerState/running"),
        ("redeploy", "PowerState/running"),
    ] {
        let reply = lab.post(&format!("{path}/{action}"), None).await;
        assert_eq!(reply.status, 200, "{action}: {reply:?}");
        assert_eq!(reply.body["status"], "Succeeded");
        let view = lab.get(&format!("{path}?$expand=instanceView")).await.body;
        assert_eq!(power(&view), state, "{action}");
    }
}

#[tokio::test]
async fn who_leaves_the_host_gets_other_dynamic_addresses_and_keeps_static_ones() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let network = "/resourceGroups/g/providers/Microsoft.Network";
    let (nic, ip) = (
        format!("{network}/networkInterfaces/nic-vm1"),
        format!("{network}/publicIPAddresses/ip-vm1"),
    );
    let private = "/properties/ipConfigurations/0/properties/privateIPAddress";
    let public = "/properties/ipAddress";
    let at = async |path: &str, pointer: &str| {
        lab.get(path).await.body.pointer(pointer).cloned().unwrap_or_default()
    };
    let before = (at(&nic, private).await, at(&ip, public).await);
    lab.post(&format!("{path}/restart"), None).await;
    assert_eq!((at(&nic, private).await, at(&ip, public).await), before);
    lab.post(&format!("{path}/redeploy"), None).await;
    let moved = (at(&nic, private).await, at(&ip, public).await);
    assert_ne!(moved.0, before.0, "the private address is dynamic");
    assert_eq!(moved.1, before.1, "the public one is static");

    let mut document = lab.get(&ip).await.body;
    document["properties"]["publicIPAllocationMethod"] = json!("Dynamic");
    lab.made(&ip, document).await;
    let mut document = lab.get(&nic).await.body;
    document["properties"]["ipConfigurations"][0]["properties"]["privateIPAllocationMethod"] =
        json!("Static");
    lab.made(&nic, document).await;
    lab.post(&format!("{path}/deallocate"), None).await;
    assert_eq!(at(&ip, public).await, Value::Null);
    lab.post(&format!("{path}/start"), None).await;
    assert_eq!(at(&nic, private).await, moved.0, "the private address is static now");
    assert_ne!(at(&ip, public).await, Value::Null);
    assert_ne!(at(&ip, public).await, moved.1, "the public one is dynamic now");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    let nope = machine_path("g", "nope");
    for reply in [
        lab.get(&nope).await,
        lab.post(&format!("{nope}/restart"), None).await,
        lab.post(
            &format!("{nope}/runCommand"),
            Some(json!({ "commandId": "RunShellScript" })),
        )
        .await,
        lab.put(&format!("{nope}/extensions/x"), json!({})).await,
    ] {
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (404, "ResourceNotFound"),
            "{reply:?}"
        );
    }
    let reply = lab.get(&machine_path("none", "nope")).await;
    assert_eq!(reply.code(), "ResourceGroupNotFound");
    assert_eq!(lab.delete(&nope).await.status, 204);
}

#[tokio::test]
async fn a_machine_that_cannot_be_is_refused_and_leaves_nothing() {
    let lab = Lab::new().await;
    lab.network("g", "vm1").await;
    let path = machine_path("g", "vm1");
    let with = |pointer: &str, value: Value| {
        let mut body = lab.vm_body("g", "vm1", &json!({}));
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (body, code) in [
        (with("/properties/osProfile/adminUsername", json!("root")), "InvalidParameter"),
        (with("/properties/osProfile/adminPassword", json!("weak")), "InvalidParameter"),
        (
            with("/properties/storageProfile/imageReference/offer", json!("plan9")),
            "PlatformImageNotFound",
        ),
        (with("/properties/hardwareProfile/vmSize", json!("Huge")), "InvalidParameter"),
        (
            with("/properties/networkProfile/networkInterfaces", json!([])),
            "InvalidParameter",
        ),
        (
            with(
                "/properties/networkProfile/networkInterfaces/0/id",
                json!(format!(
                    "{}x",
                    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/"
                )),
            ),
            "InvalidResourceReference",
        ),
    ] {
        let reply = lab.put(&path, body).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, code), "{reply:?}");
    }
    assert_eq!(lab.get(&path).await.status, 404);
    let nic = lab
        .get("/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic-vm1")
        .await;
    assert!(nic.body["properties"]["virtualMachine"].is_null());
    lab.made(&path, lab.vm_body("g", "vm1", &json!({}))).await;
    let mut second = lab.vm_body("g", "vm1", &json!({}));
    second["properties"]["osProfile"]["computerName"] = json!("vm2");
    let reply = lab.put(&machine_path("g", "vm2"), second).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "NicInUse"));
}

#[tokio::test]
async fn a_machine_can_be_tagged_but_not_become_another() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let id = lab.get(&path).await.body["properties"]["vmId"].clone();
    let reply =
        lab.send(Method::PATCH, &path, Some(json!({ "tags": { "a": "b" } }))).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let vm = lab.get(&path).await.body;
    assert_eq!((&vm["tags"], &vm["properties"]["vmId"]), (&json!({ "a": "b" }), &id));
    let mut body = vm.clone();
    body["properties"]["osProfile"]["adminUsername"] = json!("other");
    let reply = lab.put(&path, body).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "PropertyChangeNotAllowed"));
    // `az vm update` sends back the whole of what it has read.
    let reply = lab.put(&path, vm).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn a_machine_whose_agent_never_reports_fails_and_can_be_deleted() {
    let limits = cloud::Limits {
        first_report: std::time::Duration::from_millis(200),
        ..crate::lab::limits()
    };
    let lab = Lab::with(limits).await;
    lab.network("g", "vm1").await;
    let path = machine_path("g", "vm1");
    let body = lab.vm_body("g", "vm1", &json!({ "regain-simulate": "silent" }));
    let reply = lab.put(&path, body).await;
    let code = match reply.code() {
        "" => lab.end_of(&reply).await["error"]["code"].clone(),
        code => json!(code),
    };
    assert_eq!(code, "OSProvisioningTimedOut");
    let view = lab.get(&format!("{path}?$expand=instanceView")).await.body;
    assert_eq!(view["properties"]["provisioningState"], "Failed");
    assert_eq!(
        view["properties"]["instanceView"]["vmAgent"]["statuses"][0]["displayStatus"],
        "Not Ready"
    );
    let reply = lab.delete(&path).await;
    lab.end_of(&reply).await;
    assert_eq!(lab.get(&path).await.status, 404);
    lab.made(&path, lab.vm_body("g", "vm1", &json!({}))).await;
}

#[tokio::test]
async fn the_serial_log_is_behind_a_signed_address() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let reply = lab.post(&format!("{path}/retrieveBootDiagnosticsData"), None).await;
    let address = reply.body["serialConsoleLogBlobUri"].as_str().unwrap();
    assert_eq!(lab.raw(Method::GET, address, None).await.status, 200);
    let forged = format!("{address}x");
    assert_eq!(lab.raw(Method::GET, &forged, None).await.status, 401);
}

#[tokio::test]
async fn a_group_dies_with_all_that_is_in_it() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let reply = lab.delete("/resourceGroups/g").await;
    lab.end_of(&reply).await;
    assert_eq!(lab.get("/resourceGroups/g").await.status, 404);
    assert_eq!(lab.get("/resources").await.body, json!({ "value": [] }));
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    assert_eq!(lab.get(&path).await.code(), "ResourceNotFound");
}

//! A server that is killed: the next one keeps its promises.

use std::time::Duration;

use serde_json::json;

use crate::lab::{Lab, limits, machine_path};

fn slow(simulated_work: Duration, first_report: Duration) -> cloud::Limits {
    cloud::Limits {
        synchronous: Duration::from_millis(50),
        extension: Duration::from_secs(20),
        simulated_work,
        first_report,
        ..limits()
    }
}

#[tokio::test]
async fn what_was_there_is_there_again() {
    let mut lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let before = lab.get(&path).await.body;
    lab.kill();
    lab.start().await;
    assert_eq!(lab.get(&path).await.body, before);
    let view = lab.get(&format!("{path}?$expand=instanceView")).await.body;
    assert_eq!(
        view["properties"]["instanceView"]["statuses"][1]["code"],
        "PowerState/running"
    );
}

#[tokio::test]
async fn an_extension_that_was_under_way_is_awaited_again() {
    let mut lab =
        Lab::with(slow(Duration::from_millis(800), Duration::from_secs(10))).await;
    let path = lab.machine("g", "vm1").await;
    let extension = format!("{path}/extensions/enablevmaccess");
    let reply = lab
        .put(
            &extension,
            json!({ "location": "westus", "properties": {
                "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
                "typeHandlerVersion": "1.5", "protectedSettings": { "reset_ssh": true },
            } }),
        )
        .await;
    let address = reply.header("azure-asyncoperation").to_owned();
    assert!(!address.is_empty(), "{reply:?}");
    lab.kill();
    lab.start().await;
    let end = lab.end_at(&lab.moved(&address)).await;
    assert_eq!(end["status"], "Succeeded", "{end}");
    assert_eq!(
        lab.get(&extension).await.body["properties"]["provisioningState"],
        "Succeeded"
    );
}

#[tokio::test]
async fn a_machine_that_was_being_made_is_made_or_gone() {
    let mut lab = Lab::with(slow(Duration::ZERO, Duration::from_millis(800))).await;
    lab.network("g", "vm1").await;
    let path = machine_path("g", "vm1");
    // Its agent stays silent, so that the server is killed before it is done.
    let body = lab.vm_body("g", "vm1", &json!({ "regain-simulate": "silent" }));
    let reply = lab.put(&path, body).await;
    let address = reply.header("azure-asyncoperation").to_owned();
    assert!(!address.is_empty(), "{reply:?}");
    lab.kill();
    lab.start().await;
    let end = lab.end_at(&lab.moved(&address)).await;
    assert_eq!(end["status"], "Failed");
    assert_eq!(end["error"]["code"], "OSProvisioningTimedOut", "{end}");
    let reply = lab.delete(&path).await;
    assert_eq!(lab.end_of(&reply).await["status"], "Succeeded");
    assert_eq!(lab.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_template_that_was_under_way_is_finished() {
    let mut lab = Lab::with(slow(Duration::ZERO, Duration::from_secs(10))).await;
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    let path = "/resourceGroups/g/providers/Microsoft.Resources/deployments/d";
    let reply = lab.put(path, crate::templates::template(&lab, "g", "vm1")).await;
    let address = reply.header("azure-asyncoperation").to_owned();
    assert!(!address.is_empty(), "{reply:?}");
    lab.kill();
    lab.start().await;
    let end = lab.end_at(&lab.moved(&address)).await;
    assert_eq!(end["status"], "Succeeded", "{end}");
    let vm = lab.get(&machine_path("g", "vm1")).await.body;
    assert_eq!(vm["properties"]["provisioningState"], "Succeeded", "{vm}");
}

#[tokio::test]
async fn a_stopped_server_leaves_machines_running() {
    let mut lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    lab.stop().await.unwrap();
    lab.start().await;
    let script = json!({ "commandId": "RunShellScript", "script": ["id"] });
    assert_eq!(lab.post(&format!("{path}/runCommand"), Some(script)).await.status, 200);
}

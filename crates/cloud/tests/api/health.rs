//! Resource Health: it follows what machines really do.

use serde_json::{Value, json};

use crate::lab::{Lab, limits, machine_path};

const STATUSES: &str = "providers/Microsoft.ResourceHealth/availabilityStatuses";

async fn current(lab: &Lab, vm: &str) -> Value {
    lab.get(&format!("{vm}/{STATUSES}/current")).await.body["properties"].clone()
}

#[tokio::test]
async fn a_machine_that_is_off_says_who_stopped_it() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    assert_eq!(current(&lab, &vm).await["availabilityState"], "Available");

    lab.post(&format!("{vm}/powerOff"), None).await;
    let stopped = current(&lab, &vm).await;
    assert_eq!(stopped["availabilityState"], "Unavailable");
    assert_eq!(stopped["context"], "Customer Initiated");
    let action = stopped["recommendedActions"][0]["action"].as_str().unwrap();
    assert!(action.ends_with("az vm start -g g -n vm1"), "{action}");

    lab.post(&format!("{vm}/start"), None).await;
    let id = lab.get(&vm).await.body["properties"]["vmId"].as_str().unwrap().to_owned();
    let power = lab.state.path().join("machines").join(id).join("power.json");
    std::fs::remove_file(power).unwrap();
    let inside = current(&lab, &vm).await;
    assert_eq!(inside["availabilityState"], "Unavailable");
    assert_eq!(inside["context"], "VM Initiated");

    lab.post(&format!("{vm}/deallocate"), None).await;
    let away = current(&lab, &vm).await;
    assert!(away["summary"].as_str().unwrap().contains("deallocated"), "{away}");
}

#[tokio::test]
async fn an_agent_that_does_what_it_is_told_no_more_makes_its_machine_degraded() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    let tags = json!({ "tags": { "regain-simulate": "silent" } });
    lab.send(reqwest::Method::PATCH, &vm, Some(tags)).await;
    let script = json!({ "commandId": "RunShellScript", "script": ["true"] });
    let reply = lab.post(&format!("{vm}/runCommand"), Some(script)).await;
    if reply.status == 202 {
        lab.end_of(&reply).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(current(&lab, &vm).await["availabilityState"], "Degraded");
}

#[tokio::test]
async fn what_was_is_listed_after_what_is_and_can_be_asked_for_by_name() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    lab.post(&format!("{vm}/restart"), None).await;
    let all = lab.get(&format!("{vm}/{STATUSES}")).await.body;
    let all = all["value"].as_array().unwrap();
    assert_eq!(all[0]["name"], "current");
    let restart = all
        .iter()
        .find(|one| one["properties"]["title"] == "Restarting")
        .expect("the restart is remembered");
    assert_eq!(restart["properties"]["reasonType"], "UserInitiated");
    let name = restart["name"].as_str().unwrap();
    let again = lab.get(&format!("{vm}/{STATUSES}/{name}")).await;
    assert_eq!(again.body["properties"], restart["properties"]);
    let none = lab.get(&format!("{vm}/{STATUSES}/yesterday")).await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn all_machines_of_a_group_or_of_the_subscription_are_listed() {
    let lab = Lab::new().await;
    lab.machine("g", "vm1").await;
    lab.machine("h", "vm2").await;
    for (scope, names) in [("/resourceGroups/g", 1), ("", 2)] {
        let all = lab.get(&format!("{scope}/{STATUSES}")).await.body;
        assert_eq!(all["value"].as_array().unwrap().len(), names, "{all}");
    }
    assert_eq!(lab.get(&format!("/resourceGroups/none/{STATUSES}")).await.status, 404);
    let nobody = format!("{}/{STATUSES}/current", machine_path("g", "nobody"));
    assert_eq!(lab.get(&nobody).await.code(), "ResourceNotFound");
}

#[tokio::test]
async fn a_change_is_noted_although_nobody_asks() {
    let limits =
        cloud::Limits { health: std::time::Duration::from_millis(50), ..limits() };
    let lab = Lab::with(limits).await;
    let vm = lab.machine("g", "vm1").await;
    let id = lab.get(&vm).await.body["properties"]["vmId"].as_str().unwrap().to_owned();
    let power = lab.state.path().join("machines").join(id).join("power.json");
    std::fs::remove_file(&power).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    // It came back by itself, before anybody looked.
    std::fs::write(&power, "true").unwrap();
    let all = lab.get(&format!("{vm}/{STATUSES}")).await.body;
    let titles: Vec<&str> = all["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["properties"]["title"].as_str())
        .collect();
    assert!(titles.contains(&"Shut down from inside"), "{titles:?}");
}

//! `kill -9` of the server at any moment of any operation: nothing is half done,
//! no operation is stuck, no machine is lost.
//!
//! A real process is given a mix of work by several clients and killed after a
//! random while, a hundred times on one state directory. What it had promised by
//! then must end, and what is there must fit together.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod process;
mod work;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use machine::Engine;
use serde_json::Value;

use crate::client::Client;
use crate::process::Process;
use crate::work::Chance;

const KILLS: usize = 100;
/// After so many kills the server is left alone until all has ended, and looked at.
const LOOK: usize = 20;
const CLIENTS: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_a_hundred_times_keeps_every_promise() {
    let state = tempfile::tempdir().unwrap();
    let mut chance = Chance::new(20_261_122);
    let mut promised = BTreeSet::new();
    let mut server = Process::start(state.path(), 0).await;
    for kill in 1..=KILLS {
        let client = Client::of(state.path()).await;
        let tasks: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let seed = chance.below(u64::MAX) ^ number;
                tokio::spawn(work::some(client.clone(), Chance::new(seed)))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(chance.below(250))).await;
        let port = server.port();
        server.kill();
        for task in tasks {
            promised.extend(task.await.unwrap());
        }
        server = Process::start(state.path(), port).await;
        if kill % LOOK == 0 {
            let client = Client::of(state.path()).await;
            settled(&client, &mut promised).await;
            fits_together(&client, state.path()).await;
        }
    }
    server.kill();
}

/// Waits until the journal has drained: every promise ends, with a reason if it
/// failed.
async fn settled(client: &Client, promised: &mut BTreeSet<String>) {
    let give_up = Instant::now() + Duration::from_secs(60);
    for operation in std::mem::take(promised) {
        loop {
            let (status, body) = client.get(&operation).await.unwrap();
            assert_eq!(status, 200, "a promise was forgotten: {operation}: {body}");
            match body["status"].as_str().unwrap() {
                "Succeeded" => break,
                "Failed" => {
                    assert!(body["error"]["code"].is_string(), "no reason: {body}");
                    break;
                }
                _ => assert!(Instant::now() < give_up, "it does not end: {body}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    // Those whose answer was lost are seen by what they do to their resources.
    loop {
        let busy = unfinished(client).await;
        if busy.is_empty() {
            return;
        }
        assert!(Instant::now() < give_up, "still under way: {busy:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What is neither Succeeded nor Failed.
async fn unfinished(client: &Client) -> Vec<String> {
    let mut all = client.everything().await;
    for group in work::GROUPS {
        let path =
            format!("/resourceGroups/{group}/providers/Microsoft.Resources/deployments");
        all.extend(client.list(&path).await);
    }
    all.extend(client.list("/resourceGroups").await);
    let is_done = |one: &Value| {
        let state = one["provisioningState"]
            .as_str()
            .or_else(|| one["properties"]["provisioningState"].as_str());
        matches!(state, Some("Succeeded" | "Failed"))
    };
    all.iter().filter(|one| !is_done(one)).map(Value::to_string).collect()
}

/// The engine's machines are those of the documents; no part is without its whole;
/// nothing is locked.
async fn fits_together(client: &Client, state: &std::path::Path) {
    let all = client.everything().await;
    let of = |kind: &str| -> Vec<String> {
        let wanted = format!("/{}/", kind.to_lowercase());
        let ids = all.iter().map(|one| one["id"].as_str().unwrap().to_owned());
        ids.filter(|id| {
            let id = id.to_lowercase();
            id.rfind(&wanted).is_some_and(|at| !id[at + wanted.len()..].contains('/'))
        })
        .collect()
    };
    let mut documents = BTreeSet::new();
    for id in of("virtualMachines") {
        let (_, vm) = client.get(&id).await.unwrap();
        documents.insert(vm["properties"]["vmId"].as_str().unwrap().to_owned());
    }
    let engine = machine::Fake::new(state, &[]).unwrap();
    let machines: BTreeSet<String> =
        engine.list().unwrap().iter().map(|one| one.id.to_string()).collect();
    assert_eq!(machines, documents, "left: the engine's machines, right: the documents'");

    let names: BTreeSet<String> =
        all.iter().map(|one| one["id"].as_str().unwrap().to_lowercase()).collect();
    for extension in of("extensions") {
        let whole = extension.to_lowercase();
        let whole = whole.split("/extensions/").next().unwrap();
        assert!(names.contains(whole), "{extension} is of no machine");
    }
    for one in &all {
        let id = one["id"].as_str().unwrap();
        if id.to_lowercase().contains("/extensions/") {
            continue;
        }
        let tags = serde_json::json!({ "tags": { "seen": "yes" } });
        let (status, body) = client.patch(id, &tags).await.unwrap();
        assert!(matches!(status, 200 | 201), "{id} is locked: {status} {body}");
    }
    for one in &all {
        let id = one["id"].as_str().unwrap();
        let (status, body) = client.get(id).await.unwrap();
        assert_eq!(status, 200, "{id}: {body}");
    }
    // What the patches have begun is over before the next kill is counted.
    while !unfinished(client).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! What clients do to resources of whatever type: `az resource`, `az tag`.

use reqwest::Method;
use serde_json::{Value, json};

use crate::lab::Lab;

#[tokio::test]
async fn a_client_finds_the_version_of_a_type() {
    let lab = Lab::new().await;
    let provider = lab.get("/providers/microsoft.compute").await.body;
    assert_eq!(provider["namespace"], "Microsoft.Compute");
    let types = provider["resourceTypes"].as_array().unwrap();
    let machines =
        types.iter().find(|one| one["resourceType"] == "virtualMachines").unwrap();
    assert!(!machines["apiVersions"].as_array().unwrap().is_empty());
    assert!(types.iter().any(|one| one["resourceType"] == "virtualMachines/extensions"));
    let all = lab.get("/providers").await.body;
    let names: Vec<&str> = all["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["namespace"].as_str())
        .collect();
    for name in ["Microsoft.Compute", "Microsoft.Network", "Microsoft.Resources"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let reply = lab.get("/providers/Microsoft.Nothing").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (404, "InvalidResourceNamespace"));
    assert_eq!(lab.post("/providers/Microsoft.Compute/register", None).await.status, 200);
}

#[tokio::test]
async fn tags_are_merged_replaced_and_deleted_at_every_scope() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "vm1").await;
    let nic = "/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic-vm1";
    for scope in ["", "/resourceGroups/g", &vm, nic] {
        let path = format!("{scope}/providers/Microsoft.Resources/tags/default");
        let tags = async |method: Method, body: Value| {
            let reply = lab.send(method, &path, Some(body)).await;
            assert_eq!(reply.status, 200, "{scope}: {reply:?}");
            reply.body["properties"]["tags"].clone()
        };
        let of = |tags: Value| json!({ "properties": { "tags": tags } });
        let patch = |operation: &str, tags: Value| json!({ "operation": operation, "properties": { "tags": tags } });
        assert_eq!(
            tags(Method::PUT, of(json!({ "a": "1", "b": "2" }))).await,
            json!({ "a": "1", "b": "2" })
        );
        let merged =
            tags(Method::PATCH, patch("Merge", json!({ "B": "3", "c": "4" }))).await;
        assert_eq!(merged, json!({ "a": "1", "B": "3", "c": "4" }));
        let left =
            tags(Method::PATCH, patch("Delete", json!({ "a": "1", "c": "other" }))).await;
        assert_eq!(left, json!({ "B": "3", "c": "4" }));
        assert_eq!(lab.get(&path).await.body["properties"]["tags"], left);
        if !scope.is_empty() {
            assert_eq!(lab.get(scope).await.body["tags"], left, "{scope}");
        }
        assert_eq!(
            tags(Method::PATCH, patch("Replace", json!({ "z": "" }))).await,
            json!({ "z": "" })
        );
        let reply = lab.send(Method::PATCH, &path, Some(patch("Paint", json!({})))).await;
        assert_eq!(reply.status, 400);
        let many: serde_json::Map<String, Value> =
            (0..51).map(|n| (format!("t{n}"), json!("x"))).collect();
        assert_eq!(lab.put(&path, of(json!(many))).await.code(), "TooManyTags");
    }
    let names = lab.get("/tagNames").await.body;
    assert_eq!(names["value"][0]["tagName"], "z");
    assert_eq!(names["value"][0]["count"]["value"], 4);
    for scope in ["", "/resourceGroups/g", &vm, nic] {
        let path = format!("{scope}/providers/Microsoft.Resources/tags/default");
        assert_eq!(lab.delete(&path).await.status, 200, "{scope}");
        assert_eq!(lab.get(&path).await.body["properties"]["tags"], json!({}));
    }
    let nothing = "/resourceGroups/nope/providers/Microsoft.Resources/tags/default";
    assert_eq!(lab.get(nothing).await.code(), "ResourceGroupNotFound");
}

//! Lists: pages, filters, and what `az resource list` shows.

use reqwest::Method;
use serde_json::{Value, json};

use crate::lab::{Lab, limits};

async fn paged() -> Lab {
    let lab = Lab::with(cloud::Limits { page: 2, ..limits() }).await;
    for name in ["a", "c", "e", "g", "i"] {
        lab.made(&format!("/resourceGroups/{name}"), json!({ "location": "westus" }))
            .await;
    }
    lab
}

fn names(body: &Value) -> Vec<String> {
    let items = body["value"].as_array().unwrap().iter();
    items.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

async fn follow(lab: &Lab, body: &Value) -> Value {
    let link = body["nextLink"].as_str().unwrap();
    let reply = lab.raw(Method::GET, link, Some(&lab.bearer())).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

#[tokio::test]
async fn a_long_list_comes_in_pages_that_changes_do_not_disturb() {
    let lab = paged().await;
    let first = lab.get("/resourceGroups").await.body;
    assert_eq!(names(&first), ["a", "c"]);
    // Between two pages one item goes, one comes before, one after.
    let reply = lab.delete("/resourceGroups/c").await;
    lab.end_of(&reply).await;
    lab.made("/resourceGroups/b", json!({ "location": "westus" })).await;
    lab.made("/resourceGroups/f", json!({ "location": "westus" })).await;
    let second = follow(&lab, &first).await;
    assert_eq!(names(&second), ["e", "f"]);
    let third = follow(&lab, &second).await;
    assert_eq!(names(&third), ["g", "i"]);
    assert!(third["nextLink"].is_null(), "{third}");
}

#[tokio::test]
async fn top_makes_a_page_smaller_and_never_larger() {
    let lab = paged().await;
    let one = lab.get("/resourceGroups?$top=1").await.body;
    assert_eq!(names(&one), ["a"]);
    assert_eq!(names(&follow(&lab, &one).await), ["c"]);
    assert_eq!(names(&lab.get("/resourceGroups?$top=99").await.body).len(), 2);
    for bad in ["0", "-1", "x", ""] {
        let reply = lab.get(&format!("/resourceGroups?$top={bad}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (400, "InvalidParameter"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_token_of_another_list_or_of_nobody_is_refused() {
    let lab = paged().await;
    let first = lab.get("/resourceGroups").await.body;
    let link = first["nextLink"].as_str().unwrap();
    let elsewhere = link.replace("/resourceGroups?", "/resources?");
    for address in [elsewhere, link[..link.len() - 3].to_owned(), format!("{link}AA")] {
        let reply = lab.raw(Method::GET, &address, Some(&lab.bearer())).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (400, "InvalidSkipToken"),
            "{address}"
        );
    }
}

#[tokio::test]
async fn an_empty_list_is_a_list() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    for path in [
        "/resources",
        "/resourceGroups/g/resources",
        "/providers/Microsoft.Compute/virtualMachines",
        "/resourceGroups/g/providers/Microsoft.Network/networkInterfaces",
        "/resourceGroups/g/providers/Microsoft.Resources/deployments",
    ] {
        assert_eq!(lab.get(path).await.body, json!({ "value": [] }), "{path}");
    }
    let path = "/resourceGroups/nope/providers/Microsoft.Compute/virtualMachines";
    assert_eq!(lab.get(path).await.code(), "ResourceGroupNotFound");
    assert_eq!(
        lab.get("/resourceGroups/nope/resources").await.code(),
        "ResourceGroupNotFound"
    );
}

#[tokio::test]
async fn resources_are_found_by_type_name_tag_and_place() {
    let lab = Lab::new().await;
    let path = lab.machine("g", "vm1").await;
    let reply = lab
        .send(Method::PATCH, &path, Some(json!({ "tags": { "env": "prod", "x": "y" } })))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    lab.made(
        &format!("{path}/extensions/enablevmaccess"),
        json!({ "location": "westus", "properties": {
            "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
            "typeHandlerVersion": "1.5", "protectedSettings": { "reset_ssh": true },
        } }),
    )
    .await;
    let found = async |filter: &str| {
        let reply = lab.get(&format!("/resources?$filter={filter}")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        names(&reply.body)
    };
    assert_eq!(
        found("").await,
        ["vm1", "vm1/enablevmaccess", "nic-vm1", "nsg", "ip-vm1", "vnet"]
    );
    let machines = "resourceType eq 'microsoft.compute/virtualmachines'";
    assert_eq!(found(machines).await, ["vm1"]);
    assert_eq!(found("name eq 'NSG' and resourceGroup eq 'G'").await, ["nsg"]);
    assert_eq!(found("tagName eq 'env' and tagValue eq 'prod'").await, ["vm1"]);
    assert!(found("tagName eq 'env' and tagValue eq 'y'").await.is_empty());
    assert_eq!(found("substringof('vm1', name)").await.len(), 4);
    assert_eq!(found("location eq 'westus' and startswith(name,'v')").await.len(), 3);
    assert!(found("location eq 'eastus'").await.is_empty());
    let reply = lab.get("/resources?$filter=colour eq 'red'").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (400, "InvalidFilterInQueryString")
    );

    let plain = lab.get(&format!("/resources?$filter={machines}")).await.body;
    assert!(plain["value"][0]["createdTime"].is_null(), "{plain}");
    assert!(plain["value"][0]["properties"].is_null());
    let all = format!(
        "/resources?$filter={machines}&$expand=createdTime,changedTime,provisioningState"
    );
    let full = lab.get(&all).await.body;
    assert_eq!(full["value"][0]["provisioningState"], "Succeeded");
    assert!(full["value"][0]["changedTime"].is_string());
    assert_eq!(lab.get("/resources?$expand=everything").await.status, 400);
}

#[tokio::test]
async fn groups_are_found_by_tag() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/a", json!({ "location": "westus", "tags": { "k": "v" } }))
        .await;
    lab.made("/resourceGroups/b", json!({ "location": "westus" })).await;
    let found =
        lab.get("/resourceGroups?$filter=tagname eq 'K' and tagvalue eq 'v'").await;
    assert_eq!(names(&found.body), ["a"]);
}

//! Sign-in, and what holds for every request.

use std::time::Duration;

use cloud::{Error, Server};
use reqwest::Method;
use serde_json::json;

use crate::lab::{Lab, config, limits};

#[tokio::test]
async fn a_client_finds_everything_from_the_address_alone() {
    let lab = Lab::new().await;
    let address = format!("{}/metadata/endpoints?api-version=2022-09-01", lab.endpoint);
    let cloud = lab.raw(Method::GET, &address, None).await.body;
    assert_eq!(cloud["resourceManager"], lab.endpoint);
    assert_eq!(cloud["regain"]["runCommandOutputBytes"], 262_144);
    let authority = cloud["authentication"]["loginEndpoint"].as_str().unwrap();
    assert!(authority.ends_with("/adfs"), "az would ask Microsoft about {authority}");
    let discovery = format!("{authority}/.well-known/openid-configuration");
    let found = lab.raw(Method::GET, &discovery, None).await.body;
    assert_eq!(found["token_endpoint"], format!("{authority}/oauth2/token"));
    let address = format!("{}/subscriptions?api-version=1", lab.endpoint);
    let subscriptions = lab.raw(Method::GET, &address, Some(&lab.bearer())).await.body;
    assert_eq!(subscriptions["value"][0]["subscriptionId"], lab.subscription);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_in_oauths_words() {
    let lab = Lab::new().await;
    let id = lab.credentials()["clientId"].as_str().unwrap().to_owned();
    let reply = lab
        .sign_in(&[
            ("grant_type", "client_credentials"),
            ("client_id", &id),
            ("client_secret", "x"),
        ])
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.body["error"].as_str()),
        (401, Some("invalid_client"))
    );
    let reply = lab.sign_in(&[("grant_type", "password")]).await;
    assert_eq!(reply.body["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn without_a_good_token_nothing_is_told() {
    let lab = Lab::new().await;
    let address = format!("{}/subscriptions/x/resourceGroups/y", lab.endpoint);
    for (token, code) in [
        (None, "AuthenticationFailed"),
        (Some("Basic eDp5"), "AuthenticationFailed"),
        (Some("Bearer abc"), "InvalidAuthenticationToken"),
    ] {
        let reply = lab.raw(Method::GET, &address, token).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (401, code));
    }
}

#[tokio::test]
async fn an_expired_token_is_called_expired() {
    let lab = Lab::with(cloud::Limits { token: Duration::ZERO, ..limits() }).await;
    let reply = lab.get("/resourceGroups").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "ExpiredAuthenticationToken")
    );
}

#[tokio::test]
async fn every_path_is_found_in_any_case() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/Lab", json!({ "location": "West US" })).await;
    let reply = lab.get("/RESOURCEGROUPS/lAB/").await;
    assert_eq!(reply.body["name"], "Lab");
    assert_eq!(reply.body["location"], "westus");
    let again = lab.put("/resourcegroups/LAB", json!({ "location": "westus" })).await;
    assert_eq!((again.status.as_u16(), again.body["name"].as_str()), (200, Some("Lab")));
}

#[tokio::test]
async fn bad_requests_are_refused_each_with_its_own_code() {
    let lab = Lab::new().await;
    let subscription = format!("{}/subscriptions/{}", lab.endpoint, lab.subscription);
    let token = lab.bearer();
    let reply = lab
        .raw(Method::GET, &format!("{subscription}/resourceGroups"), Some(&token))
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (400, "MissingApiVersionParameter")
    );
    assert!(!reply.header("x-ms-request-id").is_empty());
    assert!(!reply.header("x-ms-correlation-request-id").is_empty());

    let reply = lab.put_text("/resourceGroups/g", "{ not json").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "InvalidRequestContent"));
    let reply = lab.put_text("/resourceGroups/g", "[]").await;
    assert_eq!(reply.code(), "InvalidRequestContent");
    let reply = lab.put_text("/resourceGroups/g", vec![b' '; 5 << 20]).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (413, "RequestContentTooLarge"));

    let reply = lab.get("/providers/Microsoft.Nothing/things").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (404, "InvalidResourceType"));
    let reply = lab.post("/resourceGroups", None).await;
    assert_eq!(reply.status, 405);
    let reply = lab.put("/resourceGroups/bad%20name", json!({ "location": "x" })).await;
    assert_eq!(reply.status, 400);
    let address =
        format!("{}/subscriptions/other/resourceGroups?api-version=1", lab.endpoint);
    let reply = lab.raw(Method::GET, &address, Some(&token)).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (404, "SubscriptionNotFound"));
}

#[tokio::test]
async fn groups_come_and_go() {
    let lab = Lab::new().await;
    let reply = lab.get("/resourceGroups/g").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (404, "ResourceGroupNotFound"));
    assert_eq!(lab.send(Method::HEAD, "/resourceGroups/g", None).await.status, 404);
    let reply = lab.put("/resourceGroups/g", json!({})).await;
    assert_eq!(reply.code(), "LocationRequired");
    let reply = lab.put("/resourceGroups/g", json!({ "location": "westus" })).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.body["properties"]["provisioningState"]),
        (201, &json!("Succeeded"))
    );
    let reply = lab.put("/resourceGroups/g", json!({ "location": "eastus" })).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "InvalidResourceLocation"));
    assert_eq!(lab.send(Method::HEAD, "/resourceGroups/g", None).await.status, 204);
    assert_eq!(
        lab.get("/resourceGroups").await.body["value"].as_array().unwrap().len(),
        1
    );
    let reply = lab.delete("/resourceGroups/g").await;
    lab.end_of(&reply).await;
    assert_eq!(lab.get("/resourceGroups/g").await.status, 404);
}

#[tokio::test]
async fn one_state_directory_has_one_server() {
    let mut lab = Lab::new().await;
    let second = Server::start(config(lab.state.path()), limits()).await;
    assert!(matches!(second, Err(Error::Locked { .. })));
    assert!(lab.state.path().join("server.json").exists());
    lab.stop().await.unwrap();
    assert!(!lab.state.path().join("server.json").exists());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let lab = Lab::new().await;
    let other = tempfile::tempdir().unwrap();
    let taken = lab.endpoint.trim_start_matches("https://").parse().unwrap();
    let started =
        Server::start(cloud::Config { listen: taken, ..config(other.path()) }, limits())
            .await;
    let error = started.err().unwrap().to_string();
    assert!(error.contains(&taken.to_string()), "{error}");
}

#[tokio::test]
async fn only_this_host_is_served() {
    let state = tempfile::tempdir().unwrap();
    let everywhere =
        cloud::Config { listen: "0.0.0.0:0".parse().unwrap(), ..config(state.path()) };
    assert!(matches!(
        Server::start(everywhere, limits()).await,
        Err(Error::NotLoopback(_))
    ));
}

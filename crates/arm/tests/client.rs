//! The client against a scripted cloud on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stub;

use arm::{
    ArmError, AuthError, Client, Credential, Error, IdentityEndpoint, Method,
    Precondition, Secret,
};
use serde_json::{Value, json};
use stub::{Stub, empty, reply};

async fn with_token(stub: &Stub) -> Client {
    let token = Credential::Token(Secret::new("t0"));
    Client::connect(&stub.url, None, token).await.unwrap()
}

fn service_principal() -> Credential {
    Credential::ClientSecret {
        tenant: "tenant".into(),
        client_id: "app".into(),
        secret: Secret::new("s3cret"),
    }
}

#[tokio::test]
async fn a_request_carries_the_token_and_names_itself() {
    let stub = Stub::start(|_, _, _| reply(200, json!({"name": "vm1"}))).await;
    let vm = with_token(&stub).await.get("/vm1?api-version=1").await.unwrap();
    assert_eq!(vm["name"], "vm1");
    let headers = stub.requests()[0].headers.to_ascii_lowercase();
    assert!(headers.contains("authorization: bearer t0"));
    assert!(headers.contains("user-agent: regain/"));
    assert!(headers.contains("x-ms-client-request-id: "));
}

#[tokio::test]
async fn what_does_not_exist_is_told_from_other_refusals() {
    let stub = Stub::start(|_, _, _| {
        reply(404, ArmError::new("ResourceNotFound", "no such VM").envelope())
    })
    .await;
    let error = with_token(&stub).await.get("/vm1").await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.to_string(), "(ResourceNotFound) no such VM");
}

#[tokio::test]
async fn a_write_says_what_it_believes_and_hears_that_it_is_wrong() {
    let stub = Stub::start(|request, _, _| match request.method.as_str() {
        "PUT" => reply(412, ArmError::new("PreconditionFailed", "changed").envelope()),
        _ => empty(204),
    })
    .await;
    let client = with_token(&stub).await;
    let seen = Precondition::Unchanged("W/\"1\"".to_owned());
    let refused = client.put_if("/nsg", &json!({}), &seen).await.unwrap_err();
    assert!(refused.is_precondition_failed());
    let refused = client.put_if("/rule", &json!({}), &Precondition::Absent).await;
    assert!(refused.unwrap_err().is_precondition_failed());
    client.delete_if("/rule", &seen).await.unwrap();
    let headers = stub.requests().into_iter().map(|r| r.headers.to_ascii_lowercase());
    let [match_put, none, match_delete] = headers.collect::<Vec<_>>().try_into().unwrap();
    assert!(match_put.contains("if-match: w/\"1\"") && !match_put.contains("if-none"));
    assert!(none.contains("if-none-match: *"));
    assert!(match_delete.contains("if-match: w/\"1\""));
}

#[tokio::test]
async fn throttling_and_gateway_errors_pass() {
    let stub = Stub::start(|_, before, _| match before {
        0 => empty(429).header("retry-after", "0.01"),
        1 => empty(502).header("retry-after", "0.01"),
        _ => reply(200, json!({"ok": true})),
    })
    .await;
    assert_eq!(with_token(&stub).await.get("/x").await.unwrap()["ok"], true);
    assert_eq!(stub.asked().len(), 3);
}

#[tokio::test]
async fn retries_end_and_the_last_reason_is_shown() {
    let stub = Stub::start(|_, _, _| {
        reply(503, ArmError::new("ServerBusy", "busy").envelope())
            .header("retry-after", "0.01")
    })
    .await;
    let error = with_token(&stub).await.get("/x").await.unwrap_err();
    assert_eq!(error.to_string(), "(ServerBusy) busy");
    assert_eq!(stub.asked().len(), 6);
}

#[tokio::test]
async fn a_post_that_failed_inside_is_not_sent_twice() {
    let stub = Stub::start(|_, _, _| empty(500)).await;
    let error = with_token(&stub).await.post("/x", &Value::Null).await.unwrap_err();
    assert_eq!(error.status(), Some(500));
    assert_eq!(stub.asked(), ["POST /x"]);
    assert_eq!(stub.requests()[0].body, "");
}

#[tokio::test]
async fn nobody_listening_is_recognised() {
    let stub = Stub::start(|_, _, _| empty(200)).await;
    let token = Credential::Token(Secret::new("t"));
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let error =
        Client::connect(&format!("http://{closed}"), None, token).await.unwrap_err();
    assert!(error.is_connect(), "{error}");
    assert!(stub.asked().is_empty());
}

#[tokio::test]
async fn a_put_is_followed_to_its_end_and_gives_the_resource() {
    let stub = Stub::start(|request, before, url| match request.method.as_str() {
        "PUT" => reply(201, json!({"properties": {"provisioningState": "Creating"}}))
            .header("azure-asyncoperation", format!("{url}/operations/1?api-version=1")),
        _ if request.target.starts_with("/operations") => {
            let status = if before < 2 { "InProgress" } else { "Succeeded" };
            reply(200, json!({"status": status})).header("retry-after", "0.01")
        }
        _ => reply(
            200,
            json!({"name": "vm1", "properties": {"provisioningState": "Succeeded"}}),
        ),
    })
    .await;
    let vm =
        with_token(&stub).await.put("/vm1?v=1", &json!({"location": "l"})).await.unwrap();
    assert_eq!(vm["name"], "vm1");
    assert_eq!(stub.requests()[0].body, r#"{"location":"l"}"#);
    assert_eq!(stub.asked().last().unwrap(), "GET /vm1?v=1");
    assert_eq!(stub.asked().len(), 5);
}

#[tokio::test]
async fn a_put_without_headers_is_polled_at_the_resource() {
    let stub = Stub::start(|request, before, _| {
        let state =
            if request.method == "GET" && before > 0 { "Succeeded" } else { "Updating" };
        reply(200, json!({"properties": {"provisioningState": state}}))
            .header("retry-after", "0.01")
    })
    .await;
    with_token(&stub).await.put("/nsg", &json!({})).await.unwrap();
    assert_eq!(stub.asked(), ["PUT /nsg", "GET /nsg", "GET /nsg"]);
}

#[tokio::test]
async fn an_actions_result_is_at_its_location() {
    let stub = Stub::start(|request, before, url| match request.method.as_str() {
        "POST" => empty(202).header("location", format!("{url}/results/1")),
        _ if before == 0 => empty(202).header("retry-after", "0.01"),
        _ => reply(200, json!({"value": [{"message": "hello"}]})),
    })
    .await;
    let result =
        with_token(&stub).await.post("/run", &json!({"script": []})).await.unwrap();
    assert_eq!(result["value"][0]["message"], "hello");
}

#[tokio::test]
async fn an_operation_that_fails_later_tells_why() {
    let stub = Stub::start(|request, _, url| match request.method.as_str() {
        "PUT" => {
            reply(200, json!({})).header("azure-asyncoperation", format!("{url}/operations/1"))
        }
        _ => reply(
            200,
            json!({"status": "Failed", "error": {"code": "VMExtensionProvisioningError", "message": "no"}}),
        ),
    })
    .await;
    let error = with_token(&stub).await.put("/x", &json!({})).await.unwrap_err();
    assert!(matches!(&error, Error::Operation { state, .. } if **state == *"Failed"));
    assert_eq!(error.arm().unwrap().code, "VMExtensionProvisioningError");
}

#[tokio::test]
async fn deleting_what_is_gone_already_succeeds() {
    let stub = Stub::start(|_, _, _| empty(204)).await;
    with_token(&stub).await.delete("/vm1").await.unwrap();
}

#[tokio::test]
async fn begin_does_not_wait() {
    let stub = Stub::start(|_, _, url| {
        reply(201, json!({"name": "vm1"}))
            .header("azure-asyncoperation", format!("{url}/operations/1"))
    })
    .await;
    let client = with_token(&stub).await;
    let operation = client.begin(Method::PUT, "/vm1", Some(&json!({}))).await.unwrap();
    assert_eq!(operation.accepted()["name"], "vm1");
    assert_eq!(stub.asked(), ["PUT /vm1"]);
}

#[tokio::test]
async fn a_collection_is_read_to_its_last_page() {
    let stub = Stub::start(|request, _, url| match request.target.as_str() {
        "/vms" => {
            reply(200, json!({"value": [1, 2], "nextLink": format!("{url}/vms?page=2")}))
        }
        // An empty page with a next one is legal.
        "/vms?page=2" => {
            reply(200, json!({"value": [], "nextLink": format!("{url}/vms?page=3")}))
        }
        _ => reply(200, json!({"value": [3], "nextLink": null})),
    })
    .await;
    assert_eq!(with_token(&stub).await.list("/vms").await.unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn pages_that_go_round_in_circles_end() {
    let stub = Stub::start(|request, _, url| {
        let other = if request.target == "/vms" { "/vms?page=2" } else { "/vms" };
        reply(200, json!({"value": [1], "nextLink": format!("{url}{other}")}))
    })
    .await;
    let client = with_token(&stub).await;
    let error = client.list(&format!("{}/vms", stub.url)).await.unwrap_err();
    assert!(error.to_string().contains("its pages go round in circles"), "{error}");
    assert_eq!(stub.asked().len(), 2);
}

#[tokio::test]
async fn a_wait_may_be_a_date_or_milliseconds() {
    let stub = Stub::start(|_, before, _| match before {
        0 => empty(429).header("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
        1 => empty(503).header("x-ms-retry-after-ms", "10"),
        _ => reply(200, json!({"ok": true})),
    })
    .await;
    assert_eq!(with_token(&stub).await.get("/x").await.unwrap()["ok"], true);
    assert_eq!(stub.asked().len(), 3);
}

#[tokio::test]
async fn a_server_that_asks_for_too_long_a_wait_is_reported() {
    let stub = Stub::start(|_, _, _| {
        reply(429, ArmError::new("TooManyRequests", "later").envelope())
            .header("retry-after", "3600")
    })
    .await;
    let error = with_token(&stub).await.get("/x").await.unwrap_err();
    assert_eq!(error.to_string(), "(TooManyRequests) later");
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test]
async fn a_page_elsewhere_does_not_get_the_token() {
    let stub = Stub::start(|_, _, _| {
        reply(200, json!({"value": [], "nextLink": "https://example.invalid/vms?sig=x"}))
    })
    .await;
    let error = with_token(&stub).await.list("/vms").await.unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. }), "{error}");
    assert!(!error.to_string().contains("sig"));
}

#[tokio::test]
async fn a_secret_is_exchanged_once_and_the_token_kept() {
    let stub = Stub::start(|request, _, _| match request.target.as_str() {
        "/adfs/oauth2/token" => {
            reply(200, json!({"access_token": "t1", "expires_in": 3600}))
        }
        _ => reply(200, json!({})),
    })
    .await;
    let client = Client::connect(&stub.url, None, service_principal()).await.unwrap();
    client.get("/a").await.unwrap();
    client.get("/b").await.unwrap();
    assert_eq!(
        stub.asked(),
        [
            "GET /adfs/.well-known/openid-configuration",
            "POST /adfs/oauth2/token",
            "GET /a",
            "GET /b"
        ]
    );
    let form = &stub.requests()[1].body;
    assert!(form.contains("grant_type=client_credentials"));
    assert!(form.contains("client_secret=s3cret"));
    assert!(form.contains("scope=https%3A%2F%2Fmanagement.lab%2F%2F.default"));
}

#[tokio::test]
async fn a_client_goes_on_with_what_another_has_learned() {
    let stub = Stub::start(|request, before, _| match request.target.as_str() {
        "/adfs/oauth2/token" => {
            reply(200, json!({"access_token": format!("t{before}"), "expires_in": 3600}))
        }
        _ if request.headers.contains("Bearer t0") && before > 0 => {
            reply(401, ArmError::new("ExpiredAuthenticationToken", "revoked").envelope())
        }
        _ => reply(200, json!({})),
    })
    .await;
    let first = Client::connect(&stub.url, None, service_principal()).await.unwrap();
    let learned = first.learned().await.unwrap().unwrap();
    assert!(learned.is_good());
    assert!(!format!("{learned:?}").contains("t0"));
    let text = serde_json::to_string(&learned).unwrap();
    let learned = serde_json::from_str(&text).unwrap();
    let next = Client::resume(&stub.url, None, service_principal(), learned).unwrap();
    next.get("/a").await.unwrap();
    assert_eq!(stub.asked().last().unwrap(), "GET /a");
    assert_eq!(stub.asked().len(), 3);
    // One that the cloud refuses is replaced.
    next.get("/a").await.unwrap();
    assert!(stub.requests().last().unwrap().headers.contains("Bearer t1"));
}

#[tokio::test]
async fn a_token_close_to_its_end_is_replaced() {
    let stub = Stub::start(|request, before, _| match request.target.as_str() {
        "/adfs/oauth2/token" => {
            reply(200, json!({"access_token": format!("t{before}"), "expires_in": 30}))
        }
        _ => reply(200, json!({})),
    })
    .await;
    let client = Client::connect(&stub.url, None, service_principal()).await.unwrap();
    client.get("/a").await.unwrap();
    client.get("/b").await.unwrap();
    assert!(stub.requests().last().unwrap().headers.contains("Bearer t1"));
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once() {
    let stub = Stub::start(|request, before, _| match request.target.as_str() {
        "/adfs/oauth2/token" => {
            reply(200, json!({"access_token": format!("t{before}"), "expires_in": 3600}))
        }
        _ if request.headers.contains("Bearer t1") => reply(200, json!({"ok": 1})),
        _ => {
            reply(401, ArmError::new("ExpiredAuthenticationToken", "expired").envelope())
        }
    })
    .await;
    let client = Client::connect(&stub.url, None, service_principal()).await.unwrap();
    assert_eq!(client.post("/a", &json!({})).await.unwrap()["ok"], 1);
}

#[tokio::test]
async fn a_foreign_token_that_is_refused_is_reported() {
    let stub = Stub::start(|_, _, _| {
        reply(401, ArmError::new("ExpiredAuthenticationToken", "expired").envelope())
    })
    .await;
    let error = with_token(&stub).await.get("/a").await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    assert_eq!(stub.asked(), ["GET /a"]);
}

#[tokio::test]
async fn a_wrong_secret_is_an_auth_error_without_the_secret() {
    let stub = Stub::start(|_, _, _| {
        reply(
            401,
            json!({"error": "invalid_client", "error_description": "wrong secret"}),
        )
    })
    .await;
    let client = Client::connect(&stub.url, None, service_principal()).await.unwrap();
    let error = client.get("/a").await.unwrap_err();
    let Error::Auth { source, .. } = &error else { panic!("{error:?}") };
    let AuthError::Refused { error: reason, .. } = source.as_ref() else {
        panic!("{error:?}")
    };
    assert_eq!(reason.to_string(), "(invalid_client) wrong secret");
    assert!(!format!("{error:?} {client:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_vm_signs_in_by_its_metadata_service() {
    let stub = Stub::start(|request, _, _| {
        match request.target.starts_with("/metadata/identity") {
            true => reply(200, json!({"access_token": "t1", "expires_in": "3600"})),
            false => reply(200, json!({})),
        }
    })
    .await;
    let credential = Credential::ManagedIdentity {
        endpoint: IdentityEndpoint::Imds { base: stub.url.clone() },
        client_id: None,
    };
    Client::connect(&stub.url, None, credential).await.unwrap().get("/a").await.unwrap();
    let asked = &stub.requests()[0];
    assert_eq!(
        asked.target,
        "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.lab%2F"
    );
    assert!(asked.headers.contains("metadata: true"));
}

#[tokio::test]
async fn a_service_signs_in_by_its_identity_endpoint() {
    let stub = Stub::start(|request, _, _| match request.target.starts_with("/msi") {
        true => reply(200, json!({"access_token": "t1", "expires_on": "99999999999"})),
        false => reply(200, json!({})),
    })
    .await;
    let endpoint = IdentityEndpoint::AppService {
        url: format!("{}/msi/token", stub.url),
        header: Secret::new("abc"),
    };
    let credential =
        Credential::ManagedIdentity { endpoint, client_id: Some("me".into()) };
    Client::connect(&stub.url, None, credential).await.unwrap().get("/a").await.unwrap();
    let asked = &stub.requests()[0];
    assert!(asked.target.starts_with("/msi/token?api-version=2019-08-01&resource="));
    assert!(asked.target.ends_with("&client_id=me"));
    assert!(asked.headers.contains("x-identity-header: abc"));
}

#[tokio::test]
async fn a_download_carries_no_token() {
    let stub = Stub::start(|_, _, _| reply(200, json!("log"))).await;
    let client = with_token(&stub).await;
    client.download(&format!("{}/log?sig=x", stub.url)).await.unwrap();
    assert!(!stub.requests()[0].headers.to_ascii_lowercase().contains("authorization"));
}

#[tokio::test]
async fn plain_http_is_for_this_host_only() {
    let token = Credential::Token(Secret::new("t"));
    let error = Client::connect("http://cloud.invalid", None, token).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "refusing to send a token to http://cloud.invalid: it is not https"
    );
}

#[tokio::test]
async fn a_missing_ca_bundle_is_named() {
    let token = Credential::Token(Secret::new("t"));
    let path = std::path::Path::new("/nonexistent/ca.pem");
    let error =
        Client::connect("https://127.0.0.1:1", Some(path), token).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read the CA bundle /nonexistent/ca.pem");
}

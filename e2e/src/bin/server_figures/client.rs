//! A client that keeps its connections.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::{Certificate, Method};
use serde_json::Value;

pub(crate) struct Client {
    http: reqwest::Client,
    endpoint: String,
    token: String,
    pub(crate) subscription: String,
}

impl Client {
    /// Signs in to the server of a state directory, as soon as it is there.
    pub(crate) async fn of(state: &Path) -> Self {
        let give_up = Instant::now() + Duration::from_secs(30);
        while !state.join("server.json").exists() {
            assert!(Instant::now() < give_up, "the server does not come up");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let read =
            |name: &str| std::fs::read(state.join(name)).expect("the server writes it");
        let json = |name: &str| -> Value {
            serde_json::from_slice(&read(name)).expect("the server writes JSON")
        };
        let authority = Certificate::from_pem(&read("ca.pem")).expect("a certificate");
        let http = reqwest::Client::builder()
            .tls_certs_only([authority])
            .build()
            .expect("a client");
        let (server, credentials) = (json("server.json"), json("credentials.json"));
        let text = |value: &Value, key: &str| {
            value[key].as_str().expect("the server writes texts").to_owned()
        };
        let endpoint = text(&server, "endpoint");
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", text(&credentials, "clientId")),
            ("client_secret", text(&credentials, "clientSecret")),
            ("scope", "https://management.regain.invalid//.default".to_owned()),
        ];
        let answer =
            http.post(format!("{endpoint}/adfs/oauth2/token")).form(&form).send().await;
        let token: Value =
            answer.expect("an answer").json().await.expect("a token is JSON");
        let (token, subscription) =
            (text(&token, "access_token"), text(&credentials, "subscription"));
        Self { http, endpoint, token, subscription }
    }

    /// A request that must succeed, waited for to its end.
    pub(crate) async fn done(&self, method: Method, path: &str, body: Option<&Value>) {
        let address = format!(
            "{}/subscriptions/{}{path}?api-version=2024-11-01",
            self.endpoint, self.subscription
        );
        let mut request = self.http.request(method, address).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let (status, operation) = (
            answer.status(),
            answer
                .headers()
                .get("azure-asyncoperation")
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
        );
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status} {text}");
        let Some(operation) = operation else { return };
        loop {
            let answer = self.http.get(&operation).bearer_auth(&self.token).send().await;
            let state: Value =
                answer.expect("an answer").json().await.expect("an operation is JSON");
            match state["status"].as_str() {
                Some("InProgress") => tokio::time::sleep(Duration::from_millis(20)).await,
                Some("Succeeded") => return,
                _ => panic!("{path}: {state}"),
            }
        }
    }
}

//! A client that does not mind when its server goes away.

use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Method};
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    endpoint: String,
    token: String,
    pub(crate) subscription: String,
}

/// A status and a body, and the operation that was promised, if one was.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) operation: Option<String>,
}

impl Client {
    /// Signs in to the server of a state directory.
    pub(crate) async fn of(state: &Path) -> Self {
        let read = |name: &str| -> Value {
            serde_json::from_slice(&std::fs::read(state.join(name)).unwrap()).unwrap()
        };
        let pem = std::fs::read(state.join("ca.pem")).unwrap();
        let authority = Certificate::from_pem(&pem).unwrap();
        let http = reqwest::Client::builder()
            .tls_certs_only([authority])
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        let (server, credentials) = (read("server.json"), read("credentials.json"));
        let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
        let endpoint = text(&server, "endpoint");
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", text(&credentials, "clientId")),
            ("client_secret", text(&credentials, "clientSecret")),
            ("scope", "https://management.regain.invalid//.default".to_owned()),
        ];
        let address = format!("{endpoint}/adfs/oauth2/token");
        let token: Value =
            http.post(address).form(&form).send().await.unwrap().json().await.unwrap();
        Self {
            http,
            endpoint,
            token: text(&token, "access_token"),
            subscription: text(&credentials, "subscription"),
        }
    }

    /// A request; none if the server went away meanwhile.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<Reply> {
        let path = match path.strip_prefix("https://") {
            Some(address) => {
                address.split_once('/').map(|(_, path)| format!("/{path}"))?
            }
            None if path.starts_with("/subscriptions") => path.to_owned(),
            None => format!("/subscriptions/{}{path}", self.subscription),
        };
        let mark = if path.contains('?') { '&' } else { '?' };
        let address = format!("{}{path}{mark}api-version=2024-11-01", self.endpoint);
        let mut request = self.http.request(method, address).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.ok()?;
        let operation = response
            .headers()
            .get("azure-asyncoperation")
            .map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let text = response.text().await.ok()?;
        let body = serde_json::from_str(&text).unwrap_or_else(|_| json!(text));
        Some(Reply { status, body, operation })
    }

    pub(crate) async fn get(&self, path: &str) -> Option<(u16, Value)> {
        let reply = self.send(Method::GET, path, None).await?;
        Some((reply.status, reply.body))
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let reply = self.send(Method::PATCH, path, Some(body)).await?;
        Some((reply.status, reply.body))
    }

    /// All items of a list; none if what it is in is not there.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let (_, body) = self.get(path).await.unwrap();
        body["value"].as_array().cloned().unwrap_or_default()
    }

    /// Every resource with its state.
    pub(crate) async fn everything(&self) -> Vec<Value> {
        self.list("/resources?$expand=provisioningState").await
    }
}

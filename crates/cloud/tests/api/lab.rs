//! A server on a state directory of its own, with the fake engine, and a client
//! that speaks to it as any other does: over TLS, with a token.

use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use cloud::{Config, EngineKind, Error, Limits, Server};
use reqwest::{Certificate, Client, Method, Response, StatusCode};
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A lab and its server.
pub(crate) struct Lab {
    pub(crate) state: TempDir,
    limits: Limits,
    running: Option<(Runtime, Server)>,
    client: Client,
    token: String,
    pub(crate) endpoint: String,
    pub(crate) subscription: String,
}

/// A response, read.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    /// ARM's error code; empty if it is no error.
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Waits that are short, so that what is waited for in vain costs little.
pub(crate) fn limits() -> Limits {
    Limits {
        queue: Duration::from_millis(300),
        first_report: Duration::from_secs(10),
        pickup: Duration::from_millis(800),
        extension: Duration::from_secs(2),
        ..Limits::default()
    }
}

pub(crate) fn config(state: &Path) -> Config {
    Config {
        state: state.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        engine: EngineKind::Fake,
        cache: state.join("cache"),
        guest_binary: "/nonexistent".into(),
        keeper: "/nonexistent".into(),
        weather: None,
    }
}

impl Lab {
    pub(crate) async fn new() -> Self {
        Self::with(limits()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let mut lab = Self {
            state: tempfile::tempdir().unwrap(),
            limits,
            running: None,
            client: Client::new(),
            token: String::new(),
            endpoint: String::new(),
            subscription: String::new(),
        };
        lab.start().await;
        lab
    }

    /// Starts a server on the state directory, and signs in.
    pub(crate) async fn start(&mut self) {
        let runtime = Runtime::new().unwrap();
        let started =
            runtime.spawn(Server::start(config(self.state.path()), self.limits.clone()));
        let server = started.await.unwrap().unwrap();
        self.endpoint = server.endpoint().to_owned();
        self.running = Some((runtime, server));
        let pem = std::fs::read(self.state.path().join("ca.pem")).unwrap();
        let authority = Certificate::from_pem(&pem).unwrap();
        self.client = Client::builder()
            .tls_certs_only([authority])
            // A server may close what is idle for long.
            .pool_idle_timeout(Duration::from_millis(300))
            .build()
            .unwrap();
        let credentials = self.credentials();
        self.subscription = credentials["subscription"].as_str().unwrap().to_owned();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", credentials["clientId"].as_str().unwrap()),
            ("client_secret", credentials["clientSecret"].as_str().unwrap()),
            ("scope", "https://management.regain.invalid//.default"),
        ];
        let reply = self.sign_in(&form).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        self.token = reply.body["access_token"].as_str().unwrap().to_owned();
    }

    /// Makes the weather.
    pub(crate) fn weather(&self, words: &str) {
        let weather: cloud::Weather = words.parse().unwrap();
        weather.write(self.state.path()).unwrap();
    }

    pub(crate) fn credentials(&self) -> Value {
        let text = std::fs::read(self.state.path().join("credentials.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    pub(crate) async fn sign_in(&self, form: &[(&str, &str)]) -> Reply {
        let address = format!("{}/adfs/oauth2/token", self.endpoint);
        read(self.client.post(address).form(form).send().await.unwrap()).await
    }

    /// Ends the server as `kill -9` would: nothing gets to finish.
    pub(crate) fn kill(&mut self) {
        let (runtime, server) = self.running.take().unwrap();
        runtime.shutdown_background();
        drop(server);
    }

    /// Ends the server as SIGTERM would.
    pub(crate) async fn stop(&mut self) -> Result<(), Error> {
        let (runtime, server) = self.running.take().unwrap();
        let ended = runtime.spawn(server.stop()).await.unwrap();
        runtime.shutdown_background();
        ended
    }

    /// A request to a path below the subscription, with any `api-version`.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Reply {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!(
            "/subscriptions/{}{path}{mark}api-version=2024-11-01",
            self.subscription
        );
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.endpoint))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    /// A request exactly as given.
    pub(crate) async fn raw(
        &self,
        method: Method,
        address: &str,
        token: Option<&str>,
    ) -> Reply {
        let mut request = self.client.request(method, address);
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        read(request.send().await.unwrap()).await
    }

    /// A request exactly as given, with a JSON body.
    pub(crate) async fn json(
        &self,
        method: Method,
        address: &str,
        token: &str,
        body: Option<Value>,
    ) -> Reply {
        let mut request =
            self.client.request(method, address).header("authorization", token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    /// A PUT of a text that need not be JSON.
    pub(crate) async fn put_text(
        &self,
        path: &str,
        text: impl Into<reqwest::Body>,
    ) -> Reply {
        let address = format!(
            "{}/subscriptions/{}{path}?api-version=1",
            self.endpoint, self.subscription
        );
        let request = self.client.put(address).bearer_auth(&self.token).body(text);
        read(request.send().await.unwrap()).await
    }

    /// A request with a header of its own.
    pub(crate) async fn with_header(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        header: (&str, &str),
    ) -> Reply {
        let address = format!(
            "{}/subscriptions/{}{path}?api-version=1",
            self.endpoint, self.subscription
        );
        let mut request = self
            .client
            .request(method, address)
            .bearer_auth(&self.token)
            .header(header.0, header.1);
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    /// A request to a whole address with a text for a body.
    pub(crate) async fn whole(
        &self,
        method: Method,
        address: &str,
        body: String,
    ) -> Reply {
        let request = self.client.request(method, address).bearer_auth(&self.token);
        let request = request.header("content-type", "application/json").body(body);
        read(request.send().await.unwrap()).await
    }

    /// The status that a request gets whose head is exactly this, and whose body
    /// is all there.
    pub(crate) async fn spoken(&self, head: &str, body: &str) -> u16 {
        let head = format!("{head}content-length: {}\r\n", body.len());
        self.spoken_raw(&head, body).await
    }

    /// The same, with whatever was said about the body; 408 if the server ends the
    /// connection without a word.
    pub(crate) async fn spoken_raw(&self, head: &str, body: &str) -> u16 {
        let mut roots = rustls::RootCertStore::empty();
        let pem = std::fs::read_to_string(self.state.path().join("ca.pem")).unwrap();
        roots
            .add(
                rustls::pki_types::CertificateDer::from_pem_slice(pem.as_bytes())
                    .unwrap(),
            )
            .unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let host = self.endpoint.trim_start_matches("https://").to_owned();
        let text = format!("{head}\r\n{body}");
        tokio::task::spawn_blocking(move || {
            let name = "127.0.0.1".try_into().unwrap();
            let session =
                rustls::ClientConnection::new(std::sync::Arc::new(config), name).unwrap();
            let socket = std::net::TcpStream::connect(host).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut stream = rustls::StreamOwned::new(session, socket);
            // A server that has heard enough may have closed already.
            let _either = stream.write_all(text.as_bytes());
            let mut answer = [0; 12];
            match stream.read_exact(&mut answer) {
                Ok(()) => String::from_utf8_lossy(&answer[9..]).parse().unwrap(),
                Err(_closed) => 408,
            }
        })
        .await
        .unwrap()
    }

    /// A PUT over a known etag only.
    pub(crate) async fn put_if_match(
        &self,
        path: &str,
        body: Value,
        etag: &str,
    ) -> Reply {
        let address = format!(
            "{}/subscriptions/{}{path}?api-version=1",
            self.endpoint, self.subscription
        );
        let request = self.client.put(address).bearer_auth(&self.token).json(&body);
        read(request.header("if-match", etag).send().await.unwrap()).await
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Option<Value>) -> Reply {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// A PUT that must succeed, waited for.
    pub(crate) async fn made(&self, path: &str, body: Value) -> Value {
        let reply = self.put(path, body).await;
        assert!(reply.status.is_success(), "{path}: {reply:?}");
        self.end_of(&reply).await;
        self.get(path).await.body
    }

    /// Follows the operation that a reply announces to its end.
    pub(crate) async fn end_of(&self, reply: &Reply) -> Value {
        let address = reply.header("azure-asyncoperation");
        if address.is_empty() {
            return json!({ "status": "Succeeded" });
        }
        self.end_at(address).await
    }

    /// Asks an operation's address until it says that it has ended.
    pub(crate) async fn end_at(&self, address: &str) -> Value {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            let reply = self.raw(Method::GET, address, Some(&self.bearer())).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            if reply.body["status"] != "InProgress" {
                return reply.body;
            }
            assert!(Instant::now() < give_up, "the operation does not end: {reply:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The address of an operation on this server, from one that an earlier server
    /// gave: its port has changed.
    pub(crate) fn moved(&self, address: &str) -> String {
        let path = address.find("/subscriptions").unwrap();
        format!("{}{}", self.endpoint, &address[path..])
    }

    /// A group with a network, an NSG, an address and an interface `nic-{vm}`.
    pub(crate) async fn network(&self, group: &str, vm: &str) {
        self.made(&format!("/resourceGroups/{group}"), json!({ "location": "westus" }))
            .await;
        let network = format!("/resourceGroups/{group}/providers/Microsoft.Network");
        self.made(
            &format!("{network}/virtualNetworks/vnet"),
            json!({ "location": "westus", "properties": {
                "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
                "subnets": [{ "name": "subnet", "properties": { "addressPrefix": "10.0.0.0/24" } }],
            } }),
        )
        .await;
        self.made(
            &format!("{network}/networkSecurityGroups/nsg"),
            json!({ "location": "westus", "properties": { "securityRules": [
                { "name": "allow-ssh", "properties": rule(1000, "22", "Allow") },
            ] } }),
        )
        .await;
        self.made(
            &format!("{network}/publicIPAddresses/ip-{vm}"),
            json!({ "location": "westus", "sku": { "name": "Standard" } }),
        )
        .await;
        let reference = |kind: &str, name: &str| json!({ "id": format!("/subscriptions/{}{network}/{kind}/{name}", self.subscription) });
        self.made(
            &format!("{network}/networkInterfaces/nic-{vm}"),
            json!({ "location": "westus", "properties": {
                "networkSecurityGroup": reference("networkSecurityGroups", "nsg"),
                "ipConfigurations": [{ "name": "ipconfig1", "properties": {
                    "subnet": reference("virtualNetworks", "vnet/subnets/subnet"),
                    "publicIPAddress": reference("publicIPAddresses", &format!("ip-{vm}")),
                } }],
            } }),
        )
        .await;
    }

    /// A body that makes a machine on the interface `nic-{vm}`.
    pub(crate) fn vm_body(&self, group: &str, vm: &str, tags: &Value) -> Value {
        json!({ "location": "westus", "tags": tags, "properties": {
            "hardwareProfile": { "vmSize": "Standard_DS1_v2" },
            "storageProfile": { "imageReference": {
                "publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest",
            } },
            "osProfile": {
                "computerName": vm,
                "adminUsername": "azureuser",
                "adminPassword": "P@ssw0rd1234!",
            },
            "networkProfile": { "networkInterfaces": [{ "id": format!(
                "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Network/networkInterfaces/nic-{vm}",
                self.subscription
            ) }] },
        } })
    }

    /// A network and a running machine; gives the machine's path.
    pub(crate) async fn machine(&self, group: &str, vm: &str) -> String {
        self.network(group, vm).await;
        let path = machine_path(group, vm);
        self.made(&path, self.vm_body(group, vm, &json!({}))).await;
        path
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
    }
}

pub(crate) fn machine_path(group: &str, vm: &str) -> String {
    format!("/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{vm}")
}

pub(crate) fn rule(priority: u16, port: &str, access: &str) -> Value {
    json!({
        "protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": port,
        "sourceAddressPrefix": "*", "destinationAddressPrefix": "*",
        "access": access, "priority": priority, "direction": "Inbound",
    })
}

async fn read(response: Response) -> Reply {
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Reply { status, headers, body }
}

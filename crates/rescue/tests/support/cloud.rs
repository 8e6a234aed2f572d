//! ARM as far as rescue needs it: documents by path, operations that end at once, and
//! Run Command, which runs the script here with a root directory for its undo records.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use arm::{Client, Credential, Secret};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const VM: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/\
    lab/providers/Microsoft.Compute/virtualMachines/vm1";
pub(crate) const NETWORK: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/\
    resourceGroups/lab/providers/Microsoft.Network";

/// The cloud's state.
pub(crate) struct State {
    /// Documents by path.
    pub documents: BTreeMap<String, Value>,
    /// What was asked for, as `METHOD path`, without GETs.
    pub asked: Vec<String>,
    /// The power state of the VM.
    pub power: String,
    /// Where the guest keeps its undo records.
    pub root: PathBuf,
    /// How much of an output Run Command returns, bytes.
    pub output_limit: usize,
    /// Run Command never answers.
    pub agent_hangs: bool,
    /// The serial console's log.
    pub boot_log: Vec<u8>,
    /// Called when the VM is started.
    pub on_start: Option<Box<dyn FnMut() + Send>>,
}

/// A running cloud.
#[derive(Clone)]
pub(crate) struct Cloud {
    pub state: Arc<Mutex<State>>,
    port: u16,
}

impl Cloud {
    /// A cloud with one running VM, `vm1`, whose address is 127.0.0.1.
    pub(crate) async fn start(root: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            documents: documents(),
            asked: Vec::new(),
            power: "running".to_owned(),
            root,
            output_limit: 4096,
            agent_hangs: false,
            boot_log: Vec::new(),
            on_start: None,
        }));
        let cloud = Self { state, port };
        let serving = cloud.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let cloud = serving.clone();
                tokio::spawn(async move { cloud.serve(stream).await });
            }
        });
        cloud
    }

    pub(crate) async fn client(&self) -> Client {
        let token = Credential::Token(Secret::from("token".to_owned()));
        Client::connect(&format!("http://127.0.0.1:{}", self.port), None, token)
            .await
            .unwrap()
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(&mut stream);
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        let request = line.trim().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line).await.unwrap() < 3 {
                break;
            }
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).await.unwrap();
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let path = target.split('?').next().unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (status, answer) = self.answer(method, path, &body).await;
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            answer.len()
        );
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(&answer).await;
    }

    async fn answer(&self, method: &str, path: &str, body: &Value) -> (u16, Vec<u8>) {
        if method != "GET" {
            self.with(|state| state.asked.push(format!("{method} {path}")));
        }
        let json = |value: Value| (200, value.to_string().into_bytes());
        match (method, path) {
            ("GET", "/metadata/endpoints") => json(json!({
                "name": "Test",
                "authentication": {
                    "loginEndpoint": format!("http://127.0.0.1:{}/adfs", self.port),
                    "audiences": ["https://management.test/"],
                },
                "resourceManager": format!("http://127.0.0.1:{}", self.port),
                "regain": {
                    "clientAddress": "198.51.100.7",
                    "runCommandOutputBytes": self.with(|state| state.output_limit),
                },
            })),
            ("GET", VM) => json(self.with(|state| {
                let mut vm = state.documents[VM].clone();
                vm["properties"]["instanceView"]["statuses"] =
                    json!([{ "code": format!("PowerState/{}", state.power) }]);
                vm
            })),
            ("GET", "/boot.log") => (200, self.with(|state| state.boot_log.clone())),
            ("POST", _) => json(self.action(path, body).await),
            ("PUT", _) => {
                self.with(|state| state.documents.insert(path.to_owned(), body.clone()));
                json(body.clone())
            }
            ("DELETE", _) => {
                self.with(|state| state.documents.remove(path));
                json(json!({}))
            }
            _ => match self.with(|state| state.documents.get(path).cloned()) {
                Some(document) => json(document),
                None => (404, br#"{"error":{"code":"ResourceNotFound"}}"#.to_vec()),
            },
        }
    }

    async fn action(&self, path: &str, body: &Value) -> Value {
        match path.rsplit('/').next().unwrap() {
            "runCommand" => self.run_command(body).await,
            "retrieveBootDiagnosticsData" => json!({
                "serialConsoleLogBlobUri":
                    format!("http://127.0.0.1:{}/boot.log?sig=x", self.port),
            }),
            "start" => {
                let hook = self.with(|state| {
                    state.power = "running".to_owned();
                    state.on_start.take()
                });
                if let Some(mut hook) = hook {
                    hook();
                }
                json!({})
            }
            verb @ ("powerOff" | "deallocate") => {
                let power = if verb == "powerOff" { "stopped" } else { "deallocated" };
                self.with(|state| state.power = power.to_owned());
                json!({})
            }
            verb => panic!("nobody should ask for {verb}"),
        }
    }

    async fn run_command(&self, body: &Value) -> Value {
        let (root, limit, hangs) = self
            .with(|state| (state.root.clone(), state.output_limit, state.agent_hangs));
        if hangs {
            std::future::pending::<()>().await;
        }
        let lines: Vec<&str> = body["script"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| l.as_str().unwrap())
            .collect();
        let script = lines.join("\n");
        let output = tokio::task::spawn_blocking(move || {
            Command::new("sh").arg("-c").arg(script).env("REGAIN_ROOT", root).output()
        });
        let output = output.await.unwrap().unwrap();
        // Azure keeps the end of what is too long.
        let tail = |bytes: &[u8]| {
            let from = bytes.len().saturating_sub(limit);
            String::from_utf8_lossy(&bytes[from..]).into_owned()
        };
        let (stdout, stderr) = (tail(&output.stdout), tail(&output.stderr));
        json!({ "value": [{
            "code": "ProvisioningState/succeeded",
            "message": format!("Enable succeeded: \n[stdout]\n{stdout}\n[stderr]\n{stderr}"),
        }] })
    }
}

fn documents() -> BTreeMap<String, Value> {
    let nic = format!("{NETWORK}/networkInterfaces/nic");
    let subnet = format!("{NETWORK}/virtualNetworks/vnet/subnets/default");
    let address = format!("{NETWORK}/publicIPAddresses/ip");
    let nsg = format!("{NETWORK}/networkSecurityGroups/nsg");
    let vm = json!({
        "id": VM, "name": "vm1", "location": "local",
        "properties": {
            "provisioningState": "Succeeded",
            "networkProfile": { "networkInterfaces": [{ "id": nic }] },
            "instanceView": { "vmAgent": { "statuses": [{ "displayStatus": "Ready" }] } },
        },
    });
    let interface = json!({ "id": nic, "properties": {
        "networkSecurityGroup": { "id": nsg },
        "ipConfigurations": [{ "properties": {
            "primary": true, "privateIPAddress": "10.0.0.4",
            "subnet": { "id": subnet }, "publicIPAddress": { "id": address },
        }}],
    }});
    let ip = json!({ "id": address, "sku": { "name": "Standard" },
        "properties": { "ipAddress": "127.0.0.1" } });
    let vnet = json!({ "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] } } });
    let group = json!({ "id": nsg, "properties": { "securityRules": [
        { "name": "ssh", "properties": {
            "priority": 1000, "direction": "Inbound", "access": "Allow",
            "protocol": "Tcp", "sourceAddressPrefix": "*", "sourcePortRange": "*",
            "destinationAddressPrefix": "*", "destinationPortRange": "*" } },
    ]}});
    BTreeMap::from([
        (VM.to_owned(), vm),
        (nic, interface),
        (address, ip),
        (format!("{NETWORK}/virtualNetworks/vnet"), vnet),
        (subnet, json!({ "properties": {} })),
        (nsg, group),
    ])
}

//! ARM as far as rescue needs it: documents by path, operations that end at once, and
//! Run Command, which runs the script here with a root directory for its undo records.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use arm::{Client, Credential, Secret};
use rescue::Request;
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
    /// Somebody else writes an NSG whenever it was read.
    pub busy: bool,
    /// Verbs that are refused.
    pub refused: Vec<&'static str>,
    /// The cloud says from where it sees clients, as only a regain cloud does.
    pub says_client: bool,
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
            busy: false,
            refused: Vec::new(),
            says_client: true,
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
        self.client_with("token").await
    }

    pub(crate) async fn client_with(&self, token: &str) -> Client {
        let token = Credential::Token(Secret::from(token.to_owned()));
        Client::connect(&format!("http://127.0.0.1:{}", self.port), None, token)
            .await
            .unwrap()
    }

    /// Lets a request ask this cloud about a VM, and its agent about the guest.
    pub(crate) async fn knows(&self, vm: &str, request: &mut Request) {
        let vm = rescue::azure::Vm::new(self.client().await, vm.parse().unwrap());
        request.channel = Some(vm.clone());
        request.platform = Some(vm);
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
        let (mut if_match, mut if_absent) = (None, false);
        loop {
            line.clear();
            if reader.read_line(&mut line).await.unwrap() < 3 {
                break;
            }
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if_absent |= header.starts_with("if-none-match:");
            if let Some(value) = header.strip_prefix("if-match:") {
                if_match = Some(value.trim().to_owned());
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).await.unwrap();
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let path = target.split('?').next().unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (status, answer) = if self.holds(path, if_match.as_deref(), if_absent) {
            self.answer(method, path, &body).await
        } else {
            (412, br#"{"error":{"code":"PreconditionFailed"}}"#.to_vec())
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            answer.len()
        );
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(&answer).await;
    }

    /// Whether the conditions of a request hold of what is there. A rule changes
    /// whenever its group does, so they have one etag.
    fn holds(&self, path: &str, if_match: Option<&str>, if_absent: bool) -> bool {
        let group = path.split("/securityRules/").next().unwrap_or(path);
        self.with(|state| {
            let there = state.documents.contains_key(path);
            let etag =
                state.documents.get(group).and_then(|group| group["etag"].as_str());
            let etag = etag.unwrap_or_default().to_ascii_lowercase();
            !(if_absent && there) && if_match.is_none_or(|wanted| there && wanted == etag)
        })
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
                "regain": self.with(|state| json!({
                    "clientAddress": state.says_client.then_some("198.51.100.7"),
                    "runCommandOutputBytes": state.output_limit,
                })),
            })),
            ("GET", VM) => json(self.with(|state| {
                let mut vm = state.documents[VM].clone();
                vm["properties"]["instanceView"]["statuses"] =
                    json!([{ "code": format!("PowerState/{}", state.power) }]);
                vm
            })),
            ("GET", "/boot.log") => (200, self.with(|state| state.boot_log.clone())),
            ("POST", _) if self.with(|state| refuses(state, path)) => {
                (409, br#"{"error":{"code":"Conflict","message":"not now"}}"#.to_vec())
            }
            ("POST", _) => json(self.action(path, body).await),
            ("PUT", _) => {
                self.with(|state| {
                    // A whole group has its rules inside.
                    let inside = format!("{path}/securityRules/");
                    state.documents.retain(|path, _| !path.starts_with(&inside));
                    state.documents.insert(path.to_owned(), body.clone())
                });
                json(body.clone())
            }
            ("DELETE", _) => {
                self.with(|state| state.documents.remove(path));
                json(json!({}))
            }
            _ => match self.with(|state| read(state, path)) {
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

fn refuses(state: &State, path: &str) -> bool {
    state.refused.iter().any(|verb| path.ends_with(verb))
}

/// A document, an NSG with its rules; of a busy one it is out of date as soon as it is
/// read.
fn read(state: &mut State, path: &str) -> Option<Value> {
    let inside = format!("{path}/securityRules/");
    let rules = state.documents.iter().filter_map(|(path, rule)| {
        let mut rule = rule.clone();
        rule["name"] = json!(path.strip_prefix(&inside)?);
        Some(rule)
    });
    let rules: Vec<Value> = rules.collect();
    let document = state.documents.get_mut(path)?;
    let mut read = document.clone();
    if let Some(there) = read.pointer_mut("/properties/securityRules") {
        there.as_array_mut()?.extend(rules);
    }
    if state.busy && path.contains("/networkSecurityGroups/") {
        document["etag"] = json!(format!("W/\"{}\"", state.asked.len() + 100));
        state.asked.push(format!("SOMEBODY {path}"));
    }
    Some(read)
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
    let group = json!({ "id": nsg, "etag": "W/\"1\"", "properties": { "securityRules": [
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

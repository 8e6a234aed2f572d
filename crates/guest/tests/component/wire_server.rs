//! A WireServer and host plugin with a long poll, in two hundred lines.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use guest::envelope::{self, Cipher, Identity, pfx};
use guest::wire::{
    Certificates, ExtensionsConfig, GoalState, HandlerSettings, HandlerStatus, Plugin,
    PluginSettings, PluginState, Status, StatusBlob, StatusUpload, Verdict,
};

/// Long enough for a busy machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct WireServer {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    tenant: Identity,
}

/// What survives a restart of the server.
#[derive(Clone, Default)]
struct State {
    incarnation: u32,
    plugins: Vec<Plugin>,
    blobs: Vec<StatusBlob>,
    stopped: bool,
}

impl WireServer {
    pub(crate) fn start(tenant: &Identity) -> WireServer {
        let state = State { incarnation: 1, ..State::default() };
        WireServer::listen((Ipv4Addr::LOCALHOST, 0).into(), tenant.clone(), state)
    }

    fn listen(address: SocketAddr, tenant: Identity, state: State) -> WireServer {
        let listener = TcpListener::bind(address).expect("the port is free");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            tenant,
        });
        let stopping = Arc::new(AtomicBool::new(false));
        let (to, stop) = (Arc::clone(&shared), Arc::clone(&stopping));
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let to = Arc::clone(&to);
                thread::spawn(move || to.serve(stream, address));
            }
        });
        WireServer { address, shared, stopping, acceptor: Some(acceptor) }
    }

    /// Stops listening, drops every connection, and listens again with what it knew.
    pub(crate) fn restart(mut self) -> WireServer {
        self.stop();
        let mut state = self.lock().clone();
        state.stopped = false;
        WireServer::listen(self.address, self.shared.tenant.clone(), state)
    }

    fn stop(&mut self) {
        self.lock().stopped = true;
        self.shared.changed.notify_all();
        self.stopping.store(true, Ordering::SeqCst);
        // The listener looks at the flag when somebody connects.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().expect("acceptor");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("not poisoned")
    }

    /// Gives a handler new settings.
    pub(crate) fn deploy(&self, name: &str, sequence: u32, handler: HandlerSettings) {
        let mut state = self.lock();
        state.plugins.retain(|plugin| plugin.name != name);
        state.plugins.push(Plugin {
            name: name.to_owned(),
            version: "1.5.25".to_owned(),
            location: String::new(),
            state: PluginState::Enabled,
            settings: Some(PluginSettings { sequence, handler }),
        });
        state.incarnation += 1;
        self.shared.changed.notify_all();
    }

    /// Waits for the final status of a sequence number.
    pub(crate) fn outcome(&self, name: &str, sequence: u32) -> Status {
        self.wait(|state| {
            let status = status_of(state.blobs.last()?, name, sequence)?;
            (status.status != Verdict::Transitioning).then_some(status)
        })
    }

    /// Waits until a handler says that it is at work.
    pub(crate) fn in_progress(&self, name: &str, sequence: u32) {
        self.wait(|state| {
            let status = status_of(state.blobs.last()?, name, sequence)?;
            (status.status == Verdict::Transitioning).then_some(())
        });
    }

    /// Waits for the next blob, and gives one handler's part of it.
    pub(crate) fn next_report(&self, name: &str) -> Option<HandlerStatus> {
        let seen = self.lock().blobs.len();
        let blob = self.wait(|state| state.blobs.get(seen).cloned());
        blob.aggregate_status
            .handler_aggregate_status
            .into_iter()
            .find(|h| h.handler_name == name)
    }

    /// Every verdict that was ever reported for a sequence number.
    pub(crate) fn verdicts(&self, name: &str, sequence: u32) -> Vec<Verdict> {
        let state = self.lock();
        let all = state.blobs.iter().filter_map(|blob| status_of(blob, name, sequence));
        all.map(|status| status.status).collect()
    }

    fn wait<T>(&self, look: impl Fn(&State) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&state) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the agent says nothing; last: {:?}",
                state.blobs.last()
            );
            state =
                self.shared.changed.wait_timeout(state, left).expect("not poisoned").0;
        }
    }
}

impl Drop for WireServer {
    fn drop(&mut self) {
        if self.acceptor.is_some() {
            self.stop();
        }
    }
}

fn status_of(blob: &StatusBlob, name: &str, sequence: u32) -> Option<Status> {
    let handlers = blob.aggregate_status.handler_aggregate_status.iter();
    let handler = handlers.clone().find(|handler| handler.handler_name == name)?;
    let settings = handler.runtime_settings_status.as_ref()?;
    (settings.sequence_number == sequence)
        .then(|| settings.settings_status.status.clone())
}

impl Shared {
    fn serve(&self, mut stream: TcpStream, address: SocketAddr) {
        let mut reader = BufReader::new(stream.try_clone().expect("clone"));
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line.trim().is_empty() => break,
                Ok(_) => head.push(line.trim().to_owned()),
            }
        }
        let header = |name: &str| {
            head.iter().skip(1).find_map(|line| {
                let (n, value) = line.split_once(':')?;
                n.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let length = header("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a whole body");

        let answer = match head[0].split(' ').nth(1).expect("a path") {
            "/?comp=versions" => guest::wire::versions(),
            "/machine/?comp=goalstate" => {
                match self
                    .goal_state(header("x-regain-wait-incarnation").as_deref(), address)
                {
                    Some(goal) => goal,
                    None => return,
                }
            }
            "/e" => self.extensions(address),
            "/c" => self.certificates(
                &header("x-ms-guest-agent-public-x509-cert").expect("cert"),
            ),
            "/status" => {
                let upload = StatusUpload::parse(&body).expect("an upload");
                let blob = StatusBlob::parse(&upload.content).expect("a blob");
                self.state.lock().expect("not poisoned").blobs.push(blob);
                self.changed.notify_all();
                String::new()
            }
            other => panic!("the agent asks for {other}"),
        };
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nx-regain-long-poll: 1\r\n\r\n{answer}",
            answer.len()
        );
        // An agent that was killed does not wait for it.
        let _ = stream.write_all(answer.as_bytes());
    }

    /// `None`: the server stops.
    fn goal_state(&self, wait: Option<&str>, address: SocketAddr) -> Option<String> {
        let mut state = self.state.lock().expect("not poisoned");
        while !state.stopped && wait == Some(&state.incarnation.to_string()) {
            state = self.changed.wait(state).expect("not poisoned");
        }
        let url = |path: &str| format!("http://{address}/{path}");
        let goal = GoalState {
            incarnation: state.incarnation.to_string(),
            container_id: "c".into(),
            instance_id: "_vm1".into(),
            hosting_environment_config: url("h"),
            shared_config: url("s"),
            extensions_config: url("e"),
            certificates: Some(url("c")),
            config_name: "d.1.xml".into(),
        };
        (!state.stopped).then(|| goal.to_xml())
    }

    fn extensions(&self, address: SocketAddr) -> String {
        let state = self.state.lock().expect("not poisoned");
        ExtensionsConfig {
            incarnation: state.incarnation.to_string(),
            plugins: state.plugins.clone(),
            status_upload_blob: Some(guest::wire::StatusUploadBlob {
                kind: guest::wire::BlobKind::Block,
                url: format!("http://{address}/blob"),
            }),
        }
        .to_xml()
    }

    fn certificates(&self, transport: &str) -> String {
        let transport = envelope::certificate_from_pem(transport).expect("a certificate");
        let file = pfx::encode(&self.tenant).expect("pfx");
        let data =
            envelope::encrypt(&file, &transport, Cipher::DesEde3Cbc).expect("encrypts");
        Certificates { incarnation: "1".into(), data: Some(data) }.to_xml()
    }
}

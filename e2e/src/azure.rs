//! The lab as if it were Azure: a server in front of it that leaves out what only a
//! regain cloud says of itself, and counts what goes through Run Command.
//!
//! A client that enters here does not know from which address the network sees it, and
//! takes 4,096 bytes for all that one call of Run Command returns.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, Issuer, KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::{Entry, Lab};

/// A lab that is taken for Azure, until the process ends.
pub struct AsAzure {
    address: SocketAddr,
    entry: Entry,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// One call of Run Command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Bytes of the request's body: mostly the script.
    pub sent: usize,
    /// Bytes of output that came back.
    pub returned: usize,
}

struct Front {
    tls: Arc<ServerConfig>,
    inner: Arc<ClientConfig>,
    lab: SocketAddr,
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl AsAzure {
    /// Put a server in front of a lab.
    ///
    /// # Panics
    /// If the lab does not run.
    pub fn of(lab: &Lab) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let entry = Entry::of(lab);
        let calls = Arc::new(Mutex::default());
        let (tls, inner) = configurations(lab, address);
        let inside = entry.endpoint.trim_start_matches("https://").trim_end_matches('/');
        let front = Arc::new(Front {
            tls: Arc::new(tls),
            inner: Arc::new(inner),
            lab: inside.parse().expect("a lab listens on an address"),
            address,
            calls: Arc::clone(&calls),
        });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let front = Arc::clone(&front);
                thread::spawn(move || drop(front.serve(stream)));
            }
        });
        Self { address, entry, calls }
    }

    /// A `regain` command that enters here.
    pub fn command(&self, lab: &Lab, arguments: &[&str]) -> Command {
        let mut command = lab.command(arguments);
        command
            .env("REGAIN_STATE", lab.home().join("no-lab"))
            .env("REGAIN_ENDPOINT", format!("https://{}", self.address))
            .env("REGAIN_TENANT", &self.entry.tenant)
            .env("REGAIN_CLIENT_ID", &self.entry.client_id)
            .env("REGAIN_CLIENT_SECRET", &self.entry.client_secret)
            .env("REGAIN_SUBSCRIPTION", &self.entry.subscription)
            .env("REQUESTS_CA_BUNDLE", &self.entry.ca);
        command
    }

    /// The calls of Run Command since the last time.
    ///
    /// # Panics
    /// If a connection has panicked.
    pub fn run_commands(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().expect("no connection panics"))
    }
}

impl Front {
    /// One request, and its answer; every connection is for one.
    fn serve(&self, client: TcpStream) -> std::io::Result<()> {
        client.set_read_timeout(Some(Duration::from_secs(300)))?;
        let session = ServerConnection::new(Arc::clone(&self.tls))
            .map_err(std::io::Error::other)?;
        let mut client = StreamOwned::new(session, client);
        let (head, body) = message(&mut client)?;
        let target = head.split_ascii_whitespace().nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default().to_owned();
        if path.ends_with("/runCommand") {
            let call = Call { sent: body.len(), returned: 0 };
            self.calls.lock().expect("no connection panics").push(call);
        }
        let (mut head, mut body) = self.ask(&head, &body)?;
        if let Some(returned) = output(&body) {
            let mut calls = self.calls.lock().expect("no connection panics");
            if let Some(call) = calls.last_mut() {
                call.returned = returned;
            }
        }
        if path == "/metadata/endpoints" {
            body = without_extras(&body);
        }
        // Whatever the lab refers to is here too.
        head = self.as_here(&head);
        body = self.as_here(&String::from_utf8_lossy(&body)).into_bytes();
        head = with_header(&head, "content-length", &body.len().to_string());
        client.write_all(with_header(&head, "connection", "close").as_bytes())?;
        client.write_all(&body)?;
        client.conn.send_close_notify();
        client.flush()
    }

    fn as_here(&self, text: &str) -> String {
        text.replace(&self.lab.to_string(), &self.address.to_string())
    }

    /// The lab's answer.
    fn ask(&self, head: &str, body: &[u8]) -> std::io::Result<(String, Vec<u8>)> {
        let server = TcpStream::connect(self.lab)?;
        server.set_read_timeout(Some(Duration::from_secs(300)))?;
        let name = ServerName::IpAddress(self.lab.ip().into());
        let session = ClientConnection::new(Arc::clone(&self.inner), name)
            .map_err(std::io::Error::other)?;
        let mut server = StreamOwned::new(session, server);
        server.write_all(with_header(head, "connection", "close").as_bytes())?;
        server.write_all(body)?;
        server.flush()?;
        message(&mut server)
    }
}

/// Endpoint discovery as Azure answers it.
fn without_extras(body: &[u8]) -> Vec<u8> {
    let mut clouds: Value = serde_json::from_slice(body).unwrap_or_default();
    let all = match &mut clouds {
        Value::Array(all) => all.iter_mut().collect(),
        one => vec![one],
    };
    for cloud in all.into_iter().filter_map(Value::as_object_mut) {
        cloud.remove("regain");
    }
    clouds.to_string().into_bytes()
}

/// How much a script has printed, if this is Run Command's result: it comes with the
/// answer, or with the operation that the answer points to.
fn output(body: &[u8]) -> Option<usize> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let results =
        document.get("value").or_else(|| document.pointer("/properties/output/value"));
    let of_script = |result: &&Value| {
        result["code"].as_str().is_some_and(|code| {
            code.starts_with("ComponentStatus/") || code.starts_with("ProvisioningState/")
        })
    };
    let results: Vec<&Value> = results?.as_array()?.iter().filter(of_script).collect();
    let length = |result: &&Value| result["message"].as_str().map_or(0, str::len);
    (!results.is_empty()).then(|| results.iter().map(length).sum())
}

/// Head and body of a request or an answer.
fn message(stream: &mut impl Read) -> std::io::Result<(String, Vec<u8>)> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = header(&head, "content-length").and_then(|value| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    Ok((head, body))
}

fn header<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The head with one header replaced.
fn with_header(head: &str, name: &str, value: &str) -> String {
    let kept = head.trim_end().lines().filter(|line| {
        !line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
    });
    kept.chain([format!("{name}: {value}").as_str(), "", ""])
        .collect::<Vec<_>>()
        .join("\r\n")
}

/// TLS on both sides, both from the lab's own authority.
fn configurations(lab: &Lab, address: SocketAddr) -> (ServerConfig, ClientConfig) {
    let read = |name: &str| std::fs::read_to_string(lab.state().join(name));
    let (authority, key) = (read("ca.pem").expect("ca"), read("ca.key").expect("key"));
    let issuer = KeyPair::from_pem(&key)
        .and_then(|key| Issuer::from_ca_cert_pem(&authority, key))
        .expect("the lab's authority");
    let key = KeyPair::generate().expect("a key");
    let mut leaf = CertificateParams::default();
    leaf.subject_alt_names = vec![SanType::IpAddress(address.ip())];
    leaf.use_authority_key_identifier_extension = true;
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate").der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![leaf], key)
        .expect("a certificate of our own");
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority.as_bytes()).expect("PEM");
    roots.add(authority).expect("an authority");
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (server, client)
}

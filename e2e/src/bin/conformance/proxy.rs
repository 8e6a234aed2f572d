//! The way out, which leads nowhere: a CONNECT proxy on loopback.
//!
//! Every client of a run is told to use it, so that whatever is not for this host
//! ends here and is noted. One name is answered: the classic CLI asks
//! login.windows.net on every command whether it knows the authority, and cannot be
//! told not to. It gets that answer, over TLS from the lab's own authority.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Who is asked whether an authority is known.
const DISCOVERY: &str = "login.windows.net";

/// How much of a request is read: all that we answer are short.
const LONGEST: usize = 16 * 1024;

/// A proxy that runs until the process ends.
pub(crate) struct Proxy {
    address: SocketAddr,
    refused: Arc<Mutex<Vec<String>>>,
}

/// What every connection needs.
struct Desk {
    tls: Arc<ServerConfig>,
    endpoint: String,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Start one for the lab with this state directory and endpoint.
    pub(crate) fn start(state: &Path, endpoint: &str) -> Result<Self, String> {
        let tls =
            config(state).map_err(|why| format!("the proxy's certificate: {why}"))?;
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        let refused = Arc::new(Mutex::default());
        let desk = Arc::new(Desk {
            tls: Arc::new(tls),
            endpoint: endpoint.to_owned(),
            refused: Arc::clone(&refused),
        });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let desk = Arc::clone(&desk);
                thread::spawn(move || drop(desk.serve(stream)));
            }
        });
        Ok(Self { address, refused })
    }

    /// As `HTTPS_PROXY` names it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whom clients wanted to speak to, elsewhere.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.refused.lock().expect("no connection panics").clone()
    }
}

impl Desk {
    fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        client.set_read_timeout(Some(Duration::from_secs(300)))?;
        let head = head(&mut client)?;
        let mut words = head.split_ascii_whitespace();
        let (verb, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
        match (verb, host) {
            ("CONNECT", DISCOVERY) => {
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
                self.discover(client)
            }
            ("CONNECT", "127.0.0.1" | "localhost") => {
                let server = TcpStream::connect(target)?;
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
                splice(client, server)
            }
            _ => {
                self.refused
                    .lock()
                    .expect("no connection panics")
                    .push(target.to_owned());
                client.write_all(
                    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                )
            }
        }
    }

    /// `GET /common/discovery/instance`: yes, that authority is known.
    fn discover(&self, client: TcpStream) -> std::io::Result<()> {
        let session = ServerConnection::new(Arc::clone(&self.tls))
            .map_err(std::io::Error::other)?;
        let mut stream = StreamOwned::new(session, client);
        head(&mut stream)?;
        let body = format!(
            "{{\"tenant_discovery_endpoint\":\"{}/adfs/.well-known/openid-configuration\"}}",
            self.endpoint
        );
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )?;
        stream.conn.send_close_notify();
        stream.flush()
    }
}

/// A request's head. What we answer has no body.
fn head(stream: &mut impl Read) -> std::io::Result<String> {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") && read.len() < LONGEST {
        if stream.read(&mut byte)? == 0 {
            break;
        }
        read.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&read).into_owned())
}

fn splice(client: TcpStream, server: TcpStream) -> std::io::Result<()> {
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        to_server.shutdown(std::net::Shutdown::Write)
    });
    let (mut from_server, mut to_client) = (server, client);
    std::io::copy(&mut from_server, &mut to_client)?;
    let _ = to_client.shutdown(std::net::Shutdown::Write);
    let _ = up.join();
    Ok(())
}

/// A certificate for the one name, from the authority that clients of the lab trust.
fn config(state: &Path) -> Result<ServerConfig, Box<dyn std::error::Error>> {
    let read = |name: &str| std::fs::read_to_string(state.join(name));
    let issuer =
        Issuer::from_ca_cert_pem(&read("ca.pem")?, KeyPair::from_pem(&read("ca.key")?)?)?;
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(vec![DISCOVERY.to_owned()])?;
    leaf.use_authority_key_identifier_extension = true;
    let certificate = leaf.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?)
}

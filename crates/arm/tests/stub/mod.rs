//! A scripted HTTP server on loopback: one closure answers every request, and
//! what was asked is kept.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// What is answered.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

pub(crate) struct Stub {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Stub {
    /// Starts a server. `answer` gets a request, how many requests with the same
    /// method and path came before it, and the server's own address.
    pub(crate) async fn start<F>(answer: F) -> Self
    where
        F: Fn(&Request, usize, &str) -> Reply + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::<Request>::new()));
        let stub = Self { url: url.clone(), asked: asked.clone() };
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, answer, url) = (asked.clone(), answer.clone(), url.clone());
                tokio::spawn(serve(stream, move |request| {
                    let mut asked = asked.lock().unwrap();
                    let before = asked
                        .iter()
                        .filter(|old| {
                            old.method == request.method && old.target == request.target
                        })
                        .count();
                    asked.push(request.clone());
                    discovery(&request, &url)
                        .unwrap_or_else(|| answer(&request, before, &url))
                }));
            }
        });
        stub
    }

    /// Everything that was asked after discovery, as `METHOD /path`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|r| format!("{} {}", r.method, r.target)).collect()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|r| !r.target.starts_with("/metadata/endpoints"))
            .cloned()
            .collect()
    }
}

pub(crate) fn reply(status: u16, body: impl std::fmt::Display) -> Reply {
    Reply { status, headers: Vec::new(), body: body.to_string() }
}

pub(crate) fn empty(status: u16) -> Reply {
    Reply { status, headers: Vec::new(), body: String::new() }
}

impl Reply {
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

fn discovery(request: &Request, url: &str) -> Option<Reply> {
    if request.target.starts_with("/metadata/endpoints") {
        return Some(reply(
            200,
            json!({
                "name": "Stub",
                "authentication": {
                    "loginEndpoint": format!("{url}/adfs"),
                    "audiences": ["https://management.lab/"],
                },
            }),
        ));
    }
    if request.target == "/adfs/.well-known/openid-configuration" {
        return Some(reply(
            200,
            json!({ "token_endpoint": format!("{url}/adfs/oauth2/token") }),
        ));
    }
    None
}

async fn serve(mut stream: TcpStream, answer: impl Fn(Request) -> Reply) {
    let Some(request) = read(&mut stream).await else { return };
    let reply = answer(request);
    let mut text = format!(
        "HTTP/1.1 {} X\r\ncontent-length: {}\r\nconnection: close\r\n",
        reply.status,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(&reply.body);
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let headers = head.to_ascii_lowercase();
    let length: usize = headers
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head_end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let mut words = head.lines().next()?.split(' ');
    Some(Request {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        headers: head.clone(),
        body: String::from_utf8_lossy(&bytes[head_end + 4..]).into_owned(),
    })
}

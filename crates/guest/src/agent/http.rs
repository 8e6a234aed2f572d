//! The least of HTTP/1.1 that an agent needs: one request on one connection, with a
//! time limit. Hosts are addresses; names would need the C library's resolver.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use rustix::net::sockopt;

const CONNECT: Duration = Duration::from_secs(2);
/// How long a connection may be silent before the kernel speaks up on it.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// Larger answers are refused.
const BODY_LIMIT: u64 = 16 << 20;
const HEADER_LIMIT: u64 = 64 << 10;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("{0:?} is not an http address with a numeric host")]
    Url(String),
    #[error("could not {action} {host}")]
    Io {
        action: &'static str,
        host: String,
        #[source]
        source: io::Error,
    },
    #[error("the answer of {host} is not HTTP: {reason}")]
    Malformed { host: String, reason: &'static str },
    #[error("{host} answered {status}")]
    Status { host: String, status: u16 },
}

/// One request.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
    /// How long the answer may take.
    pub(super) time: Duration,
}

/// An answer with a status of 200 to 299.
#[derive(Debug)]
pub(super) struct Response {
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request and reads the whole answer.
pub(super) fn send(request: &Request<'_>) -> Result<Response, HttpError> {
    let (address, host, path) =
        split(request.url).ok_or_else(|| HttpError::Url(request.url.to_owned()))?;
    let failed = |action| {
        let host = host.to_owned();
        move |source| HttpError::Io { action, host, source }
    };
    let mut stream =
        TcpStream::connect_timeout(&address, CONNECT).map_err(failed("connect to"))?;
    stay_known(&stream).map_err(failed("connect to"))?;
    let prepared = stream
        .set_nodelay(true)
        .and_then(|()| stream.set_read_timeout(Some(request.time)))
        .and_then(|()| stream.set_write_timeout(Some(request.time)));
    prepared.map_err(failed("connect to"))?;

    let mut message = format!("{} {path} HTTP/1.1\r\nHost: {host}\r\n", request.method);
    for (name, value) in request.headers {
        message.push_str(&format!("{name}: {value}\r\n"));
    }
    if !request.body.is_empty() || request.method != "GET" {
        message.push_str(&format!("Content-Length: {}\r\n", request.body.len()));
    }
    message.push_str("Connection: close\r\n\r\n");
    let mut message = message.into_bytes();
    message.extend_from_slice(request.body);
    stream.write_all(&message).map_err(failed("write to"))?;

    let (status, response) =
        receive(BufReader::new(stream)).map_err(|error| match error {
            Fault::Io(source) => failed("read from")(source),
            Fault::Malformed(reason) => {
                HttpError::Malformed { host: host.to_owned(), reason }
            }
        })?;
    if !(200..300).contains(&status) {
        return Err(HttpError::Status { host: host.to_owned(), status });
    }
    Ok(response)
}

/// Address, host as written, and path with query.
fn split(url: &str) -> Option<(SocketAddr, &str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let address = host
        .parse::<SocketAddr>()
        .ok()
        .or_else(|| Some(SocketAddr::new(host.parse::<IpAddr>().ok()?, 80)))?;
    let plain = |c: char| c.is_ascii_graphic();
    path.chars().all(plain).then_some((address, host, path))
}

enum Fault {
    Io(io::Error),
    Malformed(&'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

fn receive(mut stream: impl BufRead) -> Result<(u16, Response), Fault> {
    let mut head = (&mut stream).take(HEADER_LIMIT);
    let status_line = line(&mut head)?;
    let status = status_line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1)?.parse().ok())
        .ok_or(Fault::Malformed("no status line"))?;
    let mut headers = Vec::new();
    loop {
        let line = line(&mut head)?;
        if line.is_empty() {
            break;
        }
        let (name, value) =
            line.split_once(':').ok_or(Fault::Malformed("a bad header"))?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    let mut response = Response { headers, body: Vec::new() };
    let chunked = response
        .header("transfer-encoding")
        .is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
    if status == 204 || status == 304 {
        return Ok((status, response));
    }
    if chunked {
        response.body = chunks(&mut stream)?;
    } else if let Some(length) = response.header("content-length") {
        let length: u64 =
            length.parse().map_err(|_| Fault::Malformed("a bad content length"))?;
        response.body = exactly(&mut stream, length)?;
    } else {
        stream.take(BODY_LIMIT).read_to_end(&mut response.body)?;
    }
    Ok((status, response))
}

fn chunks(stream: &mut impl BufRead) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    loop {
        let size = line(&mut (&mut *stream).take(HEADER_LIMIT))?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16)
            .map_err(|_| Fault::Malformed("a bad chunk size"))?;
        if size == 0 {
            return Ok(body);
        }
        if size + body.len() as u64 > BODY_LIMIT {
            return Err(Fault::Malformed("too long an answer"));
        }
        body.extend(exactly(stream, size)?);
        line(&mut (&mut *stream).take(2))?;
    }
}

fn exactly(stream: &mut impl BufRead, length: u64) -> Result<Vec<u8>, Fault> {
    if length > BODY_LIMIT {
        return Err(Fault::Malformed("too long an answer"));
    }
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Err(Fault::Malformed("a cut-off body"));
    }
    Ok(body)
}

/// A line without its end.
fn line(stream: &mut impl BufRead) -> Result<String, Fault> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(Fault::Malformed("a cut-off header"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| Fault::Malformed("a header that is not text"))
}

/// Lets the kernel speak up on a connection that waits for its answer.
///
/// A guest that begins to filter with connection tracking has never seen this
/// connection: an answer that comes first would be a stranger to it, and be dropped. A
/// keep-alive goes out first, and makes the answer one of an established connection.
fn stay_known(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEP_ALIVE)?;
    sockopt::set_tcp_keepintvl(stream, KEEP_ALIVE)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(text: &str) -> Option<(u16, Response)> {
        receive(text.as_bytes()).ok()
    }

    #[test]
    fn bodies_end_by_length_by_chunks_or_with_the_connection() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello+more",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\nX-Y: z\n\nhello",
        ] {
            let (status, response) = answer(text).expect(text);
            assert_eq!(
                (status, response.body.as_slice()),
                (200, &b"hello"[..]),
                "{text}"
            );
        }
        assert_eq!(answer("HTTP/1.1 204 No Content\r\n\r\n").expect("empty").0, 204);
    }

    #[test]
    fn cut_off_answers_are_no_answers() {
        for text in [
            "",
            "HTTP/1.1 200 OK",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "220 mail\r\n\r\n",
        ] {
            assert!(answer(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn urls_need_a_numeric_host() {
        let (address, host, path) =
            split("http://168.63.129.16/machine/?comp=goalstate").expect("an address");
        assert_eq!(address.port(), 80);
        assert_eq!((host, path), ("168.63.129.16", "/machine/?comp=goalstate"));
        let (address, _, path) = split("http://127.0.0.1:8080").expect("an address");
        assert_eq!((address.port(), path), (8080, "/"));
        for url in
            ["https://1.2.3.4/", "http://host/", "http://1.2.3.4/a b", "x", "http:///"]
        {
            assert!(split(url).is_none(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = receive(&bytes[..]);
            let _ = receive(&[b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", &bytes[..]].concat()[..]);
        }
    }
}

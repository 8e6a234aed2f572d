//! The clear part of the SSH wire: identification lines and KEXINIT.
//!
//! Both readers take a growing buffer and answer *not yet*, a result, or what is
//! wrong, so that they never hold a socket. They trust nothing: every length is
//! checked against the buffer and against a limit before it is used.

use serde::Serialize;
use thiserror::Error;

/// The longest line that is read, bytes. RFC 4253 allows 255 for the
/// identification; lines before it have no limit there, and OpenSSH stops at 8192.
const LINE_LIMIT: usize = 8192;

/// How many lines may come before the identification.
const LINES_LIMIT: usize = 64;

/// The largest packet that an SSH peer must accept (RFC 4253 section 6.1), bytes.
const PACKET_LIMIT: usize = 35_000;

/// `SSH_MSG_KEXINIT`.
const KEXINIT: u8 = 20;

/// Random bytes between the message number and the first name-list.
const COOKIE: usize = 16;

/// What a peer said before the key exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identification {
    /// Lines before the identification line (RFC 4253 section 4.2 permits them).
    pub before: Vec<String>,
    /// The identification line, without its line end.
    pub line: String,
    /// Bytes of the buffer that all of it took.
    #[serde(skip)]
    pub length: usize,
}

/// The algorithms that a server offers, each list in the server's order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KexInit {
    /// Key exchange methods.
    pub kex: Vec<String>,
    /// Host key algorithms.
    pub host_key_algorithms: Vec<String>,
    /// Ciphers, client to server.
    pub ciphers_to_server: Vec<String>,
    /// Ciphers, server to client.
    pub ciphers_to_client: Vec<String>,
    /// MACs, client to server.
    pub macs_to_server: Vec<String>,
    /// MACs, server to client.
    pub macs_to_client: Vec<String>,
    /// Compression, client to server.
    pub compression_to_server: Vec<String>,
    /// Compression, server to client.
    pub compression_to_client: Vec<String>,
}

/// Why bytes are not what an SSH server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WireError {
    /// A line had no end within the limit.
    #[error("a line is longer than {LINE_LIMIT} bytes")]
    LineTooLong,
    /// The identification line did not come.
    #[error("no identification line among the first {LINES_LIMIT} lines")]
    TooManyLines,
    /// The packet's length is zero, larger than allowed, or does not fit its padding.
    #[error("the packet length {0} is not one that SSH allows")]
    PacketLength(u32),
    /// The first packet is another message.
    #[error("the first packet is message {0}, not KEXINIT")]
    NotKexInit(u8),
    /// A name-list runs over the packet's end.
    #[error("the packet ends inside a name-list")]
    Truncated,
}

/// Reads the identification; `None` until its line end is there.
pub fn identification(buffer: &[u8]) -> Result<Option<Identification>, WireError> {
    let mut before = Vec::new();
    let mut rest = buffer;
    loop {
        let end = rest.iter().take(LINE_LIMIT).position(|&byte| byte == b'\n');
        let Some(end) = end else {
            return if rest.len() >= LINE_LIMIT {
                Err(WireError::LineTooLong)
            } else {
                Ok(None)
            };
        };
        let (line, after) = rest.split_at(end + 1);
        rest = after;
        let text = printable(line);
        if text.starts_with("SSH-") {
            let length = buffer.len() - rest.len();
            return Ok(Some(Identification { before, line: text, length }));
        }
        if before.len() == LINES_LIMIT {
            return Err(WireError::TooManyLines);
        }
        before.push(text);
    }
}

/// Which other protocol these first bytes belong to, if they are known.
pub fn other_protocol(bytes: &[u8]) -> Option<&'static str> {
    const OPENINGS: [(&[u8], &str); 12] = [
        (b"HTTP/", "HTTP"),
        (b"<!DOCTYPE", "HTTP"),
        (b"<html", "HTTP"),
        // A TLS record: alert (the answer to a client that does not speak TLS) or
        // handshake, major version 3.
        (&[0x15, 0x03], "TLS"),
        (&[0x16, 0x03], "TLS"),
        (b"220 ", "SMTP or FTP"),
        (b"220-", "SMTP or FTP"),
        (b"+OK", "POP3"),
        (b"* OK", "IMAP"),
        (b"-ERR", "Redis"),
        (b"RFB ", "VNC"),
        (&[0x03, 0x00, 0x00], "RDP"),
    ];
    OPENINGS
        .iter()
        .find(|(opening, _)| {
            bytes
                .get(..opening.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(opening))
        })
        .map(|&(_, protocol)| protocol)
}

/// Reads the packet that must be KEXINIT; `None` until all of it is there.
pub fn kexinit(buffer: &[u8]) -> Result<Option<KexInit>, WireError> {
    let Some((head, body)) = buffer.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let claimed = u32::from_be_bytes(*head);
    let length = usize::try_from(claimed)
        .ok()
        .filter(|length| (2..=PACKET_LIMIT).contains(length))
        .ok_or(WireError::PacketLength(claimed))?;
    let Some(packet) = body.get(..length) else {
        return Ok(None);
    };
    let payload = packet
        .split_first()
        .and_then(|(&padding, rest)| {
            rest.get(..rest.len().checked_sub(usize::from(padding))?)
        })
        .ok_or(WireError::PacketLength(claimed))?;
    let (&message, fields) =
        payload.split_first().ok_or(WireError::PacketLength(claimed))?;
    if message != KEXINIT {
        return Err(WireError::NotKexInit(message));
    }
    let mut rest = fields.get(COOKIE..).ok_or(WireError::Truncated)?;
    // Fields in the order of RFC 4253 section 7.1; the languages, the guess flag
    // and the reserved word after them say nothing that anybody needs.
    Ok(Some(KexInit {
        kex: name_list(&mut rest)?,
        host_key_algorithms: name_list(&mut rest)?,
        ciphers_to_server: name_list(&mut rest)?,
        ciphers_to_client: name_list(&mut rest)?,
        macs_to_server: name_list(&mut rest)?,
        macs_to_client: name_list(&mut rest)?,
        compression_to_server: name_list(&mut rest)?,
        compression_to_client: name_list(&mut rest)?,
    }))
}

/// Takes one name-list: a length, then names divided by commas.
fn name_list(rest: &mut &[u8]) -> Result<Vec<String>, WireError> {
    let (head, body) = rest.split_first_chunk::<4>().ok_or(WireError::Truncated)?;
    let (names, after) = usize::try_from(u32::from_be_bytes(*head))
        .ok()
        .and_then(|length| body.split_at_checked(length))
        .ok_or(WireError::Truncated)?;
    *rest = after;
    Ok(printable(names)
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

/// Text that is safe on a terminal: no line end, nothing that is not printable.
pub(crate) fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .trim_end_matches(['\r', '\n'])
        .chars()
        .map(|char| if char.is_control() { '\u{fffd}' } else { char })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    /// A KEXINIT packet with these ten name-lists.
    fn packet(lists: &[String], padding: u8) -> Vec<u8> {
        let mut payload = vec![KEXINIT];
        payload.extend([7; COOKIE]);
        for list in lists {
            payload.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
            payload.extend(list.as_bytes());
        }
        payload.extend([0; 5]);
        let length = 1 + payload.len() + usize::from(padding);
        let mut packet = u32::try_from(length).unwrap().to_be_bytes().to_vec();
        packet.push(padding);
        packet.extend(payload);
        packet.resize(packet.len() + usize::from(padding), 0);
        packet
    }

    /// The same reading, one `read_exact` after the other. Any failure is `None`.
    fn naive(mut bytes: &[u8]) -> Option<Vec<Vec<String>>> {
        fn number(bytes: &mut impl Read) -> Option<u32> {
            let mut word = [0; 4];
            bytes.read_exact(&mut word).ok()?;
            Some(u32::from_be_bytes(word))
        }
        let length = number(&mut bytes)?;
        if !(2..=35_000).contains(&length) {
            return None;
        }
        let mut packet = vec![0; length as usize];
        bytes.read_exact(&mut packet).ok()?;
        let end = packet.len().checked_sub(usize::from(packet[0]))?;
        let mut payload = packet.get(1..end)?;
        let mut head = [0; 17];
        payload.read_exact(&mut head).ok()?;
        if head[0] != 20 {
            return None;
        }
        let mut lists = Vec::new();
        for _ in 0..8 {
            let length = number(&mut payload)? as usize;
            if length > payload.len() {
                return None;
            }
            let mut names = vec![0; length];
            payload.read_exact(&mut names).ok()?;
            let names = printable(&names);
            lists.push(
                names.split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect(),
            );
        }
        Some(lists)
    }

    fn lists(offer: KexInit) -> Vec<Vec<String>> {
        vec![
            offer.kex,
            offer.host_key_algorithms,
            offer.ciphers_to_server,
            offer.ciphers_to_client,
            offer.macs_to_server,
            offer.macs_to_client,
            offer.compression_to_server,
            offer.compression_to_client,
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_the_naive_reader_reads_them(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let read = kexinit(&bytes).ok().flatten().map(lists);
            prop_assert_eq!(read, naive(&bytes));
        }

        #[test]
        fn a_damaged_packet_is_read_as_the_naive_reader_reads_it(
            names in prop::collection::vec("[a-z0-9@.,-]{0,40}", 10),
            padding in 4_u8..20,
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = packet(&names, padding);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(cut.index(bytes.len()) + 1);
            let read = kexinit(&bytes).ok().flatten().map(lists);
            prop_assert_eq!(read, naive(&bytes));
        }

        #[test]
        fn identification_never_panics_and_takes_no_more_than_there_is(
            bytes in prop::collection::vec(prop_oneof![
                3 => any::<u8>(), 1 => Just(b'\n'), 1 => Just(b'S'),
            ], 0..600),
            banner in prop::bool::ANY,
        ) {
            let mut bytes = bytes;
            if banner {
                bytes.extend(b"\nSSH-2.0-x\r\n");
            }
            if let Ok(Some(found)) = identification(&bytes) {
                prop_assert!(found.line.starts_with("SSH-"));
                prop_assert!(found.length <= bytes.len());
                prop_assert_eq!(bytes[found.length - 1], b'\n');
            }
        }
    }

    #[test]
    fn every_list_lands_in_its_field() {
        let names: Vec<String> = (0..10).map(|n| format!("a{n},b{n}")).collect();
        let offer = kexinit(&packet(&names, 6)).unwrap().unwrap();
        assert_eq!(offer.kex, ["a0", "b0"]);
        assert_eq!(offer.host_key_algorithms, ["a1", "b1"]);
        assert_eq!(offer.ciphers_to_client, ["a3", "b3"]);
        assert_eq!(offer.macs_to_client, ["a5", "b5"]);
        assert_eq!(offer.compression_to_client, ["a7", "b7"]);
    }

    #[test]
    fn half_a_packet_is_not_yet_a_packet() {
        let whole = packet(&vec!["x".to_owned(); 10], 4);
        for end in 0..whole.len() {
            assert_eq!(kexinit(&whole[..end]), Ok(None), "{end} bytes");
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_it_is_awaited() {
        assert_eq!(
            kexinit(&[0xff, 0xff, 0xff, 0xff]),
            Err(WireError::PacketLength(u32::MAX))
        );
        assert_eq!(kexinit(&[0, 0, 0, 0]), Err(WireError::PacketLength(0)));
    }

    #[test]
    fn lines_before_the_banner_are_kept() {
        let found =
            identification(b"hello\r\nworld\nSSH-2.0-x y\r\nrest").unwrap().unwrap();
        assert_eq!(found.before, ["hello", "world"]);
        assert_eq!(found.line, "SSH-2.0-x y");
        assert_eq!(found.length, 26);
    }

    #[test]
    fn endless_lines_and_endless_lists_of_lines_are_refused() {
        assert_eq!(identification(&[b'a'; 8192]), Err(WireError::LineTooLong));
        assert_eq!(identification(&[b'a'; 8191]), Ok(None));
        assert_eq!(identification(&[b'\n'; 65]), Err(WireError::TooManyLines));
    }

    #[test]
    fn known_protocols_are_named() {
        assert_eq!(other_protocol(b"HTTP/1.1 400 Bad Request\r\n"), Some("HTTP"));
        assert_eq!(other_protocol(&[0x15, 3, 1, 0, 2]), Some("TLS"));
        assert_eq!(other_protocol(b"220 mail ESMTP\r\n"), Some("SMTP or FTP"));
        assert_eq!(other_protocol(b"SSH-2.0-OpenSSH_9.2\r\n"), None);
        assert_eq!(other_protocol(b""), None);
    }

    #[test]
    fn nothing_that_moves_a_terminal_survives() {
        assert_eq!(printable(b"a\x1b[2Jb\r\n"), "a\u{fffd}[2Jb");
    }
}

//! Public keys as people send them, checked byte by byte before anything is written.
//!
//! Accepted: OpenSSH lines of every current type (also with options in front, also
//! several of them), RFC 4716 blocks, PEM public keys and X.509 certificates. Each is
//! turned into one OpenSSH line. Every length field inside the key is followed, so a
//! key that lost characters on the way is refused, and the text says what to do. What
//! a line is, `formats::authorized_keys` knows.

mod pem;

use formats::authorized_keys::{Entry, LineError};

/// A public key as one line of `authorized_keys`.
pub type PublicKey = Entry;

/// Why a text is not a usable public key, and what to do about it. Never holds the
/// text itself, which may be a private key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing but white space and comments.
    #[error("ssh_key is empty; send the content of the .pub file")]
    Empty,
    /// The name of a file, which clients send when the file does not exist.
    #[error(
        "ssh_key is the file path {0:?}, not a key: clients send the path itself when they \
         find no such file. Check the path, or send the content of the .pub file"
    )]
    Path(String),
    /// A private key.
    #[error(
        "ssh_key is a private key, which must never be sent; send the content of the \
         matching .pub file (made by: ssh-keygen -y -f KEY) and consider this key exposed"
    )]
    Private,
    /// The first word is no key type.
    #[error(
        "ssh_key does not begin with a key type such as ssh-ed25519, ssh-rsa or \
         ecdsa-sha2-nistp256; send the content of the .pub file unchanged"
    )]
    Unknown,
    /// A type that current servers refuse.
    #[error("ssh_key has the type {kind}, {reason}; send an ssh-ed25519 or ssh-rsa key")]
    Refused {
        /// The type's name.
        kind: &'static str,
        /// Why it is of no use.
        reason: &'static str,
    },
    /// A type name without a key behind it.
    #[error("ssh_key holds only the key type {0}; the key itself is missing")]
    TypeOnly(&'static str),
    /// Characters lost or changed.
    #[error(
        "the {kind} key is damaged ({reason}); it was probably cut or wrapped when it was \
         copied: copy the .pub file again, as one line"
    )]
    Damaged {
        /// The type's name, or what else the text claims to be.
        kind: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// Options in front of the key that do not parse.
    #[error("the options in front of the key are malformed: {0}")]
    Options(&'static str),
}

impl From<LineError> for KeyError {
    fn from(error: LineError) -> KeyError {
        match error {
            LineError::Unknown => KeyError::Unknown,
            LineError::Refused(kind, reason) => KeyError::Refused { kind, reason },
            LineError::TypeOnly(kind) => KeyError::TypeOnly(kind),
            LineError::Damaged(kind, reason) => KeyError::Damaged { kind, reason },
            LineError::OpenQuote => KeyError::Options("a double quote is not closed"),
        }
    }
}

/// Reads every key in a text.
pub fn parse(text: &str) -> Result<Vec<PublicKey>, KeyError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    if text.contains("PRIVATE KEY-----") || text.contains("PRIVATE KEY ----") {
        return Err(KeyError::Private);
    }
    if text.contains("PuTTY-User-Key-File") {
        return Err(KeyError::Private);
    }
    if text.starts_with("---- BEGIN SSH2 PUBLIC KEY ----") {
        return Ok(vec![pem::ssh2(text)?]);
    }
    if text.starts_with("-----BEGIN ") {
        return Ok(vec![pem::pem(text)?]);
    }
    if looks_like_path(text) {
        return Err(KeyError::Path(text.to_owned()));
    }
    if let Some(key) = pem::bare_certificate(text) {
        return key.map(|key| vec![key]);
    }
    let mut keys: Vec<PublicKey> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match usable(line) {
            Ok(key) if !keys.iter().any(|known| known.same_key(&key)) => keys.push(key),
            Ok(_) => {}
            // The second half of a wrapped line: the first half is what to talk about.
            Err(KeyError::Unknown) if !keys.is_empty() => {
                return Err(KeyError::Damaged {
                    kind: keys[keys.len() - 1].key.kind(),
                    reason: "text follows on a line of its own".to_owned(),
                });
            }
            Err(error) => return Err(error),
        }
    }
    if keys.is_empty() { Err(KeyError::Empty) } else { Ok(keys) }
}

/// A line whose key current servers accept.
fn usable(line: &str) -> Result<PublicKey, KeyError> {
    if line.starts_with("ssh-dss ") {
        let reason = "which current servers no longer accept";
        return Err(KeyError::Refused { kind: "ssh-dss", reason });
    }
    checked(Entry::parse(line)?)
}

fn checked(entry: Entry) -> Result<PublicKey, KeyError> {
    match entry.key.weakness() {
        Some(reason) => Err(KeyError::Refused { kind: entry.key.kind(), reason }),
        None => Ok(entry),
    }
}

fn looks_like_path(text: &str) -> bool {
    if text.contains(char::is_whitespace) || text.len() > 4096 {
        return false;
    }
    let windows = text.as_bytes().get(1) == Some(&b':');
    text.starts_with(['/', '~', '.', '@'])
        || windows
        || text.ends_with(".pub")
        || text.starts_with("id_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    pub(crate) const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xkAsQnAgUiQzKpnTuWS2LmEBKLUfSH7wdDbhVoLhX me@here";

    fn blob(fields: &[&[u8]]) -> String {
        let mut bytes = Vec::new();
        for field in fields {
            let length = u32::try_from(field.len()).expect("short");
            bytes.extend(length.to_be_bytes());
            bytes.extend(*field);
        }
        STANDARD.encode(bytes)
    }

    fn point(bytes: usize) -> Vec<u8> {
        let mut point = vec![7; 1 + 2 * bytes];
        point[0] = 4;
        point
    }

    #[test]
    fn every_current_type_is_accepted() {
        let rsa = [&[0u8, 0x80][..], &[1; 254], &[3]].concat();
        let (p256, p521) = (point(32), point(66));
        let cases: [(&str, Vec<&[u8]>); 6] = [
            ("ssh-ed25519", vec![&[9; 32]]),
            ("ssh-rsa", vec![&[1, 0, 1], &rsa]),
            ("ecdsa-sha2-nistp256", vec![b"nistp256", &p256]),
            ("ecdsa-sha2-nistp521", vec![b"nistp521", &p521]),
            ("sk-ssh-ed25519@openssh.com", vec![&[9; 32], b"ssh:"]),
            ("sk-ecdsa-sha2-nistp256@openssh.com", vec![b"nistp256", &p256, b"ssh:"]),
        ];
        for (name, fields) in cases {
            let fields = [vec![name.as_bytes()], fields].concat();
            let line = format!("{name} {} me", blob(&fields));
            let keys = parse(&line).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(keys[0].to_string(), line);
            let with_options = format!("from=\"10.0.0.0/8,a b\",no-pty {line}");
            assert_eq!(parse(&with_options).expect(name)[0].to_string(), with_options);
        }
    }

    #[test]
    fn every_truncation_of_a_key_is_refused() {
        let end = ED25519.len() - " me@here".len();
        for cut in "ssh-ed25519 ".len() + 1..end {
            let error = parse(&ED25519[..cut]).expect_err("cut");
            assert!(matches!(error, KeyError::Damaged { .. }), "{cut}: {error}");
        }
        let wrapped = format!("{}\n{}", &ED25519[..50], &ED25519[50..]);
        assert!(parse(&wrapped).expect_err("wrapped").to_string().contains("one line"));
    }

    #[test]
    fn a_type_that_differs_from_the_keys_own_is_refused() {
        let lie = ED25519.replacen("ssh-ed25519", "ssh-rsa", 1);
        assert!(matches!(parse(&lie), Err(KeyError::Damaged { .. })));
    }

    #[test]
    fn small_and_outdated_keys_are_refused() {
        let small = [&[0u8, 0x80][..], &[1; 62], &[3]].concat();
        let rsa = format!("ssh-rsa {}", blob(&[b"ssh-rsa", &[1, 0, 1], &small]));
        assert!(matches!(parse(&rsa), Err(KeyError::Refused { kind: "ssh-rsa", .. })));
        assert!(matches!(parse("ssh-dss AAAA"), Err(KeyError::Refused { .. })));
        let certificate = "ssh-ed25519-cert-v01@openssh.com AAAA";
        assert!(matches!(parse(certificate), Err(KeyError::Refused { .. })));
    }

    #[test]
    fn paths_private_keys_and_nonsense_are_named() {
        for path in ["~/.ssh/id_rsa.pub", "/root/k.pub", "C:\\k.pub", "id_rsa", "./k"] {
            assert_eq!(parse(path), Err(KeyError::Path(path.to_owned())));
        }
        let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nxx\n";
        assert_eq!(parse(private), Err(KeyError::Private));
        assert_eq!(parse(" \n# nothing\n"), Err(KeyError::Empty));
        assert_eq!(parse("hello world"), Err(KeyError::Unknown));
        assert_eq!(parse("ssh-ed25519"), Err(KeyError::TypeOnly("ssh-ed25519")));
    }

    #[test]
    fn several_keys_are_read_and_doubles_dropped() {
        let other = format!("ssh-ed25519 {}", blob(&[b"ssh-ed25519", &[1; 32]]));
        let text = format!("# mine\n{ED25519}\r\n\n{other}\n{ED25519}\n");
        assert_eq!(parse(&text).expect("two").len(), 2);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*|[ -~\n]{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn damage_to_the_structure_is_noticed(at in 0usize..19, bit in 0u8..8) {
            // Everything in front of the 32 key bytes: two lengths and the name.
            let encoded = ED25519.split(' ').nth(1).expect("three words");
            let mut bytes = STANDARD.decode(encoded).expect("base64");
            bytes[at] ^= 1 << bit;
            let line = format!("ssh-ed25519 {}", STANDARD.encode(bytes));
            prop_assert!(parse(&line).is_err());
        }
    }
}

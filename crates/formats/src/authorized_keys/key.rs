//! The key of a line: `type base64`.

use std::fmt;

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg};

use super::LineError;

/// A public key, every length field of which has been followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(ssh_key::PublicKey);

/// What does not fit in a key's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage(pub String);

/// Key types of which sshd reads lines (sshkey.c), without certificates.
const TYPES: [&str; 8] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-dss",
];

/// Servers refuse RSA keys below this (RequiredRSASize), in bits.
const RSA_MINIMUM: usize = 1024;

impl PublicKey {
    /// Reads a key's bytes (RFC 4253 section 6.6, RFC 5656, RFC 8709, PROTOCOL.u2f).
    ///
    /// # Errors
    ///
    /// If a length does not fit, or the type is none of those that sshd reads.
    pub fn from_blob(blob: &[u8]) -> Result<Self, Damage> {
        let key = ssh_key::PublicKey::from_bytes(blob)
            .map_err(|error| Damage(error.to_string()))?;
        // The crate takes some lengths that do not fit; written again they differ.
        if key.to_bytes().ok().as_deref() != Some(blob) {
            return Err(Damage("its length fields do not fit".to_owned()));
        }
        if !is_type(key.algorithm().as_str()) {
            return Err(Damage("it holds no known key type".to_owned()));
        }
        if let KeyData::Rsa(rsa) = key.key_data() {
            let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last % 2 == 1);
            if !odd(rsa.e.as_bytes()) || !odd(rsa.n.as_bytes()) {
                return Err(Damage(
                    "its exponent or modulus is no RSA number".to_owned(),
                ));
            }
        }
        Ok(Self(key))
    }

    /// The name of its type, as it stands in front of it.
    pub fn kind(&self) -> &'static str {
        let name = self.0.algorithm();
        type_name(name.as_str()).unwrap_or_default()
    }

    /// Its bytes.
    pub fn blob(&self) -> Vec<u8> {
        // Writing what was read cannot fail.
        self.0.to_bytes().unwrap_or_default()
    }

    /// `SHA256:` and the digest of its bytes, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Why current servers let nobody in by it, if so.
    pub fn weakness(&self) -> Option<&'static str> {
        match self.0.key_data() {
            KeyData::Rsa(rsa) => {
                let bits = rsa.n.as_positive_bytes().map_or(0, |digits| {
                    let zeros = digits.first().map_or(0, |first| first.leading_zeros());
                    digits.len() * 8 - zeros as usize
                });
                (bits < RSA_MINIMUM)
                    .then_some("but fewer than 1024 bits, which servers refuse")
            }
            _ if self.0.algorithm() == Algorithm::Dsa => {
                Some("which current servers no longer accept")
            }
            _ => None,
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of the key alone: its comment is the line's.
        f.write_str(&self.0.to_openssh().map_err(|_| fmt::Error)?)
    }
}

/// Whether a word is a key type that sshd reads.
pub(super) fn is_type(word: &str) -> bool {
    type_name(word).is_some()
}

fn type_name(word: &str) -> Option<&'static str> {
    TYPES.into_iter().find(|known| *known == word)
}

/// Key and comment of `type base64 [comment]`; `None` if it does not begin with a
/// type.
pub(super) fn typed(text: &str) -> Option<Result<(PublicKey, String), LineError>> {
    let (name, rest) = first_word(text);
    if name == "ssh-rsa1" {
        return Some(Err(LineError::Refused(
            "ssh-rsa1",
            "which no current server knows",
        )));
    }
    if name.ends_with("-cert-v01@openssh.com") {
        let why = "which authorized_keys does not accept";
        return Some(Err(LineError::Refused("OpenSSH certificate", why)));
    }
    let kind = type_name(name)?;
    let (encoded, comment) = first_word(rest);
    if encoded.is_empty() {
        return Some(Err(LineError::TypeOnly(kind)));
    }
    Some(decode(kind, encoded).map(|key| {
        // In this order: what stood behind a control character may be a space.
        let comment: String = comment.chars().filter(|c| !c.is_control()).collect();
        (key, comment.trim().to_owned())
    }))
}

fn decode(kind: &'static str, encoded: &str) -> Result<PublicKey, LineError> {
    use base64::Engine;
    let damaged = |reason: String| LineError::Damaged(kind, reason);
    let blob = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .map_err(|error| damaged(format!("it is not base64: {error}")))?;
    let key = PublicKey::from_blob(&blob).map_err(|Damage(reason)| damaged(reason))?;
    if key.kind() == kind {
        Ok(key)
    } else {
        Err(damaged("the key says it has another type".to_owned()))
    }
}

fn first_word(text: &str) -> (&str, &str) {
    text.split_once([' ', '\t'])
        .map_or((text, ""), |(word, rest)| (word, rest.trim_start_matches([' ', '\t'])))
}

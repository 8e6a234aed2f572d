//! Sealing: authenticated encryption of what may hold a secret.
//!
//! One root key of 32 bytes lies in the state directory (mode 0600). Keys for
//! single uses are derived from it by HMAC, so that a token's key says nothing
//! about the journal's. A sealed value is `nonce ‖ AES-256-GCM(value)`.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;

/// The root key, and what is made with it.
#[derive(Clone)]
pub(crate) struct Seal {
    root: [u8; 32],
}

/// A value that was sealed with another key, or was changed.
#[derive(Debug, thiserror::Error)]
#[error("it was not sealed by this state directory's key, or it is damaged")]
pub(crate) struct OpenError;

impl Seal {
    /// The seal of a root key.
    pub(crate) fn new(root: [u8; 32]) -> Self {
        Self { root }
    }

    /// A key for one `purpose`.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &self.root);
        let tag = hmac::sign(&root, purpose.as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(tag.as_ref());
        key
    }

    /// Seals `clear`.
    pub(crate) fn close(&self, clear: &[u8]) -> Vec<u8> {
        let mut body = clear.to_vec();
        let nonce = self
            .key()
            .seal_in_place_append_tag(Aad::empty(), &mut body)
            .expect("AES-GCM seals anything that fits in memory");
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut body);
        sealed
    }

    /// Opens what [`Self::close`] sealed.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let mut body = body.to_vec();
        let clear = self
            .key()
            .open_in_place(nonce, Aad::empty(), &mut body)
            .map_err(|_| OpenError)?
            .len();
        body.truncate(clear);
        Ok(body)
    }

    fn key(&self) -> RandomizedNonceKey {
        RandomizedNonceKey::new(&AES_256_GCM, &self.derive("journal"))
            .expect("AES-256 takes a key of 32 bytes")
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_the_same_key_only() {
        let seal = Seal::new([7; 32]);
        let sealed = seal.close(b"secret");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(seal.open(&sealed).unwrap(), b"secret");
        assert!(Seal::new([8; 32]).open(&sealed).is_err());
    }

    #[test]
    fn a_damaged_or_short_value_is_refused() {
        let seal = Seal::new([7; 32]);
        let mut sealed = seal.close(b"secret");
        *sealed.last_mut().unwrap() ^= 1;
        assert!(seal.open(&sealed).is_err());
        assert!(seal.open(b"short").is_err());
    }
}

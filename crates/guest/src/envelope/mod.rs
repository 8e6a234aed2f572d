//! How secrets travel: CMS EnvelopedData for a certificate, and PKCS#12 files.
//!
//! The cloud holds a *tenant* identity for each VM. Protected settings are encrypted
//! to its certificate. The tenant's key reaches the VM inside a PKCS#12 file with an
//! empty password ([`pfx`]), which is encrypted to the *transport* certificate that
//! the agent made for itself. Everything is DER in, DER out; `openssl cms` and
//! `openssl pkcs12` read and write the same (crates/guest/tests/openssl.rs).

mod cipher;
mod enveloped;
mod identity;
pub mod pfx;

pub use cipher::Cipher;
pub use enveloped::{decrypt, encrypt};
pub use identity::{Identity, certificate_from_pem, certificate_to_pem, thumbprint};

/// Why something could not be encrypted, decrypted or read.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not DER of the expected structure.
    #[error("{what} is not the expected DER structure")]
    Der {
        /// Which structure.
        what: &'static str,
        /// What the DER reader says.
        #[source]
        source: der::Error,
    },
    /// Not PEM text.
    #[error("{what} is not PEM: {reason}")]
    Pem {
        /// Which file.
        what: &'static str,
        /// What the PEM reader says.
        reason: String,
    },
    /// A key that is not RSA, or is broken.
    #[error("{what} is not a usable RSA key: {reason}")]
    Key {
        /// Which key.
        what: &'static str,
        /// What the key reader says.
        reason: String,
    },
    /// The random number generator or the key generation failed.
    #[error("could not make a key: {reason}")]
    Generate {
        /// What the generator says.
        reason: String,
    },
    /// An algorithm that is not implemented.
    #[error("{what} uses the algorithm {oid}, which is not supported")]
    Algorithm {
        /// Which structure.
        what: &'static str,
        /// The algorithm's object identifier.
        oid: String,
    },
    /// The message is for somebody else.
    #[error("the message is not encrypted to this certificate")]
    NotForUs,
    /// Wrong key, or damaged on the way.
    #[error("{what} cannot be decrypted: wrong key, or damaged data")]
    Decrypt {
        /// Which structure.
        what: &'static str,
    },
    /// A PKCS#12 file whose password is not empty, or damaged.
    #[error("the PKCS#12 file's check value does not fit an empty password")]
    Mac,
}

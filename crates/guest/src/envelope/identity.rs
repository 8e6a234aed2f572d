//! A certificate with its private key.

use std::str::FromStr;
use std::time::Duration;

use der::asn1::BitString;
use der::pem::LineEnding;
use der::{Decode, DecodePem, Encode, EncodePem};
use rand::rngs::OsRng;
use rand::{CryptoRng, RngCore};
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::Certificate;
use x509_cert::builder::{Builder, CertificateBuilder, Profile};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Validity;

use super::EnvelopeError;

/// As long as the transport certificate of Microsoft's agent lives.
const LIFETIME: Duration = Duration::from_secs(730 * 24 * 3600);

/// A self-made RSA certificate and its private key: transport or tenant.
#[derive(Clone)]
pub struct Identity {
    certificate: Certificate,
    key: RsaPrivateKey,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.certificate.tbs_certificate.subject)
    }
}

impl Identity {
    /// Makes an RSA 2048 key and a self-signed certificate for `CN=<common_name>`.
    pub fn generate(common_name: &str) -> Result<Identity, EnvelopeError> {
        let failed = |reason: String| EnvelopeError::Generate { reason };
        let key =
            RsaPrivateKey::new(&mut OsRng, 2048).map_err(|e| failed(e.to_string()))?;
        let certificate = self_signed(&key, common_name, &mut OsRng)
            .map_err(|e| failed(e.to_string()))?;
        Ok(Identity { certificate, key })
    }

    /// Reads a certificate and a private key (PKCS#8 or PKCS#1), each PEM text.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Identity, EnvelopeError> {
        let certificate = Certificate::from_pem(certificate).map_err(|e| {
            EnvelopeError::Pem { what: "the certificate", reason: e.to_string() }
        })?;
        let key = RsaPrivateKey::from_pkcs8_pem(key)
            .or_else(|_| rsa::pkcs1::DecodeRsaPrivateKey::from_pkcs1_pem(key))
            .map_err(|e| EnvelopeError::Key {
                what: "the private key",
                reason: e.to_string(),
            })?;
        Ok(Identity { certificate, key })
    }

    /// Reads a DER certificate and a DER PKCS#8 private key.
    pub fn from_der(certificate: &[u8], key: &[u8]) -> Result<Identity, EnvelopeError> {
        let certificate = Certificate::from_der(certificate)
            .map_err(|source| EnvelopeError::Der { what: "the certificate", source })?;
        let key = RsaPrivateKey::from_pkcs8_der(key).map_err(|e| EnvelopeError::Key {
            what: "the private key",
            reason: e.to_string(),
        })?;
        Ok(Identity { certificate, key })
    }

    /// The certificate as DER.
    pub fn certificate_der(&self) -> Result<Vec<u8>, EnvelopeError> {
        self.certificate
            .to_der()
            .map_err(|source| EnvelopeError::Der { what: "the certificate", source })
    }

    /// The certificate as PEM text.
    pub fn certificate_pem(&self) -> Result<String, EnvelopeError> {
        self.certificate
            .to_pem(LineEnding::LF)
            .map_err(|source| EnvelopeError::Der { what: "the certificate", source })
    }

    /// The private key as PKCS#8 PEM text. Secret.
    pub fn key_pem(&self) -> Result<String, EnvelopeError> {
        let pem = self.key.to_pkcs8_pem(LineEnding::LF).map_err(key_error)?;
        Ok(pem.to_string())
    }

    /// The private key as PKCS#8 DER. Secret.
    pub(super) fn key_der(&self) -> Result<Vec<u8>, EnvelopeError> {
        Ok(self.key.to_pkcs8_der().map_err(key_error)?.as_bytes().to_vec())
    }

    /// See [`thumbprint`].
    pub fn thumbprint(&self) -> Result<String, EnvelopeError> {
        Ok(thumbprint(&self.certificate_der()?))
    }

    pub(super) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(super) fn key(&self) -> &RsaPrivateKey {
        &self.key
    }

    /// Whether the certificate's public key belongs to the private key.
    pub(super) fn fits(&self) -> bool {
        let Ok(public) = self.key.to_public_key().to_public_key_der() else {
            return false;
        };
        let spki = self.certificate.tbs_certificate.subject_public_key_info.to_der();
        spki.is_ok_and(|spki| spki == public.as_bytes())
    }
}

/// SHA-1 of a DER certificate as 40 upper-case hexadecimal digits: the name of its
/// files in `/var/lib/waagent`.
pub fn thumbprint(certificate_der: &[u8]) -> String {
    Sha1::digest(certificate_der).iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The DER of a PEM certificate. Text without the BEGIN and END lines is accepted
/// too, because the header `x-ms-guest-agent-public-x509-cert` has none.
pub fn certificate_from_pem(text: &str) -> Result<Vec<u8>, EnvelopeError> {
    use base64::Engine;
    let body: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(str::split_whitespace)
        .collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).map_err(|e| {
        EnvelopeError::Pem { what: "the certificate", reason: e.to_string() }
    })?;
    Certificate::from_der(&der)
        .map_err(|source| EnvelopeError::Der { what: "the certificate", source })?;
    Ok(der)
}

/// PEM text of a DER certificate.
pub fn certificate_to_pem(der: &[u8]) -> Result<String, EnvelopeError> {
    Certificate::from_der(der)
        .and_then(|certificate| certificate.to_pem(LineEnding::LF))
        .map_err(|source| EnvelopeError::Der { what: "the certificate", source })
}

fn key_error(error: rsa::pkcs8::Error) -> EnvelopeError {
    EnvelopeError::Key { what: "the private key", reason: error.to_string() }
}

fn self_signed(
    key: &RsaPrivateKey,
    common_name: &str,
    random: &mut (impl RngCore + CryptoRng),
) -> Result<Certificate, Box<dyn std::error::Error>> {
    let mut serial = [0u8; 16];
    random.fill_bytes(&mut serial);
    // Positive, and never shortened by a leading zero.
    serial[0] = serial[0] & 0x3f | 0x40;
    let public = key.to_public_key().to_public_key_der()?;
    let signer = SigningKey::<Sha256>::new(key.clone());
    let builder = CertificateBuilder::new(
        Profile::Manual { issuer: None },
        SerialNumber::new(&serial)?,
        Validity::from_now(LIFETIME)?,
        Name::from_str(&format!("CN={common_name}"))?,
        SubjectPublicKeyInfoOwned::from_der(public.as_bytes())?,
        &signer,
    )?;
    Ok(builder.build::<rsa::pkcs1v15::Signature>()?)
}

/// The raw bits of a certificate's public key.
pub(super) fn public_key_bits(certificate: &Certificate) -> &BitString {
    &certificate.tbs_certificate.subject_public_key_info.subject_public_key
}

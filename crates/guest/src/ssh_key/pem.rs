//! Keys in armour: RFC 4716 blocks, PEM public keys, X.509 certificates.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use der::asn1::{ObjectIdentifier, UintRef};
use der::oid::db::rfc5912::{
    ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1,
};
use der::oid::db::rfc8410::ID_ED_25519;
use der::{Decode, Sequence};
use formats::authorized_keys::{Damage, Entry, PublicKey as Key};
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::Certificate;

use super::{KeyError, PublicKey, checked};

const BLOCK: &str = "SSH2";
const PEM: &str = "PEM";

/// `RSAPublicKey` of PKCS#1.
#[derive(Sequence)]
struct RsaKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// An RFC 4716 block: headers with continuation lines, then base64.
pub(super) fn ssh2(text: &str) -> Result<PublicKey, KeyError> {
    let mut lines = text.lines().map(str::trim).skip(1).peekable();
    let (mut comment, mut body, mut closed) = (String::new(), String::new(), false);
    while let Some(line) = lines.next() {
        if line == "---- END SSH2 PUBLIC KEY ----" {
            closed = true;
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            body.push_str(line);
            continue;
        };
        let mut value = value.trim().to_owned();
        while value.ends_with('\\') {
            value.pop();
            value.push_str(lines.next().unwrap_or_default());
        }
        if name.eq_ignore_ascii_case("comment") {
            comment = value.trim_matches('"').to_owned();
        }
    }
    if !closed {
        return Err(damaged(BLOCK, "its END line is missing"));
    }
    let blob = STANDARD
        .decode(body)
        .map_err(|e| damaged(BLOCK, &format!("it is not base64: {e}")))?;
    finish(BLOCK, &blob, &comment)
}

/// A PEM block that holds a public key in some form.
pub(super) fn pem(text: &str) -> Result<PublicKey, KeyError> {
    let mut lines = text.lines().map(str::trim);
    let begin = lines.next().unwrap_or_default();
    let label = begin
        .strip_prefix("-----BEGIN ")
        .and_then(|rest| rest.strip_suffix("-----"))
        .ok_or_else(|| damaged(PEM, "its BEGIN line is malformed"))?;
    let end = format!("-----END {label}-----");
    let mut body = String::new();
    let mut closed = false;
    for line in lines {
        closed = line == end;
        if closed {
            break;
        }
        body.push_str(line);
    }
    if !closed {
        return Err(damaged(PEM, "its END line is missing"));
    }
    let der = STANDARD
        .decode(body)
        .map_err(|e| damaged(PEM, &format!("it is not base64: {e}")))?;
    match label {
        "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => certificate(&der),
        "PUBLIC KEY" => SubjectPublicKeyInfoOwned::from_der(&der)
            .map_err(|e| damaged(PEM, &e.to_string()))
            .and_then(|info| public_key(&info, "")),
        "RSA PUBLIC KEY" => rsa(&der, ""),
        _ => Err(KeyError::Unknown),
    }
}

/// The base64 body of a certificate without its BEGIN and END lines, as old portals
/// sent it. `None`: something else.
pub(super) fn bare_certificate(text: &str) -> Option<Result<PublicKey, KeyError>> {
    if !text.starts_with("MI") {
        return None;
    }
    let packed: String = text.split_whitespace().collect();
    let der = STANDARD.decode(packed).ok()?;
    Some(certificate(&der))
}

fn certificate(der: &[u8]) -> Result<PublicKey, KeyError> {
    let certificate = Certificate::from_der(der)
        .map_err(|e| damaged("X.509 certificate", &e.to_string()))?;
    let subject = &certificate.tbs_certificate;
    public_key(&subject.subject_public_key_info, &subject.subject.to_string())
}

fn public_key(
    info: &SubjectPublicKeyInfoOwned,
    comment: &str,
) -> Result<PublicKey, KeyError> {
    let bits = info.subject_public_key.raw_bytes();
    if info.algorithm.oid == RSA_ENCRYPTION {
        return rsa(bits, comment);
    }
    if info.algorithm.oid == ID_ED_25519 {
        return finish(PEM, &build(&[b"ssh-ed25519", bits]), comment);
    }
    let unsupported = KeyError::Refused {
        kind: "a certificate's or PEM file's",
        reason: "but its algorithm has no OpenSSH key type",
    };
    if info.algorithm.oid != ID_EC_PUBLIC_KEY {
        return Err(unsupported);
    }
    let curve: Option<ObjectIdentifier> =
        info.algorithm.parameters.as_ref().and_then(|any| any.decode_as().ok());
    let (kind, name): (&[u8], &[u8]) = match curve {
        Some(SECP_256_R_1) => (b"ecdsa-sha2-nistp256", b"nistp256"),
        Some(SECP_384_R_1) => (b"ecdsa-sha2-nistp384", b"nistp384"),
        Some(SECP_521_R_1) => (b"ecdsa-sha2-nistp521", b"nistp521"),
        _ => return Err(unsupported),
    };
    finish(PEM, &build(&[kind, name, bits]), comment)
}

fn rsa(der: &[u8], comment: &str) -> Result<PublicKey, KeyError> {
    let key = RsaKey::from_der(der).map_err(|e| damaged(PEM, &e.to_string()))?;
    let (exponent, modulus) = (mpint(key.exponent), mpint(key.modulus));
    finish(PEM, &build(&[b"ssh-rsa", &exponent, &modulus]), comment)
}

/// SSH's numbers are signed: a leading one bit needs a zero byte in front.
fn mpint(number: UintRef<'_>) -> Vec<u8> {
    let bytes = number.as_bytes();
    let pad = bytes.first().is_some_and(|byte| *byte >= 0x80);
    [if pad { &[0u8][..] } else { &[] }, bytes].concat()
}

/// Puts a key's fields together, each with its length in front.
fn build(fields: &[&[u8]]) -> Vec<u8> {
    let mut blob = Vec::new();
    for field in fields {
        let length = u32::try_from(field.len()).expect("a key's field is below 4 GiB");
        blob.extend_from_slice(&length.to_be_bytes());
        blob.extend_from_slice(field);
    }
    blob
}

fn finish(what: &'static str, blob: &[u8], comment: &str) -> Result<PublicKey, KeyError> {
    let key = Key::from_blob(blob).map_err(|Damage(reason)| damaged(what, &reason))?;
    let comment = comment.chars().filter(|c| !c.is_control()).collect();
    checked(Entry { options: None, key, comment })
}

fn damaged(kind: &'static str, reason: &str) -> KeyError {
    KeyError::Damaged { kind, reason: reason.to_owned() }
}

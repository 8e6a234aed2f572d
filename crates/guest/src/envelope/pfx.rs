//! PKCS#12 (RFC 7292) files with an empty password: how the tenant's certificate and
//! key travel inside the certificates document.
//!
//! Written with today's algorithms (PBES2: PBKDF2-SHA-256, AES-256; check value
//! HMAC-SHA-256), read with these and with the old triple-DES ones.

use cms::content_info::{CmsVersion, ContentInfo};
use cms::encrypted_data::EncryptedData;
use cms::enveloped_data::EncryptedContentInfo;
use der::asn1::{ObjectIdentifier, OctetString};
use der::oid::db::rfc5911::{ID_DATA, ID_ENCRYPTED_DATA};
use der::oid::db::rfc5912::{ID_SHA_1, ID_SHA_256};
use der::{Any, AnyRef, Decode, Encode, Sequence};
use hmac::{Hmac, Mac};
use pkcs5::EncryptionScheme;
use pkcs12::cert_type::CertBag;
use pkcs12::digest_info::DigestInfo;
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use pkcs12::mac_data::MacData;
use pkcs12::pfx::{Pfx, Version};
use pkcs12::safe_bag::{SafeBag, SafeContents};
use rand::RngCore;
use rand::rngs::OsRng;
use sha1::Sha1;
use sha2::Sha256;
use spki::{AlgorithmIdentifierOwned, AlgorithmIdentifierRef};

use super::{Cipher, EnvelopeError, Identity};

const FILE: &str = "the PKCS#12 file";
/// The password is empty, so more rounds would protect nothing.
const ROUNDS: u16 = 2048;
/// An empty password as PKCS#12 counts it: UTF-16 with its terminator. Some writers
/// leave the terminator out as well.
const EMPTY: [&[u8]; 2] = [&[0, 0], &[]];

/// `EncryptedPrivateKeyInfo` of PKCS#8, which is what a shrouded key bag holds.
#[derive(Sequence)]
struct ShroudedKey {
    algorithm: AlgorithmIdentifierOwned,
    data: OctetString,
}

/// The file's DER for one certificate with its key.
pub fn encode(identity: &Identity) -> Result<Vec<u8>, EnvelopeError> {
    let certificate = identity.certificate_der()?;
    let key = identity.key_der()?;
    assemble(&certificate, &key)
        .map_err(|source| EnvelopeError::Der { what: FILE, source })
}

/// Every certificate in the file that has its private key there. Certificates and
/// keys without their other half are skipped.
pub fn decode(file: &[u8]) -> Result<Vec<Identity>, EnvelopeError> {
    let pfx = Pfx::from_der(file).map_err(der_error)?;
    let safes: OctetString = pfx.auth_safe.content.decode_as().map_err(der_error)?;
    let password = match &pfx.mac_data {
        Some(mac) => EMPTY
            .into_iter()
            .find(|password| mac_fits(mac, password, safes.as_bytes()))
            .ok_or(EnvelopeError::Mac)?,
        None => EMPTY[0],
    };
    let (mut certificates, mut keys) = (Vec::new(), Vec::new());
    for safe in Vec::<ContentInfo>::from_der(safes.as_bytes()).map_err(der_error)? {
        for bag in SafeContents::from_der(&open(&safe, password)?).map_err(der_error)? {
            read_bag(&bag, password, &mut certificates, &mut keys)?;
        }
    }
    let mut identities = Vec::new();
    for certificate in &certificates {
        for key in &keys {
            // A key that is not RSA belongs to somebody else's certificate.
            if let Ok(identity) = Identity::from_der(certificate, key)
                && identity.fits()
            {
                identities.push(identity);
            }
        }
    }
    Ok(identities)
}

fn assemble(certificate: &[u8], key: &[u8]) -> der::Result<Vec<u8>> {
    let certificate = CertBag {
        cert_id: pkcs12::PKCS_12_X509_CERT_OID,
        cert_value: OctetString::new(certificate)?,
    };
    let (algorithm, data) = seal(key)?;
    let key = ShroudedKey { algorithm, data };

    // The certificates are encrypted as a whole, the key on its own.
    let bags = vec![bag(pkcs12::PKCS_12_CERT_BAG_OID, certificate.to_der()?)].to_der()?;
    let (content_enc_alg, content) = seal(&bags)?;
    let encrypted = EncryptedData {
        version: CmsVersion::V0,
        enc_content_info: EncryptedContentInfo {
            content_type: ID_DATA,
            content_enc_alg,
            encrypted_content: Some(content),
        },
        unprotected_attrs: None,
    };
    let keys = vec![bag(pkcs12::PKCS_12_PKCS8_KEY_BAG_OID, key.to_der()?)].to_der()?;
    let safes = vec![
        ContentInfo {
            content_type: ID_ENCRYPTED_DATA,
            content: Any::encode_from(&encrypted)?,
        },
        plain_data(&keys)?,
    ]
    .to_der()?;
    let salt = random::<8>();
    let tag = mac_sha256(EMPTY[0], &salt, i32::from(ROUNDS), &safes);
    Pfx {
        version: Version::V3,
        auth_safe: plain_data(&safes)?,
        mac_data: Some(MacData {
            mac: DigestInfo {
                algorithm: AlgorithmIdentifierOwned {
                    oid: ID_SHA_256,
                    parameters: Some(Any::from(AnyRef::NULL)),
                },
                digest: OctetString::new(tag.finalize().into_bytes().as_slice())?,
            },
            mac_salt: OctetString::new(salt)?,
            iterations: i32::from(ROUNDS),
        }),
    }
    .to_der()
}

fn bag(bag_id: ObjectIdentifier, bag_value: Vec<u8>) -> SafeBag {
    SafeBag { bag_id, bag_value, bag_attributes: None }
}

fn plain_data(content: &[u8]) -> der::Result<ContentInfo> {
    let content = Any::encode_from(&OctetString::new(content)?)?;
    Ok(ContentInfo { content_type: ID_DATA, content })
}

/// Encrypts with an empty password and fresh salt.
fn seal(plain: &[u8]) -> der::Result<(AlgorithmIdentifierOwned, OctetString)> {
    let (salt, iv) = (random::<8>(), random::<16>());
    let invalid = || der::Error::from(der::ErrorKind::Failed);
    let parameters =
        pkcs5::pbes2::Parameters::pbkdf2_sha256_aes256cbc(ROUNDS.into(), &salt, &iv)
            .map_err(|_| invalid())?;
    let sealed = parameters.encrypt([], plain).map_err(|_| invalid())?;
    let scheme = EncryptionScheme::from(parameters).to_der()?;
    Ok((AlgorithmIdentifierOwned::from_der(&scheme)?, OctetString::new(sealed)?))
}

/// The DER of the bags inside one part of the file.
fn open(safe: &ContentInfo, password: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    if safe.content_type == ID_DATA {
        let data: OctetString = safe.content.decode_as().map_err(der_error)?;
        return Ok(data.into_bytes());
    }
    if safe.content_type != ID_ENCRYPTED_DATA {
        return Err(unsupported(&safe.content_type));
    }
    let data: EncryptedData = safe.content.decode_as().map_err(der_error)?;
    let content = data.enc_content_info.encrypted_content;
    let content = content.as_ref().map(OctetString::as_bytes).unwrap_or_default();
    unseal(&data.enc_content_info.content_enc_alg, password, content)
}

fn read_bag(
    bag: &SafeBag,
    password: &[u8],
    certificates: &mut Vec<Vec<u8>>,
    keys: &mut Vec<Vec<u8>>,
) -> Result<(), EnvelopeError> {
    // The reader keeps the explicit tag around the value.
    let value = AnyRef::from_der(&bag.bag_value).map_err(der_error)?.value();
    if bag.bag_id == pkcs12::PKCS_12_CERT_BAG_OID {
        let certificate = CertBag::from_der(value).map_err(der_error)?;
        certificates.push(certificate.cert_value.into_bytes());
    } else if bag.bag_id == pkcs12::PKCS_12_KEY_BAG_OID {
        keys.push(value.to_vec());
    } else if bag.bag_id == pkcs12::PKCS_12_PKCS8_KEY_BAG_OID {
        let key = ShroudedKey::from_der(value).map_err(der_error)?;
        keys.push(unseal(&key.algorithm, password, key.data.as_bytes())?);
    }
    Ok(())
}

fn unseal(
    algorithm: &AlgorithmIdentifierOwned,
    password: &[u8],
    data: &[u8],
) -> Result<Vec<u8>, EnvelopeError> {
    let wrong = || EnvelopeError::Decrypt { what: FILE };
    if algorithm.oid == pkcs12::PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC {
        let parameters = algorithm.parameters.as_ref().ok_or_else(wrong)?;
        let parameters: pkcs12::pbe_params::Pkcs12PbeParams =
            parameters.decode_as().map_err(der_error)?;
        let (salt, rounds) = (parameters.salt.as_bytes(), parameters.iterations);
        let key =
            derive_key::<Sha1>(password, salt, Pkcs12KeyType::EncryptionKey, rounds, 24);
        let iv = derive_key::<Sha1>(password, salt, Pkcs12KeyType::Iv, rounds, 8);
        return Cipher::DesEde3Cbc.decrypt(&key, &iv, data).ok_or_else(wrong);
    }
    let der = algorithm.to_der().map_err(der_error)?;
    let reference = AlgorithmIdentifierRef::from_der(&der).map_err(der_error)?;
    let scheme =
        EncryptionScheme::try_from(reference).map_err(|_| unsupported(&algorithm.oid))?;
    scheme.decrypt([], data).map_err(|_| wrong())
}

fn mac_sha256(password: &[u8], salt: &[u8], rounds: i32, data: &[u8]) -> Hmac<Sha256> {
    let key = derive_key::<Sha256>(password, salt, Pkcs12KeyType::Mac, rounds, 32);
    let mac =
        Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.chain_update(data)
}

fn mac_fits(mac: &MacData, password: &[u8], data: &[u8]) -> bool {
    let (salt, rounds) = (mac.mac_salt.as_bytes(), mac.iterations);
    let tag = mac.mac.digest.as_bytes();
    if salt.is_empty() || rounds < 1 {
        return false;
    }
    if mac.mac.algorithm.oid == ID_SHA_256 {
        return mac_sha256(password, salt, rounds, data).verify_slice(tag).is_ok();
    }
    if mac.mac.algorithm.oid == ID_SHA_1 {
        let key = derive_key::<Sha1>(password, salt, Pkcs12KeyType::Mac, rounds, 20);
        let mac =
            Hmac::<Sha1>::new_from_slice(&key).expect("HMAC takes keys of any length");
        return mac.chain_update(data).verify_slice(tag).is_ok();
    }
    false
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

fn der_error(source: der::Error) -> EnvelopeError {
    EnvelopeError::Der { what: FILE, source }
}

fn unsupported(oid: &ObjectIdentifier) -> EnvelopeError {
    EnvelopeError::Algorithm { what: FILE, oid: oid.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let identity = Identity::generate("tenant").expect("key");
        let file = encode(&identity).expect("file");
        let read = decode(&file).expect("own file");
        assert_eq!(read.len(), 1);
        assert_eq!(
            read[0].thumbprint().expect("der"),
            identity.thumbprint().expect("der")
        );
        assert_eq!(read[0].key_pem().expect("pem"), identity.key_pem().expect("pem"));
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let mut file = encode(&Identity::generate("tenant").expect("key")).expect("file");
        let middle = file.len() / 2;
        file[middle] ^= 1;
        assert!(decode(&file).is_err());
    }
}

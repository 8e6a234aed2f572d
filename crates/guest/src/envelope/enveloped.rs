//! CMS EnvelopedData (RFC 5652, section 6) with RSA key transport: a fresh content key
//! encrypts the message, the recipient's RSA key encrypts the content key.

use cms::cert::IssuerAndSerialNumber;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::enveloped_data::{
    EncryptedContentInfo, EnvelopedData, KeyTransRecipientInfo, RecipientIdentifier,
    RecipientInfo, RecipientInfos,
};
use der::asn1::OctetString;
use der::oid::AssociatedOid;
use der::oid::db::rfc5911::{ID_DATA, ID_ENVELOPED_DATA};
use der::oid::db::rfc5912::RSA_ENCRYPTION;
use der::{Any, AnyRef, Decode, Encode};
use rand::RngCore;
use rand::rngs::OsRng;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::{Pkcs1v15Encrypt, RsaPublicKey};
use spki::AlgorithmIdentifierOwned;
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectKeyIdentifier;

use super::identity::public_key_bits;
use super::{Cipher, EnvelopeError, Identity};

const MESSAGE: &str = "the encrypted message";

/// Encrypts `plain` to the holder of a DER certificate; gives DER.
pub fn encrypt(
    plain: &[u8],
    recipient: &[u8],
    cipher: Cipher,
) -> Result<Vec<u8>, EnvelopeError> {
    let certificate = Certificate::from_der(recipient)
        .map_err(|source| EnvelopeError::Der { what: "the certificate", source })?;
    let public = RsaPublicKey::from_pkcs1_der(public_key_bits(&certificate).raw_bytes())
        .map_err(|e| key_error(e.to_string()))?;

    let mut key = vec![0u8; cipher.key_len()];
    let mut iv = vec![0u8; cipher.iv_len()];
    OsRng.fill_bytes(&mut key);
    OsRng.fill_bytes(&mut iv);
    let content = cipher
        .encrypt(&key, &iv, plain)
        .expect("key and vector have the lengths that the cipher asked for");
    let wrapped = public
        .encrypt(&mut OsRng, Pkcs1v15Encrypt, &key)
        .map_err(|e| key_error(e.to_string()))?;

    assemble(&certificate, cipher, &iv, wrapped, content)
        .map_err(|source| EnvelopeError::Der { what: MESSAGE, source })
}

/// Decrypts a DER message that was encrypted to `identity`.
pub fn decrypt(message: &[u8], identity: &Identity) -> Result<Vec<u8>, EnvelopeError> {
    let bad = |source| EnvelopeError::Der { what: MESSAGE, source };
    let info = ContentInfo::from_der(message).map_err(bad)?;
    if info.content_type != ID_ENVELOPED_DATA {
        return Err(unsupported(&info.content_type));
    }
    let data: EnvelopedData = info.content.decode_as().map_err(bad)?;
    let recipient = data
        .recip_infos
        .0
        .iter()
        .find_map(|info| match info {
            RecipientInfo::Ktri(info) if is_for(&info.rid, identity) => Some(info),
            _ => None,
        })
        .ok_or(EnvelopeError::NotForUs)?;
    if recipient.key_enc_alg.oid != RSA_ENCRYPTION {
        return Err(unsupported(&recipient.key_enc_alg.oid));
    }
    let wrong = || EnvelopeError::Decrypt { what: MESSAGE };
    let key = identity
        .key()
        .decrypt(Pkcs1v15Encrypt, recipient.enc_key.as_bytes())
        .map_err(|_| wrong())?;

    let algorithm = &data.encrypted_content.content_enc_alg;
    let cipher =
        Cipher::from_oid(algorithm.oid).ok_or_else(|| unsupported(&algorithm.oid))?;
    let iv = algorithm.parameters.as_ref().map(Any::value).unwrap_or_default();
    let content = data.encrypted_content.encrypted_content.as_ref();
    let content = content.map(OctetString::as_bytes).unwrap_or_default();
    cipher.decrypt(&key, iv, content).ok_or_else(wrong)
}

fn assemble(
    certificate: &Certificate,
    cipher: Cipher,
    iv: &[u8],
    wrapped: Vec<u8>,
    content: Vec<u8>,
) -> der::Result<Vec<u8>> {
    let subject = &certificate.tbs_certificate;
    let recipient = RecipientInfo::Ktri(KeyTransRecipientInfo {
        version: CmsVersion::V0,
        rid: RecipientIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: subject.issuer.clone(),
            serial_number: subject.serial_number.clone(),
        }),
        key_enc_alg: AlgorithmIdentifierOwned {
            oid: RSA_ENCRYPTION,
            parameters: Some(Any::from(AnyRef::NULL)),
        },
        enc_key: OctetString::new(wrapped)?,
    });
    let data = EnvelopedData {
        version: CmsVersion::V0,
        originator_info: None,
        recip_infos: RecipientInfos::try_from(vec![recipient])?,
        encrypted_content: EncryptedContentInfo {
            content_type: ID_DATA,
            content_enc_alg: AlgorithmIdentifierOwned {
                oid: cipher.oid(),
                parameters: Some(Any::encode_from(&OctetString::new(iv)?)?),
            },
            encrypted_content: Some(OctetString::new(content)?),
        },
        unprotected_attrs: None,
    };
    ContentInfo { content_type: ID_ENVELOPED_DATA, content: Any::encode_from(&data)? }
        .to_der()
}

fn is_for(recipient: &RecipientIdentifier, identity: &Identity) -> bool {
    let subject = &identity.certificate().tbs_certificate;
    match recipient {
        RecipientIdentifier::IssuerAndSerialNumber(id) => {
            id.issuer == subject.issuer && id.serial_number == subject.serial_number
        }
        RecipientIdentifier::SubjectKeyIdentifier(id) => subject
            .extensions
            .iter()
            .flatten()
            .filter(|extension| extension.extn_id == SubjectKeyIdentifier::OID)
            .filter_map(|e| SubjectKeyIdentifier::from_der(e.extn_value.as_bytes()).ok())
            .any(|own| own == *id),
    }
}

fn unsupported(oid: &der::asn1::ObjectIdentifier) -> EnvelopeError {
    EnvelopeError::Algorithm { what: MESSAGE, oid: oid.to_string() }
}

fn key_error(reason: String) -> EnvelopeError {
    EnvelopeError::Key { what: "the certificate's public key", reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_recipient_reads_the_message() {
        let ours = Identity::generate("ours").expect("key");
        let theirs = Identity::generate("theirs").expect("key");
        let recipient = ours.certificate_der().expect("der");
        for cipher in [Cipher::Aes128Cbc, Cipher::DesEde3Cbc, Cipher::Aes256Cbc] {
            let message = encrypt(b"secret", &recipient, cipher).expect("encrypts");
            assert_eq!(decrypt(&message, &ours).expect("ours"), b"secret");
            assert!(matches!(decrypt(&message, &theirs), Err(EnvelopeError::NotForUs)));
            let mut cut = message.clone();
            cut.pop();
            assert!(decrypt(&cut, &ours).is_err());
        }
    }
}

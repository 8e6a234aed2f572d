//! The content ciphers of the wire protocol.

use aes::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit, block_padding::Pkcs7};
use der::asn1::ObjectIdentifier;
use der::oid::db::rfc5911::{
    DES_EDE_3_CBC as DES_EDE3_CBC, ID_AES_128_CBC, ID_AES_192_CBC, ID_AES_256_CBC,
};

/// A content cipher. New messages are made with the first two; the others are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES with a 128-bit key.
    Aes128Cbc,
    /// Triple DES, all that old agents understand.
    DesEde3Cbc,
    /// AES with a 192-bit key.
    Aes192Cbc,
    /// AES with a 256-bit key.
    Aes256Cbc,
}

impl Cipher {
    /// The value of the request header `x-ms-cipher-name`.
    pub fn name(self) -> &'static str {
        match self {
            Cipher::Aes128Cbc => "AES128_CBC",
            Cipher::DesEde3Cbc => "DES_EDE3_CBC",
            Cipher::Aes192Cbc => "AES192_CBC",
            Cipher::Aes256Cbc => "AES256_CBC",
        }
    }

    /// The cipher that a request header `x-ms-cipher-name` asks for.
    pub fn from_name(name: &str) -> Option<Cipher> {
        ALL.into_iter().find(|cipher| cipher.name() == name)
    }

    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Cipher::Aes128Cbc => ID_AES_128_CBC,
            Cipher::DesEde3Cbc => DES_EDE3_CBC,
            Cipher::Aes192Cbc => ID_AES_192_CBC,
            Cipher::Aes256Cbc => ID_AES_256_CBC,
        }
    }

    pub(super) fn from_oid(oid: ObjectIdentifier) -> Option<Cipher> {
        ALL.into_iter().find(|cipher| cipher.oid() == oid)
    }

    /// Key length in bytes.
    pub(super) fn key_len(self) -> usize {
        match self {
            Cipher::Aes128Cbc => 16,
            Cipher::DesEde3Cbc | Cipher::Aes192Cbc => 24,
            Cipher::Aes256Cbc => 32,
        }
    }

    /// Length of the initialisation vector in bytes.
    pub(super) fn iv_len(self) -> usize {
        if self == Cipher::DesEde3Cbc { 8 } else { 16 }
    }

    /// Encrypts with PKCS#7 padding. `None`: a key or vector of the wrong length.
    pub(super) fn encrypt(self, key: &[u8], iv: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        fn run<C: KeyIvInit + BlockEncryptMut>(
            key: &[u8],
            iv: &[u8],
            plain: &[u8],
        ) -> Option<Vec<u8>> {
            let cipher = C::new_from_slices(key, iv).ok()?;
            Some(cipher.encrypt_padded_vec_mut::<Pkcs7>(plain))
        }
        match self {
            Cipher::Aes128Cbc => run::<cbc::Encryptor<aes::Aes128>>(key, iv, plain),
            Cipher::DesEde3Cbc => run::<cbc::Encryptor<des::TdesEde3>>(key, iv, plain),
            Cipher::Aes192Cbc => run::<cbc::Encryptor<aes::Aes192>>(key, iv, plain),
            Cipher::Aes256Cbc => run::<cbc::Encryptor<aes::Aes256>>(key, iv, plain),
        }
    }

    /// Decrypts and takes the padding off. `None`: wrong key, or damaged.
    pub(super) fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        fn run<C: KeyIvInit + BlockDecryptMut>(
            key: &[u8],
            iv: &[u8],
            data: &[u8],
        ) -> Option<Vec<u8>> {
            let cipher = C::new_from_slices(key, iv).ok()?;
            cipher.decrypt_padded_vec_mut::<Pkcs7>(data).ok()
        }
        match self {
            Cipher::Aes128Cbc => run::<cbc::Decryptor<aes::Aes128>>(key, iv, data),
            Cipher::DesEde3Cbc => run::<cbc::Decryptor<des::TdesEde3>>(key, iv, data),
            Cipher::Aes192Cbc => run::<cbc::Decryptor<aes::Aes192>>(key, iv, data),
            Cipher::Aes256Cbc => run::<cbc::Decryptor<aes::Aes256>>(key, iv, data),
        }
    }
}

const ALL: [Cipher; 4] =
    [Cipher::Aes128Cbc, Cipher::DesEde3Cbc, Cipher::Aes192Cbc, Cipher::Aes256Cbc];

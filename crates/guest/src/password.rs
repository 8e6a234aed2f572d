//! Password hashes for `/etc/shadow`.

use rand::RngCore;
use rand::rngs::OsRng;
use sha_crypt::{Params, ShaCrypt};

use sha_crypt::password_hash::CustomizedPasswordHasher;

/// The SHA-512 crypt hash (`$6$...`) of a password, with a fresh random salt. Every
/// Linux distribution's libcrypt accepts it.
pub fn hash(password: &str) -> String {
    let mut salt = [0u8; 12];
    OsRng.fill_bytes(&mut salt);
    ShaCrypt::SHA512
        .hash_password_customized(
            password.as_bytes(),
            &salt,
            None,
            None,
            Params::RECOMMENDED,
        )
        .expect("a 12-byte salt and the default rounds are always accepted")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha_crypt::PasswordVerifier;

    #[test]
    fn a_hash_verifies_its_password_and_no_other() {
        let hash = hash("correct horse");
        assert!(hash.starts_with("$6$"), "{hash}");
        assert!(!hash.contains(':'), "{hash}");
        assert!(
            ShaCrypt::SHA512.verify_password(b"correct horse", hash.as_str()).is_ok()
        );
        assert!(ShaCrypt::SHA512.verify_password(b"wrong", hash.as_str()).is_err());
        assert_ne!(hash, super::hash("correct horse"), "the salt is random");
    }
}

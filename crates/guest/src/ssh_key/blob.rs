//! The binary half of a public key (RFC 4253 section 6.6, RFC 5656, RFC 8709, and
//! OpenSSH's PROTOCOL.u2f): fields with a 32-bit length in front of each.

use super::KeyError;

/// The key types that `authorized_keys` of a current OpenSSH accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// `ssh-ed25519`
    Ed25519,
    /// `ssh-rsa`
    Rsa,
    /// `ecdsa-sha2-nistp256`
    EcdsaP256,
    /// `ecdsa-sha2-nistp384`
    EcdsaP384,
    /// `ecdsa-sha2-nistp521`
    EcdsaP521,
    /// `sk-ssh-ed25519@openssh.com`, a key in a security token.
    SkEd25519,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`, a key in a security token.
    SkEcdsaP256,
}

const ALL: [KeyType; 7] = [
    KeyType::Ed25519,
    KeyType::Rsa,
    KeyType::EcdsaP256,
    KeyType::EcdsaP384,
    KeyType::EcdsaP521,
    KeyType::SkEd25519,
    KeyType::SkEcdsaP256,
];

/// Servers refuse RSA keys below this (RequiredRSASize), in bits.
const RSA_MINIMUM: usize = 1024;

impl KeyType {
    /// The name in front of the key.
    pub fn name(self) -> &'static str {
        match self {
            KeyType::Ed25519 => "ssh-ed25519",
            KeyType::Rsa => "ssh-rsa",
            KeyType::EcdsaP256 => "ecdsa-sha2-nistp256",
            KeyType::EcdsaP384 => "ecdsa-sha2-nistp384",
            KeyType::EcdsaP521 => "ecdsa-sha2-nistp521",
            KeyType::SkEd25519 => "sk-ssh-ed25519@openssh.com",
            KeyType::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<KeyType> {
        ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Name and size in bytes of the elliptic curve.
    fn curve(self) -> Option<(&'static str, usize)> {
        match self {
            KeyType::EcdsaP256 | KeyType::SkEcdsaP256 => Some(("nistp256", 32)),
            KeyType::EcdsaP384 => Some(("nistp384", 48)),
            KeyType::EcdsaP521 => Some(("nistp521", 66)),
            KeyType::Ed25519 | KeyType::Rsa | KeyType::SkEd25519 => None,
        }
    }

    fn in_token(self) -> bool {
        matches!(self, KeyType::SkEd25519 | KeyType::SkEcdsaP256)
    }
}

/// Follows every field of a key's blob.
pub(super) fn check(kind: KeyType, blob: &[u8]) -> Result<(), KeyError> {
    let damaged =
        |reason: &str| KeyError::Damaged { kind: kind.name(), reason: reason.to_owned() };
    let mut fields = Fields { rest: blob, kind };
    if fields.next()? != kind.name().as_bytes() {
        return Err(damaged("the key says it has another type"));
    }
    if let Some((name, size)) = kind.curve() {
        if fields.next()? != name.as_bytes() {
            return Err(damaged("the key says it has another curve"));
        }
        let point = fields.next()?;
        if point.len() != 1 + 2 * size || point.first() != Some(&4) {
            return Err(damaged("its curve point has a wrong length"));
        }
    } else if kind == KeyType::Rsa {
        let exponent = fields.next()?;
        let modulus = fields.next()?;
        if !is_odd_number(exponent) || !is_odd_number(modulus) {
            return Err(damaged("its exponent or modulus is no RSA number"));
        }
        if bits(modulus) < RSA_MINIMUM {
            return Err(KeyError::Refused {
                kind: kind.name(),
                reason: "but fewer than 1024 bits, which servers refuse",
            });
        }
    } else if fields.next()?.len() != 32 {
        return Err(damaged("it does not have 32 bytes"));
    }
    if kind.in_token() && fields.next()?.is_empty() {
        return Err(damaged("its application name is empty"));
    }
    if !fields.rest.is_empty() {
        return Err(damaged("it is longer than its length fields say"));
    }
    Ok(())
}

/// Puts fields together, each with its length in front.
pub(super) fn build(fields: &[&[u8]]) -> Vec<u8> {
    let mut blob = Vec::new();
    for field in fields {
        let length = u32::try_from(field.len()).expect("a key's field is below 4 GiB");
        blob.extend_from_slice(&length.to_be_bytes());
        blob.extend_from_slice(field);
    }
    blob
}

struct Fields<'a> {
    rest: &'a [u8],
    kind: KeyType,
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<&'a [u8], KeyError> {
        let short = || KeyError::Damaged {
            kind: self.kind.name(),
            reason: "it is shorter than its length fields say".to_owned(),
        };
        let (length, rest) = self.rest.split_first_chunk::<4>().ok_or_else(short)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| short())?;
        let (field, rest) = rest.split_at_checked(length).ok_or_else(short)?;
        self.rest = rest;
        Ok(field)
    }
}

/// A positive odd number in SSH's mpint form: the shortest, no sign bit.
fn is_odd_number(mpint: &[u8]) -> bool {
    let minimal = match mpint {
        [0, second, ..] => *second >= 0x80,
        [first, ..] => *first < 0x80,
        [] => false,
    };
    minimal && mpint.last().is_some_and(|last| last % 2 == 1)
}

fn bits(mpint: &[u8]) -> usize {
    let digits =
        mpint.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &mpint[at..]);
    let leading = digits.first().map_or(0, |byte| byte.leading_zeros() as usize);
    digits.len() * 8 - leading
}

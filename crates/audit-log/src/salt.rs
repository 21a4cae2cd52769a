//! Salts of pseudonyms; see [`super::personal`].

use super::hash::Hash;
use serde::{Deserialize, Serialize};
use std::fmt;

const DOMAIN: &[u8] = b"doorcode audit personal v1\n";

/// Prefix of a pseudonym.
pub(super) const PREFIX: &str = "sha256:";

/// Protects the pseudonyms of one record from guessing: 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt([u8; 16]);

impl Salt {
    /// A salt of these bytes, which must be random.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let salt = Self(hex::decode(text).ok()?.try_into().ok()?);
        (salt.to_string() == text).then_some(salt)
    }

    pub(super) fn pseudonym(self, text: &str) -> String {
        let salt = self.to_string();
        let hash = Hash::of(&[DOMAIN, salt.as_bytes(), b"\n", text.as_bytes()]);
        format!("{PREFIX}{hash}")
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Salt({self})")
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        salt.to_string()
    }
}

impl TryFrom<String> for Salt {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a salt has 32 lower-case hexadecimal digits")
    }
}

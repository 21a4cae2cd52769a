//! Secrets in plain text, and the digests that are stored instead.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// A secret in plain text. It is shown once and never stored; `Debug` hides it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A secret of random bytes, in hexadecimal.
    pub fn from_random(bytes: &[u8]) -> Self {
        Self(hex::encode(bytes))
    }

    /// The plain text. Each use takes the secret out of its wrapper.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The SHA-256 digest, which is stored. It suffices for secrets of at least 112 random bits;
    /// passwords are hashed with argon2id instead.
    pub fn digest(&self) -> Digest {
        Digest::of(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The stored form of a secret: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    fn of(hash: [u8; 32]) -> Self {
        let mut text = [0; 64];
        // Faster than `hex::encode`. Fails only for a text of another length.
        let _ = hex::encode_to_slice(hash, &mut text);
        Self(String::from_utf8_lossy(&text).into_owned())
    }

    /// A digest from the database.
    pub fn from_stored(hex: String) -> Self {
        Self(hex)
    }

    /// The digest in hexadecimal.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Digest) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// The server's secret key. It is stored outside the database, so that a copy of the database
/// alone can neither test guesses of short codes nor forge form tokens.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key from 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// HMAC-SHA-256 over the parts, with `purpose` for domain separation.
    pub fn authenticate(&self, purpose: &str, parts: &[&str]) -> Digest {
        #[expect(clippy::unwrap_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap();
        for part in std::iter::once(&purpose).chain(parts) {
            // The length prefix distinguishes ("ab", "c") from ("a", "bc").
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Digest::of(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_secret() {
        assert_eq!(format!("{:?}", Secret::new("canary")), "Secret(…)");
        assert_eq!(format!("{:?}", Key::new([1; 32])), "Key(…)");
    }

    #[test]
    fn parts_and_purposes_are_kept_apart() {
        let key = Key::new([1; 32]);
        let base = key.authenticate("p", &["ab", "c"]);
        assert!(base.matches(&key.authenticate("p", &["ab", "c"])));
        assert!(!base.matches(&key.authenticate("p", &["a", "bc"])));
        assert!(!base.matches(&key.authenticate("q", &["ab", "c"])));
        assert!(!base.matches(&Key::new([2; 32]).authenticate("p", &["ab", "c"])));
    }
}

//! Authenticated encryption of stored texts, with keys derived from secrets that are not stored.

use super::secret::Secret;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use std::fmt;

/// Random bytes that give each sealed object a separate key.
pub type SealSalt = [u8; 32];

/// Separates these keys from any other derived from the same secrets.
const PURPOSE: &[u8] = b"doorcode sealed text 1";

/// A key derived from secrets that are not stored.
pub struct SealKey(LessSafeKey);

impl SealKey {
    /// Derives the key from the secrets (RFC 5869). Decryption needs all of them.
    #[expect(clippy::unwrap_used, reason = "the key has the length for the cipher")]
    pub fn derive(salt: &SealSalt, secrets: &[&Secret]) -> Self {
        let mut material = Vec::new();
        for secret in secrets {
            // The length prefix distinguishes ("ab", "c") from ("a", "bc").
            material.extend((secret.expose().len() as u64).to_be_bytes());
            material.extend(secret.expose().as_bytes());
        }
        let extracted = Salt::new(HKDF_SHA256, salt).extract(&material);
        let expanded = extracted.expand(&[PURPOSE], &CHACHA20_POLY1305).unwrap();
        Self(LessSafeKey::new(UnboundKey::from(expanded)))
    }

    /// Encrypts a text; returns hexadecimal. `bound` is authenticated: `open` needs the same
    /// value. `count` is the nonce and must be unique for each key.
    #[expect(clippy::unwrap_used, reason = "texts are shorter than 256 GiB")]
    pub fn seal(&self, count: u32, bound: &str, text: &str) -> String {
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - 4..].copy_from_slice(&count.to_be_bytes());
        let mut sealed = text.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound),
                &mut sealed,
            )
            .unwrap();
        hex::encode([&nonce[..], &sealed].concat())
    }

    /// Decrypts a sealed text; `None` if the key or `bound` differs, or if the text was changed.
    pub fn open(&self, bound: &str, sealed: &str) -> Option<String> {
        let bytes = hex::decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let text = self
            .0
            .open_in_place(nonce, Aad::from(bound), &mut sealed)
            .ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_secrets_salt_and_binding_open_it() {
        let derive = |salt, secrets: [&str; 2]| {
            SealKey::derive(&[salt; 32], &secrets.map(Secret::new).each_ref())
        };
        let key = derive(1, ["ab", "c"]);
        let sealed = key.seal(0, "row", "the answer");
        assert_eq!(key.open("row", &sealed).as_deref(), Some("the answer"));
        assert_ne!(sealed, key.seal(1, "row", "the answer"));
        assert!(!sealed.contains(&hex::encode("answer")));
        assert_eq!(key.open("another row", &sealed), None);
        for other in [
            derive(2, ["ab", "c"]),
            derive(1, ["a", "bc"]),
            derive(1, ["c", "ab"]),
        ] {
            assert_eq!(other.open("row", &sealed), None);
        }
        for (at, _) in sealed.char_indices() {
            let mut changed = sealed.clone();
            let digit = if &sealed[at..=at] == "0" { "1" } else { "0" };
            changed.replace_range(at..=at, digit);
            assert_eq!(key.open("row", &changed), None, "{at}");
        }
        for short in ["", "00", "zz", &sealed[..24], &sealed[..26]] {
            assert_eq!(key.open("row", short), None);
        }
    }
}

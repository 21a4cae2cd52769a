//! What of a record tells of a person, and how it is erased while the chain holds.
//!
//! The hash does not cover such a text, but a pseudonym of it that is made with a salt. With the
//! salt beside the record anybody can hold the text against it; without, nobody can tell from the
//! pseudonym what the text was. So a text is erased by putting its pseudonym in its place and
//! throwing the salt away, and the hash of the record stays what it was.

use super::hash::Hash;
use super::record::Record;
use serde::{Deserialize, Serialize};
use std::fmt;

const DOMAIN: &[u8] = b"doorcode audit personal v1\n";

/// What a pseudonym begins with.
const PREFIX: &str = "sha256:";

/// The texts of a detail that a person chose.
pub(super) const CHOSEN: [&str; 2] = ["device_name", "token_name"];

/// What keeps the pseudonyms of one record from being guessed: 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt([u8; 16]);

impl Salt {
    /// A salt of these bytes, which nobody can foretell.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let salt = Self(hex::decode(text).ok()?.try_into().ok()?);
        (salt.to_string() == text).then_some(salt)
    }

    fn pseudonym(self, text: &str) -> String {
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

/// Whether a text is what is left of one that was erased.
pub fn is_erased(text: &str) -> bool {
    let hash = text.strip_prefix(PREFIX);
    hash.is_some_and(|hash| Hash::parse(hash).is_some())
}

impl Record {
    /// The same with a salt, if there is anything for it to hide.
    pub fn salted(self, salt: Salt) -> Self {
        let salt = self.personal().next().is_some().then_some(salt);
        Self { salt, ..self }
    }

    /// What is left of it when what tells of a person is erased. A salt that hides nothing was
    /// not there when the record was sealed, so it stays and spoils the hash.
    pub fn erased(&self) -> Self {
        let mut record = self.clone();
        let Some(salt) = self.salt else {
            return record;
        };
        let mut hides = false;
        for text in record.personal_mut() {
            *text = salt.pseudonym(text);
            hides = true;
        }
        record.salt = self.salt.filter(|_| !hides);
        record
    }

    /// Whether what tells of a person was erased from it.
    pub(super) fn is_erased(&self) -> bool {
        self.personal().any(|text| self.has_erased(text))
    }

    /// Whether it holds a text that tells of a person, and not just what is left of one.
    pub fn tells_of_somebody(&self) -> bool {
        self.personal().any(|text| !self.has_erased(text))
    }

    /// Whether a text of it is what is left of one that was erased. Beside a salt there is none:
    /// whoever calls themselves like a pseudonym is not hidden by that.
    pub fn has_erased(&self, text: &str) -> bool {
        self.salt.is_none() && is_erased(text)
    }

    fn personal(&self) -> impl Iterator<Item = &str> {
        let of_request = [&self.address, &self.agent].into_iter().flatten();
        let chosen = CHOSEN
            .into_iter()
            .filter_map(|key| self.detail.get(key)?.as_str());
        of_request.map(String::as_str).chain(chosen)
    }

    fn personal_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let of_request = [&mut self.address, &mut self.agent].into_iter().flatten();
        let texts = self.detail.texts_mut();
        let chosen = texts.filter_map(|(key, text)| CHOSEN.contains(&key).then_some(text));
        of_request.chain(chosen)
    }
}

//! Personal data in records, and its erasure without a change of the hash chain.
//!
//! The hash covers a salted pseudonym of each personal text. With the salt, the pseudonym can be
//! checked against the text; without it, the text cannot be derived from the pseudonym. Erasure
//! replaces a text with its pseudonym and drops the salt; the hash of the record stays the same.

use super::hash::Hash;
use super::record::Record;
use super::salt::{PREFIX, Salt};

/// Keys of the details, at any depth, whose text a user chose.
pub(super) const CHOSEN: [&str; 2] = ["device_name", "token_name"];

/// Whether a text has the form of a pseudonym.
pub fn is_erased(text: &str) -> bool {
    let hash = text.strip_prefix(PREFIX);
    hash.is_some_and(|hash| Hash::parse(hash).is_some())
}

impl Record {
    /// Adds the salt if the record has personal data.
    pub fn salted(self, salt: Salt) -> Self {
        let salt = self.personal().next().is_some().then_some(salt);
        Self { salt, ..self }
    }

    /// The record after erasure. A salt without personal data was not there when the record was
    /// sealed, so it stays and invalidates the hash.
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

    /// Whether personal data was erased from it.
    pub(super) fn is_erased(&self) -> bool {
        self.personal().any(|text| self.has_erased(text))
    }

    /// Whether it has personal data that is not erased.
    pub fn has_personal_data(&self) -> bool {
        self.personal().any(|text| !self.has_erased(text))
    }

    /// Whether a text of this record is an erased one. A record with a salt has none: a name that
    /// looks like a pseudonym stays visible.
    pub fn has_erased(&self, text: &str) -> bool {
        self.salt.is_none() && is_erased(text)
    }

    fn personal(&self) -> impl Iterator<Item = &str> {
        let of_request = [&self.address, &self.agent].into_iter().flatten();
        let mut chosen = Vec::new();
        self.detail.collect_texts(&CHOSEN, &mut chosen);
        of_request.map(String::as_str).chain(chosen)
    }

    fn personal_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let of_request = [&mut self.address, &mut self.agent].into_iter().flatten();
        let mut chosen = Vec::new();
        self.detail.collect_texts_mut(&CHOSEN, &mut chosen);
        of_request.chain(chosen)
    }
}

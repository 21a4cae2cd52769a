//! The canonical form of the log's documents.

use crate::Instant;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// Why a line cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not such a document.
    Malformed,
    /// It can be parsed, but differs from its canonical form.
    NotCanonical,
    /// It is longer than any line of a log.
    TooLong,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it cannot be read",
            Self::NotCanonical => "it is not written in the canonical form",
            Self::TooLong => "it is longer than any line of a log",
        })
    }
}

/// Serializes a document of this module: a struct, whose keys are all strings.
#[expect(clippy::unwrap_used, reason = "the keys of a struct are strings")]
pub fn write(document: &impl Serialize) -> String {
    serde_json::to_value(document).unwrap().to_string()
}

/// Parses a document, only in its canonical form: each document has exactly one text.
pub fn read<T: Serialize + DeserializeOwned>(line: &[u8]) -> Result<T, Unreadable> {
    let document: T = serde_json::from_slice(line).map_err(|_| Unreadable::Malformed)?;
    if write(&document).as_bytes() != line {
        return Err(Unreadable::NotCanonical);
    }
    Ok(document)
}

/// A time as text: `YYYY-MM-DDTHH:MM:SS.mmmZ`.
pub mod moment {
    use super::Instant;
    use chrono::SecondsFormat;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    /// Formats a time, always with milliseconds.
    pub fn write(at: Instant) -> String {
        at.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Parses exactly the output of [`write`].
    pub fn read(text: &str) -> Option<Instant> {
        let at = Instant::from(chrono::DateTime::parse_from_rfc3339(text).ok()?);
        (write(at) == text).then_some(at)
    }

    /// For `#[serde(with)]`.
    pub fn serialize<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&write(*at))
    }

    /// For `#[serde(with)]`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        read(&String::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("a moment has the form YYYY-MM-DDTHH:MM:SS.mmmZ"))
    }
}

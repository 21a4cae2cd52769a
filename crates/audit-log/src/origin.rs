//! The name of a log.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of one log, created once for each installation. It is also the name of the keys that
/// sign its checkpoints, so it has no white space, control characters or plus signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl Origin {
    /// Reads a name of 1 to 200 characters.
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        let length = text.chars().count();
        ((1..=200).contains(&length) && text.chars().all(is_allowed)).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl TryFrom<String> for Origin {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("an origin has no white space and no plus sign")
    }
}

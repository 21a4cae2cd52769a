//! Profiles: named sets of credentials.

use std::fmt;

/// A named set of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile(String);

impl Profile {
    /// Parses a profile name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let named = !text.is_empty()
            && text.len() <= 64
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !named {
            return Err("use 1 to 64 letters, digits, dots, dashes or underscores".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Default for Profile {
    /// The profile of commands that name none, unless a branding names another one.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

//! Profiles: named sets of credentials.

use std::fmt;

/// A named set of credentials; the default one has no name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile(Option<String>);

impl Profile {
    /// Parses a profile name; `default` is the unnamed profile.
    pub fn parse(text: &str) -> Result<Self, String> {
        let named = !text.is_empty()
            && text.len() <= 64
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !named {
            return Err("use 1 to 64 letters, digits, dots, dashes or underscores".to_owned());
        }
        Ok(Self((text != "default").then(|| text.to_owned())))
    }

    /// The name; `None` for the default profile.
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or("default"))
    }
}

//! `[tokens]`: the format and lifetime of tokens.

use super::duration::{self, DAY, HOUR, LONGEST};
use super::table::Table;
use domain::scope::{BuiltInNames, ScopeName};
use std::fmt;
use std::time::Duration;

/// The format and lifetime of tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The prefix of tokens.
    pub prefix: TokenPrefix,
    /// The default lifetime of a token. If unset, it is 90 days, or `max_expiry` if that is
    /// shorter.
    pub default_expiry: Lifetime,
    /// The longest lifetime that a user may choose.
    pub max_expiry: Lifetime,
    /// The names of the scopes of Doorcode's own API.
    pub builtin_scopes: BuiltInNames,
    /// Whether a new token needs at least one scope.
    pub scope_required: bool,
}

impl Tokens {
    pub(super) fn read(table: &mut Table) -> Self {
        let usual = TokenPrefix("dc".to_owned());
        let prefix = table.text_as("prefix", usual, TokenPrefix::parse, |prefix| {
            prefix.0.clone()
        });
        table.announce("default_expiry");
        let max_expiry = table.text("max_expiry", Lifetime::Never, Lifetime::parse);
        let usual = Lifetime::For(DAY * 90).min(max_expiry);
        let default_expiry = table.text("default_expiry", usual, Lifetime::parse);
        if default_expiry > max_expiry {
            table.fault(
                "default_expiry",
                format!("{default_expiry} exceeds tokens.max_expiry, which is {max_expiry}"),
            );
        }
        Self {
            prefix,
            default_expiry,
            max_expiry,
            builtin_scopes: table.text_as(
                "builtin_scopes",
                BuiltInNames::Plain,
                built_in_names,
                |names| match names {
                    BuiltInNames::Plain => "show".to_owned(),
                    BuiltInNames::Hidden => "hide".to_owned(),
                    BuiltInNames::Prefixed(prefix) => prefix.clone(),
                },
            ),
            scope_required: table.flag("scope_required", false),
        }
    }
}

/// The names of the built-in scopes: `show`, `hide`, or a prefix that ends with a colon.
fn built_in_names(text: &str) -> Result<BuiltInNames, String> {
    match text {
        "show" => return Ok(BuiltInNames::Plain),
        "hide" => return Ok(BuiltInNames::Hidden),
        _ => {}
    }
    let is_prefix = text.ends_with(':') && text.len() <= 50 && ScopeName::parse(text).is_some();
    match is_prefix && text.len() > 1 {
        true => Ok(BuiltInNames::Prefixed(text.to_owned())),
        false => Err(format!(
            "{text:?} is neither show, hide nor a prefix such as doorcode: with a colon at its end"
        )),
    }
}

/// The prefix of tokens: 1 to 16 ASCII letters and digits. It has no underscore, so the first
/// underscore in a token ends the prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPrefix(String);

impl TokenPrefix {
    fn parse(text: &str) -> Result<Self, String> {
        let legal = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if legal && (1..=16).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "{text:?} is not a prefix; write 1 to 16 letters from a to z and digits"
            ))
        }
    }

    /// The prefix, without the underscore that follows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A lifetime. `Never` is the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifetime {
    /// It ends after this time.
    For(Duration),
    /// It has no end.
    Never,
}

impl Lifetime {
    /// Parses `never`, or a duration of at least an hour.
    fn parse(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        duration::parse_within(text, &(HOUR..=LONGEST))
            .map(Self::For)
            .map_err(|message| format!("{message}, or never"))
    }

    /// The time after which it ends, if it does.
    pub fn duration(self) -> Option<Duration> {
        match self {
            Self::For(duration) => Some(duration),
            Self::Never => None,
        }
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(duration) => f.write_str(&duration::write(*duration)),
            Self::Never => f.write_str("never"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_duration_or_never() {
        for (text, expected) in [
            ("never", None),
            ("1h", Some(HOUR)),
            ("60m", Some(HOUR)),
            ("1y", Some(DAY * 365)),
            ("100y", Some(LONGEST)),
        ] {
            assert_eq!(
                Lifetime::parse(text).unwrap().duration(),
                expected,
                "{text}"
            );
        }
        for bad in ["", "Never", "59m", "0d", "101y", "90"] {
            let message = Lifetime::parse(bad).unwrap_err();
            assert!(message.ends_with("or never"), "{message}");
        }
        assert!(Lifetime::For(LONGEST) < Lifetime::Never);
    }

    #[test]
    fn a_prefix_is_letters_and_digits() {
        for good in ["dc", "A1", "abcdefghijklmnop"] {
            assert_eq!(TokenPrefix::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a_b", "a-b", "é", "a b", "abcdefghijklmnopq"] {
            assert!(TokenPrefix::parse(bad).is_err(), "{bad:?}");
        }
    }
}

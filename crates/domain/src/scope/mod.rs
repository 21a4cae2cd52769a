//! Scopes: the closed catalogue of permissions that tokens can have.

mod catalogue;

pub use catalogue::{BuiltInNames, Catalogue, Preset, Risk, Scope};

use std::collections::BTreeSet;
use std::fmt;

/// The name of a scope, such as `tokens:read`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeName(String);

impl ScopeName {
    /// Parses a name by the grammar of RFC 6749 section 3.3 (`%x21 / %x23-5B / %x5D-7E`), without
    /// the `*` that other systems read as a wildcard; at most 100 characters.
    pub fn parse(text: &str) -> Option<Self> {
        let legal = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e) && b != b'*';
        (!text.is_empty() && text.len() <= 100 && text.bytes().all(legal))
            .then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of scopes, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSet(BTreeSet<ScopeName>);

/// A scope list that breaks the grammar of RFC 6749 section 3.3.
#[derive(Debug, PartialEq, Eq)]
pub struct MalformedScope;

impl ScopeSet {
    /// Parses a space-separated list (RFC 6749 section 3.3). Order and repetition do not matter.
    pub fn parse(text: &str) -> Result<Self, MalformedScope> {
        text.split(' ')
            .filter(|part| !part.is_empty())
            .map(|part| ScopeName::parse(part).ok_or(MalformedScope))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the set has no scope.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeName> {
        self.0.iter()
    }

    /// Whether the set contains this scope.
    pub fn contains(&self, name: &ScopeName) -> bool {
        self.0.contains(name)
    }

    /// The scopes in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// Whether each scope of this set is in the other too.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl FromIterator<ScopeName> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = ScopeName>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_a_set_by_the_grammar() {
        let both = ScopeSet::parse("b a").unwrap();
        assert_eq!(both, ScopeSet::parse(" a  b a").unwrap());
        assert_eq!(both.to_string(), "a b");
        assert!(ScopeSet::parse("").unwrap().is_empty());
        for bad in ["a\tb", "a\"b", "a\\b", "é", "a\n", "*", "tokens:*"] {
            assert_eq!(ScopeSet::parse(bad), Err(MalformedScope), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_reads_back(text: String) {
            if let Ok(scopes) = ScopeSet::parse(&text) {
                proptest::prop_assert_eq!(ScopeSet::parse(&scopes.to_string()), Ok(scopes));
            }
        }
    }
}

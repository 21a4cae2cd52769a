//! Scopes: the closed catalogue of permissions that tokens can have.

use super::role::Role;
use std::collections::{BTreeMap, BTreeSet};
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

/// How much harm the holder of a scope can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// It only reads.
    Read,
    /// It changes things.
    Write,
    /// It spends money, exposes secrets or gives others access.
    High,
}

impl Risk {
    /// All of them, the lowest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::High];

    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::High => "high",
        }
    }

    /// Reads the word of the configuration.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|risk| risk.as_str() == word)
    }

    /// The risk of a scope whose definition names none: only names that end in `:read` read.
    pub fn of_name(name: &ScopeName) -> Self {
        match name.as_str().ends_with(":read") {
            true => Self::Read,
            false => Self::Write,
        }
    }
}

/// A scope of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The name that tokens carry.
    pub name: ScopeName,
    /// Its description for the user who approves it.
    pub description: String,
    /// The lowest role that may use it; `None` if any active user may.
    pub min_role: Option<Role>,
    /// How much harm it can do.
    pub risk: Risk,
}

/// The scopes of every server: those of Doorcode's own API.
const BUILT_IN: [(&str, Risk, &str); 7] = [
    (
        "tokens:read",
        Risk::Read,
        "See your tokens: names, scopes and last use",
    ),
    (
        "tokens:write",
        Risk::Write,
        "Create, rotate and revoke tokens",
    ),
    (
        "orgs:read",
        Risk::Read,
        "See your organizations and their members",
    ),
    (
        "orgs:write",
        Risk::High,
        "Change organizations and their members, and invite new ones, owners included",
    ),
    (
        "projects:read",
        Risk::Read,
        "See the projects you can reach",
    ),
    ("projects:write", Risk::Write, "Create and change projects"),
    ("audit:read", Risk::Read, "Read the audit log"),
];

/// Every scope that can be granted. There are no wildcards.
#[derive(Debug, Clone)]
pub struct Catalogue(BTreeMap<ScopeName, Scope>);

impl Catalogue {
    /// The built-in scopes and those of the configuration. Fails with the name that is
    /// defined twice; a built-in scope cannot be redefined.
    pub fn new(configured: Vec<Scope>) -> Result<Self, ScopeName> {
        let built_in = BUILT_IN.iter().map(|(name, risk, description)| Scope {
            name: ScopeName((*name).to_owned()),
            description: (*description).to_owned(),
            min_role: None,
            risk: *risk,
        });
        let mut scopes = BTreeMap::new();
        for scope in built_in.chain(configured) {
            if let Some(twice) = scopes.insert(scope.name.clone(), scope) {
                return Err(twice.name);
            }
        }
        Ok(Self(scopes))
    }

    /// The scope with this name.
    pub fn find(&self, name: &ScopeName) -> Option<&Scope> {
        self.0.get(name)
    }

    /// All scopes, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.values()
    }

    /// All names.
    pub fn names(&self) -> ScopeSet {
        ScopeSet(self.0.keys().cloned().collect())
    }

    /// The scopes that a user may use whose highest role is `role`. A scope that was removed from
    /// the catalogue is not allowed.
    pub fn allowed(&self, scopes: &ScopeSet, role: Option<Role>) -> ScopeSet {
        ScopeSet(
            scopes
                .iter()
                .filter(|name| self.find(name).is_some_and(|scope| scope.min_role <= role))
                .cloned()
                .collect(),
        )
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

    #[test]
    fn a_scope_that_names_no_risk_reads_only_by_its_name() {
        let of = |name| Risk::of_name(&ScopeName::parse(name).unwrap());
        assert_eq!(of("orgs:read"), Risk::Read);
        for name in ["orgs:write", "app:deploy", "read"] {
            assert_eq!(of(name), Risk::Write, "{name}");
        }
        assert_eq!(
            Risk::ALL.map(Risk::as_str).map(Risk::parse),
            Risk::ALL.map(Some)
        );
    }

    #[test]
    fn a_role_limits_what_is_allowed() {
        let deploy = Scope {
            name: ScopeName::parse("app:deploy").unwrap(),
            description: "Deploy".into(),
            min_role: Some(Role::Admin),
            risk: Risk::Write,
        };
        let catalogue = Catalogue::new(vec![deploy.clone()]).unwrap();
        let requested = ScopeSet::parse("app:deploy tokens:read gone:scope").unwrap();
        let allowed = |role| catalogue.allowed(&requested, role).to_string();
        assert_eq!(allowed(None), "tokens:read");
        assert_eq!(allowed(Some(Role::Member)), "tokens:read");
        assert_eq!(allowed(Some(Role::Admin)), "app:deploy tokens:read");
        assert_eq!(allowed(Some(Role::Owner)), "app:deploy tokens:read");
        assert_eq!(
            Catalogue::new(vec![deploy.clone(), deploy.clone()]).err(),
            Some(deploy.name)
        );
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

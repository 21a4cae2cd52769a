//! The catalogue: every scope that tokens can have, in the order in which forms show them.

use super::{ScopeName, ScopeSet};
use crate::role::Role;
use std::collections::BTreeMap;

/// How much harm a token with a scope can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// It only reads.
    Read,
    /// It changes data.
    Write,
    /// It spends money, destroys data or changes permissions.
    High,
}

impl Risk {
    /// All risks, the lowest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::High];

    /// The risk as the configuration and the API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::High => "high",
        }
    }

    /// Parses a risk.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|risk| risk.as_str() == text)
    }

    /// The risk of a scope that states none: only names that end in `:read` are read-only.
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
    /// How much harm a token with it can do.
    pub risk: Risk,
    /// The heading under which forms show it.
    pub group: String,
    /// Whether the form of a new token selects it, and a sign-in of the built-in client that names
    /// no scopes requests it.
    pub is_default: bool,
}

impl Scope {
    /// A scope for every active user, with the risk and the group that its name suggests. The group
    /// is the part before the last colon.
    pub fn new(name: ScopeName, description: impl Into<String>) -> Self {
        let group = name.as_str().rsplit_once(':').map(|(group, _)| group);
        Self {
            group: group.unwrap_or(name.as_str()).to_owned(),
            risk: Risk::of_name(&name),
            name,
            description: description.into(),
            min_role: None,
            is_default: false,
        }
    }
}

/// A named selection of scopes for the form of a new token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// The name that users choose.
    pub name: String,
    /// The scopes that it selects.
    pub scopes: ScopeSet,
}

/// The names under which tokens can have the scopes of Doorcode's own API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BuiltInNames {
    /// Their own names, such as `tokens:read`.
    #[default]
    Plain,
    /// Their own names behind this prefix.
    Prefixed(String),
    /// None: no token can have them. A signed-in user still has them in a browser.
    Hidden,
}

impl BuiltInNames {
    /// The name of a built-in scope. A hidden one gets a name that no token can carry: names
    /// contain no spaces.
    fn name(&self, name: &str) -> ScopeName {
        ScopeName(match self {
            Self::Plain => name.to_owned(),
            Self::Prefixed(prefix) => format!("{prefix}{name}"),
            Self::Hidden => format!("hidden {name}"),
        })
    }
}

/// The scopes of every server: those of Doorcode's own API.
const BUILT_IN: [(&str, Risk, &str); 7] = [
    ("audit:read", Risk::Read, "Read the audit log"),
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
];

/// Every scope that can be granted. There are no wildcards.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// The configured scopes in their order, then the built-in ones.
    scopes: Vec<Scope>,
    by_name: BTreeMap<ScopeName, usize>,
    /// The built-in scopes by their plain names, hidden ones too.
    built_in: BTreeMap<&'static str, Scope>,
}

impl Catalogue {
    /// The configured scopes and the built-in ones. Fails with the name that is defined twice; a
    /// built-in scope cannot be redefined.
    pub fn new(names: &BuiltInNames, configured: Vec<Scope>) -> Result<Self, ScopeName> {
        let built_in: BTreeMap<_, _> = BUILT_IN
            .into_iter()
            .map(|(name, risk, description)| {
                let usual = Scope::new(names.name(name), description);
                (name, Scope { risk, ..usual })
            })
            .collect();
        let mut scopes = configured;
        if *names != BuiltInNames::Hidden {
            scopes.extend(built_in.values().cloned());
        }
        let mut by_name = BTreeMap::new();
        for (at, scope) in scopes.iter().enumerate() {
            if by_name.insert(scope.name.clone(), at).is_some() {
                return Err(scope.name.clone());
            }
        }
        Ok(Self {
            scopes,
            by_name,
            built_in,
        })
    }

    /// The catalogue with other descriptions of the built-in scopes. Their names stay.
    #[must_use]
    pub fn reworded(mut self, reword: impl Fn(&str) -> String) -> Self {
        for scope in self.built_in.values_mut() {
            scope.description = reword(&scope.description);
            let at = self.by_name.get(&scope.name);
            if let Some(offered) = at.and_then(|at| self.scopes.get_mut(*at)) {
                offered.description.clone_from(&scope.description);
            }
        }
        self
    }

    /// The scope with this name.
    pub fn find(&self, name: &ScopeName) -> Option<&Scope> {
        self.by_name.get(name).and_then(|at| self.scopes.get(*at))
    }

    /// The built-in scope with this plain name, under the name that tokens carry.
    pub fn built_in(&self, name: &str) -> Option<&Scope> {
        self.built_in.get(name)
    }

    /// Whether tokens can have the built-in scopes.
    pub fn offers_built_in(&self) -> bool {
        let mut built_in = self.built_in.values();
        built_in.all(|scope| self.find(&scope.name).is_some())
    }

    /// All scopes: the configured ones in their order, then the built-in ones by name.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.scopes.iter()
    }

    /// All names.
    pub fn names(&self) -> ScopeSet {
        ScopeSet(self.by_name.keys().cloned().collect())
    }

    /// The scopes of a user in a browser: all, and the built-in ones even if they are hidden.
    pub fn session(&self) -> ScopeSet {
        let built_in = self.built_in.values().map(|scope| &scope.name);
        ScopeSet(self.by_name.keys().chain(built_in).cloned().collect())
    }

    /// The scopes that the form of a new token selects.
    pub fn defaults(&self) -> ScopeSet {
        let defaults = self.iter().filter(|scope| scope.is_default);
        defaults.map(|scope| scope.name.clone()).collect()
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

    fn scope(name: &str) -> Scope {
        Scope::new(ScopeName::parse(name).unwrap(), "Text")
    }

    #[test]
    fn a_role_limits_what_is_allowed() {
        let deploy = Scope {
            min_role: Some(Role::Admin),
            ..scope("app:deploy")
        };
        let catalogue = Catalogue::new(&BuiltInNames::Plain, vec![deploy.clone()]).unwrap();
        let requested = ScopeSet::parse("app:deploy tokens:read gone:scope").unwrap();
        let allowed = |role| catalogue.allowed(&requested, role).to_string();
        assert_eq!(allowed(None), "tokens:read");
        assert_eq!(allowed(Some(Role::Member)), "tokens:read");
        assert_eq!(allowed(Some(Role::Admin)), "app:deploy tokens:read");
        assert_eq!(allowed(Some(Role::Owner)), "app:deploy tokens:read");
        let twice = vec![deploy.clone(), deploy.clone()];
        assert_eq!(
            Catalogue::new(&BuiltInNames::Plain, twice).err(),
            Some(deploy.name)
        );
    }

    #[test]
    fn built_in_names_are_free_when_they_are_hidden_or_prefixed() {
        let own = || vec![scope("z:a"), scope("audit:read"), scope("b")];
        let taken = Catalogue::new(&BuiltInNames::Plain, own()).unwrap_err();
        assert_eq!(taken.as_str(), "audit:read");
        let listed = |catalogue: &Catalogue| {
            let names = catalogue.iter().map(|scope| scope.name.to_string());
            names.collect::<Vec<_>>().join(" ")
        };
        let hidden = Catalogue::new(&BuiltInNames::Hidden, own()).unwrap();
        assert_eq!(listed(&hidden), "z:a audit:read b");
        assert!(!hidden.offers_built_in());
        let read = &hidden.built_in("audit:read").unwrap().name;
        assert_eq!(ScopeName::parse(read.as_str()), None, "no token carries it");
        assert!(hidden.session().contains(read) && !hidden.names().contains(read));
        let prefixed = BuiltInNames::Prefixed("doorcode:".into());
        let prefixed = Catalogue::new(&prefixed, own()).unwrap();
        let names = listed(&prefixed);
        assert!(names.starts_with("z:a audit:read b doorcode:audit:read doorcode:orgs:read "));
        assert!(prefixed.offers_built_in());
    }

    #[test]
    fn the_name_suggests_risk_and_group() {
        for (name, risk, group) in [
            ("orgs:read", Risk::Read, "orgs"),
            ("doorcode:orgs:write", Risk::Write, "doorcode:orgs"),
            ("read", Risk::Write, "read"),
        ] {
            let scope = scope(name);
            assert_eq!((scope.risk, scope.group.as_str()), (risk, group), "{name}");
        }
        for risk in Risk::ALL {
            assert_eq!(Risk::parse(risk.as_str()), Some(risk));
        }
    }
}

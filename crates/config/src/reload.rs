//! Reading the configuration again while the server runs.

use super::source::PREFIX;
use super::{Config, ConfigError, FILE_VARIABLE, SignIn};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// The sections that a running server can replace. The others define what a start opens: addresses,
/// files, the database.
const REPLACEABLE: [&str; 9] = [
    "branding",
    "verify",
    "sign_in.oidc",
    "sign_in.oidc.rules",
    "sign_in.hand_off",
    "sign_in.hand_off.rules",
    "presets",
    "routes",
    "scopes",
];

/// How many of them do not depend on the names of scopes.
const WITHOUT_NAMES: usize = 6;

/// The setting on which the names in `[[presets]]`, `[[routes]]` and `[[scopes]]` depend.
const NAMES: &str = "tokens.builtin_scopes";

/// The sources of a configuration, to read them again.
#[derive(Clone, Default)]
pub(super) struct Origin {
    path: Option<PathBuf>,
    env: Vec<(String, String)>,
}

impl Origin {
    pub(super) fn new(path: Option<&Path>, env: &[(String, String)]) -> Self {
        let is_setting = |name: &str| name == FILE_VARIABLE || name.starts_with(PREFIX);
        let env = env.iter().filter(|(name, _)| is_setting(name));
        Self {
            path: path.map(Path::to_owned),
            env: env.cloned().collect(),
        }
    }
}

/// Hides the values of the variables, which may contain passwords.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.path)
    }
}

/// A configuration that was read again.
#[derive(Debug, Clone)]
pub struct Reload {
    /// The running configuration with the new `[branding]`, `[verify]`, `[[sign_in.oidc]]`,
    /// `[[sign_in.hand_off]]`, `[[presets]]`, `[[routes]]` and `[[scopes]]`.
    pub config: Config,
    /// The settings that it changes: a full key, or the name of a list of sections.
    pub changed: BTreeSet<String>,
    /// The settings that differ from the running ones and need a restart.
    pub needs_restart: BTreeSet<String>,
}

impl Config {
    /// Reads the same file and the environment of the start again.
    pub fn reload(&self) -> Result<Reload, ConfigError> {
        let new = Self::load(self.origin.path.as_deref(), self.origin.env.iter().cloned())?;
        let (before, after) = (self.effective(), new.effective());
        let replaceable = match before.get(NAMES) == after.get(NAMES) {
            true => &REPLACEABLE[..],
            false => &REPLACEABLE[..WITHOUT_NAMES],
        };
        let names = before.keys().chain(after.keys());
        let differing = names.filter(|name| before.get(*name) != after.get(*name));
        let (mut changed, mut needs_restart) = (BTreeSet::new(), BTreeSet::new());
        for name in differing {
            // The most exact section: `sign_in.oidc` is below `sign_in`.
            let sections = new.sections.iter().chain(&self.sections);
            let section = sections
                .filter(|one| is_below(name, &one.name))
                .max_by_key(|one| one.name.len());
            let Some(section) = section else {
                continue;
            };
            let is_in_list = section.is_in_list;
            let section = section.name.as_str();
            let shown = if is_in_list { section } else { name };
            match replaceable.contains(&section) {
                true => changed.insert(shown.to_owned()),
                false => needs_restart.insert(shown.to_owned()),
            };
        }
        let kept = self.sections.iter();
        let kept = kept.filter(|section| !replaceable.contains(&section.name.as_str()));
        let replaced = new.sections.iter();
        let replaced = replaced.filter(|section| replaceable.contains(&section.name.as_str()));
        let sections = kept.chain(replaced).cloned().collect();
        let catalogue = match replaceable.contains(&"scopes") {
            true => &new,
            false => self,
        };
        Ok(Reload {
            config: Self {
                sections,
                branding: new.branding.clone(),
                verify: new.verify.clone(),
                sign_in: SignIn {
                    providers: new.sign_in.providers.clone(),
                    ..self.sign_in.clone()
                },
                scopes: catalogue.scopes.clone(),
                presets: catalogue.presets.clone(),
                routes: catalogue.routes.clone(),
                ..self.clone()
            },
            changed,
            needs_restart,
        })
    }
}

/// Whether a setting belongs to a section.
fn is_below(name: &str, section: &str) -> bool {
    let rest = name.strip_prefix(section);
    rest.is_some_and(|rest| rest.starts_with('.'))
}

//! The keys of a deployment in one file beside a backup, with the names of the environment variables
//! that can hold them.

use super::file::{SecretFile, Staged, make_private_directory, read_secret};
use super::{AUDIT_KEY, Error, SECRET_KEY, value};
use config::Config;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The keys in a file.
#[derive(Default)]
pub struct KeyFile(BTreeMap<String, String>);

/// The variables of the keys, and their files.
fn places(config: &Config) -> Vec<(&str, &Path)> {
    let operator = (
        config.operator.token_variable.as_str(),
        config.operator.token_file.as_path(),
    );
    let keys = [
        (SECRET_KEY, config.server.secret_key_file.as_path()),
        (AUDIT_KEY, config.audit.signing_key_file.as_path()),
    ];
    let operator = config.operator.enabled.then_some(operator);
    keys.into_iter().chain(operator).collect()
}

/// The path of the keys beside a backup.
pub fn beside(backup: &Path) -> PathBuf {
    let mut path = backup.as_os_str().to_owned();
    path.push(".keys");
    path.into()
}

impl KeyFile {
    /// The keys of this deployment, from the environment, given as a look-up, or their files.
    pub fn of(config: &Config, env: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut keys = BTreeMap::new();
        for (variable, path) in places(config) {
            let key = match value(&env, variable) {
                Some(key) => Some(key),
                None => SecretFile { path, variable }.read()?,
            };
            if let Some(key) = key {
                keys.insert(variable.to_owned(), key.trim().to_owned());
            }
        }
        Ok(Self(keys))
    }

    /// Reads a file; without keys if it does not exist.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = read_secret(path)?.unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.split_once('='));
        let owned = pairs.map(|(name, key)| (name.trim().to_owned(), key.trim().to_owned()));
        Ok(Self(owned.collect()))
    }

    /// Writes a file that only its owner may read. Fails if it exists.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text = String::from("# Keys of a Doorcode deployment. Keep them secret.\n");
        for (name, key) in &self.0 {
            text += &format!("{name}={key}\n");
        }
        Staged::write(path, &text, None)
            .and_then(Staged::put_in_place_of_nothing)
            .map_err(|error| Error::File(path.to_owned(), error))
    }

    /// Fails if this deployment has another key.
    pub fn require_same(
        &self,
        config: &Config,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Error> {
        let present = Self::of(config, env)?;
        for (variable, path) in places(config) {
            let (own, present) = (self.0.get(variable), present.0.get(variable));
            if own.is_some() && present.is_some() && own != present {
                return Err(Error::Unusable(
                    path.display().to_string(),
                    format!(
                        "differs from {variable} of the backup. Move the file away (or unset the \
                         variable), or restore without the file of keys."
                    )
                    .into(),
                ));
            }
        }
        Ok(())
    }

    /// A look-up in the environment, and in these keys where neither the environment nor a file has
    /// one.
    pub fn behind<'a>(
        &'a self,
        config: &'a Config,
        env: impl Fn(&str) -> Option<String> + 'a,
    ) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| {
            let places = places(config);
            let has_file = places
                .iter()
                .any(|(variable, path)| *variable == name && path.exists());
            value(&env, name).or_else(|| self.0.get(name).filter(|_| !has_file).cloned())
        }
    }

    /// Creates the files of the keys that this deployment lacks. Returns their paths.
    pub fn install(
        &self,
        config: &Config,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<PathBuf>, Error> {
        let mut made = Vec::new();
        for (variable, path) in places(config) {
            let Some(key) = self.0.get(variable) else {
                continue;
            };
            if value(&env, variable).is_some() || path.exists() {
                continue;
            }
            make_private_directory(path)
                .and_then(|()| Staged::write(path, &format!("{key}\n"), None))
                .and_then(Staged::put_in_place_of_nothing)
                .map_err(|error| Error::File(path.to_owned(), error))?;
            made.push(path.to_owned());
        }
        Ok(made)
    }
}

//! Which files store the credentials.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde_json::Value;

use super::disk;
use super::error::{FileError, Problem};
use super::shape::{self, Members, Misshapen};
use crate::profile::Profile;

/// What stands for the profile in the name of a file.
pub const PLACEHOLDER: &str = "{profile}";

/// Which files store the credentials, and what applies where they are silent.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The file of all profiles; with `{profile}` in its name, each profile has its own.
    pub path: PathBuf,
    /// The file of the tokens that were given by hand; `None` if they are with the others.
    pub given: Option<PathBuf>,
    /// The server of a token that is stored without one.
    pub default_host: String,
    /// The profile of commands that name none.
    pub default_profile: Profile,
    /// The first part of the names of keys in the keyring.
    pub program: String,
}

impl Layout {
    /// The file of a profile.
    pub fn file(&self, profile: &Profile) -> PathBuf {
        match self.pattern() {
            Some((before, after)) => self
                .path
                .with_file_name(format!("{before}{profile}{after}")),
            None => self.path.clone(),
        }
    }

    /// The file of the default profile, which also has what applies to all profiles.
    pub fn main(&self) -> PathBuf {
        self.file(&self.default_profile)
    }

    /// All files that are there.
    pub fn files(&self) -> Vec<PathBuf> {
        let others = self.other_profiles().unwrap_or_default();
        let own = others.iter().map(|profile| self.file(profile));
        let all = [self.main()].into_iter().chain(own);
        all.chain(self.given.clone())
            .filter(|path| path.is_file())
            .collect()
    }

    /// Reads all files of profiles as one document, in which each but the default one is below
    /// `profiles`.
    pub fn read(&self) -> Result<Members, FileError> {
        let mut document = disk::read(&self.main())?;
        let others = self
            .other_profiles()
            .map_err(|cause| FileError::new(&self.path, Problem::Unreadable(cause)))?;
        for profile in others {
            let members = disk::read(&self.file(&profile))?;
            let profiles = shape::object_mut(&mut document, "profiles");
            let profiles = profiles
                .map_err(|Misshapen(what)| FileError::new(&self.main(), Problem::Broken(what)))?;
            profiles.insert(profile.to_string(), members.into());
        }
        Ok(document)
    }

    /// Writes the files whose content has changed.
    pub fn write(&self, before: &Members, after: &Members) -> Result<(), FileError> {
        if self.pattern().is_none() {
            return disk::write(&self.path, after);
        }
        let (old, new) = (profiles(before), profiles(after));
        for (name, members) in &new {
            let own = Profile::parse(name)
                .map_err(|why| self.broken(format!("\"{name}\" is not a profile name: {why}")))?;
            let Value::Object(members) = members else {
                return Err(self.broken(format!("\"{name}\" is not an object")));
            };
            if old.get(name).and_then(Value::as_object) != Some(members) {
                disk::write(&self.file(&own), members)?;
            }
        }
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            let path = self.path.with_file_name(self.file_name(name));
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    return Err(FileError::new(&path, Problem::Unwritable(cause)));
                }
                _ => {}
            }
        }
        let mut main = after.clone();
        main.remove("profiles");
        disk::write(&self.main(), &main)
    }

    /// The parts of the name of a file around the name of its profile.
    fn pattern(&self) -> Option<(&str, &str)> {
        self.path.file_name()?.to_str()?.split_once(PLACEHOLDER)
    }

    fn file_name(&self, profile: &str) -> String {
        let (before, after) = self.pattern().unwrap_or_default();
        format!("{before}{profile}{after}")
    }

    /// The profiles that have a file of their own, without the default one.
    fn other_profiles(&self) -> io::Result<Vec<Profile>> {
        let Some((before, after)) = self.pattern() else {
            return Ok(Vec::new());
        };
        let folder = self.path.with_file_name("");
        let entries = match fs::read_dir(&folder) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let own = name.to_str().and_then(|name| {
                let name = name.strip_prefix(before)?.strip_suffix(after)?;
                Profile::parse(name).ok()
            });
            found.extend(own.filter(|own| *own != self.default_profile));
        }
        found.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(found)
    }

    fn broken(&self, what: String) -> FileError {
        FileError::new(&self.path, Problem::Broken(what))
    }
}

/// The members below `profiles`.
fn profiles(document: &Members) -> Members {
    match document.get("profiles") {
        Some(Value::Object(profiles)) => profiles.clone(),
        _ => Members::new(),
    }
}

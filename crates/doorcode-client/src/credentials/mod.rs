//! The credentials file, which stores tokens.
//!
//! A profile has one entry for each server. The entry of its current server is in the profile
//! itself, the others are below `hosts`. The default profile is at the top level, named profiles
//! are below `profiles`:
//!
//! ```json
//! {
//!   "token": "…", "default_project": "prj_…", "host": "https://a.example", "origin": "login",
//!   "hosts": { "https://b.example": { "token": "…", "origin": "given" } },
//!   "profiles": { "work": { "token": "…", "host": "https://a.example", "hosts": { } } },
//!   "profile": "work"
//! }
//! ```
//!
//! `profile` is the profile of commands that name none. Unknown members survive a change.

mod disk;
mod error;
#[cfg(not(unix))]
mod other;
mod shape;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::host::Host;
use crate::profile::Profile;
use domain::id::ProjectId;
use domain::secret::Secret;
use error::Problem;
use shape::{Members, Misshapen};

pub use error::FileError;

/// The credentials file as it was read, with the changes since.
pub struct Credentials {
    path: PathBuf,
    /// The server of a token that is stored without one.
    default_host: String,
    document: Members,
}

/// How a token came into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `login` requested it.
    Login,
    /// The user gave it to `login --token`. It may be in use elsewhere.
    Given,
}

/// What a profile stores for one server.
#[derive(Debug, Default)]
pub struct Entry {
    /// The token.
    pub token: Option<Secret>,
    /// How the token came into the file; `None` if an earlier version stored it.
    pub origin: Option<Origin>,
    /// The project of commands that name none.
    pub default_project: Option<String>,
}

/// Without the document, which has tokens.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Origin {
    fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Given => "given",
        }
    }
}

impl Credentials {
    /// Reads the file. A missing or empty file has no credentials; a broken file is an error, so
    /// that it is never overwritten. A token without a server counts for the default one.
    pub fn load(path: &Path, default_host: &str) -> Result<Self, FileError> {
        Ok(Self {
            path: path.to_owned(),
            default_host: default_host.to_owned(),
            document: disk::read(path)?,
        })
    }

    /// Reads the file, changes it and writes it, while no other process does so.
    pub fn change<T>(
        path: &Path,
        default_host: &str,
        change: impl FnOnce(&mut Self) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let _lock = disk::lock(path)?;
        let mut credentials = Self::load(path, default_host)?;
        let result = change(&mut credentials)?;
        disk::write(path, &credentials.document)?;
        Ok(result)
    }

    /// Fails if the file cannot be stored. Changes nothing.
    pub fn check_writable(path: &Path) -> Result<(), FileError> {
        disk::check_writable(path)
    }

    /// Takes the access rights of other users to the file away if it has tokens. Returns a
    /// sentence for the user if there is anything to report.
    pub fn protect(&self) -> Option<String> {
        let path = self.path.display();
        if self.is_empty() {
            return None;
        }
        match disk::make_private(&self.path) {
            Ok(true) => Some(format!(
                "Other users of this machine could read {path}. Only you can read it now."
            )),
            Err(_) => Some(format!(
                "Other users of this machine can read {path}. Restrict its permissions to 0600."
            )),
            Ok(false) if disk::is_replaceable_by_others(&self.path) => Some(format!(
                "Other users of this machine can replace {path}. Restrict the permissions of its \
                 folder to 0700."
            )),
            Ok(false) => None,
        }
    }

    /// Whether the file stores nothing.
    pub fn is_empty(&self) -> bool {
        self.document.is_empty()
    }

    /// The stored profiles, the default one first.
    pub fn profiles(&self) -> Result<Vec<Profile>, FileError> {
        let named = self.checked(shape::object(&self.document, "profiles"))?;
        let named = named.into_iter().flat_map(Members::keys);
        let named = named.filter_map(|name| Profile::parse(name).ok());
        Ok([Profile::default()].into_iter().chain(named).collect())
    }

    /// Whether the file has this profile. The default profile always exists.
    pub fn has_profile(&self, profile: &Profile) -> Result<bool, FileError> {
        Ok(self.members(profile)?.is_some())
    }

    /// The profile of commands that name none.
    pub fn used_profile(&self) -> Result<Profile, FileError> {
        match self.checked(shape::text(&self.document, "profile"))? {
            None => Ok(Profile::default()),
            Some(name) => Profile::parse(&name)
                .map_err(|_| self.broken(format!("\"{name}\" is not a profile name"))),
        }
    }

    /// Makes this the profile of commands that name none.
    pub fn use_profile(&mut self, profile: &Profile) {
        match profile.name() {
            Some(name) => self.document.insert("profile".to_owned(), name.into()),
            None => self.document.remove("profile"),
        };
    }

    /// Removes a profile with all its entries. Other members of the default profile stay.
    pub fn remove_profile(&mut self, profile: &Profile) -> Result<(), FileError> {
        if self.used_profile()? == *profile {
            self.use_profile(&Profile::default());
        }
        let Some(name) = profile.name() else {
            for member in shape::ENTRY.into_iter().chain(["host", "hosts"]) {
                self.document.remove(member);
            }
            return Ok(());
        };
        if self.has_profile(profile)? {
            self.edit(|document| {
                let profiles = shape::object_mut(document, "profiles")?;
                profiles.remove(name);
                if profiles.is_empty() {
                    document.remove("profiles");
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The current server of a profile; `None` if the profile has never been used.
    pub fn current_host(&self, profile: &Profile) -> Result<Option<String>, FileError> {
        match self.members(profile)? {
            Some(members) => self.checked(shape::current_host(members, &self.default_host)),
            None => Ok(None),
        }
    }

    /// The servers of a profile, the current one first.
    pub fn hosts(&self, profile: &Profile) -> Result<Vec<String>, FileError> {
        match self.members(profile)? {
            Some(members) => self.checked(shape::hosts(members, &self.default_host)),
            None => Ok(Vec::new()),
        }
    }

    /// The servers of a profile for which it has a token.
    pub fn hosts_with_token(&self, profile: &Profile) -> Result<Vec<String>, FileError> {
        let mut hosts = self.hosts(profile)?;
        hosts.retain(|host| {
            let entry = Host::parse(host).map(|host| self.entry(profile, &host));
            matches!(entry, Ok(Ok(Entry { token: Some(_), .. })))
        });
        Ok(hosts)
    }

    /// What a profile stores for a server; an empty entry if there is nothing.
    pub fn entry(&self, profile: &Profile, host: &Host) -> Result<Entry, FileError> {
        let Some(members) = self.members(profile)? else {
            return Ok(Entry::default());
        };
        let entry = shape::entry(members, host, &self.default_host);
        let Some(entry) = self.checked(entry)? else {
            return Ok(Entry::default());
        };
        let text = |name| self.checked(shape::text(entry, name));
        Ok(Entry {
            token: text("token")?.map(Secret::new),
            origin: match text("origin")?.as_deref() {
                None => None,
                Some("login") => Some(Origin::Login),
                // An origin of a later version: the token must not be revoked unasked.
                Some(_) => Some(Origin::Given),
            },
            default_project: text("default_project")?,
        })
    }

    /// Stores a token and makes its server the current one of the profile.
    pub fn keep(
        &mut self,
        profile: &Profile,
        host: &Host,
        (token, origin): (&Secret, Origin),
    ) -> Result<(), FileError> {
        self.make_current(profile, host)?;
        self.edit_entry(profile, host, |entry| {
            entry.insert("token".to_owned(), token.expose().into());
            entry.insert("origin".to_owned(), origin.name().into());
        })
    }

    /// Removes the token for a server from this profile.
    pub fn forget(&mut self, profile: &Profile, host: &Host) -> Result<(), FileError> {
        self.edit_entry(profile, host, |entry| {
            entry.remove("token");
            entry.remove("origin");
        })
    }

    /// Sets the project of commands that name none, for a server.
    pub fn set_project(
        &mut self,
        profile: &Profile,
        host: &Host,
        project: Option<&ProjectId>,
    ) -> Result<(), FileError> {
        self.edit_entry(profile, host, |entry| {
            match project {
                Some(id) => entry.insert("default_project".to_owned(), id.as_str().into()),
                None => entry.remove("default_project"),
            };
        })
    }

    /// Makes a server the current one of a profile: the entry of the previous one moves below
    /// `hosts`.
    pub fn make_current(&mut self, profile: &Profile, host: &Host) -> Result<(), FileError> {
        let default = self.default_host.clone();
        self.edit(|document| shape::make_current(profile_mut(document, profile)?, host, &default))
    }

    fn edit_entry(
        &mut self,
        profile: &Profile,
        host: &Host,
        change: impl FnOnce(&mut Members),
    ) -> Result<(), FileError> {
        let default = self.default_host.clone();
        self.edit(|document| {
            shape::change_entry(profile_mut(document, profile)?, (host, &default), change)
        })
    }

    fn edit(
        &mut self,
        edit: impl FnOnce(&mut Members) -> Result<(), Misshapen>,
    ) -> Result<(), FileError> {
        let edited = edit(&mut self.document);
        self.checked(edited)
    }

    fn members(&self, profile: &Profile) -> Result<Option<&Members>, FileError> {
        let Some(name) = profile.name() else {
            return Ok(Some(&self.document));
        };
        match self.checked(shape::object(&self.document, "profiles"))? {
            Some(profiles) => self.checked(shape::object(profiles, name)),
            None => Ok(None),
        }
    }

    fn checked<T>(&self, found: Result<T, Misshapen>) -> Result<T, FileError> {
        found.map_err(|Misshapen(what)| self.broken(what))
    }

    fn broken(&self, what: String) -> FileError {
        FileError::new(&self.path, Problem::Broken(what))
    }
}

fn profile_mut<'a>(
    document: &'a mut Members,
    profile: &Profile,
) -> Result<&'a mut Members, Misshapen> {
    match profile.name() {
        Some(name) => shape::object_mut(shape::object_mut(document, "profiles")?, name),
        None => Ok(document),
    }
}

#[cfg(test)]
mod tests;

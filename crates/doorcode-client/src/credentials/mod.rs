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
//!
//! A token can be outside of its entry: in the keyring of the kernel under the name in
//! `keyring_key`, or, if it was given by hand and the [`Layout`] says so, in a file of such tokens.
//! With `"keyring": true` at the top level, `login` stores tokens in the keyring.

mod disk;
mod entry;
mod error;
mod keyring;
mod layout;
#[cfg(not(unix))]
mod other;
mod profiles;
mod shape;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::path::Path;

use serde_json::Value;

use crate::host::Host;
use crate::profile::Profile;
use domain::id::ProjectId;
use domain::secret::Secret;
use error::Problem;
use shape::{Members, Misshapen};

pub use entry::{Entry, NewToken, Origin, Place};
pub use error::FileError;
pub use layout::Layout;

/// The member with the name of a token in the keyring.
const KEYRING_KEY: &str = "keyring_key";

/// The credentials as they were read, with the changes since.
pub struct Credentials {
    layout: Layout,
    document: Members,
    /// The tokens given by hand that are in a file of their own, by profile and server.
    given: Members,
    /// Keys of the keyring that a change replaces or removes.
    stale_keys: Vec<String>,
}

/// Without the document, which has tokens.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads the files. A missing or empty file has no credentials; a broken file is an error, so
    /// that it is never overwritten.
    pub fn load(layout: &Layout) -> Result<Self, FileError> {
        Ok(Self {
            document: layout.read()?,
            given: layout
                .given
                .as_deref()
                .map(disk::read)
                .transpose()?
                .unwrap_or_default(),
            layout: layout.clone(),
            stale_keys: Vec::new(),
        })
    }

    /// Reads the files, changes them and writes them, while no other process does so.
    pub fn change<T>(
        layout: &Layout,
        change: impl FnOnce(&mut Self) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let _lock = disk::lock(&layout.main())?;
        let mut credentials = Self::load(layout)?;
        let (document, given) = (credentials.document.clone(), credentials.given.clone());
        let result = change(&mut credentials)?;
        // First, since the other files refer to it.
        if let Some(path) = layout
            .given
            .as_deref()
            .filter(|_| credentials.given != given)
        {
            disk::write(path, &credentials.given)?;
        }
        layout.write(&document, &credentials.document)?;
        for key in &credentials.stale_keys {
            keyring::remove(key).map_err(|why| credentials.keyring_failed(why))?;
        }
        Ok(result)
    }

    /// Fails if credentials of this profile cannot be stored there. Changes nothing.
    pub fn check_writable(
        layout: &Layout,
        profile: &Profile,
        place: Place,
    ) -> Result<(), FileError> {
        disk::check_writable(&layout.file(profile))?;
        if place == Place::Keyring {
            keyring::check(&layout.program)
                .map_err(|why| FileError::new(&layout.file(profile), Problem::Keyring(why)))?;
        }
        Ok(())
    }

    /// Takes the access rights of other users to the files away. Returns a sentence for the user
    /// for each file about which there is anything to report.
    pub fn protect(&self) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        let files = self.layout.files();
        files.iter().filter_map(|path| protect(path)).collect()
    }

    /// Whether the files store nothing.
    pub fn is_empty(&self) -> bool {
        self.document.is_empty() && self.given.is_empty()
    }

    /// Where `login` stores a token that replaces this entry, unless the user decides otherwise.
    pub fn place_of(&self, replaced: &Entry) -> Place {
        match self.document.get("keyring") {
            Some(Value::Bool(true)) => Place::Keyring,
            _ => replaced.place,
        }
    }

    /// The current server of a profile; `None` if the profile has never been used.
    pub fn current_host(&self, profile: &Profile) -> Result<Option<String>, FileError> {
        match self.members(profile)? {
            Some(members) => self.checked(shape::current_host(members, &self.layout.default_host)),
            None => Ok(None),
        }
    }

    /// The servers of a profile, the current one first.
    pub fn hosts(&self, profile: &Profile) -> Result<Vec<String>, FileError> {
        match self.members(profile)? {
            Some(members) => self.checked(shape::hosts(members, &self.layout.default_host)),
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
        let entry = shape::entry(members, host, &self.layout.default_host);
        let Some(entry) = self.checked(entry)? else {
            return Ok(Entry::default());
        };
        let text = |name| self.checked(shape::text(entry, name));
        let origin = match text("origin")?.as_deref() {
            None => None,
            Some("login") => Some(Origin::Login),
            // An origin of a later version: the token must not be revoked unasked.
            Some(_) => Some(Origin::Given),
        };
        let (token, place) = match (text("token")?, text(KEYRING_KEY)?) {
            (Some(token), _) => (Some(Secret::new(token)), Place::File),
            (None, Some(key)) => {
                let token = keyring::read(&key).map_err(|why| self.keyring_failed(why))?;
                (token, Place::Keyring)
            }
            (None, None) => (self.given(profile, host)?, Place::File),
        };
        Ok(Entry {
            token,
            place,
            origin,
            default_project: text("default_project")?,
        })
    }

    /// Stores a token and makes its server the current one of the profile.
    pub fn keep(
        &mut self,
        profile: &Profile,
        host: &Host,
        new: &NewToken<'_>,
    ) -> Result<(), FileError> {
        self.forget(profile, host)?;
        self.make_current(profile, host)?;
        let secret = new.token.expose();
        let mut member = Some(("token", secret.to_owned()));
        if new.place == Place::Keyring {
            let key = keyring::name(&self.layout.program, new.token);
            keyring::store(&key, new.token).map_err(|why| self.keyring_failed(why))?;
            // The same token may have been there before.
            self.stale_keys.retain(|stale| *stale != key);
            member = Some((KEYRING_KEY, key));
        } else if new.origin == Origin::Given && self.layout.given.is_some() {
            self.edit_given(|given| {
                let own = shape::object_mut(given, profile.name())?;
                own.insert(host.to_string(), secret.into());
                Ok(())
            })?;
            member = None;
        }
        self.edit_entry(profile, host, |entry| {
            entry.extend(member.map(|(name, value)| (name.to_owned(), value.into())));
            entry.insert("origin".to_owned(), new.origin.name().into());
        })
    }

    /// Removes the token for a server from this profile.
    pub fn forget(&mut self, profile: &Profile, host: &Host) -> Result<(), FileError> {
        let mut key = None;
        self.edit_entry(profile, host, |entry| {
            entry.remove("token");
            entry.remove("origin");
            key = entry.remove(KEYRING_KEY);
        })?;
        let key = key.as_ref().and_then(Value::as_str).map(str::to_owned);
        self.stale_keys.extend(key);
        if self.given(profile, host)?.is_some() {
            self.edit_given(|given| {
                let own = shape::object_mut(given, profile.name())?;
                own.retain(|known, _| Host::parse(known).as_ref() != Ok(host));
                if own.is_empty() {
                    given.remove(profile.name());
                }
                Ok(())
            })?;
        }
        Ok(())
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
        let default = self.layout.default_host.clone();
        self.edit_profile(profile, |members| {
            shape::make_current(members, host, &default)
        })
    }

    fn edit_entry(
        &mut self,
        profile: &Profile,
        host: &Host,
        change: impl FnOnce(&mut Members),
    ) -> Result<(), FileError> {
        let default = self.layout.default_host.clone();
        self.edit_profile(profile, |members| {
            shape::change_entry(members, (host, &default), change)
        })
    }

    fn edit_profile(
        &mut self,
        profile: &Profile,
        edit: impl FnOnce(&mut Members) -> Result<(), Misshapen>,
    ) -> Result<(), FileError> {
        let is_default = *profile == self.layout.default_profile;
        self.edit(|document| match is_default {
            true => edit(document),
            false => edit(shape::object_mut(
                shape::object_mut(document, "profiles")?,
                profile.name(),
            )?),
        })
    }

    fn edit_given(
        &mut self,
        edit: impl FnOnce(&mut Members) -> Result<(), Misshapen>,
    ) -> Result<(), FileError> {
        let edited = edit(&mut self.given);
        self.checked_given(edited)
    }

    /// The token given by hand that is in the file of such tokens.
    fn given(&self, profile: &Profile, host: &Host) -> Result<Option<Secret>, FileError> {
        let own = self.checked_given(shape::object(&self.given, profile.name()))?;
        let mut own = own.into_iter().flatten();
        let found = own.find(|(known, _)| Host::parse(known).as_ref() == Ok(host));
        let text = found.and_then(|(_, token)| token.as_str());
        Ok(text.map(Secret::new))
    }

    fn edit(
        &mut self,
        edit: impl FnOnce(&mut Members) -> Result<(), Misshapen>,
    ) -> Result<(), FileError> {
        let edited = edit(&mut self.document);
        self.checked(edited)
    }

    fn members(&self, profile: &Profile) -> Result<Option<&Members>, FileError> {
        if *profile == self.layout.default_profile {
            return Ok(Some(&self.document));
        }
        match self.checked(shape::object(&self.document, "profiles"))? {
            Some(profiles) => self.checked(shape::object(profiles, profile.name())),
            None => Ok(None),
        }
    }

    fn checked<T>(&self, found: Result<T, Misshapen>) -> Result<T, FileError> {
        found.map_err(|Misshapen(what)| self.broken(what))
    }

    fn checked_given<T>(&self, found: Result<T, Misshapen>) -> Result<T, FileError> {
        let path = self.layout.given.as_deref().unwrap_or(&self.layout.path);
        found.map_err(|Misshapen(what)| FileError::new(path, Problem::Broken(what)))
    }

    fn broken(&self, what: String) -> FileError {
        FileError::new(&self.layout.main(), Problem::Broken(what))
    }

    fn keyring_failed(&self, why: String) -> FileError {
        FileError::new(&self.layout.main(), Problem::Keyring(why))
    }
}

/// Takes the access rights of other users to a file away. Returns a sentence for the user if there
/// is anything to report.
fn protect(file: &Path) -> Option<String> {
    let path = file.display();
    match disk::make_private(file) {
        Ok(true) => Some(format!(
            "Other users of this machine could read {path}. Only you can read it now."
        )),
        Err(_) => Some(format!(
            "Other users of this machine can read {path}. Restrict its permissions to 0600."
        )),
        Ok(false) if disk::is_replaceable_by_others(file) => Some(format!(
            "Other users of this machine can replace {path}. Restrict the permissions of its \
             folder to 0700."
        )),
        Ok(false) => None,
    }
}

#[cfg(test)]
mod tests;

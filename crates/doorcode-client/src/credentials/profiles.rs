//! The profiles of the credentials.

use super::Credentials;
use super::error::FileError;
use super::shape::{self, Members};
use crate::host::Host;
use crate::profile::Profile;

impl Credentials {
    /// The stored profiles, the default one first.
    pub fn profiles(&self) -> Result<Vec<Profile>, FileError> {
        let named = self.checked(shape::object(&self.document, "profiles"))?;
        let named = named.into_iter().flat_map(Members::keys);
        let named = named.filter_map(|name| Profile::parse(name).ok());
        let default = self.layout.default_profile.clone();
        Ok([default].into_iter().chain(named).collect())
    }

    /// Whether the file has this profile. The default profile always exists.
    pub fn has_profile(&self, profile: &Profile) -> Result<bool, FileError> {
        Ok(self.members(profile)?.is_some())
    }

    /// The profile of commands that name none.
    pub fn used_profile(&self) -> Result<Profile, FileError> {
        match self.checked(shape::text(&self.document, "profile"))? {
            None => Ok(self.layout.default_profile.clone()),
            Some(name) => Profile::parse(&name)
                .map_err(|_| self.broken(format!("\"{name}\" is not a profile name"))),
        }
    }

    /// Makes this the profile of commands that name none.
    pub fn use_profile(&mut self, profile: &Profile) {
        if *profile == self.layout.default_profile {
            self.document.remove("profile");
        } else {
            self.document
                .insert("profile".to_owned(), profile.name().into());
        }
    }

    /// Removes a profile with all its entries. Other members of the default profile stay.
    pub fn remove_profile(&mut self, profile: &Profile) -> Result<(), FileError> {
        if self.used_profile()? == *profile {
            self.use_profile(&self.layout.default_profile.clone());
        }
        for host in self.hosts(profile)? {
            if let Ok(host) = Host::parse(&host) {
                self.forget(profile, &host)?;
            }
        }
        if *profile == self.layout.default_profile {
            for member in shape::ENTRY.into_iter().chain(["host", "hosts"]) {
                self.document.remove(member);
            }
        } else if self.has_profile(profile)? {
            self.edit(|document| {
                let profiles = shape::object_mut(document, "profiles")?;
                profiles.remove(profile.name());
                if profiles.is_empty() {
                    document.remove("profiles");
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

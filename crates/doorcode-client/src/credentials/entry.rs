//! What a profile stores for one server.

use domain::secret::Secret;

/// How a token came to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `login` requested it.
    Login,
    /// The user gave it to `login --token`. It may be in use elsewhere.
    Given,
}

impl Origin {
    /// The name in files and documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Given => "given",
        }
    }
}

/// Where a token is stored.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A credentials file.
    #[default]
    File,
    /// The keyring of the kernel.
    Keyring,
}

impl Place {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Keyring => "keyring",
        }
    }
}

/// What a profile stores for one server.
#[derive(Debug, Default)]
pub struct Entry {
    /// The token.
    pub token: Option<Secret>,
    /// Where the token is. In the keyring it may be missing: a restart empties it.
    pub place: Place,
    /// How the token came to be stored; `None` if an earlier version stored it.
    pub origin: Option<Origin>,
    /// The project of commands that name none.
    pub default_project: Option<String>,
}

/// A token to store.
pub struct NewToken<'a> {
    /// The token.
    pub token: &'a Secret,
    /// How it came.
    pub origin: Origin,
    /// Where it goes.
    pub place: Place,
}

//! What a server remembers of the log outside the database: the keys that it has signed with,
//! and the last checkpoint that it signed.
//!
//! Whoever has the database can write into it what they want. Whether the log is still that of
//! before, and whose signatures count, must not hang on it alone, wherever the checkpoints go.
//! The file lies beside the key that signs: whoever can write there can sign as well.

use super::sink::with_file;
use crate::deployment::file::{Staged, make_private_directory};
use crate::{App, Error};
use domain::audit::note::VerifierKey;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What is added to the name of the key's file.
const SUFFIX: &str = ".seen";

/// What a server remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LocalState {
    /// The keys that it has signed with, the latest one last.
    pub(super) keys: Vec<VerifierKey>,
    /// The note of the last checkpoint.
    pub(super) last: Option<String>,
}

impl LocalState {
    /// Reads the file: a key in each line, a blank line, and the note.
    fn parse(text: &str) -> Option<Self> {
        let (keys, note) = text.split_once("\n\n")?;
        Some(Self {
            keys: keys
                .lines()
                .map(VerifierKey::parse)
                .collect::<Option<_>>()?,
            last: (!note.is_empty()).then(|| note.to_owned()),
        })
    }

    fn write(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(ToString::to_string).collect();
        let note = self.last.as_deref().unwrap_or_default();
        format!("{}\n\n{note}", keys.join("\n"))
    }

    /// What the server remembers; nothing before it has signed anything.
    pub(super) async fn load(app: &App) -> Result<Self, Error> {
        with_file(path(app), Self::read).await
    }

    /// Remembers something else from now on; gives that. A command may do so beside a server, so
    /// whoever does holds the file of the key meanwhile; a key without a file is held by nobody.
    pub(super) async fn change(
        app: &App,
        change: impl FnOnce(&mut Self) + Send + 'static,
    ) -> Result<Self, Error> {
        let key = app.config().audit.signing_key_file.clone();
        with_file(path(app), move |path| {
            make_private_directory(path)?;
            let held = File::open(key).ok();
            held.as_ref().map(File::lock).transpose()?;
            let mut local_state = Self::read(path)?;
            change(&mut local_state);
            Staged::write(path, &local_state.write(), None)?.put_in_place()?;
            Ok(local_state)
        })
        .await
    }

    fn read(path: &Path) -> io::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).ok_or_else(|| {
                io::Error::other(
                    "the file is not as it was written; if nobody tampered with it, move it away",
                )
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }
}

fn path(app: &App) -> PathBuf {
    let mut path = app.config().audit.signing_key_file.clone().into_os_string();
    path.push(SUFFIX);
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::audit::origin::Origin;
    use ring::signature::Ed25519KeyPair;

    #[test]
    fn what_is_written_is_read_again() {
        let name = Origin::parse("doorcode-test").unwrap();
        let key = |seed| {
            let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
            VerifierKey::of(&name, &pair)
        };
        for local_state in [
            LocalState::default(),
            LocalState {
                keys: vec![key(1)],
                last: None,
            },
            LocalState {
                keys: vec![key(1), key(2)],
                last: Some("text\n\n— name signature\n".to_owned()),
            },
        ] {
            assert_eq!(LocalState::parse(&local_state.write()), Some(local_state));
        }
        for torn in ["", "nothing", "nothing\n\n"] {
            assert_eq!(LocalState::parse(torn), None, "{torn:?}");
        }
    }
}

//! Keys that are trusted to sign checkpoints: those that this server has used, from its local
//! state.
//!
//! The local state is what a server keeps of the log outside the database: the keys that it signed
//! with, its last checkpoint, and the last head that it saw, signed like a checkpoint. An attacker with write access to the database can change
//! everything in it. The integrity of the log and the set of trusted keys must not depend on it
//! alone, whatever the destination of checkpoints. The file is stored beside the signing key: write
//! access there allows signing anyway.

use super::seal;
use super::ship::sink::with_file;
use crate::deployment::file::{Staged, make_private_directory};
use crate::{App, Error};
use domain::audit::checkpoint::Checkpoint;
use domain::audit::discrepancy::{Discrepancy, Kind};
use domain::audit::note::{NoteFault, VerifierKey};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use store::audit::Log;

/// The current key.
pub(super) fn present_key(app: &App, log: &Log) -> VerifierKey {
    VerifierKey::of(&log.origin, app.signing_key())
}

/// The trusted keys, the current one last. Keys named in the log are not trusted: an attacker
/// with access to the database could add one.
pub(super) fn known_keys(local_state: &LocalState, present: &VerifierKey) -> Vec<VerifierKey> {
    let earlier = local_state.keys.iter().filter(|key| *key != present);
    earlier.chain([present]).cloned().collect()
}

/// Removes the last checkpoint and the last head from the local state, for a recovery by the
/// operator.
pub(super) async fn forget_remembered(app: &App) -> Result<(), Error> {
    LocalState::change(app, |local_state| {
        local_state.last = None;
        local_state.head = None;
    })
    .await?;
    Ok(())
}

/// Adds an earlier key to the local state.
pub(super) async fn remember(app: &App, key: VerifierKey) -> Result<(), Error> {
    LocalState::change(app, |local_state| {
        if !local_state.keys.contains(&key) {
            local_state.keys.insert(0, key);
        }
    })
    .await?;
    Ok(())
}

/// The keys that are trusted to sign checkpoints, the current one last.
pub async fn keys(app: &App) -> Result<Vec<VerifierKey>, Error> {
    Ok(remembered(app).await?.0)
}

/// Trusted keys, and the notes in the local state.
pub(super) async fn remembered(app: &App) -> Result<(Vec<VerifierKey>, Vec<String>), Error> {
    let log = seal::begin(app).await?;
    let local_state = LocalState::load(app).await?;
    let keys = known_keys(&local_state, &present_key(app, &log));
    let notes = [local_state.last, local_state.head];
    Ok((keys, notes.into_iter().flatten().collect()))
}

/// Verifies a note. `None` if no known key signed it.
pub(super) fn verify_note(
    note: &str,
    keys: &[VerifierKey],
) -> Result<Option<Checkpoint>, Discrepancy> {
    match Checkpoint::verify(note, keys) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(NoteFault::Unknown) => Ok(None),
        Err(fault) => {
            let says = format!("The last checkpoint does not count: {fault}.");
            Err(Discrepancy::new(0, Kind::Signature, says))
        }
    }
}

/// Returns the first checkpoint that a known key signed. A file may also contain checkpoints of
/// servers with other keys.
pub(super) fn last_of(
    notes: &[String],
    keys: &[VerifierKey],
) -> Result<Option<Checkpoint>, Discrepancy> {
    let read = notes.iter().map(|note| verify_note(note, keys));
    read.filter_map(Result::transpose).next().transpose()
}

/// Suffix of the key file's name.
const SUFFIX: &str = ".seen";

/// Local state of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LocalState {
    /// Keys that it signed with, the newest last.
    pub(super) keys: Vec<VerifierKey>,
    /// Note of the last checkpoint.
    pub(super) last: Option<String>,
    /// Note of the last head, in the form of a checkpoint. Neither stored nor published elsewhere.
    pub(super) head: Option<String>,
}

impl LocalState {
    /// Parses the file: one key a line, and after blank lines the notes of the checkpoint and of
    /// the head. A note contains one blank line.
    fn parse(text: &str) -> Option<Self> {
        let (keys, notes) = text.split_once("\n\n")?;
        let parts: Vec<_> = notes.split("\n\n").collect();
        let (last, head) = match parts.as_slice() {
            [""] => ("", ""),
            [text, _] if text.starts_with('\n') => ("", &notes[1..]),
            [_, _] => (notes, ""),
            [text, signatures, _, _] => notes.split_at(text.len() + signatures.len() + 3),
            _ => return None,
        };
        let note = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some(Self {
            keys: keys
                .lines()
                .map(VerifierKey::parse)
                .collect::<Option<_>>()?,
            last: note(last),
            head: note(head.trim_start()),
        })
    }

    fn write(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(ToString::to_string).collect();
        let last = self.last.as_deref().unwrap_or_default();
        let head = self.head.iter().map(|head| format!("\n{head}"));
        let head: String = head.collect();
        format!("{}\n\n{last}{head}", keys.join("\n"))
    }

    /// Loads the state; empty before the server has signed anything.
    pub(super) async fn load(app: &App) -> Result<Self, Error> {
        with_file(path(app), Self::read).await
    }

    /// Changes and returns the state. A command may run beside the server, so the key file is
    /// locked during the change, if it exists.
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
                io::Error::other("the file is corrupt; if it was not tampered with, move it away")
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
    fn local_state_round_trips() {
        let name = Origin::parse("doorcode-test").unwrap();
        let key = |seed| {
            let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
            VerifierKey::of(&name, &pair)
        };
        let note = |text| Some(format!("{text}\n\n— name signature\n— name other\n"));
        for local_state in [
            LocalState::default(),
            LocalState {
                keys: vec![key(1)],
                last: None,
                head: None,
            },
            LocalState {
                keys: vec![key(1)],
                last: None,
                head: note("head"),
            },
            LocalState {
                keys: vec![key(1), key(2)],
                last: note("last"),
                head: None,
            },
            LocalState {
                keys: vec![key(1), key(2)],
                last: note("last"),
                head: note("head"),
            },
        ] {
            assert_eq!(LocalState::parse(&local_state.write()), Some(local_state));
        }
        for torn in ["", "nothing", "nothing\n\n", "\n\ntext\n\n— sig\n\ntext"] {
            assert_eq!(LocalState::parse(torn), None, "{torn:?}");
        }
    }
}

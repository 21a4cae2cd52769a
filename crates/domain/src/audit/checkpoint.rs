//! Checkpoints: signed statements of the head of a log at a time.

use super::canonical::moment;
use super::chain::Head;
use super::hash::Hash;
use super::note::{Note, NoteFault, Notes, VerifierKey};
use super::origin::Origin;
use crate::Instant;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::Ed25519KeyPair;
use std::fmt;
use std::io::BufRead;

/// The head of a log at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub origin: Origin,
    /// Its head.
    pub head: Head,
    /// The time.
    pub at: Instant,
}

impl Checkpoint {
    /// The signed text: four lines.
    pub(super) fn text(&self) -> String {
        let Head { sequence, hash } = self.head;
        let hash = STANDARD.encode(hash.as_bytes());
        let at = moment::write(self.at);
        format!("{}\n{sequence}\n{hash}\n{at}\n", self.origin)
    }

    /// Parses exactly the output of [`Self::text`].
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let origin = Origin::parse(lines.next()?)?;
        let sequence = lines.next()?.parse().ok()?;
        let hash = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let hash = Hash::from_bytes(hash);
        let at = moment::read(lines.next()?)?;
        let head = Head { sequence, hash };
        let parsed = Self { origin, head, at };
        (parsed.text() == text).then_some(parsed)
    }
}

/// A checkpoint with its signatures. Its contents are only available through [`Self::verify`].
/// `Display` writes the signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint(Note);

impl SignedCheckpoint {
    /// Signs a checkpoint with the origin as the key name.
    pub fn sign(checkpoint: &Checkpoint, pair: &Ed25519KeyPair) -> Self {
        Self(Note::sign(checkpoint.text(), &checkpoint.origin, pair))
    }

    /// Parses a signed note.
    pub fn parse(note: &str) -> Result<Self, NoteFault> {
        Note::parse(note).map(Self)
    }

    /// The checkpoint, if one of the keys has signed it.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Checkpoint, NoteFault> {
        Checkpoint::parse(self.0.verify(keys)?).ok_or(NoteFault::Malformed)
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads and verifies the checkpoints of a file, one by one.
pub fn read_file<'a>(
    reader: impl BufRead + 'a,
    keys: &'a [VerifierKey],
) -> impl Iterator<Item = Result<Checkpoint, NoteFault>> + 'a {
    Notes::new(reader).map(|note| SignedCheckpoint(note?).verify(keys))
}

//! Checkpoints: signed statements of what the head of a log was at a moment.

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

/// What the head of a log was at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: Origin,
    /// What its head was.
    pub head: Head,
    /// When.
    pub at: Instant,
}

impl Checkpoint {
    /// The text that is signed: four lines.
    pub(super) fn text(&self) -> String {
        let Head { sequence, hash } = self.head;
        let hash = STANDARD.encode(hash.as_bytes());
        let at = moment::write(self.at);
        format!("{}\n{sequence}\n{hash}\n{at}\n", self.origin)
    }

    /// Reads what [`Self::text`] gives and nothing else.
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

/// A checkpoint with its signatures. What it says is handed out only to who knows one of the
/// keys. Its text, by `Display`, is the signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint(Note);

impl SignedCheckpoint {
    /// Signs a checkpoint under the name of its log.
    pub fn sign(checkpoint: &Checkpoint, pair: &Ed25519KeyPair) -> Self {
        Self(Note::sign(checkpoint.text(), &checkpoint.origin, pair))
    }

    /// Reads a signed note.
    pub fn parse(note: &str) -> Result<Self, NoteFault> {
        Note::parse(note).map(Self)
    }

    /// What it says, if one of the keys has signed it.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Checkpoint, NoteFault> {
        Checkpoint::parse(self.0.verify(keys)?).ok_or(NoteFault::Malformed)
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The checkpoints of a file, one after the other, each verified.
pub fn read_file<'a>(
    reader: impl BufRead + 'a,
    keys: &'a [VerifierKey],
) -> impl Iterator<Item = Result<Checkpoint, NoteFault>> + 'a {
    Notes::new(reader).map(|note| SignedCheckpoint(note?).verify(keys))
}

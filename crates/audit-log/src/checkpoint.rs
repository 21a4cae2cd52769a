//! Checkpoints: signed statements of the head of a log at a time.

use super::chain::Head;
use super::note::{NoteFault, Notes, VerifierKey};
use super::origin::Origin;
use super::statement::{Claim, Statement};
use crate::Instant;
use ring::signature::Ed25519KeyPair;
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
    /// Signs it; returns the signed note.
    pub fn sign(&self, pair: &Ed25519KeyPair) -> String {
        let Self { origin, head, at } = self.clone();
        let claim = Claim::Checkpoint { head, at };
        Statement { origin, claim }.sign(pair)
    }

    /// The checkpoint of a signed note, under the conditions of [`Statement::verify`].
    ///
    /// # Errors
    ///
    /// Those of [`Statement::verify`]; a statement of another kind is [`NoteFault::Malformed`].
    pub fn verify(note: &str, keys: &[VerifierKey]) -> Result<Self, NoteFault> {
        let Statement { origin, claim } = Statement::verify(note, keys)?;
        match claim {
            Claim::Checkpoint { head, at } => Ok(Self { origin, head, at }),
            _ => Err(NoteFault::Malformed),
        }
    }
}

/// Reads and verifies the checkpoints of a file, one by one.
pub fn read_file<'a>(
    reader: impl BufRead + 'a,
    keys: &'a [VerifierKey],
) -> impl Iterator<Item = Result<Checkpoint, NoteFault>> + 'a {
    Notes::new(reader).map(|note| Checkpoint::verify(&note?, keys))
}

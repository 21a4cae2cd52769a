//! Signed statement of how far the log has been pruned.

use super::checkpoint::Checkpoint;
use super::note::{Note, NoteFault, VerifierKey};
use ring::signature::Ed25519KeyPair;

/// The fifth line. It distinguishes this note from a checkpoint.
const LINE: &str = "pruned\n";

/// Signs that the log is pruned up to a head; returns the signed note.
pub fn sign(pruned: &Checkpoint, pair: &Ed25519KeyPair) -> String {
    Note::sign(pruned.text() + LINE, &pruned.origin, pair).to_string()
}

/// The head up to which the log is pruned, if one of the keys has signed the note.
pub fn verify(note: &str, keys: &[VerifierKey]) -> Result<Checkpoint, NoteFault> {
    let note = Note::parse(note)?;
    let text = note.verify(keys)?.strip_suffix(LINE);
    text.and_then(Checkpoint::parse).ok_or(NoteFault::Malformed)
}

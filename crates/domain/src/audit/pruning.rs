//! Up to where the first records of a log were taken out, and that whoever signs it did so.

use super::checkpoint::Checkpoint;
use super::note::{Note, NoteFault, VerifierKey};
use ring::signature::Ed25519KeyPair;

/// The fifth line, by which no checkpoint can pass for this, nor this for a checkpoint.
const LINE: &str = "pruned\n";

/// Signs that a log begins behind a head from this moment on; gives the signed note.
pub fn sign(pruned: &Checkpoint, pair: &Ed25519KeyPair) -> String {
    Note::sign(pruned.text() + LINE, &pruned.origin, pair).to_string()
}

/// Behind which head a log begins by this note, if one of the keys has signed it.
pub fn verify(note: &str, keys: &[VerifierKey]) -> Result<Checkpoint, NoteFault> {
    let note = Note::parse(note)?;
    let text = note.verify(keys)?.strip_suffix(LINE);
    text.and_then(Checkpoint::parse).ok_or(NoteFault::Malformed)
}

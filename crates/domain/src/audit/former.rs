//! Former names of signed notes, which `crates/app` and `tests/it` still use. To be deleted once
//! they call `Checkpoint::sign`, `Checkpoint::verify`, `Statement` and `audit_log::token_use`.

/// `audit_log::checkpoint`, with the former type of a signed one.
pub mod checkpoint {
    pub use audit_log::checkpoint::*;
    use audit_log::note::{NoteFault, VerifierKey};
    use ring::signature::Ed25519KeyPair;
    use std::fmt;

    /// The signed note of a checkpoint.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SignedCheckpoint(String);

    impl SignedCheckpoint {
        /// Now [`Checkpoint::sign`].
        pub fn sign(checkpoint: &Checkpoint, pair: &Ed25519KeyPair) -> Self {
            Self(checkpoint.sign(pair))
        }

        /// Now [`Checkpoint::verify`].
        pub fn parse(note: &str) -> Result<Self, NoteFault> {
            Ok(Self(note.to_owned()))
        }

        /// Now [`Checkpoint::verify`].
        pub fn verify(&self, keys: &[VerifierKey]) -> Result<Checkpoint, NoteFault> {
            Checkpoint::verify(&self.0, keys)
        }
    }

    impl fmt::Display for SignedCheckpoint {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.0)
        }
    }
}

/// Now `Statement` with `Claim::Pruned`.
pub mod pruning {
    use audit_log::checkpoint::Checkpoint;
    use audit_log::note::{NoteFault, VerifierKey};
    use audit_log::statement::{Claim, Statement};
    use ring::signature::Ed25519KeyPair;

    /// Now `Statement::sign`.
    pub fn sign(pruned: &Checkpoint, pair: &Ed25519KeyPair) -> String {
        let Checkpoint { origin, head, at } = pruned.clone();
        let claim = Claim::Pruned { head, at };
        Statement { origin, claim }.sign(pair)
    }

    /// Now `Statement::verify`.
    pub fn verify(note: &str, keys: &[VerifierKey]) -> Result<Checkpoint, NoteFault> {
        let Statement { origin, claim } = Statement::verify(note, keys)?;
        match claim {
            Claim::Pruned { head, at } => Ok(Checkpoint { origin, head, at }),
            _ => Err(NoteFault::Malformed),
        }
    }
}

/// `audit_log::token_use`, with a function that does not know the log.
pub mod token_use {
    use audit_log::note::VerifierKey;
    use audit_log::record::Record;
    pub use audit_log::token_use::*;

    /// Now `audit_log::token_use::forgotten_before`.
    pub fn forgotten_before(record: &Record, keys: &[VerifierKey]) -> Option<crate::Instant> {
        let mut names = keys.iter().map(VerifierKey::name);
        names.find_map(|origin| audit_log::token_use::forgotten_before(record, origin, keys))
    }
}

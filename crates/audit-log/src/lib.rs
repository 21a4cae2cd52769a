//! A tamper-evident audit log: its format, its seals and signatures, and their verification, free
//! of input and output.
//!
//! Seal records with [`chain::Head::seal`], sign heads with [`checkpoint::Checkpoint::sign`],
//! write exports with [`export`], and verify them with [`export::verify`] or, record by record,
//! with [`verifier::Verifier`].
#![doc = include_str!("../../../docs/reference/audit-format.md")]

pub mod canonical;
pub mod chain;
pub mod checkpoint;
pub mod csv;
mod diagnosis;
pub mod discrepancy;
pub mod erasure;
pub mod excerpt;
pub mod export;
pub mod hash;
mod lines;
pub mod merkle;
pub mod note;
pub mod origin;
pub mod personal;
pub mod record;
pub mod salt;
pub mod statement;
#[cfg(test)]
mod tests;
pub mod token_use;
mod trusted_checkpoints;
pub mod verifier;
mod words;

/// A time in UTC; the log stores it to the millisecond.
pub type Instant = chrono::DateTime<chrono::Utc>;

//! The audit log: its vocabulary, its format and its verification.
#![doc = include_str!("../../../../docs/reference/audit-format.md")]

mod action;
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
pub mod logged_filter;
pub mod merkle;
pub mod note;
pub mod origin;
pub mod personal;
pub mod pruning;
pub mod record;
pub mod salt;
#[cfg(test)]
mod tests;
pub mod token_use;
mod trusted_checkpoints;
pub mod verifier;
mod words;

pub use action::{Action, Actor, By, MOST_NAMED};

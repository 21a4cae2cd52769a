//! The audit log: actors and actions. Its format and verification are the crate `audit_log`.

mod action;
mod former;
pub mod logged_filter;

pub use action::{Action, Actor, By, MOST_NAMED};
pub use audit_log::{
    canonical, chain, csv, discrepancy, erasure, excerpt, export, hash, merkle, note, origin,
    personal, record, salt, statement, verifier,
};
pub use former::{checkpoint, pruning, token_use};

//! The audit log: actors and actions. Its format and verification are the crate `audit_log`.

mod action;
pub mod logged_filter;

pub use action::{Action, Actor, By, MOST_NAMED};
pub use audit_log::{
    canonical, chain, checkpoint, csv, discrepancy, erasure, excerpt, export, hash, merkle, note,
    origin, personal, record, salt, statement, token_use, verifier,
};

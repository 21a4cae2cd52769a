//! The audit log: what every change leaves behind, and how that is kept so that nobody can
//! alter it unseen.
//!
//! A change writes its record in its own transaction, so that neither is there without the
//! other. The record has no place in the chain yet, for else every change would wait for every
//! other; [`sealing`] gives it one within a second, and [`checkpoint`] signs where the chain
//! ends. [`uses`] records every use of a token in batches, [`reading`] shows and exports the
//! log, [`activity`] tells what became of one token, [`verification`] checks it all.

pub mod activity;
mod checkpoint;
mod event;
pub mod naming;
mod outlet;
pub mod reading;
pub(super) mod sealing;
pub mod uses;
pub mod verification;

pub use checkpoint::inspect;
pub(super) use checkpoint::sign;
pub(super) use event::{Event, Events};
pub(super) use outlet::Outlet;
pub(super) use uses::Ledger;

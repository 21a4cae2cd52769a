//! The audit log.
mod action;
mod anchors;
pub mod canonical;
pub mod chain;
pub mod checkpoint;
pub mod doubt;
pub mod excerpt;
pub mod export;
pub mod hash;
mod lines;
pub mod merkle;
pub mod note;
pub mod origin;
pub mod record;
mod suspicion;
#[cfg(test)]
mod tests;
pub mod token_use;
pub mod verifier;

pub use action::{Action, Actor, By};

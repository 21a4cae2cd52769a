//! The audit log: a tamper-evident record of every change.
//!
//! A change writes its record in its own transaction, so that both commit or neither does. Adding
//! it to the hash chain there would serialize all changes; [`sealing`] does so within a second,
//! [`checkpoint`] signs the head of the chain, and [`publish`] publishes the checkpoints.
//! [`clock`] detects clock steps. [`refusals`] aggregates requests that were refused before they
//! could change anything. [`uses`] records every use of a token in batches, [`use_reading`] shows
//! and proves them, and [`activity`] shows the history of one token. [`reading`] lists and
//! exports the log. [`verification`] checks it, with [`use_check`] for uses, and [`checking`]
//! runs checks on request. [`recovery`] continues a log that contradicts its checkpoints, and
//! [`shipping`] ships records to a sink. [`erasure`] erases personal data, and [`retention`]
//! prunes the oldest records. [`lag`] measures the lag of these steps.

pub mod activity;
pub mod checking;
mod checkpoint;
pub mod clock;
pub mod erasure;
mod event;
mod evidence;
mod keys;
pub mod lag;
mod local_state;
pub mod naming;
mod pruned;
mod publish;
pub mod reading;
pub mod recovery;
pub mod refusals;
pub(super) mod retention;
pub(super) mod sealing;
mod settings;
mod shipping;
mod sink;
mod use_check;
pub mod use_reading;
pub mod uses;
pub mod verification;
mod view;

pub(super) use checking::LastCheck;
pub use checkpoint::inspect;
pub(super) use checkpoint::sign;
pub(super) use event::{Event, Target};
pub use evidence::Evidence;
pub use keys::keys;
pub(super) use refusals::Refusals;
pub use settings::record_settings;
pub(super) use shipping::ship;
pub(super) use sink::Sink;
pub(super) use uses::UsageBuffer;

//! The audit log: what every change leaves behind, and how that is kept so that nobody can alter
//! it unseen.
//!
//! A change writes its record in its own transaction, so that neither is there without the other.
//! The record has no place in the chain yet, for else every change would wait for every other;
//! [`sealing`] gives it one within a second, [`checkpoint`] signs where the chain ends, and
//! [`handing_out`] takes that elsewhere. [`clock`] tells when times are not what they seem.
//! [`refusals`] gathers what was turned away before it could change anything. [`uses`] records
//! every use of a token in batches, [`use_reading`] shows and proves them, and [`activity`] tells
//! what became of one token. [`reading`] shows and exports the log. [`verification`] checks it,
//! with [`use_check`] for uses, and [`checking`] has it checked for whoever asks. [`recovery`]
//! goes on with one that went back, and [`shipping`] sends it elsewhere. [`erasure`] takes out
//! what tells of a person, and [`retention`] the oldest records. [`lag`] tells how far all this
//! lies behind.

pub mod activity;
pub mod checking;
mod checkpoint;
pub mod clock;
pub mod erasure;
mod event;
pub mod lag;
mod local_state;
pub mod naming;
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
pub(super) use checkpoint::sign;
pub use checkpoint::{inspect, keys};
pub(super) use event::{Event, Events};
pub(super) use refusals::Refusals;
pub use settings::record_settings;
pub(super) use shipping::ship;
pub(super) use sink::Sink;
pub(super) use uses::UsageBuffer;

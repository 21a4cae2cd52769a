//! The audit log: a tamper-evident record of every change.
//!
//! A change writes its record in its own transaction, so that both commit or neither does. Adding
//! it to the hash chain there would serialize all changes; [`seal`] adds it within a second.
//!
//! | module | what it does |
//! |---|---|
//! | [`record`] | writes records of changes, and aggregates refused requests |
//! | [`settings`] | records changes of the settings at a start and a reload |
//! | [`uses`] | records every use of a token in batches, reads and proves them, shows one token's |
//! | [`seal`] | adds records to the hash chain, and detects clock steps |
//! | [`mod@keys`] | keeps the trusted keys, the last checkpoint and the last head outside the database |
//! | [`head`] | keeps the head there every second, and refuses requests if the log lacks it |
//! | [`checkpoint`] | signs the head of the chain, and compares the log with what was signed |
//! | [`publish`] | publishes the checkpoints, and measures the lag of all these steps |
//! | [`mod@ship`] | ships records to a sink |
//! | [`read`] | lists and exports the log |
//! | [`changes`] | lists the last changes in an organization, for its overview |
//! | [`verify`] | checks the log and the uses, also on request |
//! | [`retain`] | prunes the oldest records, and erases personal data |
//! | [`recover`] | continues a log that contradicts its checkpoints |

mod changes;
mod checkpoint;
mod head;
mod keys;
pub mod publish;
pub mod read;
pub mod record;
pub mod recover;
pub mod retain;
pub mod seal;
pub(super) mod settings;
mod ship;
pub mod standing;
pub mod tally;
pub mod uses;
pub mod verify;

pub use changes::list_changes;
pub(super) use checkpoint::sign;
pub use checkpoint::{Evidence, inspect};
pub(super) use head::{Contradiction, remember};
pub use keys::keys;
pub(super) use record::{Event, Target};
pub use settings::record_settings;
pub(super) use ship::ship;
pub(super) use ship::sink::Sink;
pub(super) use tally::Tallies;
pub(super) use uses::UsageBuffer;
pub(super) use verify::LastCheck;

//! The rules of Doorcode, free of input and output: no database, no clock, no randomness.
//!
//! Time and random bytes arrive as arguments, so every rule can be tested as a table.

pub mod account_link;
pub mod advice;
pub mod audit;
pub mod client;
pub mod decision;
pub mod device;
pub mod factor;
mod fault;
pub mod id;
pub mod identity;
pub mod lineage;
pub mod name;
pub mod network;
pub mod org;
pub mod page;
pub mod password;
pub mod policy;
pub mod project;
pub mod role;
pub mod route;
pub mod scope;
pub mod sealed;
pub mod secret;
pub mod throttle;
pub mod token;
pub mod user;
pub mod user_code;
pub mod visible_tokens;
pub mod webauthn;
pub mod words;

pub use fault::{Fault, Faults, MOST_FAULTS};

/// A moment in UTC, stored to the millisecond.
pub type Instant = chrono::DateTime<chrono::Utc>;

/// The last moment that can be stored: later dates have five-digit years, so their texts would
/// not sort by time.
pub fn last_moment() -> Instant {
    Instant::from_timestamp(253_402_300_799, 0).unwrap_or(Instant::MAX_UTC)
}

/// Whether a character can disguise the text around it: controls, bidirectional
/// overrides and isolates, and invisible separators. The joiners U+200C and U+200D are not among
/// them: names need them, and [`name`] refuses them elsewhere.
pub fn is_disguise(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

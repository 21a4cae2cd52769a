//! `[device]`: the device login (RFC 8628).

use super::duration::{self, MINUTE, SECOND};
use super::table::Table;
use super::{Settings, written_number};
use std::time::Duration;

/// The device login.
#[derive(Debug, Clone)]
pub struct Device {
    /// The lifetime of a code. At most 30 minutes: a code with a longer lifetime can be mailed to
    /// a victim.
    pub code_lifetime: Duration,
    /// How long a device waits between two polls.
    pub interval: Duration,
    /// The maximum number of active codes per network source.
    pub live_codes_per_source: u32,
    /// The maximum number of active codes per client.
    pub live_codes_per_client: u32,
}

impl Device {
    pub(super) fn read(table: &mut Table<'_>) -> Self {
        let minutes = MINUTE..=MINUTE * 30;
        let seconds = SECOND..=MINUTE;
        let count = 1..=1_000_000;
        Self {
            code_lifetime: table
                .duration("code_lifetime", minutes)
                .unwrap_or(MINUTE * 10),
            interval: table.duration("interval", seconds).unwrap_or(SECOND * 5),
            live_codes_per_source: table
                .number("live_codes_per_source", count.clone())
                .unwrap_or(100),
            live_codes_per_client: table
                .number("live_codes_per_client", count)
                .unwrap_or(10_000),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        vec![
            ("code_lifetime", duration::write(self.code_lifetime).into()),
            ("interval", duration::write(self.interval).into()),
            (
                "live_codes_per_source",
                written_number(self.live_codes_per_source),
            ),
            (
                "live_codes_per_client",
                written_number(self.live_codes_per_client),
            ),
        ]
    }
}

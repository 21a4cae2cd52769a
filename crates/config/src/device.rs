//! `[device]`: the device login (RFC 8628).

use super::duration::{MINUTE, SECOND};
use super::table::Table;
use std::time::Duration;

/// The device login.
#[derive(Debug, Clone)]
pub struct Device {
    /// The lifetime of a code. At most 30 minutes: a code with a longer lifetime can be mailed to
    /// a victim.
    pub code_lifetime: Duration,
    /// How long a device waits between two polls.
    pub interval: Duration,
    /// The maximum number of active codes from one IPv4 address or IPv6 /64.
    pub live_codes_per_source: u32,
    /// The maximum number of active codes from one IPv4 /24 or IPv6 /48. The last tenth is reserved
    /// for sources without active codes.
    pub live_codes_per_site: u32,
    /// The maximum number of active codes per client. The last tenth is reserved for sources
    /// without active codes.
    pub live_codes_per_client: u32,
}

impl Device {
    pub(super) fn read(table: &mut Table) -> Self {
        let minutes = MINUTE..=MINUTE * 30;
        let seconds = SECOND..=MINUTE;
        let count = 1..=1_000_000;
        Self {
            code_lifetime: table.duration("code_lifetime", MINUTE * 10, minutes),
            interval: table.duration("interval", SECOND * 5, seconds),
            live_codes_per_source: table.number("live_codes_per_source", 20, count.clone()),
            live_codes_per_site: table.number("live_codes_per_site", 500, count.clone()),
            live_codes_per_client: table.number("live_codes_per_client", 10_000, count),
        }
    }
}

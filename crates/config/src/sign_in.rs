//! `[sign_in]`: browser sessions and password hashing.

use super::duration::{self, DAY, MINUTE};
use super::server::cores;
use super::table::Table;
use std::time::Duration;

/// Browser sessions and password hashing.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The time without use after which a session ends. The default is 24 hours, or
    /// `absolute_timeout` if that is shorter.
    pub idle_timeout: Duration,
    /// The time after sign-in at which a session ends, regardless of use.
    pub absolute_timeout: Duration,
    /// The memory of one argon2id hash in KiB; never less than OWASP's minimum.
    pub argon2_memory_kib: u32,
    /// The passes of one argon2id hash over its memory.
    pub argon2_iterations: u32,
    /// How many hashes are computed concurrently. Each takes a core and `argon2_memory_kib`.
    pub hash_threads: usize,
    /// How many hashes may wait; further sign-ins are refused.
    pub hash_queue: usize,
}

impl SignIn {
    pub(super) fn read(table: &mut Table) -> Self {
        let accepted = MINUTE..=DAY * 365;
        table.announce("idle_timeout");
        let absolute_timeout = table.duration("absolute_timeout", DAY * 14, accepted.clone());
        let usual = DAY.min(absolute_timeout);
        let idle_timeout = table.duration("idle_timeout", usual, accepted);
        if idle_timeout > absolute_timeout {
            table.fault(
                "idle_timeout",
                format!(
                    "{} exceeds sign_in.absolute_timeout, which is {}",
                    duration::write(idle_timeout),
                    duration::write(absolute_timeout)
                ),
            );
        }
        Self {
            idle_timeout,
            absolute_timeout,
            argon2_memory_kib: table.number("argon2_memory_kib", 19_456, 19_456..=1_048_576),
            argon2_iterations: table.number("argon2_iterations", 2, 2..=100),
            hash_threads: table.number("hash_threads", (cores() / 2).max(1), 1..=1024),
            hash_queue: table.number("hash_queue", 32, 1..=10_000),
        }
    }
}

//! `[sign_in]`: browser sessions and password hashing.

use super::duration::{self, DAY, MINUTE};
use super::server::cores;
use super::table::Table;
use super::{Settings, written_number};
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
    pub(super) fn read(table: &mut Table<'_>) -> Self {
        let accepted = MINUTE..=DAY * 365;
        let idle_timeout = table.duration("idle_timeout", accepted.clone());
        let absolute_timeout = table.duration("absolute_timeout", accepted);

        let absolute_timeout = absolute_timeout.unwrap_or(DAY * 14);
        let usual = DAY.min(absolute_timeout);
        let idle_timeout = idle_timeout.unwrap_or(usual);
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
            argon2_memory_kib: table
                .number("argon2_memory_kib", 19_456..=1_048_576)
                .unwrap_or(19_456),
            argon2_iterations: table.number("argon2_iterations", 2..=100).unwrap_or(2),
            hash_threads: table
                .number("hash_threads", 1..=1024)
                .unwrap_or_else(|| (cores() / 2).max(1)),
            hash_queue: table.number("hash_queue", 1..=10_000).unwrap_or(32),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        vec![
            ("idle_timeout", duration::write(self.idle_timeout).into()),
            (
                "absolute_timeout",
                duration::write(self.absolute_timeout).into(),
            ),
            ("argon2_memory_kib", written_number(self.argon2_memory_kib)),
            ("argon2_iterations", written_number(self.argon2_iterations)),
            ("hash_threads", written_number(self.hash_threads)),
            ("hash_queue", written_number(self.hash_queue)),
        ]
    }
}

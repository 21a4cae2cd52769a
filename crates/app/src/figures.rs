//! Figures of the running server, for metrics.

use super::trace::Exporter;
use super::{App, Error};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::Figures;

/// Reasons that are shown from the start. Sign-ins with a provider have more.
const REASONS: [&str; 4] = [
    "deactivated",
    "throttled",
    "unknown_address",
    "wrong_password",
];

/// Counts of failed sign-ins by reason.
pub(crate) struct FailureCounts(Mutex<BTreeMap<&'static str, u64>>);

impl Default for FailureCounts {
    fn default() -> Self {
        Self(Mutex::new(REASONS.map(|reason| (reason, 0)).into()))
    }
}

impl FailureCounts {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Counts a failed sign-in.
    pub(crate) fn count_sign_in_failure(&self, reason: &'static str) {
        *self.0.sign_in_failures.lock().entry(reason).or_default() += 1;
    }

    /// Failed sign-ins since the start, by reason.
    pub fn sign_in_failures(&self) -> BTreeMap<&'static str, u64> {
        self.0.sign_in_failures.lock().clone()
    }

    /// Numbers of spans that were sent to the collector and that were dropped.
    pub fn exported_spans(&self) -> (u64, u64) {
        let exporter = self.0.exporter.as_ref();
        exporter.map_or((0, 0), Exporter::counts)
    }

    /// Whether the database is PostgreSQL.
    pub fn is_on_postgres(&self) -> bool {
        self.store().is_shared()
    }

    /// The state of the database work.
    pub fn database_figures(&self) -> Figures {
        self.store().figures()
    }

    /// Number of device codes that wait for a decision, by the counters of the limits: they include
    /// those that have expired in the last seconds.
    pub async fn count_live_codes(&self) -> Result<u64, Error> {
        self.store()
            .read_one(|conn| Ok::<_, Error>(store::device::count_live_of_clients(conn)?))
            .await
    }
}

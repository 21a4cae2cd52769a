//! Whether the server can handle requests.

use super::{App, Outage};
use std::time::Duration;

/// Time limit for the read of a readiness check.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// Why the server cannot handle requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// The server is about to stop.
    Stopping,
    /// The clock of this machine differs from that of the database.
    Clock,
    /// The audit log contradicts its checkpoints.
    Contradicted,
    /// The database cannot be used.
    Outage(Outage),
}

impl NotReady {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::Stopping,
        Self::Clock,
        Self::Contradicted,
        Self::Outage(Outage::Database),
        Self::Outage(Outage::ReadOnly),
        Self::Outage(Outage::Full),
    ];

    /// The reason in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::Clock => "clock",
            Self::Contradicted => "audit",
            Self::Outage(outage) => outage.as_str(),
        }
    }
}

impl App {
    /// Succeeds if the server can handle requests: it is not stopping, its clock
    /// is that of the database, nothing contradicts the audit log, and the
    /// database can be read, and accepts writes by its last [heartbeat](crate::heartbeat).
    pub async fn is_ready(&self) -> Result<(), NotReady> {
        if self.is_draining() {
            return Err(NotReady::Stopping);
        }
        if self.is_clock_wrong() {
            return Err(NotReady::Clock);
        }
        self.require_sound_log()
            .map_err(|_| NotReady::Contradicted)?;
        self.store().check_writable().map_err(NotReady::Outage)?;
        let read = |conn: &mut store::Conn| store::user::is_any_user(conn);
        let read = tokio::time::timeout(READY_WITHIN, self.store().read(read)).await;
        match read {
            Ok(Ok(_)) => Ok(()),
            _ => Err(NotReady::Outage(Outage::Database)),
        }
    }
}

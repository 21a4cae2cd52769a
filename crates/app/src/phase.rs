//! The phases of a server, from its start to its end.

use super::{App, sweep};

/// The phases of a server, in their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// It serves requests.
    #[default]
    Running,
    /// It serves requests, but proxies should send theirs elsewhere.
    Draining,
    /// It finishes its work.
    Stopping,
}

impl App {
    /// From now on the server is not ready, though it handles requests as before: proxies send theirs
    /// elsewhere before it stops.
    pub fn drain(&self) {
        self.enter(Phase::Draining);
    }

    /// Whether the server is about to stop.
    pub fn is_draining(&self) -> bool {
        *self.0.phase.borrow() >= Phase::Draining
    }

    fn enter(&self, phase: Phase) {
        self.0.phase.send_if_modified(|present| {
            let is_later = *present < phase;
            *present = phase.max(*present);
            is_later
        });
    }

    /// Ends held polls and asks background tasks to stop after their current work, so that the
    /// server can stop.
    pub fn end_waiting(&self) {
        self.waiting().close();
        self.enter(Phase::Stopping);
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.0.phase.borrow() == Phase::Stopping
    }

    /// Waits until the server stops.
    pub(super) async fn stopping(&self) {
        // An error means that the application is gone, which has the same meaning.
        let mut phase = self.0.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase == Phase::Stopping).await;
    }

    /// Writes buffered data, sends queued mail and closes the database. Must be the last
    /// operation.
    pub async fn stop(&self) {
        self.enter(Phase::Stopping);
        for error in sweep::write_and_seal(self).await {
            tracing::error!(?error, "failed to write buffered data on shutdown");
        }
        if let Some(exporter) = &self.0.exporter {
            exporter.stop().await;
        }
        let (app, store) = (self.clone(), self.store().clone());
        let (mail, database) = tokio::join!(
            tokio::task::spawn_blocking(move || app.outbox().stop()),
            tokio::task::spawn_blocking(move || store.stop()),
        );
        if mail.and(database).is_err() {
            tracing::error!("failed to close mail or the database cleanly");
        }
    }
}

//! The heartbeat: a write each second, from which [`App::is_ready`] knows whether the database
//! accepts writes.

use super::App;
use super::deployment::identity;
use std::time::Duration;
use store::Heartbeat;

/// Interval of heartbeats.
const EVERY: Duration = Duration::from_secs(1);

/// Writes the heartbeats of one server.
pub struct Heart {
    app: App,
    server: String,
}

impl Heart {
    /// The heart of a server that starts.
    pub fn new(app: &App) -> Self {
        Self {
            app: app.clone(),
            server: hex::encode(app.random::<8>()),
        }
    }

    /// Identifies the server among those that share the database; hexadecimal digits.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Writes one heartbeat. Its error is logged when the state changes.
    pub async fn beat(&self) {
        let was_writable = self.app.store().check_writable();
        let beat = Heartbeat {
            server: self.server.clone(),
            at: self.app.now().timestamp_millis(),
        };
        if let Err(error) = self.app.store().beat(beat).await
            && was_writable.is_ok()
        {
            tracing::error!(?error, "the database accepts no writes");
        }
    }

    /// Writes heartbeats until the server stops, and which operator token it accepts.
    pub async fn run(&self) {
        let mut token = None;
        loop {
            self.beat().await;
            identity::refresh(&self.app, &self.server, &mut token).await;
            tokio::select! {
                () = self.app.stopping() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }
}

//! Verification of the log on request. One check runs at a time; concurrent requests share its
//! result.

use super::evidence::Evidence;
use super::verification::{self, Verified};
use super::view::READ;
use crate::{App, Error, Request};
use chrono::Duration;
use domain::Instant;
use domain::decision::ResourceRef;
use domain::role::Role;
use tokio::sync::Mutex;

/// How long a result is reused.
const FRESH: Duration = Duration::seconds(10);

/// Result of a check and its end time.
#[derive(Debug, Clone)]
pub struct Checked {
    /// End of the check.
    pub at: Instant,
    /// Result.
    pub verified: Verified,
}

/// The last check of this server. The lock is held while a check runs.
#[derive(Default)]
pub struct LastCheck(Mutex<Option<Checked>>);

/// Verifies the log, for the operator and for admins of any organization. The result is recorded
/// before it is returned.
pub async fn check(req: &Request) -> Result<Checked, Error> {
    req.read(|tx| tx.require(READ, &ResourceRef::Any, Role::Admin))
        .await?;
    let checked = check_or_repeat(&req.app).await?;
    verification::record(req, &checked.verified).await?;
    Ok(checked)
}

/// Returns a recent result, or runs a check.
async fn check_or_repeat(app: &App) -> Result<Checked, Error> {
    let mut last = app.last_check().0.lock().await;
    let now = app.now();
    // A result from the future (clock set back) is not fresh.
    let is_fresh = |checked: &&Checked| checked.at <= now && now - checked.at <= FRESH;
    if let Some(checked) = last.as_ref().filter(is_fresh) {
        return Ok(checked.clone());
    }
    let verified = verification::verify(app, Evidence::default(), |_, _| ()).await?;
    let checked = Checked {
        at: app.now(),
        verified,
    };
    *last = Some(checked.clone());
    Ok(checked)
}

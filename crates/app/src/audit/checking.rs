//! Having the log checked: one check at a time, whose answer is for everybody who asked
//! meanwhile.

use super::verification::{self, Evidence, Verified};
use super::view::READ;
use crate::caller::Caller;
use crate::{App, Context, Error};
use chrono::Duration;
use domain::Instant;
use domain::audit::Action;
use domain::decision::ResourceRef;
use domain::org::Role;
use store::Conn;
use tokio::sync::Mutex;

/// How long an answer is given again.
const FRESH: Duration = Duration::seconds(10);

/// What came out of a check, and when it ended.
#[derive(Debug, Clone)]
pub struct Checked {
    /// When it ended.
    pub at: Instant,
    /// What came out.
    pub verified: Verified,
}

/// The last check of this server. Whoever checks holds it.
#[derive(Default)]
pub struct LastCheck(Mutex<Option<Checked>>);

/// Checks the log, for the operator and for whoever is an admin somewhere. Nobody learns what
/// came out before it is recorded.
pub async fn check(app: &App, context: &Context, caller: &Caller) -> Result<Checked, Error> {
    let (handle, asking) = (app.clone(), caller.clone());
    app.store()
        .read(move |conn: &mut Conn| {
            let authority = asking.authority(&handle, conn)?;
            authority.require(READ, &ResourceRef::Any, Role::Admin)
        })
        .await?;
    let checked = check_or_repeat(app).await?;
    let event = app.event(context, caller.actor(), Action::AuditVerified);
    let detail = verification::describe(&checked.verified);
    app.store()
        .write(move |conn| event.write(conn, None, detail.clone()))
        .await?;
    Ok(checked)
}

/// What comes out of a check now, or came out of one just before.
async fn check_or_repeat(app: &App) -> Result<Checked, Error> {
    let mut last = app.last_check().0.lock().await;
    let now = app.now();
    // A clock that was set back makes no answer fresh.
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

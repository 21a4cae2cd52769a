//! The state of the server, for the operator console.

use super::audit::publish::{self, Lag, Step};
use super::mail::Backlog;
use super::{Error, NotReady, Request};

/// The state of the server.
#[derive(Debug)]
pub struct Health {
    /// Why the server cannot handle requests, if so.
    pub not_ready: Option<NotReady>,
    /// The configured steps of the audit log.
    pub audit: Vec<AuditStep>,
    /// The messages that are not sent yet; `None` without a mail server.
    pub mail: Option<Backlog>,
    /// Number of device codes that wait for a decision.
    pub waiting_codes: u64,
}

/// A step in the processing of audit records.
#[derive(Debug, Clone, Copy)]
pub struct AuditStep {
    /// The step.
    pub step: Step,
    /// What waits for it.
    pub lag: Lag,
    /// Whether it is later than its settings explain.
    pub is_late: bool,
}

/// The state of the server, for the operator.
pub async fn inspect(req: &Request) -> Result<Health, Error> {
    req.caller.require_operator()?;
    let app = &req.app;
    let waiting = req
        .read(|tx| Ok(store::device::count_waiting_grants(tx.conn, tx.now)?))
        .await?;
    let step = |(step, lag)| AuditStep {
        step,
        lag,
        is_late: publish::is_late(app, step, lag),
    };
    Ok(Health {
        not_ready: app.is_ready().await.err(),
        audit: publish::lags(app).await?.into_iter().map(step).collect(),
        mail: app.outbox().backlog(),
        waiting_codes: u64::try_from(waiting).unwrap_or_default(),
    })
}

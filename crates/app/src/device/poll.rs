//! A device fetches its token (RFC 8628 section 3.4).

use super::answer::{self, Repetition};
use super::{caller, consent, expiry};
use crate::access::{Caller, UserMemberships, earlier};
use crate::audit::tally::{self, Occurrence};
use crate::client::Credentials;
use crate::held_polls::PollSlot;
use crate::token::{self, NewToken};
use crate::tx::Tx;
use crate::{App, Error, OAuthError, Request};
use domain::Instant;
use domain::audit::Action;
use domain::client::{Client, Standing};
use domain::device::{Approval, DeniedBecause, Grant, Misuse, Pace, Poll, State, Timing, Waiting};
use domain::name;
use domain::scope::ScopeSet;
use domain::secret::{Digest, Secret};
use domain::token::{Token, TokenOwner};
use serde_json::json;
use std::time::Duration;
use store::device::PaceKey;

/// Result of a poll.
pub enum PollOutcome {
    /// The token is issued.
    Issued(Box<NewToken>),
    /// No decision yet.
    Pending,
    /// No decision yet, and the device polls too fast.
    SlowDown,
    /// The grant was denied, or the approved token may no longer be granted.
    Denied(DeniedBecause),
    /// The codes have expired.
    Expired,
    /// The code is unknown, was used already, or belongs to another client.
    Invalid,
}

/// A device code.
#[derive(Clone)]
struct DeviceCode {
    secret: Secret,
    digest: Digest,
}

/// Polls for the token. With `wait`, the response to a pending grant is delayed until a decision
/// or the end of that time.
pub async fn poll(
    req: &Request,
    credentials: &Credentials,
    device_code: &Secret,
    wait: Option<Duration>,
) -> Result<PollOutcome, Error> {
    let code = DeviceCode {
        digest: device_code.digest(),
        secret: device_code.clone(),
    };
    // The slot is taken first, so that a decision after the look-up wakes it.
    let slot = wait.and_then(|_| req.app.waiting().enter(&code.digest));
    let woken = slot.as_ref().map(PollSlot::woken);
    let waiting = match (&slot, credentials) {
        (Some(_), _) => Waiting::Held,
        (None, Credentials::EmptySecret(_)) => Waiting::Probe,
        (None, _) => Waiting::Immediate,
    };
    let outcome = poll_once(req, credentials, &code, waiting).await?;
    let (PollOutcome::Pending, Some(slot), Some(woken), Some(wait)) =
        (&outcome, &slot, woken, wait)
    else {
        return Ok(outcome);
    };
    slot.hold(woken, wait).await;
    store::deadline::restart();
    poll_once(req, credentials, &code, Waiting::Held).await
}

async fn poll_once(
    req: &Request,
    credentials: &Credentials,
    device_code: &DeviceCode,
    waiting: Waiting,
) -> Result<PollOutcome, Error> {
    // The log may have been contradicted while the poll was held.
    req.app.require_sound_log()?;
    let digest = &device_code.digest;
    if let Some(pace) = find_pace(req, credentials, digest).await? {
        return Ok(pending(req, digest, pace, waiting));
    }
    // In memory of its own: the usual poll does not need it.
    Box::pin(poll_in_full(req, credentials, device_code, waiting)).await
}

async fn poll_in_full(
    req: &Request,
    credentials: &Credentials,
    device_code: &DeviceCode,
    waiting: Waiting,
) -> Result<PollOutcome, Error> {
    let client = caller(req, credentials).await?;
    let req = req.with_caller(Caller::Client(client.id.clone()));
    poll_by(&req, client.id, device_code, waiting).await
}

/// The pace of a grant that a public client polls and that is pending: the usual poll, which costs
/// one statement and no write. `None` if anything differs.
async fn find_pace(
    req: &Request,
    credentials: &Credentials,
    device_code: &Digest,
) -> Result<Option<Pace>, Error> {
    let (Credentials::Id(id) | Credentials::EmptySecret(id)) = credentials else {
        return Ok(None);
    };
    let found = req.app.store().find::<Pace>(PaceKey {
        client_id: id.clone(),
        device_code: device_code.clone(),
    });
    let now = req.app.now();
    Ok(found.await?.filter(|pace| now < pace.expires_at))
}

/// Answers a poll of a pending grant. A raised interval counts at once, and is stored later.
fn pending(req: &Request, device_code: &Digest, pace: Pace, waiting: Waiting) -> PollOutcome {
    let now = req.app.now();
    let paces = req.app.paces();
    match paces.poll(device_code, |last| pace.poll(last, now, waiting)) {
        Timing::OnTime => PollOutcome::Pending,
        Timing::Early(raised) => {
            if let Some(raised) = raised {
                req.app.uses().raise_interval(device_code, raised);
            }
            PollOutcome::SlowDown
        }
    }
}

async fn poll_by(
    req: &Request,
    client_id: String,
    device_code: &DeviceCode,
    waiting: Waiting,
) -> Result<PollOutcome, Error> {
    // Invented codes cost a read, and no write.
    let digest = device_code.digest.clone();
    let found = req
        .app
        .store()
        .read_one(move |conn| Ok::<_, Error>(store::device::find_grant(conn, &digest)?))
        .await?;
    let Some(grant) = found else {
        return Ok(invalid(req));
    };
    let is_own = grant.client_id == client_id;
    let is_settled = match (&grant.state, is_own) {
        (State::Redeemed { .. }, true) => {
            match answer::look(req, &grant, &device_code.secret).await? {
                Repetition::Given(new) => return Ok(PollOutcome::Issued(new)),
                Repetition::Possible => false,
                Repetition::Over => grant.noted.replay,
            }
        }
        (_, is_own) => !is_own && grant.noted.wrong_client,
    };
    if is_settled {
        return Ok(invalid(req));
    }
    if is_own && let Poll::Pending(pace) = grant.poll(req.app.now()) {
        return Ok(pending(req, &device_code.digest, pace, waiting));
    }

    let device_code = device_code.clone();
    let change = req.change(Action::DeviceRedeemed, move |tx| {
        let Some(grant) = store::device::find_grant(tx.conn, &device_code.digest)? else {
            return Ok((PollOutcome::Invalid, false));
        };
        if grant.client_id != client_id {
            note(tx, Misuse::WrongClient, &grant)?;
            return Ok((PollOutcome::Invalid, false));
        }
        let outcome = outcome(tx, &grant, &device_code.secret)?;
        let is_over = matches!(outcome, PollOutcome::Expired);
        let is_counted = is_over && expiry::expire_unseen(tx, &grant)?;
        Ok((outcome, is_counted))
    });
    let (outcome, is_counted) = change.await?;
    if is_counted {
        expiry::count_unseen(&req.app, &grant);
    }
    Ok(outcome)
}

/// Rejects a code, and records a refusal where no other record exists or is written.
fn invalid(req: &Request) -> PollOutcome {
    let refusal = Occurrence::refused_access(OAuthError::InvalidGrant.as_str(), req.caller.actor());
    tally::note(&req.app, &req.context, refusal);
    PollOutcome::Invalid
}

/// Answers a poll of the grant's own client. Outcomes whose writes must persist are `Ok`: an error
/// would roll them back.
fn outcome(tx: &mut Tx<'_>, grant: &Grant, device_code: &Secret) -> Result<PollOutcome, Error> {
    Ok(match grant.poll(tx.now) {
        Poll::Issue(approval) => match issue(tx, grant, &approval)? {
            Ok(new) => {
                answer::keep(tx, grant, &new, device_code)?;
                PollOutcome::Issued(Box::new(new))
            }
            Err(because) => PollOutcome::Denied(because),
        },
        // Only if the clock was set back since the look-up.
        Poll::Pending(_) => PollOutcome::Pending,
        Poll::Denied(because) => PollOutcome::Denied(because),
        Poll::Expired => {
            if grant.is_shown {
                expiry::expire(tx, grant)?;
            }
            PollOutcome::Expired
        }
        Poll::Redeemed => match answer::repeat(tx, grant, device_code)? {
            Some(issued) => PollOutcome::Issued(Box::new(issued)),
            None => {
                note(tx, Misuse::Replay, grant)?;
                PollOutcome::Invalid
            }
        },
    })
}

/// Issues the token, or withdraws the approval.
fn issue(
    tx: &mut Tx<'_>,
    grant: &Grant,
    approval: &Approval,
) -> Result<Result<NewToken, DeniedBecause>, Error> {
    let client = store::client::find_client(tx.conn, &grant.client_id)?
        .filter(|client| client.standing == Standing::Active);
    let owner = crate::access::lock_memberships(tx.app(), tx.conn, &approval.user_id)?;
    let granted = match (client, &owner) {
        (Some(client), Some(owner)) => granted_now(tx, client, owner, approval),
        _ => Err(DeniedBecause::Rights),
    };
    let (client, scopes, expires_at) = match granted {
        Ok(granted) => granted,
        Err(because) => {
            store::device::mark_refused(tx.conn, &grant.id, because)?;
            let detail = json!({"reason": because.as_str()});
            tx.record_as(Action::DeviceRefused, Some(grant.id.as_str()), detail)?;
            return Ok(Err(because));
        }
    };
    let name = match &grant.device_name {
        Some(device) => format!("{} on {device}", client.name),
        None => client.name,
    };
    let drawn = token::draw(tx, TokenOwner::User(approval.user_id.clone()));
    let new = NewToken {
        token: Token {
            name: name::shorten(&name),
            scopes,
            limits: approval.limits.clone(),
            client_id: Some(client.id),
            device_name: grant.device_name.clone(),
            created_by: approval.user_id.to_string(),
            expires_at,
            confirmed_at: approval.confirmed_at,
            ..drawn.token
        },
        secret: drawn.secret,
    };
    let detail = json!({"token": new.token.id.as_str()});
    tx.record(Some(grant.id.as_str()), detail)?;
    token::insert(tx, &new)?;
    if !store::device::mark_redeemed(tx.conn, &grant.id, &new.token.id)? {
        // Another poll was first. This token is rolled back, and the retry finds the grant
        // redeemed.
        return Err(Error::Store(store::Error::Collision));
    }
    Ok(Ok(new))
}

/// Returns the client, scopes and expiry that may still be granted: the scopes that the client may
/// request and the approver's role allows now. `Err` if no scope is left, or no organization of
/// the approver allows the token.
fn granted_now(
    tx: &Tx<'_>,
    client: Client,
    owner: &UserMemberships,
    approval: &Approval,
) -> Result<(Client, ScopeSet, Option<Instant>), DeniedBecause> {
    let latest = consent::permit(tx.app(), owner, &approval.limits)?;
    let scopes = owner
        .allowed(tx.app(), &approval.limits, &approval.scopes)
        .intersection(&client.scopes);
    match scopes.is_empty() && !approval.scopes.is_empty() {
        true => Err(DeniedBecause::Rights),
        false => Ok((client, scopes, earlier(latest, approval.expires_at))),
    }
}

/// Records a misuse once: repetitions must not fill the log.
fn note(tx: &mut Tx<'_>, misuse: Misuse, grant: &Grant) -> Result<(), Error> {
    if !store::device::mark_noted(tx.conn, &grant.id, misuse, tx.now)? {
        return Ok(());
    }
    let action = match misuse {
        Misuse::Replay => Action::DeviceReplayed,
        Misuse::WrongClient => Action::DeviceWrongClient,
    };
    tx.record_as(action, Some(grant.id.as_str()), json!({}))
}

/// Wakes polls of grants that another server decided. Called regularly, with one query for all
/// waiting polls.
pub(crate) async fn wake_decided(app: &App) -> Result<(), Error> {
    let waiting = app.waiting().device_codes();
    if waiting.is_empty() {
        return Ok(());
    }
    let decided = app
        .store()
        .read_one(move |conn| Ok::<_, Error>(store::device::list_decided(conn, &waiting)?))
        .await?;
    for device_code in decided {
        app.waiting().wake(&device_code);
    }
    Ok(())
}

//! A device fetches its token (RFC 8628 section 3.4).

use super::{caller, expiry};
use crate::access::UserMemberships;
use crate::audit::refusals::{self, Refusal};
use crate::client::Credentials;
use crate::held_polls::PollSlot;
use crate::token::{self, NewToken, PreparedToken};
use crate::{App, Context, Error, Event, Events, OAuthError};
use domain::Instant;
use domain::audit::{Action, Actor};
use domain::client::{Client, Standing};
use domain::device::{Approval, Grant, Misuse, Poll, State, Waiting};
use domain::policy::Life;
use domain::scope::ScopeSet;
use domain::secret::{Digest, Secret};
use domain::token::{Token, TokenOwner};
use serde_json::json;
use std::time::Duration;
use store::Conn;

/// Maximum length of the names of tokens created here.
const NAME_LENGTH: usize = 100;

/// Result of a poll.
pub enum PollOutcome {
    /// The token is issued.
    Issued(Box<NewToken>),
    /// No decision yet.
    Pending,
    /// No decision yet, and the device polls too fast.
    SlowDown,
    /// The grant was denied, or the approved scopes may no longer be granted.
    Denied,
    /// The codes have expired.
    Expired,
    /// The code is unknown, was used already, or belongs to another client.
    Invalid,
}

/// Polls for the token. With `wait`, the response to a pending grant is delayed until a decision
/// or the end of that time.
pub async fn poll(
    app: &App,
    context: &Context,
    credentials: &Credentials,
    device_code: &Secret,
    wait: Option<Duration>,
) -> Result<PollOutcome, Error> {
    let client = caller(app, context, credentials).await?;
    let digest = device_code.digest();
    // The slot is taken first, so that a decision after the look-up wakes it.
    let slot = wait.and_then(|_| app.waiting().enter(&digest));
    let woken = slot.as_ref().map(PollSlot::woken);
    let waiting = match &slot {
        Some(_) => Waiting::Held,
        None => Waiting::Immediate,
    };
    let outcome = poll_once(app, context, &client, &digest, waiting).await?;
    let (PollOutcome::Pending, Some(woken), Some(wait)) = (&outcome, woken, wait) else {
        return Ok(outcome);
    };
    // Read the state again in both cases: the codes may have expired meanwhile.
    let _ = tokio::time::timeout(wait, woken).await;
    poll_once(app, context, &client, &digest, Waiting::Held).await
}

async fn poll_once(
    app: &App,
    context: &Context,
    client: &Client,
    device_code: &Digest,
    waiting: Waiting,
) -> Result<PollOutcome, Error> {
    // Invented codes cost a read, and no write.
    let digest = device_code.clone();
    let found = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::device::find_grant(conn, &digest)?))
        .await?;
    let Some(grant) = found else {
        return Ok(invalid(app, context, client));
    };
    let is_settled = match grant.client_id == client.id {
        true => matches!(grant.state, State::Redeemed { .. }) && grant.noted.replay,
        false => grant.noted.wrong_client,
    };
    if is_settled {
        return Ok(invalid(app, context, client));
    }

    let prepared = token::prepared(app);
    let actor = || Actor::Client(client.id.clone());
    let attempt = Attempt {
        app: app.clone(),
        now: app.now(),
        client_id: client.id.clone(),
        device_code: device_code.clone(),
        waiting,
        prepared,
        redeemed: app.event(context, actor(), Action::DeviceRedeemed),
        created: app.event(context, actor(), Action::TokenCreated),
        unusual: app.event(context, actor(), Action::DeviceReplayed),
        expired: expiry::records(app),
    };
    app.store().write(move |conn| attempt.write(conn)).await
}

/// Rejects a code, and records a refusal where no other record exists or is written.
fn invalid(app: &App, context: &Context, client: &Client) -> PollOutcome {
    let actor = Actor::Client(client.id.clone());
    let refusal = Refusal::access(OAuthError::InvalidGrant.as_str(), actor);
    refusals::note(app, context, refusal);
    PollOutcome::Invalid
}

/// One poll, with everything that it may have to write. A result whose writes must persist is a
/// value, since an error would roll them back.
struct Attempt {
    app: App,
    now: Instant,
    client_id: String,
    device_code: Digest,
    waiting: Waiting,
    prepared: PreparedToken,
    redeemed: Event,
    created: Event,
    unusual: Event,
    expired: Events,
}

impl Attempt {
    fn write(&self, conn: &mut Conn) -> Result<PollOutcome, Error> {
        let Some(grant) = store::device::find_grant(conn, &self.device_code)? else {
            return Ok(PollOutcome::Invalid);
        };
        if grant.client_id != self.client_id {
            self.note(conn, Misuse::WrongClient, &grant)?;
            return Ok(PollOutcome::Invalid);
        }
        Ok(match grant.poll(self.now, self.waiting) {
            Poll::Issue(approval) => self.issue(conn, &grant, &approval)?,
            Poll::Pending(pace) => {
                store::device::update_pace(conn, &grant.id, grant.pace, pace)?;
                PollOutcome::Pending
            }
            Poll::SlowDown(pace) => {
                store::device::update_pace(conn, &grant.id, grant.pace, pace)?;
                PollOutcome::SlowDown
            }
            Poll::Denied => PollOutcome::Denied,
            Poll::Expired => {
                expiry::expire(conn, &self.expired, &grant)?;
                PollOutcome::Expired
            }
            Poll::Redeemed => {
                self.note(conn, Misuse::Replay, &grant)?;
                PollOutcome::Invalid
            }
        })
    }

    fn issue(
        &self,
        conn: &mut Conn,
        grant: &Grant,
        approval: &Approval,
    ) -> Result<PollOutcome, Error> {
        let client = store::client::find_client(conn, &grant.client_id)?
            .filter(|client| client.standing == Standing::Active);
        let owner = crate::access::lock_memberships(conn, &approval.user_id)?;
        let granted = match (&client, &owner) {
            (Some(client), Some(owner)) => self.granted_now(client, owner, approval),
            _ => None,
        };
        let (Some(client), Some((scopes, expires_at))) = (client, granted) else {
            store::device::mark_refused(conn, &grant.id)?;
            self.record(conn, Action::DeviceRefused, grant)?;
            return Ok(PollOutcome::Denied);
        };
        let name = match &grant.device_name {
            Some(device) => format!("{} on {device}", client.name),
            None => client.name,
        };
        let token = Token {
            client_id: Some(client.id),
            device_name: grant.device_name.clone(),
            expires_at,
            ..self.prepared.token(
                TokenOwner::User(approval.user_id.clone()),
                name.chars().take(NAME_LENGTH).collect(),
                scopes,
                approval.user_id.as_str(),
            )
        };
        token::insert(conn, &self.created, &token, &self.prepared.secret.digest())?;
        if !store::device::mark_redeemed(conn, &grant.id, &token.id)? {
            // Another poll was first. This token is rolled back, and the retry finds the grant
            // redeemed.
            return Err(Error::Store(store::Error::Collision));
        }
        self.redeemed.write(
            conn,
            Some(grant.id.as_str()),
            json!({"token": token.id.as_str()}),
        )?;
        Ok(PollOutcome::Issued(Box::new(NewToken {
            token,
            secret: self.prepared.secret.clone(),
        })))
    }

    /// Returns the scopes and expiry that may still be granted: those that the client may request
    /// and the approver's role allows now. `None` if no scope is left, or the policy of no
    /// organization of the approver allows the token.
    fn granted_now(
        &self,
        client: &Client,
        owner: &UserMemberships,
        approval: &Approval,
    ) -> Option<(ScopeSet, Option<Instant>)> {
        let scopes = owner
            .allowed(&self.app, &approval.scopes)
            .intersection(&client.scopes);
        let expires_at = owner.default_end(&self.app, self.now);
        let life = Life {
            created_at: self.now,
            expires_at,
        };
        let is_granted = (!scopes.is_empty() || approval.scopes.is_empty())
            && owner.policy_decision(life).is_ok();
        is_granted.then_some((scopes, expires_at))
    }

    /// Records a misuse once: repetitions must not fill the log.
    fn note(&self, conn: &mut Conn, misuse: Misuse, grant: &Grant) -> Result<(), Error> {
        if !store::device::mark_noted(conn, &grant.id, misuse, self.now)? {
            return Ok(());
        }
        let action = match misuse {
            Misuse::Replay => Action::DeviceReplayed,
            Misuse::WrongClient => Action::DeviceWrongClient,
        };
        self.record(conn, action, grant)
    }

    fn record(&self, conn: &mut Conn, action: Action, grant: &Grant) -> Result<(), Error> {
        Event {
            action,
            ..self.unusual.clone()
        }
        .write(conn, Some(grant.id.as_str()), json!({}))
    }
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
        .read(move |conn| Ok::<_, Error>(store::device::list_decided(conn, &waiting)?))
        .await?;
    for device_code in decided {
        app.waiting().wake(&device_code);
    }
    Ok(())
}

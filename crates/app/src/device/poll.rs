//! A device fetches its token (RFC 8628 section 3.4).

use super::{caller, expiry};
use crate::client::Credentials;
use crate::token::{self, Draft, NewToken, OwnerStanding};
use crate::waiting::Place;
use crate::{App, Context, Error, Event, Events, OAuthError};
use domain::Instant;
use domain::audit::{Action, Actor};
use domain::client::{Client, Standing};
use domain::device::{Approval, Grant, Poll, State, Suspicion, Waiting};
use domain::policy::Life;
use domain::scope::ScopeSet;
use domain::secret::{Digest, Secret};
use domain::token::{Owner, Token};
use serde_json::json;
use std::time::Duration;
use store::Conn;

/// The longest name of a token that is made here.
const NAME_LENGTH: usize = 100;

/// A device asks for its token. With `wait`, the answer of a pending request is held until
/// a person decides or the time is over.
pub async fn poll(
    app: &App,
    context: &Context,
    credentials: &Credentials,
    device_code: &Secret,
    wait: Option<Duration>,
) -> Result<NewToken, Error> {
    let client = caller(app, context, credentials).await?;
    let digest = device_code.digest();
    // The place is taken first, so that a decision after the look-up wakes it.
    let place = wait.and_then(|_| app.waiting().enter(&digest));
    let woken = place.as_ref().map(Place::woken);
    let waiting = match &place {
        Some(_) => Waiting::Held,
        None => Waiting::Immediate,
    };
    let answer = poll_once(app, context, &client, &digest, waiting).await;
    let (Err(Error::OAuth(OAuthError::AuthorizationPending, _)), Some(woken), Some(wait)) =
        (&answer, woken, wait)
    else {
        return answer;
    };
    // Whether it was woken or waited in vain, what is true now is told: the codes may have
    // ended meanwhile.
    let _ = tokio::time::timeout(wait, woken).await;
    poll_once(app, context, &client, &digest, Waiting::Held).await
}

async fn poll_once(
    app: &App,
    context: &Context,
    client: &Client,
    device_code: &Digest,
    waiting: Waiting,
) -> Result<NewToken, Error> {
    // Whoever invents codes costs a read, not a place in the queue of writes.
    let digest = device_code.clone();
    let grant = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::device::find_grant(conn, &digest)?))
        .await?
        .ok_or(refusal(OAuthError::InvalidGrant))?;
    let is_settled = match grant.client_id == client.id {
        true => matches!(grant.state, State::Redeemed { .. }) && grant.noted.replay,
        false => grant.noted.wrong_client,
    };
    if is_settled {
        return Err(refusal(OAuthError::InvalidGrant));
    }

    let draft = token::draft(app);
    let secret = draft.secret.clone();
    let actor = || Actor::Client(client.id.clone());
    let attempt = Attempt {
        app: app.clone(),
        now: app.now(),
        client_id: client.id.clone(),
        device_code: device_code.clone(),
        waiting,
        draft,
        redeemed: app.event(context, actor(), Action::DeviceRedeemed),
        created: app.event(context, actor(), Action::TokenCreated),
        unusual: app.event(context, actor(), Action::DeviceReplayed),
        expired: expiry::records(app),
    };
    let token = app.store().write(move |conn| attempt.write(conn)).await?;
    match token {
        Ok(token) => Ok(NewToken { token, secret }),
        Err(error) => Err(refusal(error)),
    }
}

/// One poll, with all that it may have to write. An answer that must be remembered is a
/// value and no error, since an error would undo what was written.
struct Attempt {
    app: App,
    now: Instant,
    client_id: String,
    device_code: Digest,
    waiting: Waiting,
    draft: Draft,
    redeemed: Event,
    created: Event,
    unusual: Event,
    expired: Events,
}

impl Attempt {
    fn write(&self, conn: &mut Conn) -> Result<Result<Token, OAuthError>, Error> {
        let Some(grant) = store::device::find_grant(conn, &self.device_code)? else {
            return Ok(Err(OAuthError::InvalidGrant));
        };
        if grant.client_id != self.client_id {
            self.note(conn, Suspicion::WrongClient, &grant)?;
            return Ok(Err(OAuthError::InvalidGrant));
        }
        Ok(Err(match grant.poll(self.now, self.waiting) {
            Poll::Issue(approval) => return self.issue(conn, &grant, &approval),
            Poll::Pending(pace) => {
                store::device::update_pace(conn, &grant.id, grant.pace, pace)?;
                OAuthError::AuthorizationPending
            }
            Poll::SlowDown(pace) => {
                store::device::update_pace(conn, &grant.id, grant.pace, pace)?;
                OAuthError::SlowDown
            }
            Poll::Denied => OAuthError::AccessDenied,
            Poll::Expired => {
                expiry::expire(conn, &self.expired, &grant)?;
                OAuthError::ExpiredToken
            }
            Poll::Redeemed => {
                self.note(conn, Suspicion::Replay, &grant)?;
                OAuthError::InvalidGrant
            }
        }))
    }

    fn issue(
        &self,
        conn: &mut Conn,
        grant: &Grant,
        approval: &Approval,
    ) -> Result<Result<Token, OAuthError>, Error> {
        let client = store::client::find_client(conn, &grant.client_id)?
            .filter(|client| client.standing == Standing::Active);
        let owner = token::hold_owner(conn, &approval.account_id)?;
        let granted = match (&client, &owner) {
            (Some(client), Some(owner)) => self.granted_now(client, owner, approval),
            _ => None,
        };
        let (Some(client), Some((scopes, expires_at))) = (client, granted) else {
            store::device::mark_refused(conn, &grant.id)?;
            self.record(conn, Action::DeviceRefused, grant)?;
            return Ok(Err(OAuthError::AccessDenied));
        };
        let name = match &grant.device_name {
            Some(device) => format!("{} on {device}", client.name),
            None => client.name,
        };
        let token = Token {
            client_id: Some(client.id),
            device_name: grant.device_name.clone(),
            expires_at,
            ..self.draft.token(
                Owner::Account(approval.account_id.clone()),
                name.chars().take(NAME_LENGTH).collect(),
                scopes,
                approval.account_id.as_str(),
            )
        };
        token::insert(conn, &self.created, &token, &self.draft.secret.digest())?;
        if !store::device::mark_redeemed(conn, &grant.id, &token.id)? {
            // Another poll was first; failing undoes this token.
            return Err(refusal(OAuthError::InvalidGrant));
        }
        self.redeemed.write(
            conn,
            Some(grant.id.as_str()),
            json!({"token": token.id.as_str()}),
        )?;
        Ok(Ok(token))
    }

    /// What of the approval may still be granted, and until when: what the client may ask
    /// for and the approver's role allows now. `None` if nothing of it is left, or no
    /// organization of the approver would admit the token.
    fn granted_now(
        &self,
        client: &Client,
        owner: &OwnerStanding,
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
        let is_granted =
            (!scopes.is_empty() || approval.scopes.is_empty()) && owner.admission(life).is_ok();
        is_granted.then_some((scopes, expires_at))
    }

    /// Records a suspicion once: whoever repeats it must not fill the log.
    fn note(&self, conn: &mut Conn, suspicion: Suspicion, grant: &Grant) -> Result<(), Error> {
        if !store::device::mark_noted(conn, &grant.id, suspicion, self.now)? {
            return Ok(());
        }
        let action = match suspicion {
            Suspicion::Replay => Action::DeviceReplayed,
            Suspicion::WrongClient => Action::DeviceWrongClient,
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

fn refusal(error: OAuthError) -> Error {
    let description = match error {
        OAuthError::AuthorizationPending => "Nobody has decided yet. Ask again after the interval.",
        OAuthError::SlowDown => "You ask too often: wait 5 seconds longer from now on.",
        OAuthError::AccessDenied => "The request was denied.",
        OAuthError::ExpiredToken => "The codes have expired. Begin again.",
        _ => "The device code is unknown, was used, or belongs to another client.",
    };
    Error::OAuth(error, description)
}

/// Wakes polls whose request was decided by another server. Called regularly; it asks the
/// database once for all that wait here.
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

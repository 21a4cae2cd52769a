//! Consent: a user approves or denies a device grant.

use super::expiry;
use crate::access::Denial;
use crate::session::SignedIn;
use crate::{App, Context, Error, Event, Events, client, throttle};
use domain::Instant;
use domain::audit::Action;
use domain::client::{Client, Standing};
use domain::device::{Approval, Grant, State};
use domain::id::{GrantId, UserId};
use domain::network;
use domain::policy::Life;
use domain::scope::ScopeSet;
use domain::secret::Secret;
use domain::user_code::UserCode;
use serde_json::json;
use store::Conn;

/// How the user code reached the consent page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The user typed it from the screen of the device.
    Keyboard,
    /// It was in a link, which an attacker may have sent.
    Link,
}

/// Whether device and browser are on one network, judging by their addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// Same network.
    Near,
    /// Different networks: the device may belong to an attacker.
    Far,
}

/// Content of the consent page.
#[derive(Debug)]
pub struct Consent {
    /// The device grant.
    pub grant: Grant,
    /// The user code in normal form.
    pub user_code: UserCode,
    /// The client of the device grant.
    pub client: Client,
    /// Requested scopes that this user can grant.
    pub scopes: ScopeSet,
    /// Expiry of the token, if approved now.
    pub token_expires_at: Option<Instant>,
    /// How the user code reached the page.
    pub via: Via,
    /// Distance between device and browser.
    pub distance: Distance,
    /// Proves that this user reviewed this device grant in this session.
    pub ticket: String,
}

/// Whether the user must confirm that they started the sign-in themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Confirmation {
    /// The code was typed, on the network of the device.
    NotNeeded,
    /// The code came by link, or the device is on another network.
    Needed,
}

/// Looks up a user code. Fails with [`Error::NotFound`] alike for wrong, expired and used codes;
/// failed attempts are counted.
pub async fn review(
    app: &App,
    context: &Context,
    signed_in: &SignedIn,
    typed: &str,
    via: Via,
) -> Result<Consent, Error> {
    let code = UserCode::parse(typed).ok_or(Error::NotFound)?;
    let user_id = signed_in.user.id.as_str();
    let guess = throttle::user_code(user_id, context.source());
    throttle::count(app, &guess).await?;

    let digest = code.digest(app.key());
    let found = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::device::find_grant_by_user_code(conn, &digest)?))
        .await?;
    let now = app.now();
    let grant = match found {
        Some(grant) if grant.is_open(now) => grant,
        closed => {
            let event = app.event(context, signed_in.actor(), Action::DeviceCodeWrong);
            let over = closed.filter(|grant| grant.is_over(now));
            let expired = expiry::records(app);
            app.store()
                .write(move |conn| {
                    if let Some(grant) = &over {
                        expiry::expire(conn, &expired, grant)?;
                    }
                    event.write(conn, None, json!({}))
                })
                .await?;
            return Err(Error::NotFound);
        }
    };
    let client = client::find(app, &grant.client_id)
        .await?
        .filter(|client| client.standing == Standing::Active)
        .ok_or(Error::NotFound)?;
    let distance = match network::is_same_network(grant.address, context.source()) {
        true => Distance::Near,
        false => Distance::Far,
    };
    let confirmation = match (via, distance) {
        (Via::Keyboard, Distance::Near) => Confirmation::NotNeeded,
        _ => Confirmation::Needed,
    };
    let standing = crate::access::standing(app, signed_in).await?;
    let event = app.event(context, signed_in.actor(), Action::DeviceShown);
    let (grant_id, shown) = (
        grant.id.clone(),
        json!({
            "client_id": client.id,
            "is_typed": via == Via::Keyboard,
            "is_near": distance == Distance::Near,
        }),
    );
    app.store()
        .write(move |conn| {
            guess.succeed(conn)?;
            event.write(conn, Some(grant_id.as_str()), shown.clone())
        })
        .await?;
    Ok(Consent {
        scopes: standing
            .allowed(app, &app.config().scopes.names())
            .intersection(&grant.scopes)
            .intersection(&client.scopes),
        token_expires_at: standing.default_end(app, app.now()),
        ticket: write_ticket(app, signed_in, &grant.id, confirmation),
        user_code: code,
        client,
        via,
        distance,
        grant,
    })
}

/// A ticket binds a decision to the session and user that reviewed the device grant.
fn write_ticket(
    app: &App,
    signed_in: &SignedIn,
    grant_id: &GrantId,
    confirmation: Confirmation,
) -> String {
    let flag = match confirmation {
        Confirmation::NotNeeded => "typed",
        Confirmation::Needed => "confirm",
    };
    let mac = app.key().authenticate(
        "consent",
        &[
            signed_in.session.id.as_str(),
            signed_in.user.id.as_str(),
            grant_id.as_str(),
            flag,
        ],
    );
    format!("{grant_id}.{flag}.{}", mac.as_str())
}

/// Reads a ticket. `None` if it is forged, or from another user or session.
fn read_ticket(app: &App, signed_in: &SignedIn, ticket: &str) -> Option<(GrantId, Confirmation)> {
    let grant_id = GrantId::parse(ticket.split('.').next()?)?;
    [Confirmation::NotNeeded, Confirmation::Needed]
        .into_iter()
        .find(|confirmation| {
            let written = write_ticket(app, signed_in, &grant_id, *confirmation);
            subtle::ConstantTimeEq::ct_eq(written.as_bytes(), ticket.as_bytes()).into()
        })
        .map(|confirmation| (grant_id, confirmation))
}

/// Decision of the user.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Grant these of the requested scopes.
    Approve(ScopeSet),
    /// Deny the device grant.
    Deny,
}

/// Result of a decision.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device gets a token with these scopes.
    Approved(ScopeSet),
    /// The device gets no token.
    Denied,
    /// The device grant has expired: nothing changed.
    Expired,
    /// The device grant was decided before: nothing changed.
    AlreadyDecided,
}

/// Why a decision was rejected.
#[derive(Debug, PartialEq, Eq)]
pub enum NotDecided {
    /// The ticket is invalid for this user: the device grant must be reviewed again.
    NotReviewed,
    /// The box "I started this sign-in myself" must be ticked.
    NotConfirmed,
}

/// A decision that was processed, with its outcome.
#[derive(Debug)]
pub struct Decided {
    /// Name of the client.
    pub client_name: String,
    /// Outcome.
    pub outcome: Outcome,
    /// Expiry of an approved token; `None` if it never expires.
    pub token_expires_at: Option<Instant>,
}

/// Processes a decision, once.
pub async fn decide(
    app: &App,
    context: &Context,
    signed_in: &SignedIn,
    ticket: &str,
    is_confirmed: bool,
    decision: Decision,
) -> Result<Result<Decided, NotDecided>, Error> {
    let Some((grant_id, confirmation)) = read_ticket(app, signed_in, ticket) else {
        return Ok(Err(NotDecided::NotReviewed));
    };
    let is_approval = matches!(decision, Decision::Approve(_));
    if is_approval && confirmation == Confirmation::Needed && !is_confirmed {
        return Ok(Err(NotDecided::NotConfirmed));
    }
    let action = match decision {
        Decision::Approve(_) => Action::DeviceApproved,
        Decision::Deny => Action::DeviceDenied,
    };
    let ruling = Ruling {
        app: app.clone(),
        event: app.event(context, signed_in.actor(), action),
        expired: expiry::records(app),
        user_id: signed_in.user.id.clone(),
        decision,
    };
    let (decided, device_code) = app
        .store()
        .write(move |conn| {
            let (grant, device_code) =
                store::device::find_grant_by_id(conn, &grant_id)?.ok_or(Error::NotFound)?;
            let outcome = ruling.write(conn, &grant)?;
            let client = store::client::find_client(conn, &grant.client_id)?;
            let owner = crate::access::find_owner(conn, &ruling.user_id)?;
            let (app, now) = (&ruling.app, ruling.event.at);
            let decided = Decided {
                client_name: client.map_or(grant.client_id, |client| client.name),
                outcome,
                token_expires_at: owner.and_then(|owner| owner.default_end(app, now)),
            };
            Ok::<_, Error>((decided, device_code))
        })
        .await?;
    app.waiting().wake(&device_code);
    Ok(Ok(decided))
}

/// A decision, with the audit records of its possible outcomes.
struct Ruling {
    app: App,
    event: Event,
    expired: Events,
    user_id: UserId,
    decision: Decision,
}

impl Ruling {
    fn write(&self, conn: &mut Conn, grant: &Grant) -> Result<Outcome, Error> {
        let now = self.event.at;
        let (is_first, outcome, detail) = match &self.decision {
            Decision::Deny => (
                store::device::mark_denied(conn, &grant.id, &self.user_id, now)?,
                Outcome::Denied,
                json!({}),
            ),
            Decision::Approve(chosen) => {
                let approval = self.approve(conn, grant, chosen)?;
                let detail = json!({"scopes": approval.scopes.to_string()});
                (
                    store::device::mark_approved(conn, &grant.id, &approval, now)?,
                    Outcome::Approved(approval.scopes),
                    detail,
                )
            }
        };
        if is_first {
            self.event.write(conn, Some(grant.id.as_str()), detail)?;
            return Ok(outcome);
        }
        // Another decision may have been written since the grant was read.
        let (grant, _) =
            store::device::find_grant_by_id(conn, &grant.id)?.ok_or(Error::NotFound)?;
        Ok(match grant.state {
            State::Pending | State::Expired => {
                expiry::expire(conn, &self.expired, &grant)?;
                Outcome::Expired
            }
            _ => Outcome::AlreadyDecided,
        })
    }

    /// Limits the chosen scopes to those that the user, the device grant and the client allow.
    fn approve(
        &self,
        conn: &mut Conn,
        grant: &Grant,
        chosen: &ScopeSet,
    ) -> Result<Approval, Error> {
        let now = self.event.at;
        let owner =
            crate::access::lock_memberships(conn, &self.user_id)?.ok_or(Error::Unauthenticated)?;
        let life = Life {
            created_at: now,
            expires_at: owner.default_end(&self.app, now),
        };
        owner.policy_decision(life).map_err(Denial::Policy)?;
        let client = store::client::find_client(conn, &grant.client_id)?
            .filter(|client| client.standing == Standing::Active)
            .ok_or(Error::NotFound)?;
        let scopes = owner
            .allowed(&self.app, chosen)
            .intersection(&grant.scopes)
            .intersection(&client.scopes);
        Ok(Approval {
            user_id: self.user_id.clone(),
            scopes,
        })
    }
}

/// Proof, sent back in a URL, that this visitor typed this code. It preserves that fact while the
/// user signs in or switches users.
pub fn typed_proof(app: &App, visitor: &Secret, code: &UserCode) -> String {
    let parts = [visitor.expose(), &code.to_string()];
    let proof = app.key().authenticate("typed-code", &parts);
    proof.as_str().to_owned()
}

/// Whether a proof is valid for this visitor and code.
pub fn is_typed(app: &App, visitor: &Secret, code: &UserCode, proof: &str) -> bool {
    let expected = typed_proof(app, visitor, code);
    subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), proof.as_bytes()).into()
}

//! Consent: a user approves or denies a device grant.

use super::expiry;
use crate::access::Denial;
use crate::session::SignedIn;
use crate::tx::Tx;
use crate::{App, Error, Request, client, throttle};
use domain::Instant;
use domain::audit::Action;
use domain::client::{Client, Standing};
use domain::device::{Approval, Grant, State};
use domain::id::GrantId;
use domain::network;
use domain::policy::Life;
use domain::scope::ScopeSet;
use domain::secret::Secret;
use domain::user_code::UserCode;
use serde_json::json;

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
pub async fn review(req: &Request, typed: &str, via: Via) -> Result<Consent, Error> {
    let (app, signed_in) = (&req.app, req.caller.signed_in()?);
    let code = UserCode::parse(typed).ok_or(Error::NotFound)?;
    let user_id = signed_in.user.id.as_str();
    let guess = throttle::user_code(user_id, req.context.source());
    throttle::count(app, &guess).await?;

    let digest = code.digest(app.key());
    let found = app
        .store()
        .read_one(move |conn| {
            Ok::<_, Error>(store::device::find_grant_by_user_code(conn, &digest)?)
        })
        .await?;
    let now = app.now();
    let grant = match found {
        Some(grant) if grant.is_open(now) => grant,
        closed => {
            let over = closed.filter(|grant| grant.is_over(now));
            req.change(Action::DeviceCodeWrong, move |tx| {
                tx.record(None::<&str>, json!({}))?;
                match &over {
                    Some(grant) => expiry::expire(tx, grant),
                    None => Ok(()),
                }
            })
            .await?;
            return Err(Error::NotFound);
        }
    };
    let client = client::find(app, &grant.client_id)
        .await?
        .filter(|client| client.standing == Standing::Active)
        .ok_or(Error::NotFound)?;
    let distance = match network::is_same_network(grant.address, req.context.source()) {
        true => Distance::Near,
        false => Distance::Far,
    };
    let confirmation = match (via, distance) {
        (Via::Keyboard, Distance::Near) => Confirmation::NotNeeded,
        _ => Confirmation::Needed,
    };
    let standing = crate::access::standing(req).await?;
    let (grant_id, shown) = (
        grant.id.clone(),
        json!({
            "client_id": client.id,
            "is_typed": via == Via::Keyboard,
            "is_near": distance == Distance::Near,
        }),
    );
    req.change(Action::DeviceShown, move |tx| {
        guess.succeed(tx.conn)?;
        tx.record(Some(grant_id.as_str()), shown.clone())
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
    req: &Request,
    ticket: &str,
    is_confirmed: bool,
    decision: Decision,
) -> Result<Result<Decided, NotDecided>, Error> {
    let (app, signed_in) = (&req.app, req.caller.signed_in()?);
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
    let (decided, device_code) = req
        .change(action, move |tx| {
            let found = store::device::find_grant_by_id(tx.conn, &grant_id)?;
            let (grant, device_code) = found.ok_or(Error::NotFound)?;
            let outcome = settle(tx, &grant, &decision)?;
            let client = store::client::find_client(tx.conn, &grant.client_id)?;
            let user_id = &tx.caller().signed_in()?.user.id;
            let owner = crate::access::find_owner(tx.conn, user_id)?;
            let decided = Decided {
                client_name: client.map_or(grant.client_id, |client| client.name),
                outcome,
                token_expires_at: owner.and_then(|owner| owner.default_end(tx.app(), tx.now)),
            };
            Ok((decided, device_code))
        })
        .await?;
    app.waiting().wake(&device_code);
    Ok(Ok(decided))
}

/// Stores a decision, unless the device grant has expired or was decided before.
fn settle(tx: &mut Tx<'_>, grant: &Grant, decision: &Decision) -> Result<Outcome, Error> {
    let (is_first, outcome, detail) = match decision {
        Decision::Deny => {
            let user_id = &tx.caller().signed_in()?.user.id;
            let is_first = store::device::mark_denied(tx.conn, &grant.id, user_id, tx.now)?;
            (is_first, Outcome::Denied, json!({}))
        }
        Decision::Approve(chosen) => {
            let approval = approve(tx, grant, chosen)?;
            let is_first = store::device::mark_approved(tx.conn, &grant.id, &approval, tx.now)?;
            let detail = json!({"scopes": approval.scopes.to_string()});
            (is_first, Outcome::Approved(approval.scopes), detail)
        }
    };
    if is_first {
        tx.record(Some(grant.id.as_str()), detail)?;
        return Ok(outcome);
    }
    // Another decision may have been written since the grant was read.
    let (grant, _) = store::device::find_grant_by_id(tx.conn, &grant.id)?.ok_or(Error::NotFound)?;
    Ok(match grant.state {
        State::Pending | State::Expired => {
            expiry::expire(tx, &grant)?;
            Outcome::Expired
        }
        _ => Outcome::AlreadyDecided,
    })
}

/// Limits the chosen scopes to those that the user, the device grant and the client allow.
fn approve(tx: &mut Tx<'_>, grant: &Grant, chosen: &ScopeSet) -> Result<Approval, Error> {
    let (app, now) = (tx.app(), tx.now);
    let user_id = &tx.caller().signed_in()?.user.id;
    let owner = crate::access::lock_memberships(tx.conn, user_id)?.ok_or(Error::Unauthenticated)?;
    let life = Life {
        created_at: now,
        expires_at: owner.default_end(app, now),
    };
    owner.policy_decision(life).map_err(Denial::Policy)?;
    let client = store::client::find_client(tx.conn, &grant.client_id)?
        .filter(|client| client.standing == Standing::Active)
        .ok_or(Error::NotFound)?;
    let scopes = owner
        .allowed(app, chosen)
        .intersection(&grant.scopes)
        .intersection(&client.scopes);
    Ok(Approval {
        user_id: user_id.clone(),
        scopes,
    })
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

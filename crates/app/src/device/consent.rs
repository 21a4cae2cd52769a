//! A person decides about a device's request.

use super::expiry;
use crate::caller::Denial;
use crate::session::SignedIn;
use crate::{App, Context, Error, Event, Events, client, throttle, token};
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

/// How the code came to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The person typed it, from the screen of the device.
    Keyboard,
    /// It was in the link that the person opened, which somebody else may have sent.
    Link,
}

/// Whether device and browser are on one network, as far as addresses tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// They are.
    Near,
    /// They are not: somebody elsewhere may have asked.
    Far,
}

/// What the person is shown before deciding.
#[derive(Debug)]
pub struct Consent {
    /// The request.
    pub grant: Grant,
    /// The code that was typed, in its normal form.
    pub user_code: UserCode,
    /// The client that asks.
    pub client: Client,
    /// What of the request can be granted by this person.
    pub scopes: ScopeSet,
    /// When the token will end, if approved now.
    pub token_expires_at: Option<Instant>,
    /// How the code came here.
    pub via: Via,
    /// Where the request came from, seen from the browser.
    pub distance: Distance,
    /// Proves, when it comes back, that this person saw this request in this session.
    pub ticket: String,
}

/// Whether the person has to say that they began the sign-in themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Confirmation {
    /// The code was typed, beside the device.
    NotNeeded,
    /// The code came by link, or the device is elsewhere.
    Needed,
}

/// Looks up a code. A wrong, expired and used one is [`Error::NotFound`] alike; attempts at
/// such are counted.
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
    let standing = token::standing(app, signed_in).await?;
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

/// A ticket binds a decision to the session and the account that saw the request.
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

/// What a person's ticket was written for; `None` if it was written for somebody else, for
/// another session, or by nobody.
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

/// What the person decided.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Grant these scopes of the request.
    Approve(ScopeSet),
    /// Grant nothing.
    Deny,
}

/// What came of a decision.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device gets its token, with these scopes.
    Approved(ScopeSet),
    /// The device gets none.
    Denied,
    /// The time of the request was over: nothing changed.
    Expired,
    /// The request was decided before: nothing changed.
    AlreadyDecided,
}

/// Why a decision was not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum NotDecided {
    /// The ticket is not this person's: the request must be reviewed afresh.
    NotReviewed,
    /// The box that says "I started this sign-in myself" must be ticked.
    NotConfirmed,
}

/// A decision that was carried out, or came too late.
#[derive(Debug)]
pub struct Decided {
    /// The name of the client that asked.
    pub client_name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// When the token will end, if it was approved; `None` if never.
    pub token_expires_at: Option<Instant>,
}

/// Carries out a decision, once.
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
            let owner = token::find_owner(conn, &ruling.user_id)?;
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

/// A decision, with the records of what may come of it.
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

    /// What of the chosen scopes the person, the request and the client allow.
    fn approve(
        &self,
        conn: &mut Conn,
        grant: &Grant,
        chosen: &ScopeSet,
    ) -> Result<Approval, Error> {
        let now = self.event.at;
        let owner = token::lock_memberships(conn, &self.user_id)?.ok_or(Error::Unauthenticated)?;
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

/// Proves, when it comes back in an address, that its visitor typed this code: so that the
/// code keeps its standing while the person signs in or changes accounts.
pub fn typed_proof(app: &App, visitor: &Secret, code: &UserCode) -> String {
    let parts = [visitor.expose(), &code.to_string()];
    let proof = app.key().authenticate("typed-code", &parts);
    proof.as_str().to_owned()
}

/// Whether a proof is of this visitor and this code.
pub fn is_typed(app: &App, visitor: &Secret, code: &UserCode, proof: &str) -> bool {
    let expected = typed_proof(app, visitor, code);
    subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), proof.as_bytes()).into()
}

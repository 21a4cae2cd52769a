//! The second step of a sign-in. The first one seals the user for the browser, and nothing is stored:
//! there is no session that other pages could take for a complete one.

use super::ceremony::{self, Response, Signed};
use super::{authenticator, passkey, recovery, totp};
use crate::access::Caller;
use crate::identity::state;
use crate::session::{self, Browser, NewSession};
use crate::throttle;
use crate::tx::Tx;
use crate::{App, Error, Request};
use domain::audit::Action;
use domain::factor::{Factor, RecoveryCode};
use domain::id::UserId;
use domain::identity::{Identity, SessionIdentity};
use domain::secret::{Digest, Secret};
use domain::user::{Standing, User};
use domain::{Fault, Instant};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Purpose of the sealed text.
const PURPOSE: &str = "second factor";

/// The result of the first step of a sign-in.
pub enum Begun {
    /// The session of a user without a second factor.
    Session(Box<NewSession>),
    /// The user has to prove a second factor.
    Factor(Box<Step>),
}

/// A user who has proven the password or an identity, and not yet the second factor.
#[derive(Clone, Serialize, Deserialize)]
pub struct Step {
    user_id: String,
    /// The user with the current password: a change of the password ends the sign-in.
    known_as: String,
    identity: Option<StepIdentity>,
}

/// The identity with which a sign-in began, as in a session.
#[derive(Clone, Serialize, Deserialize)]
struct StepIdentity {
    issuer: String,
    subject: String,
    provider_session: Option<String>,
    authenticated_at: Option<Instant>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    step: Step,
    return_to: String,
}

/// Whether the first step has proven two factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proven {
    /// One factor.
    One,
    /// Two, at the identity provider.
    AtProvider,
}

/// Begins the session of a user, unless a second factor is missing. The transaction has locked the
/// user.
pub(crate) fn begin(
    tx: &mut Tx<'_>,
    user: &User,
    identity: Option<SessionIdentity>,
    proven: Proven,
) -> Result<Begun, Error> {
    if proven == Proven::AtProvider || !store::factor::is_any(tx.conn, &user.id)? {
        let session = session::begin(tx, user, identity, None)?;
        return Ok(Begun::Session(Box::new(session)));
    }
    // The second step has the record.
    tx.needs_no_record();
    // The transaction may have changed the password.
    let user = store::user::find_user(tx.conn, &user.id)?.ok_or(Error::Unauthenticated)?;
    let known_as = session::known_as(tx.app(), &user.id, &user.password_hash);
    Ok(Begun::Factor(Box::new(Step {
        user_id: user.id.to_string(),
        known_as: known_as.as_str().to_owned(),
        identity: identity.map(|begun| {
            let Identity { issuer, subject } = begun.identity;
            StepIdentity {
                issuer,
                subject,
                provider_session: begun.provider_session,
                authenticated_at: begun.authenticated_at,
            }
        }),
    })))
}

/// Seals a step for the page on which this browser continues, and which then leads to a local path.
pub fn seal(app: &App, visitor: &Secret, step: &Step, return_to: &str) -> String {
    let text = json!(Sealed {
        step: step.clone(),
        return_to: return_to.to_owned(),
    });
    state::seal(app, visitor, PURPOSE, &text.to_string())
}

/// A sign-in that waits for the second factor.
pub struct Waiting {
    /// The user.
    pub user: User,
    /// Whether the user has an authenticator app.
    pub has_authenticator: bool,
    /// The credentials of the passkeys of the user, in base64url.
    pub credentials: Vec<String>,
    step: Step,
    return_to: String,
}

/// The sign-in that waits. Fails with [`Error::NotFound`] for a sealed text that is older than ten
/// minutes or of another browser, and after a change of the password.
pub async fn find(req: &Request, visitor: &Secret, sealed: &str) -> Result<Waiting, Error> {
    let opened = state::open(&req.app, visitor, PURPOSE, sealed);
    let (opened, _) = opened.ok_or(Error::NotFound)?;
    let sealed: Sealed = serde_json::from_str(&opened).map_err(|_| Error::NotFound)?;
    let Sealed { step, return_to } = sealed;
    req.with_caller(Caller::Anonymous)
        .read(move |tx| {
            let user = current(tx, &step)?;
            let found = store::factor::find_authenticator(tx.conn, &user.id)?;
            let passkeys = store::passkey::list_passkeys(tx.conn, &user.id)?;
            Ok(Waiting {
                credentials: passkeys.into_iter().map(|one| one.credential).collect(),
                has_authenticator: found.is_some(),
                user,
                step: step.clone(),
                return_to: return_to.clone(),
            })
        })
        .await
}

/// The active user of a step, if the password is still that of the first step.
fn current(tx: &mut Tx<'_>, step: &Step) -> Result<User, Error> {
    let id = UserId::parse(&step.user_id).ok_or(Error::NotFound)?;
    let user = store::user::find_user(tx.conn, &id)?;
    user.filter(|user| user.standing == Standing::Active)
        .filter(|user| {
            let known_as = session::known_as(tx.app(), &user.id, &user.password_hash);
            known_as.matches(&Digest::from_stored(step.known_as.clone()))
        })
        .ok_or(Error::NotFound)
}

/// A completed sign-in.
pub struct Completed {
    /// The session.
    pub session: NewSession,
    /// The local path to go to.
    pub return_to: String,
}

/// What the transaction found.
enum Found {
    SignedIn(Box<NewSession>),
    Refused(&'static str),
}

/// Completes a sign-in with a value of the authenticator app or a recovery code. Fails with
/// [`Error::Invalid`] for a wrong or used one, and with [`Error::NotFound`] like [`find`], or if it was
/// completed.
pub async fn complete(
    req: &Request,
    browser: Browser<'_>,
    sealed: &str,
    typed: &str,
) -> Result<Completed, Error> {
    let waiting = find(req, browser.visitor, sealed).await?;
    let app = &req.app;
    let target = session::target_of(app, &waiting.user, &browser);
    let (guess, password) = throttle::factor(app.key(), target);
    throttle::count(app, &guess).await?;
    let (once, typed) = (Secret::new(sealed).digest(), typed.to_owned());
    let step = waiting.step.clone();
    let anonymous = req.with_caller(Caller::Anonymous);
    let found = anonymous
        .change(Action::SignedIn, move |tx| {
            let user = lock(tx, &step)?;
            let Some(factor) = prove(tx, &user.id, &typed)? else {
                return Ok(Found::Refused("wrong_factor"));
            };
            guess.succeed(tx.conn)?;
            password.succeed(tx.conn)?;
            sign_in(tx, &user, (&step, &once), factor)
        })
        .await?;
    finish(req, waiting, found)
}

/// Completes a sign-in with a passkey of the user. Fails with [`Error::Invalid`] if it is not
/// accepted, and with [`Error::NotFound`] like [`find`], or if it was completed.
pub async fn complete_with_passkey(
    req: &Request,
    browser: Browser<'_>,
    sealed: &str,
    response: Response,
) -> Result<Completed, Error> {
    let waiting = find(req, browser.visitor, sealed).await?;
    let is_own = |signed: &Signed| signed.passkey.user_id == waiting.user.id;
    let signed = match ceremony::verify(req, browser.visitor, &response).await? {
        Ok(signed) if is_own(&signed) => signed,
        Ok(_) => return finish(req, waiting, Found::Refused("wrong_user")),
        Err(reason) => return finish(req, waiting, Found::Refused(reason)),
    };
    let target = session::target_of(&req.app, &waiting.user, &browser);
    let (_, password) = throttle::factor(req.app.key(), target);
    let (once, step) = (Secret::new(sealed).digest(), waiting.step.clone());
    let anonymous = req.with_caller(Caller::Anonymous);
    let found = anonymous
        .change(Action::SignedIn, move |tx| {
            lock(tx, &step)?;
            let user = match passkey::use_by(tx, &signed)? {
                Ok(user) => user,
                Err(reason) => return Ok(Found::Refused(reason)),
            };
            password.succeed(tx.conn)?;
            sign_in(tx, &user, (&step, &once), Factor::Passkey)
        })
        .await?;
    finish(req, waiting, found)
}

/// Locks the user of a step.
fn lock(tx: &mut Tx<'_>, step: &Step) -> Result<User, Error> {
    let id = UserId::parse(&step.user_id).ok_or(Error::NotFound)?;
    store::user::lock_user_exclusive(tx.conn, &id)?;
    current(tx, step)
}

/// Begins the session of a user who has proven both factors. Each sealed text signs in once.
fn sign_in(
    tx: &mut Tx<'_>,
    user: &User,
    (step, once): (&Step, &Digest),
    factor: Factor,
) -> Result<Found, Error> {
    if !store::identity::use_assertion(tx.conn, once, tx.now + state::lifetime())? {
        return Err(Error::NotFound);
    }
    let session = session::begin(tx, user, step.session_identity(), Some(factor))?;
    Ok(Found::SignedIn(Box::new(session)))
}

fn finish(req: &Request, waiting: Waiting, found: Found) -> Result<Completed, Error> {
    let reason = match found {
        Found::SignedIn(session) => {
            return Ok(Completed {
                session: *session,
                return_to: waiting.return_to,
            });
        }
        Found::Refused(reason) => reason,
    };
    passkey::refuse(req, Some(&waiting.user.id), reason);
    Err(match reason {
        "wrong_factor" => Fault::new("code", WRONG),
        _ => Fault::new(
            "",
            "The passkey was not accepted. Try again, or enter a code.",
        ),
    }
    .into())
}

const WRONG: &str = "This code is wrong or was used. Enter the one that the app shows now.";

/// Uses what the user typed; `None` if it is wrong or used.
fn prove(tx: &mut Tx<'_>, user_id: &UserId, typed: &str) -> Result<Option<Factor>, Error> {
    if totp::is_value(typed) {
        let is_right = authenticator::use_value(tx, user_id, typed)?;
        return Ok(is_right.then_some(Factor::Totp));
    }
    let Some(code) = RecoveryCode::parse(typed) else {
        return Ok(None);
    };
    let is_right = recovery::use_code(tx, user_id, &code)?;
    Ok(is_right.then_some(Factor::RecoveryCode))
}

impl Step {
    fn session_identity(&self) -> Option<SessionIdentity> {
        let begun = self.identity.clone()?;
        Some(SessionIdentity {
            identity: Identity {
                issuer: begun.issuer,
                subject: begun.subject,
            },
            provider_session: begun.provider_session,
            authenticated_at: begun.authenticated_at,
        })
    }
}

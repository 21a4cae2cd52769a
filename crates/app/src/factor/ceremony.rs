//! The ceremonies of passkeys: adding one, and signing in with one. The server stores nothing in
//! between: the challenge is derived from a state that is sealed for the browser.

use crate::identity::state;
use crate::tx::Tx;
use crate::{App, Error, Event, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::audit::{Action, Actor};
use domain::factor::{Factor, Passkey};
use domain::id::UserId;
use domain::secret::{Digest, Secret};
use domain::webauthn::{
    CREATE, Ceremony, GET, PublicKey, Reason, Statement, follows, signed_message,
};
use serde_json::json;
use std::net::Ipv4Addr;

/// What a page passes to the browser at the beginning of a ceremony.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// The sealed state, sent back by the form.
    pub state: String,
    /// The challenge, in base64url.
    pub challenge: Secret,
    /// The host of the pages, to which passkeys belong.
    pub host: String,
}

/// What a browser sends at the end of a ceremony: texts in base64url.
#[derive(Clone, Default)]
pub struct Response {
    /// The sealed state.
    pub state: String,
    /// The id of the credential.
    pub credential: String,
    /// What the browser states.
    pub client_data: String,
    /// What the authenticator states.
    pub data: String,
    /// Its signature; empty for a new passkey.
    pub signature: String,
    /// The user to whom the authenticator assigned the passkey; empty if it does not say so.
    pub user_handle: String,
}

/// The purpose of a ceremony. A response to one is invalid for another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// A new passkey of this user.
    Add(&'a UserId),
    /// A sign-in with the passkey alone, or the second step of one.
    SignIn,
}

impl Purpose<'_> {
    fn name(self) -> String {
        match self {
            Self::Add(id) => format!("passkey of {id}"),
            Self::SignIn => "sign-in with a passkey".to_owned(),
        }
    }
}

/// Length of what the challenge is derived from, at the beginning of a state.
const SALT_LENGTH: usize = 64;

/// Whether browsers accept passkeys for pages of this server: its host has a name, and the pages are
/// encrypted or on this machine.
pub fn has_passkeys(app: &App) -> bool {
    let url = &app.config().server.public_url;
    let is_address = url.host().starts_with('[') || url.host().parse::<Ipv4Addr>().is_ok();
    !is_address && (url.is_https() || url.is_loopback())
}

/// Begins a sign-in with a passkey; `None` if the server has no passkeys.
pub fn offer_sign_in(app: &App, visitor: &Secret) -> Option<Beginning> {
    has_passkeys(app).then(|| begin(app, visitor, Purpose::SignIn))
}

pub(super) fn begin(app: &App, visitor: &Secret, purpose: Purpose<'_>) -> Beginning {
    let state = state::seal(app, visitor, &purpose.name(), "");
    Beginning {
        challenge: challenge(app, visitor, &state),
        host: app.config().server.public_url.host().to_owned(),
        state,
    }
}

fn challenge(app: &App, visitor: &Secret, state: &str) -> Secret {
    let salt = state.get(..SALT_LENGTH).unwrap_or(state);
    let derived = state::derive(app, visitor, "challenge of a passkey", salt);
    Secret::new(URL_SAFE_NO_PAD.encode(derived))
}

pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// A checked response, without its signature.
pub(super) struct Checked {
    pub(super) statement: Statement,
    /// The digest with which the response is used once.
    pub(super) once: Digest,
    message: Vec<u8>,
}

/// Checks a response to a ceremony of this browser.
pub(super) fn check(
    app: &App,
    visitor: &Secret,
    purpose: Purpose<'_>,
    response: &Response,
) -> Result<Checked, Reason> {
    let state = &response.state;
    state::open(app, visitor, &purpose.name(), state).ok_or("stale_state")?;
    let url = &app.config().server.public_url;
    let ceremony = Ceremony {
        kind: match purpose {
            Purpose::Add(_) => CREATE,
            Purpose::SignIn => GET,
        },
        challenge: &challenge(app, visitor, state),
        origin: url.origin(),
        host: url.host(),
    };
    let client_data = bytes(&response.client_data).ok_or("client_data")?;
    let client = serde_json::from_slice(&client_data).map_err(|_| "client_data")?;
    let data = bytes(&response.data).ok_or("authenticator_data")?;
    Ok(Checked {
        statement: ceremony.check(&client, &data)?,
        once: Secret::new(state.as_str()).digest(),
        message: signed_message(&client_data, &data),
    })
}

/// A passkey with a right signature.
#[derive(Clone)]
pub(super) struct Signed {
    pub(super) passkey: Passkey,
    pub(super) is_user_verified: bool,
    counter: u32,
    once: Digest,
}

/// Checks a response to a sign-in with its signature. The inner error is the reason of a refusal.
pub(super) async fn verify(
    req: &Request,
    visitor: &Secret,
    response: &Response,
) -> Result<Result<Signed, Reason>, Error> {
    let checked = match check(&req.app, visitor, Purpose::SignIn, response) {
        Ok(checked) => checked,
        Err(reason) => return Ok(Err(reason)),
    };
    let credential = response.credential.clone();
    let found = req
        .app
        .store()
        .read_one(move |conn| Ok::<_, Error>(store::passkey::find_passkey(conn, &credential)?))
        .await?;
    let Some(passkey) = found else {
        return Ok(Err("unknown_passkey"));
    };
    let is_of_user = response.user_handle.is_empty()
        || bytes(&response.user_handle).as_deref() == Some(passkey.user_id.as_str().as_bytes());
    if !is_of_user {
        return Ok(Err("wrong_user"));
    }
    let key = hex::decode(&passkey.public_key).ok();
    let key = key.and_then(|key| PublicKey::read(&key));
    let signature = bytes(&response.signature).unwrap_or_default();
    if !key.is_some_and(|key| key.has_signed(&checked.message, &signature)) {
        return Ok(Err("bad_signature"));
    }
    Ok(Ok(Signed {
        passkey,
        is_user_verified: checked.statement.is_user_verified,
        counter: checked.statement.counter,
        once: checked.once,
    }))
}

/// The use of a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It is stored.
    Done,
    /// The response was used, or the passkey was removed.
    Over,
    /// Another device has the same key: its counter is not beyond the stored one.
    Cloned,
}

/// Stores the use of a passkey, once for each response, or the record of a clone. The transaction has
/// locked the user.
pub(super) fn use_signed(tx: &mut Tx<'_>, signed: &Signed) -> Result<Use, Error> {
    let credential = &signed.passkey.credential;
    let found = store::passkey::find_passkey(tx.conn, credential)?;
    let is_same = |found: &Passkey| {
        let of = |passkey: &Passkey| (passkey.id.clone(), passkey.public_key.clone());
        of(found) == of(&signed.passkey)
    };
    let Some(found) = found.filter(is_same) else {
        return Ok(Use::Over);
    };
    let until = tx.now + state::lifetime();
    if !store::identity::use_assertion(tx.conn, &signed.once, until)? {
        tx.needs_no_record();
        return Ok(Use::Over);
    }
    let is_next = follows(found.counter, signed.counter);
    if is_next && store::passkey::update_counter(tx.conn, &found, signed.counter, tx.now)? {
        return Ok(Use::Done);
    }
    let user_id = found.user_id.as_str();
    let detail = json!({
        "factor": Factor::Passkey.as_str(),
        "passkey": found.id.as_str(),
        "counter": signed.counter,
        "stored_counter": found.counter,
    });
    let record = Event {
        actor: Actor::Anonymous,
        ..tx.event(Action::PasskeyCloned)
    };
    record.write(tx.conn, Some(user_id), detail)?;
    Ok(Use::Cloned)
}

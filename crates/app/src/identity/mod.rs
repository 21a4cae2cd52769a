//! Sign-in with identity providers: OpenID Connect, and the hand-off to a page of the company.
//!
//! A provider's user is known by issuer and subject alone. An email address never leads to an
//! existing user: that account has to be proven first, with its password or a session.

mod claims;
mod connect;
mod ended;
mod enter;
mod fetch;
mod hand_off;
mod jose;
mod oidc;
mod pending;
mod refresh;
mod rules;
pub(crate) mod state;

pub use claims::Arrived;
pub(crate) use connect::disconnect_all;
pub use connect::{Connection, Proof, connect, connection, disconnect, list, replace};
pub use ended::{check_due, log_out};
pub use enter::Entered;
pub(crate) use fetch::Providers;
pub use hand_off::keys;
pub use oidc::Returned;

use crate::access::Caller;
use crate::audit::tally::{self, Occurrence};
use crate::{Error, Request, throttle};
use config::{Protocol, Provider};
use domain::audit::Action;
use domain::secret::Secret;
use std::fmt;
use url::Url;

/// The beginning of a sign-in with a provider.
pub struct Start<'a> {
    /// The secret of the browser.
    pub visitor: &'a Secret,
    /// The id of the provider.
    pub provider: &'a str,
    /// The local path to return to.
    pub return_to: &'a str,
    /// What the sign-in is for.
    pub purpose: Purpose,
}

/// What a sign-in with a provider is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To sign in again, for a page that needs a recent sign-in: the provider must ask the user.
    SignInAgain,
    /// To connect the identity with the signed-in user.
    Connect,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::SignIn, Self::SignInAgain, Self::Connect];

    /// Its name in the sealed state.
    fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignInAgain => "again",
            Self::Connect => "connect",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// Why a sign-in with a provider failed.
#[derive(Debug)]
pub enum Failed {
    /// The sign-in took too long, began in another browser, or is over.
    Stale,
    /// The user refused at the provider, or the provider refused the user.
    Denied,
    /// The answer of the provider is not valid; the reason is for the audit log.
    Invalid(&'static str),
    /// The rules of the provider do not admit the user; the reason is for the audit log.
    NotAdmitted(&'static str),
    /// The provider did not confirm that the user has just signed in again.
    NotRecent,
    /// The provider states no email address.
    NoEmail,
    /// The provider cannot be used, or the server failed.
    Error(Error),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::Error(error.into())
    }
}

impl Failed {
    /// Reason code of the refused sign-in; `None` for a failure of the server.
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Stale => Some("stale_state"),
            Self::Denied => Some("denied_by_provider"),
            Self::Invalid(reason) | Self::NotAdmitted(reason) => Some(reason),
            Self::NotRecent => Some("old_sign_in"),
            Self::NoEmail => Some("no_email"),
            Self::Error(Error::Outside(_)) => Some("provider_unavailable"),
            Self::Error(_) => None,
        }
    }
}

/// Purpose of the sealed state of a provider.
fn state_of(provider: &Provider) -> String {
    format!("state of {}", provider.id)
}

/// The enabled provider with this id. Fails with [`Error::NotFound`].
fn find<'a>(req: &'a Request, id: &str) -> Result<&'a Provider, Error> {
    req.app.config().sign_in.provider(id).ok_or(Error::NotFound)
}

/// The address at a provider where a sign-in begins. Fails with [`Error::NotFound`] for an unknown or
/// disabled provider, and with [`Error::Outside`] if the provider does not answer.
pub async fn start(req: &Request, start: &Start<'_>) -> Result<Url, Failed> {
    let provider = find(req, start.provider)?;
    let text = format!("{} {}", start.purpose.as_str(), start.return_to);
    let sealed = state::seal(&req.app, start.visitor, &state_of(provider), &text);
    let address = match &provider.protocol {
        Protocol::Oidc(oidc) => oidc::address(&req.app, (provider, oidc), start, &sealed).await,
        Protocol::HandOff(hand_off) => {
            hand_off::address(&req.app, (provider, hand_off), start, &sealed)
        }
    };
    address.map_err(|error| note(req, error.into()))
}

/// The end of a sign-in: a provider sent the browser back.
pub async fn finish(
    req: &Request,
    visitor: &Secret,
    provider: &str,
    returned: &Returned,
) -> Result<Entered, Failed> {
    let finished = arrive(req, visitor, provider, returned).await;
    finished.map_err(|failed| note(req, failed))
}

async fn arrive(
    req: &Request,
    visitor: &Secret,
    provider: &str,
    returned: &Returned,
) -> Result<Entered, Failed> {
    let provider = find(req, provider)?;
    let opened = state::open(&req.app, visitor, &state_of(provider), &returned.state);
    let (opened, began_at) = opened.ok_or(Failed::Stale)?;
    let (purpose, return_to) = opened.split_once(' ').ok_or(Failed::Stale)?;
    let purpose = Purpose::parse(purpose).ok_or(Failed::Stale)?;
    if returned.error.is_some() {
        return Err(Failed::Denied);
    }
    let counted = throttle::provider_answer(req.context.source());
    throttle::count(&req.app, &counted).await?;
    let (arrived, once) = match &provider.protocol {
        Protocol::Oidc(oidc) => {
            let of = (provider, oidc);
            (oidc::arrive(&req.app, of, visitor, returned).await?, None)
        }
        Protocol::HandOff(hand_off) => {
            let of = (provider, hand_off);
            let (arrived, once) = hand_off::arrive(&req.app, of, visitor, returned).await?;
            (arrived, Some(once))
        }
    };
    throttle::undo(&req.app, &counted).await?;
    if purpose == Purpose::SignInAgain && !arrived.has_signed_in_since(began_at) {
        return Err(Failed::NotRecent);
    }
    let entry = pending::Entry {
        arrived,
        return_to: return_to.to_owned(),
        connects: purpose == Purpose::Connect,
        replaces: false,
        once,
    };
    enter::enter(req, visitor, entry).await
}

/// Counts a failed sign-in for the audit log, and logs faults that the operator can fix.
fn note(req: &Request, failed: Failed) -> Failed {
    if let Failed::Error(error @ Error::Outside(_)) = &failed {
        let request_id = &*req.context.request_id;
        tracing::warn!(
            request_id,
            ?error,
            "a sign-in with an identity provider failed"
        );
    }
    if let Some(reason) = failed.reason() {
        let actor = Caller::Anonymous.actor();
        let refused = Occurrence::new(Action::SignInFailed, reason, actor);
        tally::note(&req.app, &req.context, refused);
    }
    failed
}

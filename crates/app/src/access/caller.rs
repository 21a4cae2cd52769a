//! The caller of a use case and its current permissions. Use cases check permissions through
//! [`Tx`](crate::tx::Tx), in their own transaction.

use super::authority::{Authority, Denial};
use super::facts::{self, ActiveToken};
use super::owner;
use crate::session::SignedIn;
use crate::{App, Error};
use domain::Instant;
use domain::audit::Actor;
use domain::decision::{Facts, TokenStatus, Unnamed};
use domain::id::{TokenId, UserId};
use domain::token::{Limits, TokenOwner};
use store::Conn;

/// The caller of a use case.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A user in a browser, with all permissions of their roles.
    User(Box<SignedIn>),
    /// A token.
    Token(Box<ActiveToken>),
    /// The operator, acting for a user if it names one. It passes every check.
    Operator(Option<UserId>),
    /// A user whom the operator marked, in the operator console. It passes every check of the
    /// operator, as long as [`console`](super::console) admits the user.
    Console(Box<SignedIn>),
    /// A registered client on its own behalf, by its id.
    Client(String),
    /// An unauthenticated caller.
    Anonymous,
    /// The server itself.
    System,
}

impl Caller {
    /// The caller as an audit log actor.
    pub fn actor(&self) -> Actor {
        match self {
            Self::User(signed_in) => signed_in.actor(),
            Self::Token(active) => Actor::Token(active.token.id.clone(), self.user_id().cloned()),
            Self::Operator(None) => Actor::Operator,
            Self::Operator(Some(id)) => Actor::OperatorFor(id.clone()),
            Self::Console(signed_in) => Actor::OperatorInBrowser(signed_in.user.id.clone()),
            Self::Client(id) => Actor::Client(id.clone()),
            Self::Anonymous => Actor::Anonymous,
            Self::System => Actor::System,
        }
    }

    /// The user in a browser. Fails with [`Error::Unauthenticated`] for any other caller.
    pub fn signed_in(&self) -> Result<&SignedIn, Error> {
        match self {
            Self::User(signed_in) => Ok(signed_in),
            _ => Err(Error::Unauthenticated),
        }
    }

    /// The creator stored with a resource: the user behind the caller if there is one.
    pub fn maker(&self) -> String {
        match self {
            Self::Operator(_) | Self::Console(_) => Actor::Operator.label().to_owned(),
            caller => match caller.user_id() {
                Some(id) => id.to_string(),
                None => caller.actor().label().to_owned(),
            },
        }
    }

    /// Key for per-caller data, such as idempotency records.
    pub fn identity(&self) -> String {
        match self {
            Self::User(signed_in) => signed_in.user.id.to_string(),
            Self::Token(active) => active.token.id.to_string(),
            Self::Operator(None) => "operator".to_owned(),
            Self::Operator(Some(id)) => format!("operator {id}"),
            Self::Console(signed_in) => format!("operator {}", signed_in.user.id),
            Self::Client(id) => format!("client {id}"),
            Self::Anonymous | Self::System => self.actor().label().to_owned(),
        }
    }

    /// The user that the caller is or acts for.
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::User(signed_in) | Self::Console(signed_in) => Some(&signed_in.user.id),
            Self::Token(active) => match &active.token.owner {
                TokenOwner::User(id) => Some(id),
                TokenOwner::Organization(_) => None,
            },
            Self::Operator(id) => id.as_ref(),
            Self::Client(_) | Self::Anonymous | Self::System => None,
        }
    }

    /// The id of the calling token.
    pub fn token_id(&self) -> Option<&TokenId> {
        match self {
            Self::Token(active) => Some(&active.token.id),
            _ => None,
        }
    }

    /// When the user behind the caller last proved who they are, if that is known.
    pub(crate) fn confirmed_at(&self) -> Option<Instant> {
        match self {
            Self::User(signed_in) => signed_in.session.authenticated_at(),
            Self::Token(active) => active.token.confirmed_at,
            _ => None,
        }
    }

    /// The client that the caller's token was issued to.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Token(active) => active.token.client_id.as_deref(),
            _ => None,
        }
    }

    /// The owner of the caller's own tokens. Fails with [`Error::ActorRequired`] for an operator
    /// without an actor, and with [`Error::Unauthenticated`] for a caller without tokens.
    pub fn owner(&self) -> Result<TokenOwner, Error> {
        match self {
            Self::Token(active) => Ok(active.token.owner.clone()),
            Self::User(_) | Self::Operator(_) | Self::Console(_) => match self.user_id() {
                Some(id) => Ok(TokenOwner::User(id.clone())),
                None => Err(Error::ActorRequired),
            },
            Self::Client(_) | Self::Anonymous | Self::System => Err(Error::Unauthenticated),
        }
    }

    /// Whether the caller is the operator.
    pub(crate) fn is_operator(&self) -> bool {
        matches!(self, Self::Operator(_) | Self::Console(_))
    }

    /// Fails unless the caller is the operator.
    pub fn require_operator(&self) -> Result<(), Error> {
        match self.is_operator() {
            true => Ok(()),
            false => Err(Denial::OperatorRequired.into()),
        }
    }

    /// The caller's current permissions. Locks nothing. Fails with [`Error::Unauthenticated`] for a
    /// caller that has none.
    pub(crate) fn authority(&self, app: &App, conn: &mut Conn) -> Result<Authority, Error> {
        let facts = match self {
            // The transaction has checked the user of the console.
            Self::Operator(None) | Self::Console(_) => None,
            Self::Operator(Some(id)) => {
                owner::find_owner(app, conn, id)?.ok_or(Error::ActorUnknown)?;
                None
            }
            Self::User(signed_in) => {
                let owner = owner::find_owner(app, conn, &signed_in.user.id)?
                    .ok_or(Error::Unauthenticated)?;
                Some(Facts {
                    token: TokenStatus::Active,
                    owner: TokenStatus::Active,
                    scopes: app.config().scopes.session(),
                    limits: Limits::default(),
                    org_access: owner.as_user(),
                    // The user's own resources need no organization.
                    unnamed: Unnamed::NeedsNone,
                })
            }
            Self::Token(active) => {
                let again = facts::load_by_id(app, conn, &active.token.id)?;
                Some(again.ok_or(Error::Unauthenticated)?)
            }
            Self::Client(_) | Self::Anonymous | Self::System => {
                return Err(Error::Unauthenticated);
            }
        };
        Ok(Authority {
            app: app.clone(),
            facts,
        })
    }
}

/// Fails if the user that the operator acts for is unknown or deactivated.
pub async fn check_actor(app: &App, caller: &Caller) -> Result<(), Error> {
    let (handle, caller) = (app.clone(), caller.clone());
    app.store()
        .read(move |conn| caller.authority(&handle, conn).map(drop))
        .await
}

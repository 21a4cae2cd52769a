//! Tokens that somebody presents: whether they can be used, and what they may do at this
//! moment.

use super::checked::{CheckedToken, end, org_access};
use super::{LoadedOwner, find_loaded_owner};
use crate::audit::uses::{self, Purpose};
use crate::client::{self, Credentials};
use crate::{App, Context, Error, OAuthError, throttle};
use domain::Instant;
use domain::client::{Client, Credential, Standing};
use domain::decision::{self, AccessRequest, Facts, ResourceRef, TokenStatus};
use domain::org::Membership;
use domain::policy::PolicyDecision;
use domain::scope::ScopeSet;
use domain::secret::Secret;
use domain::token::{self, State, Token};
use store::Conn;

/// What every token may do that may do anything at all.
const ANY_ACCESS: AccessRequest<'_> = AccessRequest {
    scope: None,
    resource: &ResourceRef::Any,
};

/// A token that can be used, and what it may do at this moment.
#[derive(Debug, Clone)]
pub struct ActiveToken {
    /// The token.
    pub token: Token,
    /// What it may do: what it was granted and its owner's role still allows.
    pub scopes: ScopeSet,
    /// Whom it acts for.
    pub loaded_owner: LoadedOwner,
    /// What decisions about it depend on.
    pub facts: Facts,
}

impl ActiveToken {
    /// When it ends, by itself or with its graces; `None` if never.
    pub fn ends_at(&self) -> Option<Instant> {
        end(&self.token, self.policy_decision())
    }

    /// The token with what the policies say of it.
    pub fn checked(&self) -> CheckedToken {
        CheckedToken {
            token: self.token.clone(),
            policy_decision: self.policy_decision(),
        }
    }

    fn policy_decision(&self) -> PolicyDecision {
        decision::policy_decision(&self.facts.limits, &self.facts.org_access)
    }

    /// The memberships of its owner, if a person, in the organizations that it reaches.
    pub fn memberships(&self) -> impl Iterator<Item = &Membership> {
        let all = match &self.loaded_owner {
            LoadedOwner::User(owner) => owner.memberships.as_slice(),
            LoadedOwner::Organization(_) => &[],
        };
        all.iter().filter(|membership| {
            decision::reach(&self.facts)
                .any(|org_access| org_access.organization_id == membership.organization.id)
        })
    }
}

/// A token with everything that decisions about it depend on. It may be dead.
pub(crate) struct Loaded {
    pub(crate) token: Token,
    pub(crate) facts: Facts,
    loaded_owner: Option<LoadedOwner>,
}

/// Whether the client that a token was issued to may act; a token that a person made in the
/// console has none.
fn is_client_active(conn: &mut Conn, token: &Token) -> Result<bool, Error> {
    let Some(id) = &token.client_id else {
        return Ok(true);
    };
    let client = store::client::find_client(conn, id)?;
    Ok(client.is_some_and(|client| client.standing == Standing::Active))
}

/// Loads what decisions about a token depend on.
pub(crate) fn load(app: &App, conn: &mut Conn, token: Token) -> Result<Loaded, Error> {
    let now = app.now();
    let is_live = token.state(now) == State::Live && is_client_active(conn, &token)?;
    let loaded_owner = find_loaded_owner(conn, &token.owner)?;
    let org_access = match &loaded_owner {
        Some(loaded_owner) => org_access(conn, loaded_owner, std::slice::from_ref(&token), now)?,
        None => Vec::new(),
    };
    let status_if = |is_active| match is_active {
        true => TokenStatus::Active,
        false => TokenStatus::Inactive,
    };
    Ok(Loaded {
        facts: Facts {
            token: status_if(is_live),
            owner: status_if(loaded_owner.is_some()),
            scopes: token.scopes.clone(),
            limits: token.limits.clone(),
            org_access: org_access.into_iter().flatten().collect(),
        },
        token,
        loaded_owner,
    })
}

/// A token that cannot be used any more.
pub(crate) struct InactiveToken {
    pub(crate) token: Box<Token>,
    /// Why, as the record of its uses says.
    pub(crate) why: &'static str,
}

impl Loaded {
    /// The token, if it can be used.
    pub(crate) fn active(self, app: &App) -> Result<ActiveToken, InactiveToken> {
        self.active_at(app, &ResourceRef::Any)
    }

    /// The token with what it may do in a place, if it can be used.
    pub(crate) fn active_at(
        self,
        app: &App,
        resource: &ResourceRef,
    ) -> Result<ActiveToken, InactiveToken> {
        let (TokenStatus::Active, Some(loaded_owner)) = (self.facts.token, self.loaded_owner)
        else {
            let why = match (self.facts.token, self.token.state(app.now())) {
                (TokenStatus::Active, _) => "owner_inactive",
                (TokenStatus::Inactive, State::Revoked) => "revoked",
                (TokenStatus::Inactive, State::Expired) => "expired",
                (TokenStatus::Inactive, State::Live) => "client_inactive",
            };
            return Err(InactiveToken {
                token: Box::new(self.token),
                why,
            });
        };
        Ok(ActiveToken {
            scopes: decision::scopes_at(&self.facts, &app.config().scopes, resource),
            token: self.token,
            facts: self.facts,
            loaded_owner,
        })
    }
}

/// What a look-up of a token's text found.
pub(crate) enum Found<T> {
    /// It has not the form of a token of this deployment: no look-up was made.
    Malformed,
    /// It has the form, but nobody issued it.
    Unknown,
    /// It was issued; what was made of it.
    Token(T),
}

/// Looks a token's text up, and makes something of it in the same transaction.
pub(crate) async fn look_up<T: Send + 'static>(
    app: &App,
    text: &Secret,
    work: impl Fn(&mut Conn, Loaded) -> Result<T, Error> + Send + 'static,
) -> Result<Found<T>, Error> {
    if !token::is_well_formed(app.config().tokens.prefix.as_str(), text.expose()) {
        return Ok(Found::Malformed);
    }
    let (digest, handle) = (text.digest(), app.clone());
    app.store()
        .read(move |conn| {
            let Some(token) = store::token::find_token_by_digest(conn, &digest)? else {
                return Ok(Found::Unknown);
            };
            let loaded = load(&handle, conn, token)?;
            work(conn, loaded).map(Found::Token)
        })
        .await
}

/// Looks up a token that may do something, somewhere. Notes the use of one that may not.
async fn look_up_active(
    app: &App,
    context: &Context,
    text: &Secret,
) -> Result<Found<Option<ActiveToken>>, Error> {
    let handle = app.clone();
    let found = look_up(app, text, move |_, loaded| Ok(loaded.active(&handle))).await?;
    Ok(match found {
        Found::Malformed => Found::Malformed,
        Found::Unknown => Found::Unknown,
        Found::Token(Err(inactive)) => {
            uses::note(
                app,
                context,
                &*inactive.token,
                inactive.why,
                Purpose::default(),
            );
            Found::Token(None)
        }
        Found::Token(Ok(active)) => Found::Token(Some(active)),
    })
}

/// The token of a request to our own API; `None` if nobody issued it. Fails with
/// [`Error::Unauthenticated`] for every other that cannot be used, without telling why, and with
/// [`Error::Forbidden`] for one that may do nothing anywhere.
pub async fn authenticate(
    app: &App,
    context: &Context,
    text: &Secret,
) -> Result<Option<ActiveToken>, Error> {
    match look_up_active(app, context, text).await? {
        Found::Token(Some(active)) => {
            require_allowed(app, context, &active)?;
            app.uses().note(&active.token, app.now(), context.source());
            Ok(Some(active))
        }
        Found::Token(None) => Err(Error::Unauthenticated),
        Found::Malformed | Found::Unknown => Ok(None),
    }
}

/// Refuses a token that no organization admits, and notes its use.
fn require_allowed(app: &App, context: &Context, active: &ActiveToken) -> Result<(), Error> {
    decision::decide(&active.facts, ANY_ACCESS)
        .map(drop)
        .map_err(|refusal| {
            let denied = Error::from(refusal);
            let (why, purpose) = (denied.code(), Purpose::default());
            uses::note(app, context, &active.token, why, purpose);
            denied
        })
}

/// Who may introspect (RFC 7662 section 2.1).
pub enum Introspector {
    /// A confidential client.
    Client(Client),
    /// The operator.
    Operator,
}

/// A confidential client that may introspect. A public one cannot prove who it is.
pub async fn introspector(
    app: &App,
    context: &Context,
    credentials: &Credentials,
) -> Result<Introspector, Error> {
    let client = client::authenticate(app, context, credentials).await?;
    match client.credential {
        Credential::Confidential(_) => Ok(Introspector::Client(client)),
        Credential::Public => Err(Error::OAuth(
            OAuthError::InvalidClient,
            "Introspection needs a client with a secret, or the operator token.",
        )),
    }
}

/// What a token may do now (RFC 7662); `None` for everything that is not an active token.
/// Guesses at tokens are counted for each caller.
pub async fn introspect(
    app: &App,
    context: &Context,
    caller: &Introspector,
    text: &Secret,
) -> Result<Option<ActiveToken>, Error> {
    match look_up_active(app, context, text).await? {
        Found::Token(active) => {
            // What may do nothing anywhere is as good as dead to whoever only introspects.
            let active = active.filter(|active| require_allowed(app, context, active).is_ok());
            if let Some(active) = &active {
                app.uses().note(&active.token, app.now(), context.source());
                uses::note(
                    app,
                    context,
                    &active.token,
                    uses::ALLOWED,
                    Purpose::default(),
                );
            }
            Ok(active)
        }
        Found::Unknown => {
            let client_id = match caller {
                Introspector::Client(client) => Some(client.id.as_str()),
                Introspector::Operator => None,
            };
            throttle::count(app, &throttle::unknown_token(client_id)).await?;
            Ok(None)
        }
        Found::Malformed => Ok(None),
    }
}

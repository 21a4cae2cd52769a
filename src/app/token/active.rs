//! Tokens that somebody presents: whether they can be used, and what they may do at this
//! moment.

use super::{OwnerStanding, find_owner};
use crate::app::client::{self, Credentials};
use crate::app::{App, Context, Error, OAuthError, throttle};
use crate::domain::Instant;
use crate::domain::client::{Client, Credential, Standing};
use crate::domain::decision::{self, Demand, Facts, ORGANIZATION_ROLE, Place, Seat, Vitality};
use crate::domain::org::{Membership, Organization};
use crate::domain::policy::{Admission, Bearer, Life};
use crate::domain::scope::ScopeSet;
use crate::domain::secret::Secret;
use crate::domain::token::{self, Owner, State, Token};
use crate::store::{self, Conn};

/// A token that can be used, and what it may do at this moment.
#[derive(Debug, Clone)]
pub struct ActiveToken {
    /// The token.
    pub token: Token,
    /// What it may do: what it was granted and its owner's role still allows.
    pub scopes: ScopeSet,
    /// Whom it acts for.
    pub holder: Holder,
    /// What decisions about it depend on.
    pub facts: Facts,
}

impl ActiveToken {
    /// The memberships of its owner, if a person, in the organizations that it reaches.
    pub fn memberships(&self) -> impl Iterator<Item = &Membership> {
        let all = match &self.holder {
            Holder::Person(owner) => owner.memberships.as_slice(),
            Holder::Organization(_) => &[],
        };
        all.iter().filter(|membership| {
            decision::reach(&self.facts)
                .any(|seat| seat.organization_id == membership.organization.id)
        })
    }
}

/// Whom a token acts for.
#[derive(Debug, Clone)]
pub enum Holder {
    /// A person.
    Person(OwnerStanding),
    /// An organization.
    Organization(Organization),
}

/// A token with everything that decisions about it depend on. It may be dead.
pub(in crate::app) struct Loaded {
    pub(in crate::app) token: Token,
    pub(in crate::app) facts: Facts,
    holder: Option<Holder>,
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
pub(in crate::app) fn load(app: &App, conn: &mut Conn, token: Token) -> Result<Loaded, Error> {
    let now = app.now();
    let is_live = token.state(now) == State::Live && is_client_active(conn, &token)?;
    let holder = match &token.owner {
        Owner::Account(id) => find_owner(conn, id)?.map(Holder::Person),
        Owner::Organization(id) => {
            store::org::find_organization(conn, id)?.map(Holder::Organization)
        }
    };
    let seats = match &holder {
        Some(holder) => seats(conn, &token, holder, now)?,
        None => Vec::new(),
    };
    let alive = |is_alive| match is_alive {
        true => Vitality::Alive,
        false => Vitality::Dead,
    };
    Ok(Loaded {
        facts: Facts {
            token: alive(is_live),
            owner: alive(holder.is_some()),
            scopes: token.scopes.clone(),
            limits: token.limits.clone(),
            seats,
        },
        token,
        holder,
    })
}

/// The organizations from which a token could act, and whether they admit it.
fn seats(
    conn: &mut Conn,
    token: &Token,
    holder: &Holder,
    now: Instant,
) -> Result<Vec<Seat>, Error> {
    let life = Life::of(token);
    let mut seats: Vec<Seat> = match holder {
        Holder::Person(owner) => owner.seats(life),
        Holder::Organization(organization) => vec![Seat {
            organization_id: organization.id.clone(),
            role: ORGANIZATION_ROLE,
            admission: organization
                .policy
                .admit(organization.plan, Bearer::Organization, life),
        }],
    };
    // Graces are rare: they are looked for only where a policy does not admit the token.
    if seats.iter().any(|seat| seat.admission.is_err()) {
        let graces = store::policy::list_graces(conn, &token.id, now)?;
        for seat in &mut seats {
            if graces.contains(&seat.organization_id) {
                seat.admission = Admission::Ok(());
            }
        }
    }
    Ok(seats)
}

impl Loaded {
    /// The token, if it can be used.
    pub(in crate::app) fn active(self, app: &App) -> Option<ActiveToken> {
        self.active_at(app, &Place::Anywhere)
    }

    /// The token with what it may do in a place, if it can be used.
    pub(in crate::app) fn active_at(self, app: &App, place: &Place) -> Option<ActiveToken> {
        let is_alive = self.facts.token == Vitality::Alive && self.facts.owner == Vitality::Alive;
        let holder = self.holder.filter(|_| is_alive)?;
        Some(ActiveToken {
            scopes: decision::scopes_at(&self.facts, &app.config().scopes, place),
            token: self.token,
            facts: self.facts,
            holder,
        })
    }
}

/// What a look-up of a token's text found.
pub(in crate::app) enum Found<T> {
    /// It has not the form of a token of this deployment: no look-up was made.
    Malformed,
    /// It has the form, but nobody issued it.
    Unknown,
    /// It was issued; what was made of it.
    Token(T),
}

/// Looks a token's text up, and makes something of it in the same transaction.
pub(in crate::app) async fn look_up<T: Send + 'static>(
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

async fn look_up_active(app: &App, text: &Secret) -> Result<Found<Option<ActiveToken>>, Error> {
    let handle = app.clone();
    look_up(app, text, move |_, loaded| Ok(loaded.active(&handle))).await
}

/// The token of a request to our own API. Fails with [`Error::Unauthenticated`] for every
/// token that cannot be used, without telling why.
pub async fn authenticate(
    app: &App,
    context: &Context,
    text: &Secret,
) -> Result<ActiveToken, Error> {
    match look_up_active(app, text).await? {
        Found::Token(Some(active)) => {
            app.uses().note(&active.token, app.now(), context.source());
            Ok(active)
        }
        _ => Err(Error::Unauthenticated),
    }
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
    match look_up_active(app, text).await? {
        Found::Token(active) => {
            // What may do nothing anywhere is as good as dead to whoever only introspects.
            let anything = Demand {
                scope: None,
                place: &Place::Anywhere,
            };
            let active = active.filter(|active| decision::decide(&active.facts, anything).is_ok());
            if let Some(active) = &active {
                app.uses().note(&active.token, app.now(), context.source());
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

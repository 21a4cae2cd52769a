//! Tokens with the facts that decisions about them depend on.

use super::named::{Named, find_named};
use super::owner::{LoadedOwner, earlier, find_loaded_owner};
use crate::tx::Tx;
use crate::{App, Error};
use domain::Instant;
use domain::decision::{self, Facts, OrgAccess, ResourceRef, TokenStatus, Unnamed};
use domain::id::TokenId;
use domain::org::Membership;
use domain::policy::{Life, OwnerKind, PolicyDecision, Violation};
use domain::scope::ScopeSet;
use domain::secret::{Digest, Secret};
use domain::token::{self, State, Token, TokenOwner};
use store::Conn;
use store::token_facts::{self, TokenFacts};

/// An active token with its current permissions.
#[derive(Debug, Clone)]
pub struct ActiveToken {
    /// The token.
    pub token: Token,
    /// Its effective scopes: those granted that its owner's role still allows.
    pub scopes: ScopeSet,
    /// The owner.
    pub loaded_owner: LoadedOwner,
    /// The facts that decisions about it depend on.
    pub facts: Facts,
}

impl ActiveToken {
    /// The end by expiry or by grace; `None` if it has none.
    pub fn ends_at(&self) -> Option<Instant> {
        end(&self.token, self.policy_decision())
    }

    /// The token with its policy decision.
    pub fn checked(&self) -> CheckedToken {
        CheckedToken {
            token: self.token.clone(),
            policy_decision: self.policy_decision(),
        }
    }

    fn policy_decision(&self) -> PolicyDecision {
        decision::policy_decision(&self.facts.limits, &self.facts.org_access)
    }

    /// The owning user's memberships in organizations that the token can access.
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

/// A token with the facts that decisions about it depend on. It may be inactive.
pub(crate) struct Loaded {
    pub(crate) token: Token,
    pub(crate) facts: Facts,
    loaded_owner: Option<LoadedOwner>,
}

/// Loads the facts that decisions about a token depend on. `None` if that takes another statement
/// than the one that found the token, and there is no snapshot for it.
fn load(
    app: &App,
    found: TokenFacts,
    snapshot: Option<&mut Conn>,
) -> Result<Option<Loaded>, Error> {
    let TokenFacts {
        token,
        is_client_active,
        owner,
    } = found;
    let is_live = is_client_active && token.state(app.now()) == State::Live;
    let loaded_owner = LoadedOwner::of(app, owner)?;
    let mut org_access = match &loaded_owner {
        Some(loaded_owner) => org_access(app, loaded_owner, std::slice::from_ref(&token)),
        None => Vec::new(),
    };
    if let Some(loaded_owner) = &loaded_owner
        && org_access.iter().any(is_refused)
    {
        let Some(conn) = snapshot else {
            return Ok(None);
        };
        add_graces(app, conn, loaded_owner, &mut org_access)?;
    }
    let org_access = with_blocks(org_access);
    let status_if = |is_active| match is_active {
        true => TokenStatus::Active,
        false => TokenStatus::Inactive,
    };
    Ok(Some(Loaded {
        facts: Facts {
            token: status_if(is_live),
            owner: status_if(loaded_owner.is_some()),
            scopes: token.scopes.clone(),
            limits: token.limits.clone(),
            org_access: org_access.into_iter().flatten().collect(),
            unnamed: match &loaded_owner {
                Some(loaded_owner) => loaded_owner.unnamed(app),
                None => Unnamed::NeedsOrganization,
            },
        },
        token,
        loaded_owner,
    }))
}

/// The current facts about a token, in the snapshot or transaction of the caller.
pub(super) fn load_by_id(app: &App, conn: &mut Conn, id: &TokenId) -> Result<Option<Facts>, Error> {
    let Some(found) = token_facts::find_by_id(conn, id)? else {
        return Ok(None);
    };
    Ok(load(app, found, Some(conn))?.map(|loaded| loaded.facts))
}

/// A token that cannot be used any more.
pub(crate) struct InactiveToken {
    pub(crate) token: Box<Token>,
    /// The reason code for the record of its uses.
    pub(crate) why: &'static str,
}

impl Loaded {
    /// The token with its scopes for a resource, if it is active.
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

/// Result of a token lookup.
pub(crate) enum Found {
    /// The text does not have this server's token format; no lookup was made.
    Malformed,
    /// The text is well-formed, but no such token was issued.
    Unknown,
    /// The token was issued. The resource is the one that the request is about.
    Token(Box<Loaded>, ResourceRef),
}

/// The resource that a request is about.
#[derive(Clone)]
pub(crate) enum Wanted {
    /// The owner's own resources in Doorcode.
    Own,
    /// The resource that a request names, if any.
    Named(Option<Named>),
}

/// Looks up a token by its text, and the resource that the request is about, in one snapshot.
/// Usually that is a single statement.
pub(crate) async fn look_up(app: &App, text: &Secret, wanted: Wanted) -> Result<Found, Error> {
    if !token::is_well_formed(app.config().tokens.prefix.as_str(), text.expose()) {
        return Ok(Found::Malformed);
    }
    let digest = text.digest();
    let resource = match wanted {
        Wanted::Named(Some(_)) => None,
        Wanted::Named(None) => Some(ResourceRef::Any),
        Wanted::Own => Some(ResourceRef::Own),
    };
    if let Some(resource) = resource {
        let Some(found) = app.store().find::<TokenFacts>(digest.clone()).await? else {
            return Ok(Found::Unknown);
        };
        if let Some(loaded) = load(app, found, None)? {
            return Ok(Found::Token(Box::new(loaded), resource));
        }
    }
    // In memory of its own: the usual look-up does not need it.
    Box::pin(look_up_in_snapshot(app, digest, wanted)).await
}

async fn look_up_in_snapshot(app: &App, digest: Digest, wanted: Wanted) -> Result<Found, Error> {
    let handle = app.clone();
    let read = move |conn: &mut Conn| {
        let Some(found) = token_facts::find_by_digest(conn, &digest)? else {
            return Ok(Found::Unknown);
        };
        let resource = match &wanted {
            Wanted::Own => ResourceRef::Own,
            Wanted::Named(named) => find_named(conn, &found.token, named.as_ref())?,
        };
        let loaded = load(&handle, found, Some(conn))?;
        let loaded = loaded.ok_or_else(|| Error::internal("a snapshot was not used"))?;
        Ok(Found::Token(Box::new(loaded), resource))
    };
    app.store().read(read).await
}

/// A token with its policy decision.
#[derive(Debug, Clone)]
pub struct CheckedToken {
    /// The token.
    pub token: Token,
    /// The policy decision; `Ok(None)` for an inactive token.
    pub policy_decision: PolicyDecision,
}

impl CheckedToken {
    /// A new token, which was checked against the policies at its creation.
    pub fn new(token: Token) -> Self {
        Self {
            token,
            policy_decision: Ok(None),
        }
    }

    /// The end by expiry or by grace; `None` if it has none.
    pub fn ends_at(&self) -> Option<Instant> {
        end(&self.token, self.policy_decision)
    }
}

fn end(token: &Token, policy_decision: PolicyDecision) -> Option<Instant> {
    earlier(token.expires_at, policy_decision.ok().flatten())
}

/// Adds the policy decisions to tokens of one owner.
pub(crate) fn check_policy(
    tx: &mut Tx<'_>,
    owner: &TokenOwner,
    tokens: Vec<Token>,
) -> Result<Vec<CheckedToken>, Error> {
    let now = tx.now;
    let Some(loaded_owner) = find_loaded_owner(tx.app(), tx.conn, owner)? else {
        return Ok(tokens.into_iter().map(CheckedToken::new).collect());
    };
    let mut found = org_access(tx.app(), &loaded_owner, &tokens);
    if found.iter().any(is_refused) {
        add_graces(tx.app(), tx.conn, &loaded_owner, &mut found)?;
    }
    let org_access = with_blocks(found);
    let checked = tokens
        .into_iter()
        .zip(org_access)
        .map(|(token, org_access)| CheckedToken {
            policy_decision: match token.state(now) {
                State::Live => decision::policy_decision(&token.limits, &org_access),
                State::Expired | State::Revoked => Ok(None),
            },
            token,
        });
    Ok(checked.collect())
}

/// A token with its organization access.
type TokenAccess<'a> = (&'a Token, Vec<OrgAccess>);

/// For each token of an owner, its organization access by the policies alone.
fn org_access<'a>(
    app: &App,
    loaded_owner: &LoadedOwner,
    tokens: &'a [Token],
) -> Vec<TokenAccess<'a>> {
    tokens
        .iter()
        .map(|token| (token, loaded_owner.org_access(app, token)))
        .collect()
}

/// Whether a policy refuses a token, so that its graces count. They are rare.
fn is_refused((_, org_access): &TokenAccess<'_>) -> bool {
    org_access
        .iter()
        .any(|org_access| org_access.policy_decision.is_err())
}

/// Adds the graces of tokens that a policy refuses.
fn add_graces(
    app: &App,
    conn: &mut Conn,
    loaded_owner: &LoadedOwner,
    found: &mut [TokenAccess<'_>],
) -> Result<(), Error> {
    let (now, gated) = (app.now(), app.config().organizations.plan_needed_for);
    let refused = found.iter().filter(|one| is_refused(one));
    let refused: Vec<_> = refused.map(|(token, _)| &token.id).collect();
    let graces = store::policy::list_graces(conn, &refused, now)?;
    for (token, org_access) in found {
        for org_access in org_access
            .iter_mut()
            .filter(|org_access| org_access.policy_decision.is_err())
        {
            let key = (token.id.clone(), org_access.organization_id.clone());
            let role = match loaded_owner {
                LoadedOwner::User(_) => Some(org_access.role),
                LoadedOwner::Organization(_) => None,
            };
            let owner_kind = OwnerKind::of(token, role);
            if let Some(grace) = graces.get(&key)
                && grace.check(gated, owner_kind, Life::of(token)).is_ok()
            {
                org_access.policy_decision = Ok(Some(grace.ends_at));
            }
        }
    }
    Ok(())
}

/// The organization access of each token, which the organizations that block it refuse.
fn with_blocks(found: Vec<TokenAccess<'_>>) -> Vec<Vec<OrgAccess>> {
    let blocked = found.into_iter().map(|(token, mut org_access)| {
        for org_access in org_access
            .iter_mut()
            .filter(|org_access| token.blocked_in.contains(&org_access.organization_id))
        {
            org_access.policy_decision = Err(Violation::Blocked);
        }
        org_access
    });
    blocked.collect()
}

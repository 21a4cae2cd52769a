//! Tokens with the facts that decisions about them depend on.

use super::owner::{LoadedOwner, earlier, find_loaded_owner};
use crate::tx::Tx;
use crate::{App, Error};
use domain::Instant;
use domain::client::Standing;
use domain::decision::{self, Facts, OrgAccess, ResourceRef, TokenStatus, Unnamed};
use domain::org::Membership;
use domain::policy::{Life, OwnerKind, PolicyDecision, Violation};
use domain::scope::ScopeSet;
use domain::secret::Secret;
use domain::token::{self, State, Token, TokenOwner};
use store::Conn;

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

/// Whether the client that a token was issued to is active. A token created in the console has no
/// client.
fn is_client_active(conn: &mut Conn, token: &Token) -> Result<bool, Error> {
    let Some(id) = &token.client_id else {
        return Ok(true);
    };
    let client = store::client::find_client(conn, id)?;
    Ok(client.is_some_and(|client| client.standing == Standing::Active))
}

/// Loads the facts that decisions about a token depend on.
pub(crate) fn load(app: &App, conn: &mut Conn, token: Token) -> Result<Loaded, Error> {
    let now = app.now();
    let is_live = token.state(now) == State::Live && is_client_active(conn, &token)?;
    let loaded_owner = find_loaded_owner(app, conn, &token.owner)?;
    let org_access = match &loaded_owner {
        Some(loaded_owner) => {
            let found = org_access(app, loaded_owner, std::slice::from_ref(&token));
            with_exceptions(app, conn, loaded_owner, found)?
        }
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
            unnamed: match &loaded_owner {
                Some(loaded_owner) => loaded_owner.unnamed(app),
                None => Unnamed::NeedsOrganization,
            },
        },
        token,
        loaded_owner,
    })
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
pub(crate) enum Found<T> {
    /// The text does not have this server's token format; no lookup was made.
    Malformed,
    /// The text is well-formed, but no such token was issued.
    Unknown,
    /// The token was issued; contains the result of the callback.
    Token(T),
}

/// Looks up a token by its text, and runs `work` on it in the same transaction.
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
    let found = org_access(tx.app(), &loaded_owner, &tokens);
    let org_access = with_exceptions(&tx.app().clone(), tx.conn, &loaded_owner, found)?;
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

/// For each token of an owner, its organization access by the policies alone.
fn org_access<'a>(
    app: &App,
    loaded_owner: &LoadedOwner,
    tokens: &'a [Token],
) -> Vec<(&'a Token, Vec<OrgAccess>)> {
    tokens
        .iter()
        .map(|token| (token, loaded_owner.org_access(app, token)))
        .collect()
}

/// The same with the graces of the tokens, and with the organizations that block them.
fn with_exceptions(
    app: &App,
    conn: &mut Conn,
    loaded_owner: &LoadedOwner,
    mut found: Vec<(&Token, Vec<OrgAccess>)>,
) -> Result<Vec<Vec<OrgAccess>>, Error> {
    let (now, gated) = (app.now(), app.config().organizations.plan_needed_for);
    // Graces are rare: look them up only for tokens that a policy refuses.
    let is_refused = |org_access: &[OrgAccess]| {
        org_access
            .iter()
            .any(|org_access| org_access.policy_decision.is_err())
    };
    let refused: Vec<_> = found
        .iter()
        .filter(|(_, org_access)| is_refused(org_access))
        .map(|(token, _)| &token.id)
        .collect();
    if !refused.is_empty() {
        let graces = store::policy::list_graces(conn, &refused, now)?;
        for (token, org_access) in &mut found {
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
    }
    for (token, org_access) in &mut found {
        for org_access in org_access
            .iter_mut()
            .filter(|org_access| token.blocked_in.contains(&org_access.organization_id))
        {
            org_access.policy_decision = Err(Violation::Blocked);
        }
    }
    Ok(found
        .into_iter()
        .map(|(_, org_access)| org_access)
        .collect())
}

//! Creating tokens.

use super::draw::{draw, insert};
use super::policy_check::PolicyCheck;
use super::{NewToken, OwnerRef, WRITE, ancestors, lock_creator, require_own_scopes, visible};
use crate::access::{Denial, find_organization};
use crate::access::{earlier, end_of};
use crate::tx::Tx;
use crate::{Error, Request, form_nonce};
use domain::audit::Action;
use domain::decision::ORGANIZATION_ROLE;
use domain::id::{OrganizationId, ProjectId, TokenId};
use domain::lineage::LONGEST_LINE;
use domain::project::Access;
use domain::role::Role;
use domain::scope::{ScopeName, ScopeSet};
use domain::token::{self, Limits, Token, TokenOwner};
use domain::{Fault, Instant};
use std::collections::BTreeSet;
use store::Conn;

/// Input of a new token.
#[derive(Debug, Clone, Default)]
pub struct CreateToken {
    /// The name.
    pub name: String,
    /// The scope names.
    pub scopes: Vec<String>,
    /// The expiry: `never`, `30d`, `90d`, `1y`, a date, or `custom` with a separate date; `None`
    /// for the default of the configuration and the policies.
    pub expires: Option<String>,
    /// The date for `custom`.
    pub expires_on: Option<String>,
    /// The organization that it is limited to, by its id or slug.
    pub organization: Option<String>,
    /// The projects that it is limited to, all in one organization; empty for no limit.
    pub projects: Vec<String>,
    /// The nonce from [`form_nonce_for`]; `None` without a form.
    pub form_nonce: Option<String>,
}

/// The fault of a token without scopes, if the configuration demands one.
pub(crate) const SCOPE_REQUIRED: &str = "Choose at least one scope.";

const FORM: &str = "new-token";

/// Nonce for a token form, which contains the id of the future token. Fails with
/// [`Error::Unauthenticated`] unless the caller is a user in a browser.
pub fn form_nonce_for(req: &Request) -> Result<String, Error> {
    let signed_in = req.caller.signed_in()?;
    let id = TokenId::new(req.app.now(), req.app.id_seed());
    Ok(form_nonce::write(&req.app, signed_in, FORM, id.as_str()))
}

/// The token that a form creates, by its nonce.
pub fn token_of_form(req: &Request, input: &CreateToken) -> Option<TokenId> {
    let nonce = input.form_nonce.as_deref()?;
    TokenId::parse(form_nonce::read(&req.app, &req.caller, FORM, nonce)?)
}

/// Creates a token. Its scopes must be in the catalogue and allowed by the creator's role; a
/// token can pass on only its own scopes and limits. Fails with [`Error::Conflict`] if the form
/// nonce was used before.
pub async fn create(
    req: &Request,
    owner_ref: &OwnerRef,
    input: CreateToken,
) -> Result<NewToken, Error> {
    let id_of_form = token_of_form(req, &input);
    let owner_ref = owner_ref.clone();
    req.change(Action::TokenCreated, move |tx| {
        let mut new = draw_checked(tx, &owner_ref, &input)?;
        if let Some(id) = &id_of_form {
            new.token.id = id.clone();
        }
        insert(tx, &new)?;
        Ok(new)
    })
    .await
    .map_err(|error| match error {
        Error::Store(store::Error::Duplicate) => {
            Error::Conflict("This form has already created its token.")
        }
        error => error,
    })
}

/// The new token, or all faults of the input.
fn draw_checked(
    tx: &mut Tx<'_>,
    owner_ref: &OwnerRef,
    input: &CreateToken,
) -> Result<NewToken, Error> {
    let owner = visible(tx, owner_ref, WRITE)?.owner;
    let mut faults = Vec::new();
    let name = tx
        .app()
        .names()
        .check("name", &input.name)
        .unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        });
    let named = NamedLimits {
        organization: input.organization.as_deref(),
        projects: &input.projects,
    };
    let limits = find_limits(tx, &owner, &named, &mut faults)?;
    let policy_check = PolicyCheck::load(tx, &owner, &limits)?;
    let scopes = scopes(tx, &input.scopes, &mut faults);
    if scopes.is_empty() && faults.is_empty() && tx.config().tokens.scope_required {
        faults.push(Fault::new("scope", SCOPE_REQUIRED));
    }
    if tx.config().scopes.allowed(&scopes, policy_check.role) != scopes {
        faults.push(beyond_role(owner_ref, policy_check.role));
    }
    require_own_scopes(tx, &scopes)?;
    // A token expires no later than the one that creates it.
    let creator = lock_creator(tx)?;
    let bound = creator.as_ref().and_then(|creator| creator.expires_at);
    if let Some(creator) = &creator
        && ancestors(tx, creator)?.len() + 1 >= LONGEST_LINE
    {
        return Err(Error::Conflict(
            "The calling token is the last in a line of tokens that created each other. Create the token in the console.",
        ));
    }
    let expires_at = earlier(expiry(tx, input, &policy_check, &mut faults), bound);
    if !faults.is_empty() {
        return Err(Error::Invalid(faults.into()));
    }
    tx.require_recent_sign_in_for(&scopes)?;
    if !limits.is_within(&tx.limits()?) {
        return Err(Denial::BeyondToken.into());
    }
    let NewToken { token, secret } = draw(tx, owner);
    let token = Token {
        name,
        scopes,
        limits,
        expires_at,
        // A block includes what is created with the blocked token.
        blocked_in: creator
            .map(|creator| creator.blocked_in)
            .unwrap_or_default(),
        // A token created through a client must end with that client.
        client_id: tx.caller().client_id().map(str::to_owned),
        ..token
    };
    policy_check.check(&token)?;
    policy_check.bound(&token, &*tx.authority()?)?;
    Ok(NewToken { token, secret })
}

/// The limits of a new token, as the input names them.
pub(crate) struct NamedLimits<'a> {
    /// The organization, by its id or slug.
    pub(crate) organization: Option<&'a str>,
    /// The projects, all in one organization; empty for no limit.
    pub(crate) projects: &'a [String],
}

/// The limits of the new token. A limited token passes its limits on, unless the input has
/// narrower ones.
pub(crate) fn find_limits(
    tx: &mut Tx<'_>,
    owner: &TokenOwner,
    input: &NamedLimits<'_>,
    faults: &mut Vec<Fault>,
) -> Result<Limits, Error> {
    let own = tx.limits()?;
    let mut limits = Limits {
        organization: match input.organization {
            None => own.organization,
            Some(named) => {
                let found = reached_organization(tx.conn, owner, named)?;
                if found.is_none() {
                    faults.push(Fault::new(
                        "organization",
                        "Choose an organization that the token's owner is a member of.",
                    ));
                }
                found
            }
        },
        projects: own.projects,
    };
    if input.projects.is_empty() {
        return Ok(limits);
    }
    let mut ids = BTreeSet::new();
    for named in input.projects {
        match reached_project(tx.conn, owner, named)? {
            Some((id, organization)) => {
                let limit = limits.organization.get_or_insert(organization.clone());
                if *limit != organization {
                    faults.push(Fault::new(
                        "projects",
                        "Choose projects of one organization.",
                    ));
                }
                ids.insert(id);
            }
            None => faults.push(Fault::new(
                "projects",
                "Choose projects that the token's owner can reach.",
            )),
        }
    }
    limits.projects = Some(ids);
    Ok(limits)
}

/// The id of an organization, if the owner is it or is a member of it.
fn reached_organization(
    conn: &mut Conn,
    owner: &TokenOwner,
    named: &str,
) -> Result<Option<OrganizationId>, Error> {
    let Some(found) = find_organization(conn, named)? else {
        return Ok(None);
    };
    let is_of = match owner {
        TokenOwner::Organization(id) => *id == found.id,
        TokenOwner::User(id) => store::org::find_role(conn, &found.id, id)?.is_some(),
    };
    Ok(is_of.then_some(found.id))
}

/// A project that the owner can access, and its organization.
fn reached_project(
    conn: &mut Conn,
    owner: &TokenOwner,
    named: &str,
) -> Result<Option<(ProjectId, OrganizationId)>, Error> {
    let Some(id) = ProjectId::parse(named) else {
        return Ok(None);
    };
    let Some(project) = store::project::find_project(conn, &id)? else {
        return Ok(None);
    };
    let is_reached = match owner {
        TokenOwner::Organization(id) => *id == project.organization_id,
        TokenOwner::User(id) => {
            let role = store::org::find_role(conn, &project.organization_id, id)?;
            let access = store::project::find_access(conn, &project.id, id)?;
            role >= Some(Role::Admin) || (role.is_some() && access == Access::Added)
        }
    };
    Ok(is_reached.then_some((project.id, project.organization_id)))
}

/// The scopes of the catalogue with these names.
fn scopes(tx: &Tx<'_>, names: &[String], faults: &mut Vec<Fault>) -> ScopeSet {
    let catalogue = &tx.config().scopes;
    let known =
        |name: &&String| ScopeName::parse(name).is_some_and(|name| catalogue.find(&name).is_some());
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        faults.push(Fault::new("scope", unknown_scope(unknown)));
    }
    let known = names.iter().filter(known);
    known.filter_map(|name| ScopeName::parse(name)).collect()
}

/// The fault of a scope that is not in the catalogue. Only a plain, short name is repeated.
fn unknown_scope(name: &str) -> String {
    match ScopeName::parse(name) {
        Some(name) => format!("There is no scope {name}. Choose from the list."),
        None => "One of the scopes does not exist. Choose from the list.".to_owned(),
    }
}

/// The fault of scopes that the owner's role does not allow.
fn beyond_role(owner_ref: &OwnerRef, role: Option<Role>) -> Fault {
    let message = match (role, owner_ref) {
        (Some(ORGANIZATION_ROLE), OwnerRef::Organization(_)) => {
            "An organization's token acts as an admin: leave out what only owners may."
        }
        _ => "Your role does not allow one of these scopes.",
    };
    Fault::new("scope", message)
}

/// The expiry of the token. The configuration bounds every token; a policy bounds tokens with
/// access to its organization alone.
fn expiry(
    tx: &Tx<'_>,
    input: &CreateToken,
    policy_check: &PolicyCheck,
    faults: &mut Vec<Fault>,
) -> Option<Instant> {
    let (tokens, now) = (&tx.config().tokens, tx.now);
    let Some(choice) = &input.expires else {
        return earlier(
            end_of(tokens.default_expiry, now),
            policy_check.default_end(now),
        );
    };
    let latest = earlier(
        end_of(tokens.max_expiry, now),
        policy_check.only_latest(now),
    );
    token::expiry(choice, input.expires_on.as_deref(), now, latest).unwrap_or_else(|fault| {
        faults.push(fault);
        None
    })
}

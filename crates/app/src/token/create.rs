//! Creating tokens.

use super::policy_check::PolicyCheck;
use super::prepared::{PreparedToken, insert, prepared};
use super::{NewToken, OwnerRef, WRITE, lock_creator};
use crate::access::{Authority, Caller, Denial, find_organization};
use crate::access::{earlier, end_of};
use crate::idempotency::IdempotencyRecord;
use crate::session::SignedIn;
use crate::{App, Context, Error, Event, form_nonce};
use domain::audit::Action;
use domain::decision::ORGANIZATION_ROLE;
use domain::id::{OrganizationId, ProjectId, TokenId};
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

const FORM: &str = "new-token";

/// Nonce for a token form, which contains the id of the future token.
pub fn form_nonce_for(app: &App, signed_in: &SignedIn) -> String {
    let id = TokenId::new(app.now(), app.id_seed());
    form_nonce::write(app, signed_in, FORM, id.as_str())
}

/// Creates a token. Its scopes must be in the catalogue and allowed by the creator's role; a
/// token can pass on only its own scopes and limits. Fails with [`Error::Conflict`] if the form
/// nonce was used before.
pub async fn create(
    app: &App,
    context: &Context,
    caller: &Caller,
    owner_ref: &OwnerRef,
    input: CreateToken,
    idempotency: IdempotencyRecord<NewToken>,
) -> Result<NewToken, Error> {
    let mut prepared = prepared(app);
    if let Some(id) = input
        .form_nonce
        .as_deref()
        .and_then(|text| form_nonce::read(app, caller, FORM, text))
        .and_then(TokenId::parse)
    {
        prepared.id = id;
    }
    let creation = Creation {
        app: app.clone(),
        event: app.event(context, caller.actor(), Action::TokenCreated),
        caller: caller.clone(),
        owner_ref: owner_ref.clone(),
        input,
        prepared,
    };
    app.store()
        .write(move |conn| {
            let token = creation.token(conn)?;
            lock_creator(conn, &creation.caller, creation.event.at)?;
            let secret = creation.prepared.secret.clone();
            insert(conn, &creation.event, &token, &secret.digest())?;
            let new = NewToken { token, secret };
            idempotency.file(conn, &new)?;
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

/// Prepared data for creating a token.
struct Creation {
    app: App,
    event: Event,
    caller: Caller,
    owner_ref: OwnerRef,
    input: CreateToken,
    prepared: PreparedToken,
}

impl Creation {
    /// The new token, or all faults of the input.
    fn token(&self, conn: &mut Conn) -> Result<Token, Error> {
        self.owner_ref.lock(conn, &self.caller)?;
        let authority = self.caller.lock_authority(&self.app, conn)?;
        let visible = self
            .owner_ref
            .visible(conn, &self.caller, &authority, WRITE)?;
        let owner = visible.owner;
        let mut faults = Vec::new();
        let name = domain::name("name", &self.input.name).unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        });
        let limits = self.limits(conn, &authority, &owner, &mut faults)?;
        let policy_check = PolicyCheck::load(conn, &owner, &limits)?;
        let scopes = self.scopes(&authority, policy_check.role, &mut faults)?;
        let expires_at = self.expiry(&policy_check, &mut faults);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        if !limits.is_within(&authority.limits()) {
            return Err(Denial::BeyondToken.into());
        }
        let token = Token {
            limits,
            expires_at,
            // A token created through a client must end with that client.
            client_id: self.caller.client_id().map(str::to_owned),
            ..self
                .prepared
                .token(owner, name, scopes, &self.caller.maker())
        };
        policy_check.check(&token)?;
        policy_check.bound(&token, &authority)?;
        Ok(token)
    }

    /// The limits of the new token. A limited token passes its limits on, unless the input has
    /// narrower ones.
    fn limits(
        &self,
        conn: &mut Conn,
        authority: &Authority,
        owner: &TokenOwner,
        faults: &mut Vec<Fault>,
    ) -> Result<Limits, Error> {
        let own = authority.limits();
        let mut limits = Limits {
            organization: match &self.input.organization {
                None => own.organization,
                Some(named) => {
                    let found = self.limit(conn, owner, named)?;
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
        if self.input.projects.is_empty() {
            return Ok(limits);
        }
        let mut ids = BTreeSet::new();
        for named in &self.input.projects {
            match self.project(conn, owner, named)? {
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
    fn limit(
        &self,
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
    fn project(
        &self,
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

    fn scopes(
        &self,
        authority: &Authority,
        role: Option<Role>,
        faults: &mut Vec<Fault>,
    ) -> Result<ScopeSet, Error> {
        let catalogue = &self.app.config().scopes;
        let mut scopes = Vec::new();
        for name in &self.input.scopes {
            match ScopeName::parse(name).filter(|name| catalogue.find(name).is_some()) {
                Some(name) => scopes.push(name),
                None => faults.push(Fault::new(
                    "scope",
                    "One of the scopes does not exist. Choose from the list.",
                )),
            }
        }
        let scopes: ScopeSet = scopes.into_iter().collect();
        if catalogue.allowed(&scopes, role) != scopes {
            let message = match role {
                Some(ORGANIZATION_ROLE) if matches!(self.owner_ref, OwnerRef::Organization(_)) => {
                    "An organization's token acts as an admin: leave out what only owners may."
                }
                _ => "Your role does not allow one of these scopes.",
            };
            faults.push(Fault::new("scope", message));
        }
        match authority.scopes() {
            Some(own) if matches!(self.caller, Caller::Token(_)) && !scopes.is_subset(&own) => {
                Err(Denial::BeyondToken.into())
            }
            _ => Ok(scopes),
        }
    }

    /// The expiry of the token. The configuration bounds every token; a policy bounds tokens with
    /// access to its organization alone.
    fn expiry(&self, policy_check: &PolicyCheck, faults: &mut Vec<Fault>) -> Option<Instant> {
        let (tokens, now) = (&self.app.config().tokens, self.prepared.at);
        let Some(choice) = &self.input.expires else {
            return earlier(
                end_of(tokens.default_expiry, now),
                policy_check.default_end(now),
            );
        };
        let latest = earlier(
            end_of(tokens.max_expiry, now),
            policy_check.only_latest(now),
        );
        token::expiry(choice, self.input.expires_on.as_deref(), now, latest).unwrap_or_else(
            |fault| {
                faults.push(fault);
                None
            },
        )
    }
}

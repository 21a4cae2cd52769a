//! Making tokens.

use super::policy_check::PolicyCheck;
use super::prepared::{PreparedToken, insert, prepared};
use super::{NewToken, OwnerRef, WRITE, earlier, end_of, lock_creator};
use crate::caller::{Authority, Caller, Denial, find_organization};
use crate::idempotency::IdempotencyRecord;
use crate::session::SignedIn;
use crate::{App, Context, Error, Event, form_nonce};
use domain::audit::Action;
use domain::decision::ORGANIZATION_ROLE;
use domain::id::{OrganizationId, ProjectId, TokenId};
use domain::org::Role;
use domain::project::Access;
use domain::scope::{ScopeName, ScopeSet};
use domain::token::{self, Limits, Token, TokenOwner};
use domain::{Fault, Instant};
use std::collections::BTreeSet;
use store::Conn;

/// What is asked of a new token.
#[derive(Debug, Clone, Default)]
pub struct CreateToken {
    /// The name.
    pub name: String,
    /// The names of the scopes.
    pub scopes: Vec<String>,
    /// When it ends: `never`, `30d`, `90d`, `1y`, a date, or `custom` with the date beside it;
    /// `None` for what the configuration and the policies have as their default.
    pub expires: Option<String>,
    /// The date, if the choice is `custom`.
    pub expires_on: Option<String>,
    /// The one organization that it is to reach, by its id or address.
    pub organization: Option<String>,
    /// The projects that it is to reach, all of one organization; none named for no limit.
    pub projects: Vec<String>,
    /// What the form was given by [`form_nonce_for`], if it has it still.
    pub form_nonce: Option<String>,
}

const FORM: &str = "new-token";

/// Reserves an id for the token that a form is to make.
pub fn form_nonce_for(app: &App, signed_in: &SignedIn) -> String {
    let id = TokenId::new(app.now(), app.id_seed());
    form_nonce::write(app, signed_in, FORM, id.as_str())
}

/// Makes a token. Its scopes are of the catalogue, and such as its maker's role allows; a
/// token gives what it has itself and nothing more. Fails with [`Error::Conflict`] if its form
/// has made one before.
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
                Error::Conflict("This form has made its token.")
            }
            error => error,
        })
}

/// Everything that making a token needs.
struct Creation {
    app: App,
    event: Event,
    caller: Caller,
    owner_ref: OwnerRef,
    input: CreateToken,
    prepared: PreparedToken,
}

impl Creation {
    /// The token as it is wished, or everything that is wrong with the wish.
    fn token(&self, conn: &mut Conn) -> Result<Token, Error> {
        self.owner_ref.hold(conn, &self.caller)?;
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
            // Whoever got power by a client must lose it with the client.
            client_id: self.caller.client_id().map(str::to_owned),
            ..self
                .prepared
                .token(owner, name, scopes, &self.caller.maker())
        };
        policy_check.check(&token)?;
        policy_check.bound(&token, &authority)?;
        Ok(token)
    }

    /// What the token is to be limited to. A token that is limited itself passes its limits
    /// on, unless narrower ones are named.
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

    /// An organization that the owner is or belongs to.
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

    /// A project that the owner reaches, and its organization.
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

    /// When the token ends. What the configuration allows bounds every token, what a policy
    /// allows those that it alone judges.
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

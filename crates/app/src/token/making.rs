//! Making tokens.

use super::admitting::Admitting;
use super::draft::{Draft, draft, insert};
use super::{NewToken, WRITE, Whose, earlier, end_of, hold_maker};
use crate::caller::{Authority, Caller, Denial, find_organization};
use crate::receipt::Receipt;
use crate::session::SignedIn;
use crate::{App, Context, Error, Event, reservation};
use domain::audit::Action;
use domain::decision::ORGANIZATION_ROLE;
use domain::id::{OrganizationId, ProjectId, TokenId};
use domain::org::Role;
use domain::project::Access;
use domain::scope::{ScopeName, ScopeSet};
use domain::token::{self, Limits, Owner, Token};
use domain::{Fault, Instant};
use std::collections::BTreeSet;
use store::Conn;

/// What is asked of a new token.
#[derive(Debug, Clone, Default)]
pub struct Wish {
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
    /// What the form was given by [`reserve`], if it has it still.
    pub reservation: Option<String>,
}

const FORM: &str = "new-token";

/// Reserves an id for the token that a form is to make.
pub fn reserve(app: &App, person: &SignedIn) -> String {
    let id = TokenId::new(app.now(), app.id_seed());
    reservation::write(app, person, FORM, id.as_str())
}

/// Makes a token. Its scopes are of the catalogue, and such as its maker's role allows; a
/// token gives what it has itself and nothing more. Fails with [`Error::Conflict`] if its form
/// has made one before.
pub async fn create(
    app: &App,
    context: &Context,
    caller: &Caller,
    whose: &Whose,
    wish: Wish,
    receipt: Receipt<NewToken>,
) -> Result<NewToken, Error> {
    let mut draft = draft(app);
    if let Some(id) = wish
        .reservation
        .as_deref()
        .and_then(|text| reservation::read(app, caller, FORM, text))
        .and_then(TokenId::parse)
    {
        draft.id = id;
    }
    let making = Making {
        app: app.clone(),
        event: app.event(context, caller.actor(), Action::TokenCreated),
        caller: caller.clone(),
        whose: whose.clone(),
        wish,
        draft,
    };
    app.store()
        .write(move |conn| {
            let token = making.token(conn)?;
            hold_maker(conn, &making.caller, making.event.at)?;
            let secret = making.draft.secret.clone();
            insert(conn, &making.event, &token, &secret.digest())?;
            let new = NewToken { token, secret };
            receipt.file(conn, &new)?;
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
struct Making {
    app: App,
    event: Event,
    caller: Caller,
    whose: Whose,
    wish: Wish,
    draft: Draft,
}

impl Making {
    /// The token as it is wished, or everything that is wrong with the wish.
    fn token(&self, conn: &mut Conn) -> Result<Token, Error> {
        self.whose.hold(conn, &self.caller)?;
        let authority = self.caller.hold_authority(&self.app, conn)?;
        let purview = self.whose.purview(conn, &self.caller, &authority, WRITE)?;
        let owner = purview.owner;
        let mut faults = Vec::new();
        let name = domain::name("name", &self.wish.name).unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        });
        let limits = self.limits(conn, &authority, &owner, &mut faults)?;
        let admitting = Admitting::load(conn, &owner, &limits)?;
        let scopes = self.scopes(&authority, admitting.role, &mut faults)?;
        let expires_at = self.expiry(&admitting, &mut faults);
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
            ..self.draft.token(owner, name, scopes, &self.caller.maker())
        };
        admitting.check(&token)?;
        admitting.bound(&token, &authority)?;
        Ok(token)
    }

    /// What the token is to be limited to. A token that is limited itself passes its limits
    /// on, unless narrower ones are named.
    fn limits(
        &self,
        conn: &mut Conn,
        authority: &Authority,
        owner: &Owner,
        faults: &mut Vec<Fault>,
    ) -> Result<Limits, Error> {
        let own = authority.limits();
        let mut limits = Limits {
            organization: match &self.wish.organization {
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
        if self.wish.projects.is_empty() {
            return Ok(limits);
        }
        let mut ids = BTreeSet::new();
        for named in &self.wish.projects {
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
        owner: &Owner,
        named: &str,
    ) -> Result<Option<OrganizationId>, Error> {
        let Some(found) = find_organization(conn, named)? else {
            return Ok(None);
        };
        let is_of = match owner {
            Owner::Organization(id) => *id == found.id,
            Owner::User(id) => store::org::find_role(conn, &found.id, id)?.is_some(),
        };
        Ok(is_of.then_some(found.id))
    }

    /// A project that the owner reaches, and its organization.
    fn project(
        &self,
        conn: &mut Conn,
        owner: &Owner,
        named: &str,
    ) -> Result<Option<(ProjectId, OrganizationId)>, Error> {
        let Some(id) = ProjectId::parse(named) else {
            return Ok(None);
        };
        let Some(project) = store::project::find_project(conn, &id)? else {
            return Ok(None);
        };
        let is_reached = match owner {
            Owner::Organization(id) => *id == project.organization_id,
            Owner::User(id) => {
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
        for name in &self.wish.scopes {
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
                Some(ORGANIZATION_ROLE) if matches!(self.whose, Whose::Organization(_)) => {
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
    fn expiry(&self, admitting: &Admitting, faults: &mut Vec<Fault>) -> Option<Instant> {
        let (tokens, now) = (&self.app.config().tokens, self.draft.at);
        let Some(choice) = &self.wish.expires else {
            return earlier(
                end_of(tokens.default_expiry, now),
                admitting.default_end(now),
            );
        };
        let latest = earlier(end_of(tokens.max_expiry, now), admitting.only_latest(now));
        token::expiry(choice, self.wish.expires_on.as_deref(), now, latest).unwrap_or_else(
            |fault| {
                faults.push(fault);
                None
            },
        )
    }
}

//! The question of a proxy or an API: may this token do that, there, now?

use super::audit::uses::{self, Purpose, Used};
use super::caller::{find_organization, find_project};
use super::operator::is_operator;
use super::token::{ActiveToken, Found, InactiveToken, Loaded, look_up};
use super::{App, Context, Error};
use domain::decision::{self, AccessRequest, ResourceRef};
use domain::id::OrganizationId;
use domain::scope::{Scope, ScopeName};
use domain::secret::Secret;
use domain::token::TokenOwner;
use store::Conn;

/// A place as the asker names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// An organization, by its id or address.
    Organization(String),
    /// A project, by its id.
    Project(String),
}

/// What the token is to be allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyRequest {
    /// The scope that it must carry; `None` if any token will do.
    pub scope: Option<String>,
    /// Where; `None` if nowhere in particular.
    pub resource: Option<Named>,
}

/// Who was allowed.
#[derive(Debug, Clone)]
pub enum Allowed {
    /// The operator, which passes every check.
    Operator,
    /// A token, and the organization in which it acts, if in one.
    Token(Box<ActiveToken>, Option<OrganizationId>),
}

/// What came of a question.
pub struct Decided {
    /// Whether the token may: fails with [`Error::Unauthenticated`] for one that cannot be used
    /// and with [`Error::Forbidden`] for one that may not do this.
    pub answer: Result<Allowed, Error>,
    /// The token that it was about, if it is one of ours.
    pub subject: Option<Subject>,
}

/// A token in a question, of which the use is noted once the proxy has its last word.
pub struct Subject {
    used: Used,
    /// Why it cannot be used at all.
    inactive: Option<&'static str>,
    /// The scope that was asked for, if there is one of that name.
    scope: Option<ScopeName>,
    organization_id: Option<OrganizationId>,
}

impl Subject {
    /// Notes the use: the code of its refusal, or that it was allowed.
    pub fn note(&self, app: &App, context: &Context, refused: Option<&'static str>) {
        let decision = self.inactive.or(refused).unwrap_or(uses::ALLOWED);
        let purpose = Purpose {
            scope: self.scope.as_ref().map(ScopeName::as_str),
            organization_id: self.organization_id.as_ref(),
        };
        uses::note(app, context, self.used.clone(), decision, purpose);
    }
}

/// Decides. Fails if nobody could look.
///
/// Unknown tokens are not counted, as introspection counts them for each of its clients. Here
/// nobody shows who asks: all clients of an API share the address of its proxy, and a count
/// could refuse nothing but tokens that are refused as it is, with the same answer, while each
/// one would cost a write where it costs a read. Nobody guesses a token's 160 random bits.
pub async fn verify(
    app: &App,
    context: &Context,
    text: &Secret,
    verify_request: VerifyRequest,
) -> Result<Decided, Error> {
    // What is in no catalogue may be anything, and long.
    let scope = verify_request.scope.as_deref();
    let scope = scope
        .and_then(|name| known(app, name))
        .map(|scope| scope.name.clone());
    if is_operator(app, context, text).await {
        return Ok(Decided {
            answer: Ok(Allowed::Operator),
            subject: Some(Subject {
                used: Used::operator(),
                inactive: None,
                scope,
                organization_id: None,
            }),
        });
    }
    let handle = app.clone();
    let found = look_up(app, text, move |conn, loaded| {
        answer(&handle, conn, loaded, &verify_request)
    })
    .await?;
    let Found::Token(Answer {
        organization_id,
        verdict,
    }) = found
    else {
        return Ok(Decided {
            answer: Err(Error::Unauthenticated),
            subject: None,
        });
    };
    let (token, inactive) = match &verdict {
        Err(inactive) => (&*inactive.token, Some(inactive.why)),
        Ok((active, _)) => (&active.token, None),
    };
    let subject = Some(Subject {
        used: token.into(),
        inactive,
        scope,
        organization_id: organization_id.clone(),
    });
    let answer = match verdict {
        Err(_) => Err(Error::Unauthenticated),
        Ok((_, Err(denied))) => Err(denied),
        Ok((active, Ok(()))) => {
            app.uses().note(&active.token, app.now(), context.source());
            Ok(Allowed::Token(Box::new(active), organization_id))
        }
    };
    Ok(Decided { answer, subject })
}

/// What is said to a question about a token that is known.
struct Answer {
    /// The organization in which it would act.
    organization_id: Option<OrganizationId>,
    /// The token and whether it may, or that it cannot be used at all.
    verdict: Result<(ActiveToken, Result<(), Error>), InactiveToken>,
}

fn answer(
    app: &App,
    conn: &mut Conn,
    loaded: Loaded,
    verify_request: &VerifyRequest,
) -> Result<Answer, Error> {
    let user_id = match &loaded.token.owner {
        TokenOwner::User(id) => Some(id.clone()),
        TokenOwner::Organization(_) => None,
    };
    let resource = match &verify_request.resource {
        None => ResourceRef::Any,
        Some(Named::Organization(named)) => find_resource(conn, named)?,
        Some(Named::Project(named)) => find_project(conn, named, user_id.as_ref())?.1,
    };
    let may = decide(
        app,
        &loaded.facts,
        verify_request.scope.as_deref(),
        &resource,
    );
    let organization_id = match &resource {
        ResourceRef::Organization(id)
        | ResourceRef::Project {
            organization_id: id,
            ..
        } => Some(id.clone()),
        ResourceRef::Any | ResourceRef::Missing => loaded.token.organization().cloned(),
    };
    Ok(Answer {
        organization_id,
        verdict: loaded.active_at(app, &resource).map(|active| (active, may)),
    })
}

fn find_resource(conn: &mut Conn, named: &str) -> Result<ResourceRef, Error> {
    Ok(match find_organization(conn, named)? {
        Some(organization) => ResourceRef::Organization(organization.id),
        None => ResourceRef::Missing,
    })
}

/// The scope of this name.
fn known<'a>(app: &'a App, name: &str) -> Option<&'a Scope> {
    ScopeName::parse(name).and_then(|name| app.config().scopes.find(&name))
}

/// The decision about a scope by its name. One that is not in the catalogue is nobody's.
fn decide(
    app: &App,
    facts: &decision::Facts,
    scope: Option<&str>,
    resource: &ResourceRef,
) -> Result<(), Error> {
    let Some(name) = scope else {
        decision::decide(
            facts,
            AccessRequest {
                scope: None,
                resource,
            },
        )?;
        return Ok(());
    };
    let known = known(app, name);
    // Whether the token is alive comes before anything else that is wrong with the question.
    let anything = AccessRequest {
        scope: known,
        resource,
    };
    decision::decide(facts, anything)?;
    match known {
        Some(_) => Ok(()),
        None => Err(Error::Forbidden(super::caller::Denial::UnknownScope)),
    }
}

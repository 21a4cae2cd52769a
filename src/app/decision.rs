//! The question of a proxy or an API: may this token do that, there, now?

use super::audit::uses::{self, Purpose};
use super::caller::{find_organization, find_project};
use super::operator::is_operator;
use super::token::{ActiveToken, Found, Loaded, Spent, look_up};
use super::{App, Context, Error};
use crate::domain::decision::{self, Demand, Place};
use crate::domain::id::OrganizationId;
use crate::domain::scope::ScopeName;
use crate::domain::secret::Secret;
use crate::domain::token::Owner;
use crate::store::Conn;

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
pub struct Question {
    /// The scope that it must carry; `None` if any token will do.
    pub scope: Option<String>,
    /// Where; `None` if nowhere in particular.
    pub place: Option<Named>,
}

/// Who was allowed.
#[derive(Debug, Clone)]
pub enum Allowed {
    /// The operator, which passes every check.
    Operator,
    /// A token, and the organization in which it acts, if in one.
    Token(Box<ActiveToken>, Option<OrganizationId>),
}

/// Decides. Fails with [`Error::Unauthenticated`] for a token that cannot be used and with
/// [`Error::Forbidden`] for one that may not do this.
///
/// Unknown tokens are not counted, as introspection counts them for each of its clients. Here
/// nobody shows who asks: all clients of an API share the address of its proxy, and a count
/// could refuse nothing but tokens that are refused as it is, with the same answer, while each
/// one would cost a write where it costs a read. Nobody guesses a token's 160 random bits.
pub async fn verify(
    app: &App,
    context: &Context,
    text: &Secret,
    question: Question,
) -> Result<Allowed, Error> {
    if is_operator(app, context, text).await {
        return Ok(Allowed::Operator);
    }
    let handle = app.clone();
    let scope = question.scope.clone();
    let found = look_up(app, text, move |conn, loaded| {
        answer(&handle, conn, loaded, &question)
    })
    .await?;
    let Found::Token(Answer {
        organization_id,
        verdict,
    }) = found
    else {
        return Err(Error::Unauthenticated);
    };
    let purpose = Purpose {
        scope: scope.as_deref(),
        organization_id: organization_id.as_ref(),
    };
    match verdict {
        Err(spent) => {
            spent.note(app, context, purpose);
            Err(Error::Unauthenticated)
        }
        Ok((active, Err(denied))) => {
            uses::note(app, context, &active.token, denied.code(), purpose);
            Err(denied)
        }
        Ok((active, Ok(()))) => {
            app.uses().note(&active.token, app.now(), context.source());
            uses::note(app, context, &active.token, uses::ALLOWED, purpose);
            Ok(Allowed::Token(Box::new(active), organization_id))
        }
    }
}

/// What is said to a question about a token that is known.
struct Answer {
    /// The organization in which it would act.
    organization_id: Option<OrganizationId>,
    /// The token and whether it may, or that it cannot be used at all.
    verdict: Result<(ActiveToken, Result<(), Error>), Spent>,
}

fn answer(
    app: &App,
    conn: &mut Conn,
    loaded: Loaded,
    question: &Question,
) -> Result<Answer, Error> {
    let account_id = match &loaded.token.owner {
        Owner::Account(id) => Some(id.clone()),
        Owner::Organization(_) => None,
    };
    let place = match &question.place {
        None => Place::Anywhere,
        Some(Named::Organization(named)) => place_of(conn, named)?,
        Some(Named::Project(named)) => find_project(conn, named, account_id.as_ref())?.1,
    };
    let may = decide(app, &loaded.facts, question.scope.as_deref(), &place);
    let organization_id = match &place {
        Place::Organization(id)
        | Place::Project {
            organization_id: id,
            ..
        } => Some(id.clone()),
        Place::Anywhere | Place::Nowhere => loaded.token.organization().cloned(),
    };
    Ok(Answer {
        organization_id,
        verdict: loaded.active_at(app, &place).map(|active| (active, may)),
    })
}

fn place_of(conn: &mut Conn, named: &str) -> Result<Place, Error> {
    Ok(match find_organization(conn, named)? {
        Some(organization) => Place::Organization(organization.id),
        None => Place::Nowhere,
    })
}

/// The decision about a scope by its name. One that is not in the catalogue is nobody's.
fn decide(
    app: &App,
    facts: &decision::Facts,
    scope: Option<&str>,
    place: &Place,
) -> Result<(), Error> {
    let catalogue = &app.config().scopes;
    let Some(name) = scope else {
        decision::decide(facts, Demand { scope: None, place })?;
        return Ok(());
    };
    let known = ScopeName::parse(name).and_then(|name| catalogue.find(&name));
    // Whether the token is alive comes before anything else that is wrong with the question.
    let anything = Demand {
        scope: known,
        place,
    };
    decision::decide(facts, anything)?;
    match known {
        Some(_) => Ok(()),
        None => Err(Error::Forbidden(super::caller::Denial::UnknownScope)),
    }
}

//! The decision for a proxy or an API: does a token allow an access to a resource now?

pub use super::access::Named;

use super::audit::uses::{self, Purpose, UseDecision, Used};
use super::operator::is_operator;
use super::{App, Context, Error, Request, device};
use crate::access::{ActiveToken, Denial, Found, InactiveToken, Loaded, Wanted, look_up};
use domain::Instant;
use domain::decision::{self, AccessRequest, ResourceRef};
use domain::id::{OrganizationId, UserId};
use domain::role::Role;
use domain::scope::{Scope, ScopeName};
use domain::secret::Secret;
use domain::token::Token;
use std::time::Duration;

/// The access to decide about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyRequest {
    /// The required scope; `None` if any token is sufficient.
    pub scope: Option<String>,
    /// The lowest role of the token's owner; `None` if any is sufficient.
    pub role: Option<Role>,
    /// The resource; `None` for no particular one.
    pub resource: Option<Named>,
    /// How long ago the token's owner may have signed in for it; `None` for no limit.
    pub max_age: Option<Duration>,
}

/// The caller that a decision allows.
#[derive(Debug, Clone)]
pub enum Allowed {
    /// The operator, which passes every check, and the user for whom it acts.
    Operator(Option<UserId>),
    /// A token, and the organization that it acts in, if any.
    Token(Box<ActiveToken>, Option<OrganizationId>),
}

/// Result of a decision.
pub struct Decided {
    /// The allowed caller. Fails with [`Error::Unauthenticated`] for a token that cannot be used
    /// and with [`Error::Forbidden`] for a token without the permission.
    pub answer: Result<Allowed, Error>,
    /// The token, if this server issued it.
    pub subject: Option<Subject>,
}

/// A verified token. Its use is recorded after the proxy's final decision.
pub struct Subject {
    used: Used,
    /// Why the token is inactive.
    inactive: Option<&'static str>,
    /// The requested scope, if it is in the catalogue.
    scope: Option<ScopeName>,
    organization_id: Option<OrganizationId>,
}

impl Subject {
    /// The operator acts for this user.
    pub fn act_for(&mut self, user_id: UserId) {
        self.used = Used::operator(Some(user_id));
    }

    /// Records the use: the code of the refusal, or that it was allowed.
    pub fn note(&self, app: &App, context: &Context, refused: Option<&'static str>) {
        let decision = match (self.inactive, refused) {
            (Some(why), _) => UseDecision::Inactive(why),
            (None, Some(code)) => UseDecision::Refused(code),
            (None, None) => UseDecision::Allowed,
        };
        let purpose = Purpose {
            scope: self.scope.as_ref().map(ScopeName::as_str),
            organization_id: self.organization_id.as_ref(),
        };
        uses::note(app, context, self.used.clone(), decision, purpose);
    }
}

/// Decides about an access request. Fails if the decision cannot be made.
///
/// Unknown tokens are counted by introspection for each client, but not here. The caller is not
/// authenticated: all clients of an API share the address of its proxy. A count could refuse only
/// tokens that are refused anyway, with the same response, and each would cost a write instead of
/// a read. The 160 random bits of a token cannot be guessed.
pub async fn verify(
    req: &Request,
    text: &Secret,
    verify_request: VerifyRequest,
) -> Result<Decided, Error> {
    let Request { app, context, .. } = req;
    // A name outside the catalogue can be arbitrary and long.
    let scope = verify_request.scope.as_deref();
    let scope = scope
        .and_then(|name| known(app, name))
        .map(|scope| scope.name.clone());
    if is_operator(app, context, text).await {
        return Ok(Decided {
            answer: Ok(Allowed::Operator(None)),
            subject: Some(Subject {
                used: Used::operator(None),
                inactive: None,
                scope,
                organization_id: None,
            }),
        });
    }
    let wanted = Wanted::Named(verify_request.resource.clone());
    let Found::Token(loaded, resource) = look_up(app, text, wanted).await? else {
        return Ok(Decided {
            answer: Err(Error::Unauthenticated),
            subject: None,
        });
    };
    let Answer {
        organization_id,
        verdict,
    } = answer(app, *loaded, &resource, &verify_request);
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
    if let Ok((active, _)) = &verdict {
        device::note_use(app, &active.token);
    }
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

/// Decision about a known token.
struct Answer {
    /// The organization that the token acts in.
    organization_id: Option<OrganizationId>,
    /// The active token with its decision, or the inactive token.
    verdict: Result<(ActiveToken, Result<(), Error>), InactiveToken>,
}

fn answer(
    app: &App,
    loaded: Loaded,
    resource: &ResourceRef,
    verify_request: &VerifyRequest,
) -> Answer {
    let may = decide(app, &loaded.facts, verify_request, resource)
        .and_then(|()| require_confirmed(&loaded.token, verify_request.max_age, app.now()));
    let organization_id = match resource {
        ResourceRef::Organization(id)
        | ResourceRef::Project {
            organization_id: id,
            ..
        } => Some(id.clone()),
        ResourceRef::Missing => loaded.token.organization().cloned(),
        ResourceRef::Any | ResourceRef::Own => decision::organization_unnamed(&loaded.facts)
            .or_else(|| loaded.token.organization())
            .cloned(),
    };
    Answer {
        organization_id,
        verdict: loaded.active_at(app, resource).map(|active| (active, may)),
    }
}

/// A decision with what it depends on.
#[derive(Debug, Clone)]
pub enum Explanation {
    /// It is the operator token, which passes every check.
    Operator,
    /// This server issued no such token.
    Unknown,
    /// The token is inactive, for this reason.
    Inactive(Box<Token>, &'static str),
    /// The token is active.
    Active {
        /// The token with its current permissions.
        active: Box<ActiveToken>,
        /// The organization that counts, if any.
        organization_id: Option<OrganizationId>,
        /// The decision.
        answer: Result<(), Denial>,
    },
}

/// Explains the decision about an access request. Records no use of the token.
pub async fn explain(
    req: &Request,
    text: &Secret,
    verify_request: VerifyRequest,
) -> Result<Explanation, Error> {
    req.caller.require_operator()?;
    let app = &req.app;
    if is_operator(app, &req.context, text).await {
        return Ok(Explanation::Operator);
    }
    let wanted = Wanted::Named(verify_request.resource.clone());
    let Found::Token(loaded, resource) = look_up(app, text, wanted).await? else {
        return Ok(Explanation::Unknown);
    };
    let Answer {
        organization_id,
        verdict,
    } = answer(app, *loaded, &resource, &verify_request);
    Ok(match verdict {
        Err(inactive) => Explanation::Inactive(inactive.token, inactive.why),
        Ok((active, may)) => Explanation::Active {
            active: Box::new(active),
            organization_id,
            answer: match may {
                Err(Error::Forbidden(denial)) => Err(denial),
                may => Ok(may?),
            },
        },
    })
}

/// Fails if the owner of a token has not signed in for it in this time.
fn require_confirmed(token: &Token, max_age: Option<Duration>, now: Instant) -> Result<(), Error> {
    match max_age {
        Some(_) if token.owner.organization().is_some() => Err(Denial::UserRequired.into()),
        Some(max_age) if !token.is_confirmed(now, max_age) => {
            Err(Denial::NotConfirmed(token.id.clone(), max_age).into())
        }
        _ => Ok(()),
    }
}

/// The scope with this name.
fn known<'a>(app: &'a App, name: &str) -> Option<&'a Scope> {
    ScopeName::parse(name).and_then(|name| app.config().scopes.find(&name))
}

/// Decides about a scope by its name, or about a role. A scope outside the catalogue is always refused.
fn decide(
    app: &App,
    facts: &decision::Facts,
    verify_request: &VerifyRequest,
    resource: &ResourceRef,
) -> Result<(), Error> {
    let Some(name) = verify_request.scope.as_deref() else {
        let scope = None;
        let role = decision::decide(facts, AccessRequest { scope, resource })?;
        return match verify_request.role {
            Some(least) if role < Some(least) => Err(Denial::Role(least).into()),
            _ => Ok(()),
        };
    };
    let known = known(app, name);
    // An inactive token takes precedence over any other error in the access request.
    let anything = AccessRequest {
        scope: known,
        resource,
    };
    decision::decide(facts, anything)?;
    match known {
        Some(_) => Ok(()),
        None => Err(Error::Forbidden(Denial::UnknownScope)),
    }
}

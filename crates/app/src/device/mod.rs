//! The device grant (RFC 8628). A device obtains its codes here, a user decides in [`consent`],
//! and the device fetches its token in [`poll`] before the grant expires ([`expiry`]).

mod answer;
pub mod consent;
mod expiry;
mod limit;
mod paces;
pub mod poll;

pub use answer::end_unused;
pub(super) use answer::note_use;
pub(super) use expiry::expire_over;
pub(super) use paces::Paces;

use super::audit::tally::{self, Occurrence};
use super::client::Credentials;
use super::tx::Tx;
use super::{App, Context, Error, Event, OAuthError, Request, client};
use crate::access::Caller;
use domain::audit::canonical::moment;
use domain::audit::{Action, Actor};
use domain::client::{Client, Credential};
use domain::device::{self, Grant, Noted, State};
use domain::id::{GrantId, OrganizationId, ProjectId};
use domain::name::Flaw;
use domain::org::is_slug;
use domain::scope::ScopeSet;
use domain::secret::Secret;
use domain::user_code::UserCode;
use serde_json::{Value, json};
use std::time::Duration;

/// Pending device grants of a site and of a client up to which each request has an audit record of
/// its own. Further requests are counted, and get their record when a user looks at the grant.
const RECORDED_PER_SITE: u32 = 5;
const RECORDED_PER_CLIENT: u32 = 100;

/// How often codes are drawn if one is taken.
const DRAWS: usize = 10;

/// The codes for a device (RFC 8628 section 3.2).
pub struct Codes {
    /// The device code, a secret.
    pub device_code: Secret,
    /// The user code.
    pub user_code: UserCode,
    /// Lifetime of both codes.
    pub expires_in: Duration,
    /// Minimum interval between polls.
    pub interval: Duration,
}

/// What a device requests.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeviceRequest<'a> {
    /// A list of scopes as in RFC 6749 section 3.3; `None` for the client's default scopes.
    pub scope: Option<&'a str>,
    /// Its name.
    pub device_name: Option<&'a str>,
    /// The organization to limit the token to, by its slug or id. The user decides.
    pub organization: Option<&'a str>,
    /// The project to limit the token to. The user decides.
    pub project: Option<&'a str>,
}

/// A device request that was checked.
#[derive(Clone)]
struct Checked {
    client_id: String,
    scopes: ScopeSet,
    device_name: Option<String>,
    organization: Option<String>,
    project: Option<ProjectId>,
}

/// Creates a device grant.
pub async fn start(
    req: &Request,
    credentials: &Credentials,
    request: DeviceRequest<'_>,
) -> Result<Codes, Error> {
    let client = caller(req, credentials).await?;
    let checked = check(&req.app, client, request)?;
    limit::check(&req.app, &checked.client_id, req.context.source()).await?;
    let req = req.with_caller(Caller::Client(checked.client_id.clone()));
    for _ in 0..DRAWS {
        let checked = checked.clone();
        let codes = req.change(Action::DeviceRequested, move |tx| insert(tx, &checked));
        match codes.await {
            Err(Error::Store(store::Error::Duplicate)) => {}
            Err(error) => return Err(error),
            Ok(Err(wait)) => return Err(Error::Throttled(wait)),
            Ok(Ok((codes, is_recorded))) => {
                if !is_recorded {
                    let action = Action::DeviceRequested;
                    let request = Occurrence::new(action, "many_pending", req.caller.actor());
                    tally::note(&req.app, &req.context, request);
                }
                return Ok(codes);
            }
        }
    }
    tracing::error!("no free user code found: too many pending device grants");
    Err(Error::Busy)
}

fn check(app: &App, client: Client, request: DeviceRequest<'_>) -> Result<Checked, Error> {
    let invalid = |why| Error::OAuth(OAuthError::InvalidRequest, why);
    let name = request.device_name.unwrap_or_default();
    let device_name = device::device_name(app.names(), name);
    let organization = request.organization.map(|named| {
        let is_one = OrganizationId::parse(named).is_some() || is_slug(named);
        let is_short = named.len() <= domain::name::LENGTH;
        (is_one && is_short).then(|| named.to_owned())
    });
    let project = request.project.map(ProjectId::parse);
    Ok(Checked {
        scopes: requested_scopes(app, &client, request.scope)?,
        device_name: device_name.map_err(|flaw| invalid(describe(flaw)))?,
        organization: organization
            .map(|named| {
                named.ok_or_else(|| {
                    invalid("The organization must be the slug or the ID of an organization.")
                })
            })
            .transpose()?,
        project: project
            .map(|id| id.ok_or_else(|| invalid("The project must be the ID of a project.")))
            .transpose()?,
        client_id: client.id,
    })
}

/// What is wrong with a device name, in the characters of RFC 6749 section 5.2.
fn describe(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::TooLong(_) => "The device_name may have at most 100 characters.",
        Flaw::Token => {
            "The device_name contains a token. Revoke that token, because others may have seen it, and send another name."
        }
        Flaw::Spaces => "The device_name must have one space between words.",
        _ => {
            "The device_name must contain only visible characters. Leave out control characters, text-direction marks and invisible characters."
        }
    }
}

/// Authenticates the client, which must be able to use the device grant.
async fn caller(req: &Request, credentials: &Credentials) -> Result<Client, Error> {
    let client = client::authenticate(req, credentials).await?;
    if client.scopes.is_empty() && !can_request_none(&req.app, &client) {
        let actor = Actor::Client(client.id.clone());
        let refusal = Occurrence::refused_access(OAuthError::UnauthorizedClient.as_str(), actor);
        tally::note(&req.app, &req.context, refusal);
        return Err(Error::OAuth(
            OAuthError::UnauthorizedClient,
            "The client may not request tokens: it has no scopes.",
        ));
    }
    Ok(client)
}

/// Whether tokens of the client need no scopes: where there are none, tokens are for routes that ask
/// for a role. A confidential client without scopes only introspects tokens.
fn can_request_none(app: &App, client: &Client) -> bool {
    let config = app.config();
    let is_public = matches!(client.credential, Credential::Public);
    is_public && config.scopes.names().is_empty() && !config.tokens.scope_required
}

fn requested_scopes(app: &App, client: &Client, scope: Option<&str>) -> Result<ScopeSet, Error> {
    let invalid = |why| Error::OAuth(OAuthError::InvalidScope, why);
    let some = |scopes: ScopeSet| match scopes.is_empty() && app.config().tokens.scope_required {
        true => Err(invalid(
            "A token needs at least one scope. Name it in scope.",
        )),
        false => Ok(scopes),
    };
    let Some(scope) = scope else {
        let defaults = &client.default_scopes;
        return some(defaults.intersection(&app.config().scopes.names()));
    };
    let scopes = ScopeSet::parse(scope).map_err(|_| {
        invalid("The scope must be a list of scope names with one space between them.")
    })?;
    if !scopes.is_subset(&app.config().scopes.names()) {
        return Err(invalid(
            "There is no such scope. GET /v1/scopes lists them with a token.",
        ));
    }
    if !scopes.is_subset(&client.scopes) {
        return Err(invalid("The client may not request one of these scopes."));
    }
    some(scopes)
}

/// New codes, and whether their request has an audit record; otherwise it must be counted.
type NewCodes = (Codes, bool);

/// Stores a device grant with new codes, or returns the time to wait if client, source or site have
/// reached their limit of pending ones. Fails with [`store::Error::Duplicate`] if a code is taken.
fn insert(tx: &mut Tx<'_>, checked: &Checked) -> Result<Result<NewCodes, chrono::Duration>, Error> {
    let address = tx.context().source();
    let live = match limit::count(tx, &checked.client_id, address)? {
        Ok(live) => live,
        Err(wait) => return Ok(Err(wait)),
    };
    let (settings, now) = (&tx.config().device, tx.now);
    let user_code = loop {
        if let Some(code) = UserCode::draw(&tx.random::<32>()) {
            break code;
        }
    };
    let device_code = device::device_code(&tx.random());
    let grant = Grant {
        id: tx.id(GrantId::new),
        client_id: checked.client_id.clone(),
        scopes: checked.scopes.clone(),
        device_name: checked.device_name.clone(),
        organization: checked.organization.clone(),
        project: checked.project.clone(),
        address,
        created_at: now,
        expires_at: now + settings.code_lifetime,
        state: State::Pending,
        interval: chrono::Duration::from_std(settings.interval).unwrap_or_default(),
        is_recorded: live.site < RECORDED_PER_SITE && live.client < RECORDED_PER_CLIENT,
        is_shown: false,
        noted: Noted::default(),
    };
    let (device_digest, user_digest) = (device_code.digest(), user_code.digest(tx.app().key()));
    store::device::insert_grant(tx.conn, &grant, &device_digest, &user_digest)?;
    match grant.is_recorded {
        true => tx.record(Some(grant.id.as_str()), describe_request(&grant))?,
        false => tx.needs_no_record(),
    }
    let codes = Codes {
        device_code,
        user_code,
        expires_in: settings.code_lifetime,
        interval: settings.interval,
    };
    Ok(Ok((codes, grant.is_recorded)))
}

/// Details of the audit record of a request.
fn describe_request(grant: &Grant) -> Value {
    json!({
        "scopes": grant.scopes.to_string(),
        "device_name": grant.device_name,
    })
}

/// Records that a user looks at a grant. A request that was only counted gets its own record now,
/// with the time and the address of the request.
fn show(tx: &mut Tx<'_>, grant: &Grant) -> Result<(), Error> {
    if !store::device::mark_shown(tx.conn, &grant.id, tx.now)? || grant.is_recorded {
        return Ok(());
    }
    let record = Event {
        actor: Actor::Client(grant.client_id.clone()),
        context: Context {
            address: Some(grant.address),
            ..Context::local()
        },
        ..tx.event(Action::DeviceRequested)
    };
    let mut detail = describe_request(grant);
    detail["requested_at"] = moment::write(grant.created_at).into();
    record.write(tx.conn, Some(grant.id.as_str()), detail)
}

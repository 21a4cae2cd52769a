//! The device grant (RFC 8628). A device obtains its codes here, a user decides in [`consent`],
//! and the device fetches its token in [`poll`] before the grant expires ([`expiry`]).

pub mod consent;
mod expiry;
pub mod poll;

pub(super) use expiry::expire_over;

use super::audit::refusals::{self, Refusal};
use super::client::Credentials;
use super::{App, Context, Error, Event, OAuthError, client};
use domain::audit::{Action, Actor};
use domain::client::Client;
use domain::device::{self, Grant, Noted, Pace, State};
use domain::id::GrantId;
use domain::scope::ScopeSet;
use domain::secret::{Digest, Secret};
use domain::user_code::UserCode;
use serde_json::json;
use std::time::Duration;
use store::device::GrantOrigin;

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

/// Creates a device grant. `scope` is a list as in RFC 6749 section 3.3; without it the client
/// gets its default scopes.
pub async fn start(
    app: &App,
    context: &Context,
    credentials: &Credentials,
    scope: Option<&str>,
    device_name: Option<&str>,
) -> Result<Codes, Error> {
    let client = caller(app, context, credentials).await?;
    let scopes = requested_scopes(app, &client, scope)?;
    let device_name = device::device_name(device_name.unwrap_or_default()).map_err(|_| {
        Error::OAuth(
            OAuthError::InvalidRequest,
            "The device_name may have at most 100 characters.",
        )
    })?;

    for _ in 0..DRAWS {
        let user_code = loop {
            if let Some(code) = UserCode::draw(&app.random::<32>()) {
                break code;
            }
        };
        let device_code = device::device_code(&app.random());
        let now = app.now();
        let settings = &app.config().device;
        let grant = Grant {
            id: GrantId::new(now, app.id_seed()),
            client_id: client.id.clone(),
            scopes: scopes.clone(),
            device_name: device_name.clone(),
            address: context.source(),
            created_at: now,
            expires_at: now + settings.code_lifetime,
            state: State::Pending,
            pace: Pace {
                interval: chrono::Duration::from_std(settings.interval).unwrap_or_default(),
                last_poll_at: None,
            },
            noted: Noted::default(),
        };
        let event = app.event(
            context,
            Actor::Client(client.id.clone()),
            Action::DeviceRequested,
        );
        let digests = (device_code.digest(), user_code.digest(app.key()));
        match insert(app, grant, digests, event).await {
            Err(Error::Store(store::Error::Duplicate)) => {}
            Err(error) => return Err(error),
            Ok(()) => {
                return Ok(Codes {
                    device_code,
                    user_code,
                    expires_in: settings.code_lifetime,
                    interval: settings.interval,
                });
            }
        }
    }
    tracing::error!("no free user code found: too many pending device grants");
    Err(Error::Busy)
}

/// Authenticates the client, which must be able to use the device grant.
async fn caller(app: &App, context: &Context, credentials: &Credentials) -> Result<Client, Error> {
    let client = client::authenticate(app, context, credentials).await?;
    if client.scopes.is_empty() {
        let actor = Actor::Client(client.id.clone());
        let refusal = Refusal::access(OAuthError::UnauthorizedClient.as_str(), actor);
        refusals::note(app, context, refusal);
        return Err(Error::OAuth(
            OAuthError::UnauthorizedClient,
            "The client may not request tokens: it has no scopes.",
        ));
    }
    Ok(client)
}

fn requested_scopes(app: &App, client: &Client, scope: Option<&str>) -> Result<ScopeSet, Error> {
    let Some(scope) = scope else {
        return Ok(client
            .default_scopes
            .intersection(&app.config().scopes.names()));
    };
    let invalid = |why| Error::OAuth(OAuthError::InvalidScope, why);
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
    Ok(scopes)
}

/// Stores a device grant, if client and source have not reached their limit of pending ones.
async fn insert(
    app: &App,
    grant: Grant,
    (device_code, user_code): (Digest, Digest),
    event: Event,
) -> Result<(), Error> {
    let per_source = app.config().device.live_codes_per_source;
    let per_client = app.config().device.live_codes_per_client;
    app.store()
        .write(move |conn| {
            let now = grant.created_at;
            let mut is_full = |origin, limit| {
                store::device::count_open_grants(conn, origin, now).map(|count| count >= limit)
            };
            if is_full(GrantOrigin::Site(grant.address), per_source)?
                || is_full(GrantOrigin::Client(&grant.client_id), per_client)?
            {
                // The oldest of them expires within a code's lifetime; a minute is an estimate.
                return Err(Error::Throttled(chrono::Duration::minutes(1)));
            }
            store::device::insert_grant(conn, &grant, &device_code, &user_code)?;
            event.write(
                conn,
                Some(grant.id.as_str()),
                json!({
                    "scopes": grant.scopes.to_string(),
                    "device_name": grant.device_name,
                }),
            )
        })
        .await
}

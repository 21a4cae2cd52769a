//! Changes of registered clients by the operator: attributes, secrets, removal; and the built-in
//! client.

use super::{LASTING, Registered, ScopeChoice, without};
use crate::tx::Tx;
use crate::{App, Error, Request, org, project, token};
use chrono::Duration;
use config::Config;
use domain::Fault;
use domain::audit::Action;
use domain::client::{CLI_CLIENT_ID, Client, ClientSecret, Credential, PreviousSecret, Standing};
use domain::scope::ScopeSet;
use domain::secret::Secret;
use domain::token::RevocationReason;
use serde_json::{Map, Value, json};
use store::token_filter::TokenFilter;

const BUILT_IN: Error = Error::Conflict(
    "This client is built in: the next start would register it again. Disable it instead, with \
     `doorcode client update --id doorcode-cli --disable`.",
);

/// New attributes of a client. Absent ones do not change.
#[derive(Debug, Clone, Default)]
pub struct UpdateClient {
    /// Display name.
    pub name: Option<String>,
    /// The scopes that it may request.
    pub scopes: Option<ScopeChoice>,
    /// The scopes of a request that names none. If absent, those that the client may no longer
    /// request are dropped.
    pub default_scopes: Option<Vec<String>>,
    /// Whether it is active.
    pub standing: Option<Standing>,
}

/// Changes a client. A disabled client is treated as unknown, and its tokens cannot be used. Tokens
/// keep their scopes, whatever the client may request from then on.
pub async fn update(req: &Request, id: &str, input: UpdateClient) -> Result<Client, Error> {
    req.caller.require_operator()?;
    let id = id.to_owned();
    req.change(Action::ClientChanged, move |tx| {
        let found = find(tx, &id)?;
        let new = apply(tx.app(), &found, &input)?;
        if new == found {
            return Ok(found);
        }
        store::client::update_client(tx.conn, &new)?;
        tx.record(Some(id.as_str()), difference(&found, &new))?;
        ensure(tx, tx.config())?;
        Ok(new)
    })
    .await
}

fn find(tx: &mut Tx<'_>, id: &str) -> Result<Client, Error> {
    store::client::lock_client(tx.conn, id)?.ok_or(Error::NotFound)
}

fn apply(app: &App, found: &Client, input: &UpdateClient) -> Result<Client, Error> {
    let mut faults = Vec::new();
    let name = match &input.name {
        Some(name) => app.names().check("name", name).unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        }),
        None => found.name.clone(),
    };
    let catalogue = &app.config().scopes;
    let scopes = match &input.scopes {
        Some(choice) => choice.read(catalogue, &mut faults),
        None => found.scopes.clone(),
    };
    let default_scopes = match &input.default_scopes {
        Some(names) => super::read_scopes("default_scope", names, catalogue, &mut faults),
        None => found.default_scopes.intersection(&scopes),
    };
    if !default_scopes.is_subset(&scopes) {
        faults.push(super::not_allowed());
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults.into()));
    }
    let is_same =
        name == found.name && scopes == found.scopes && default_scopes == found.default_scopes;
    Ok(Client {
        follows_settings: found.follows_settings && is_same,
        standing: input.standing.unwrap_or(found.standing),
        credential: found.credential.clone(),
        id: found.id.clone(),
        name,
        scopes,
        default_scopes,
    })
}

/// The detail of the audit record: each changed attribute with its new value.
fn difference(before: &Client, new: &Client) -> Value {
    let mut changed = Map::new();
    let is_active = |client: &Client| client.standing == Standing::Active;
    if is_active(before) != is_active(new) {
        changed.insert("active".to_owned(), is_active(new).into());
    }
    for (key, before, new) in [
        ("name", before.name.clone(), new.name.clone()),
        ("scopes", before.scopes.to_string(), new.scopes.to_string()),
        (
            "default_scopes",
            before.default_scopes.to_string(),
            new.default_scopes.to_string(),
        ),
    ] {
        if before != new {
            changed.insert(key.to_owned(), json!({"from": before, "to": new}));
        }
    }
    changed.into()
}

/// Replaces the secret of a confidential client. The old one stays valid for the overlap, of at most
/// 30 days; one that an earlier rotation replaced ends now. The new secret is returned once.
pub async fn rotate_secret(
    req: &Request,
    id: &str,
    overlap: Duration,
) -> Result<Registered, Error> {
    req.caller.require_operator()?;
    if overlap < Duration::zero() || overlap > token::LONGEST_OVERLAP {
        return Err(Fault::new("overlap", "Choose an overlap of up to 30 days.").into());
    }
    let id = id.to_owned();
    req.change(Action::ClientSecretRotated, move |tx| {
        let found = find(tx, &id)?;
        let Credential::Confidential(old) = &found.credential else {
            return Err(Error::Conflict(
                "A public client has no secret. Register another client for an API.",
            ));
        };
        let secret = Secret::from_random(&tx.random::<32>());
        let previous = (overlap > Duration::zero()).then(|| PreviousSecret {
            digest: old.current.clone(),
            ends_at: tx.now + overlap,
        });
        let client = Client {
            credential: Credential::Confidential(ClientSecret {
                current: secret.digest(),
                previous,
            }),
            ..found
        };
        store::client::update_client(tx.conn, &client)?;
        let detail = json!({"overlap_seconds": overlap.num_seconds()});
        tx.record(Some(id.as_str()), detail)?;
        Ok(Registered {
            client,
            secret: Some(secret),
        })
    })
    .await
}

/// Number of active tokens that were issued to a client.
pub async fn count_tokens(req: &Request, id: &str) -> Result<u64, Error> {
    req.caller.require_operator()?;
    let filter = TokenFilter::Client(id.to_owned());
    req.read(move |tx| {
        let count = store::token_filter::count_living(tx.conn, &filter, tx.now)?;
        Ok(u64::try_from(count).unwrap_or(0))
    })
    .await
}

/// Removes a client: ends its device codes, revokes the tokens that were issued to it, and what was
/// created with them. Its id can be registered again.
pub async fn remove(req: &Request, id: &str) -> Result<token::Revoked, Error> {
    req.caller.require_operator()?;
    let id = id.to_owned();
    req.change(Action::ClientRemoved, move |tx| {
        let found = find(tx, &id)?;
        if found.id == CLI_CLIENT_ID {
            return Err(BUILT_IN);
        }
        // Recorded first: the cause before its consequences.
        tx.record(Some(id.as_str()), json!({"name": found.name}))?;
        let tokens = TokenFilter::Client(id.clone());
        let revoked = token::end_with_descendants(tx, &tokens, None, RevocationReason::Operator)?;
        store::device::deny_pending_of_client(tx.conn, &id)?;
        store::client::delete_client(tx.conn, &id)?;
        Ok(revoked)
    })
    .await
}

/// Built-in scopes that the command line of Doorcode requests by default, with the default scopes
/// of the configuration: read access only.
const CLI_DEFAULT_SCOPES: [&str; 3] = [org::READ, project::READ, token::READ];

/// Registers the command line of Doorcode as a client, or updates it from the settings unless the
/// operator has changed it.
pub async fn ensure_cli(app: &App) -> Result<(), Error> {
    let system = Request::system(app);
    let ensured = system.change(Action::ClientCreated, move |tx| ensure(tx, tx.config()));
    ensured.await
}

/// The same in a transaction, with the settings that are to apply.
pub(crate) fn ensure(tx: &mut Tx<'_>, config: &Config) -> Result<(), Error> {
    // It may request `tokens:write`, but not `orgs:write`.
    let catalogue = &config.scopes;
    let own = CLI_DEFAULT_SCOPES
        .iter()
        .filter_map(|name| catalogue.built_in(name))
        .map(|scope| scope.name.clone())
        .filter(|name| catalogue.find(name).is_some());
    let cli = Client {
        id: CLI_CLIENT_ID.to_owned(),
        name: cli_name(tx, config)?,
        credential: Credential::Public,
        scopes: without(&catalogue.names(), &[org::WRITE], catalogue),
        default_scopes: own.chain(catalogue.defaults().iter().cloned()).collect(),
        standing: Standing::Active,
        follows_settings: true,
    };
    if let Some(found) = store::client::find_client(tx.conn, &cli.id)? {
        let current = Client {
            standing: found.standing,
            ..cli
        };
        if found.follows_settings && found != current {
            store::client::update_client(tx.conn, &current)?;
        }
        // Its name and scopes follow the settings, whose changes are recorded as such.
        tx.needs_no_record();
        return Ok(());
    }
    match store::client::insert_client(tx.conn, &cli, tx.now) {
        Ok(()) => tx.record_as(Action::ClientCreated, Some(cli.id.as_str()), json!({})),
        // Another server that starts at the same moment inserted the client. The retry finds it.
        Err(store::Error::Duplicate) => Err(store::Error::Collision.into()),
        Err(error) => Err(error.into()),
    }
}

/// The name of the built-in client, which no other client has: users tell applications apart by
/// their names. Where users have a program of the company, that one is the "CLI".
fn cli_name(tx: &mut Tx<'_>, config: &Config) -> Result<String, Error> {
    let branding = &config.branding;
    let first = usize::from(branding.has_own_program());
    for kind in &["CLI", "server CLI"][first..] {
        let name = format!("{} {kind}", branding.name);
        let others = store::client::find_ids_by_name(tx.conn, &name)?;
        if others.iter().all(|id| id == CLI_CLIENT_ID) {
            return Ok(name);
        }
    }
    Ok(format!("{} built-in CLI", branding.name))
}

/// The scope that a sign-in with the built-in client must name, because tokens need one and the
/// client has no default: the first that it may request. `None` if a sign-in needs to name none.
pub async fn scope_for_cli(app: &App) -> Result<Option<String>, Error> {
    let config = app.config();
    let client = super::find(app, CLI_CLIENT_ID).await?;
    let needy = client.filter(|client| {
        let defaults = client.default_scopes.intersection(&config.scopes.names());
        config.tokens.scope_required && defaults.is_empty()
    });
    Ok(needy.and_then(|client| {
        let mut allowed = config.scopes.iter().map(|scope| &scope.name);
        let first = allowed.find(|name| client.scopes.contains(name));
        first.map(ToString::to_string)
    }))
}

impl ScopeChoice {
    /// The scopes of this choice. Adds a fault for each unknown one.
    pub(super) fn read(
        &self,
        catalogue: &domain::scope::Catalogue,
        faults: &mut Vec<Fault>,
    ) -> ScopeSet {
        match self {
            Self::All => without(&catalogue.names(), &LASTING, catalogue),
            Self::These(names) => super::read_scopes("scope", names, catalogue, faults),
        }
    }
}

//! The identity of a deployment: the keys that belong to its database, and the public URL and
//! operator token that all servers on the database share.

use super::{AUDIT_KEY, SECRET_KEY};
use crate::{App, Error, Request};
use config::Config;
use domain::audit::Action;
use domain::audit::hash::Hash;
use ring::signature::KeyPair as _;
use serde_json::json;
use store::deployment::{self, Fingerprints, RunningServer};

/// Age in milliseconds of the last heartbeat beyond which a server counts as stopped.
pub(super) const LIVE: i64 = 30_000;

/// Number of hexadecimal digits of a fingerprint.
const DIGITS: usize = 16;

/// The fingerprints of this server's keys. They reveal nothing about the keys.
fn own(app: &App) -> Fingerprints {
    let secrets = &app.0.secrets;
    let audit_key = Hash::of(&[secrets.audit.public_key().as_ref()]).to_string();
    let secret_key = secrets.key.authenticate("fingerprint of the key", &[]);
    Fingerprints {
        secret_key: secret_key.as_str()[..DIGITS].to_owned(),
        audit_key: audit_key[..DIGITS].to_owned(),
    }
}

/// Fails if the keys of this server are not those of the database, with one line that says how to
/// fix it. The first start stores its keys as those of the database.
pub async fn require_own_keys(app: &App) -> Result<(), Error> {
    let keys = own(app);
    let new = keys.clone();
    let known = app.store().read_one(deployment::find).await?;
    let known = match known {
        Some(known) => known,
        None => {
            app.store()
                .write(move |conn| deployment::find_or_insert(conn, &new))
                .await?
        }
    };
    require_same(app.config(), &known, &keys)
}

fn require_same(config: &Config, known: &Fingerprints, keys: &Fingerprints) -> Result<(), Error> {
    let secret = (&known.secret_key, &keys.secret_key);
    let audit = (&known.audit_key, &keys.audit_key);
    let (name, (known, own), path, variable) = match (secret, audit) {
        ((known, own), _) if known != own => {
            let path = &config.server.secret_key_file;
            ("secret key", secret, path, SECRET_KEY)
        }
        (_, (known, own)) if known != own => {
            let path = &config.audit.signing_key_file;
            ("audit key", audit, path, AUDIT_KEY)
        }
        _ => return Ok(()),
    };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    Err(Error::Configuration(format!(
        "The {name} is not that of this database: its fingerprint is {own} instead of {known}. \
         Restore {} (or {variable}) from a backup or from another server of this deployment. If you \
         replaced the key on purpose, stop all servers and run `doorcode deployment accept-keys`.",
        path.display()
    )))
}

/// Stores the current keys as those of the database. Returns the names of the keys that changed.
/// Fails with [`Error::Conflict`] while a server runs, since it uses the previous keys.
pub async fn accept_keys(req: &Request) -> Result<Vec<&'static str>, Error> {
    req.caller.require_operator()?;
    let keys = own(&req.app);
    req.change(Action::KeysAccepted, move |tx| {
        let known = deployment::find_or_insert(tx.conn, &keys)?;
        let now = tx.now.timestamp_millis();
        let is_beside = tx.app().store().is_beside_server();
        if is_beside || !deployment::list_live(tx.conn, "", now - LIVE)?.is_empty() {
            return Err(Error::Conflict(
                "A server of this deployment runs with the earlier keys. Stop all servers first. A \
                 server that was killed counts for 30 seconds.",
            ));
        }
        let changed: Vec<_> = [
            ("secret key", known.secret_key != keys.secret_key),
            ("audit key", known.audit_key != keys.audit_key),
        ]
        .into_iter()
        .filter_map(|(name, is_changed)| is_changed.then_some(name))
        .collect();
        if !changed.is_empty() {
            deployment::replace_fingerprints(tx.conn, &keys)?;
            tx.record(
                None::<&str>,
                json!({
                    "changed": changed,
                    "secret_key": keys.secret_key,
                    "audit_key": keys.audit_key,
                }),
            )?;
        }
        Ok(changed)
    })
    .await
}

/// The keyed digests of the valid operator tokens of this server, the current one first.
fn operator_tokens(app: &App) -> Vec<String> {
    let secrets = &app.0.secrets;
    let digests = secrets.operator.valid_digests(app.now()).into_iter();
    digests
        .map(|digest| {
            let keyed = secrets
                .key
                .authenticate("operator token", &[digest.as_str()]);
            keyed.as_str().to_owned()
        })
        .collect()
}

/// The server with this id, as the others see it.
fn server(app: &App, id: &str, tokens: &[String]) -> RunningServer {
    RunningServer {
        id: id.to_owned(),
        public_url: app.config().server.public_url.to_string(),
        operator_token: tokens.first().cloned(),
    }
}

/// Registers a starting server under the id of its heartbeats, if several servers can share the
/// database. Fails if the keys of the database were replaced meanwhile, or if a running server has
/// another public URL, or an operator token that this one does not accept.
pub async fn register(app: &App, id: &str) -> Result<(), Error> {
    if !app.store().is_shared() {
        return Ok(());
    }
    let tokens = operator_tokens(app);
    let (keys, own) = (own(app), server(app, id, &tokens));
    let (now, starting) = (app.now().timestamp_millis(), app.clone());
    app.store()
        .write(move |conn| {
            // Takes a lock: of two servers that start at the same time, the second sees the first.
            let known = deployment::find_or_insert(conn, &keys)?;
            require_same(starting.config(), &known, &keys)?;
            for other in deployment::list_live(conn, &own.id, now - LIVE)? {
                require_agreement(&own, &other, &tokens)?;
            }
            Ok(deployment::register(conn, &own, now)?)
        })
        .await
}

fn require_agreement(
    own: &RunningServer,
    other: &RunningServer,
    tokens: &[String],
) -> Result<(), Error> {
    const ALL: &str = "Give all servers the same, or stop the others first. A server that was killed \
                       counts for 30 seconds.";
    if own.public_url != other.public_url {
        return Err(Error::Configuration(format!(
            "server.public_url is {}, but another server of this deployment runs with {}. {ALL}",
            own.public_url, other.public_url
        )));
    }
    match &other.operator_token {
        Some(token) if !tokens.is_empty() && !tokens.contains(token) => {
            Err(Error::Configuration(format!(
                "Another server of this deployment runs with an operator token that this one does \
                 not accept. {ALL}"
            )))
        }
        _ => Ok(()),
    }
}

/// Stores the current operator token of a running server, if it has changed.
pub(crate) async fn refresh(app: &App, id: &str, last: &mut Option<String>) {
    let tokens = operator_tokens(app);
    let present = tokens.first().cloned();
    if present == *last || !app.store().is_shared() {
        return;
    }
    let (own, now) = (server(app, id, &tokens), app.now().timestamp_millis());
    let stored = app
        .store()
        .write(move |conn| deployment::register(conn, &own, now))
        .await;
    if stored.is_ok() {
        *last = present;
    }
}

/// Deletes a stopping server, so that the next one may have other values.
pub async fn deregister(app: &App, id: &str) {
    if !app.store().is_shared() {
        return;
    }
    let id = id.to_owned();
    let deleted = app
        .store()
        .write(move |conn| deployment::deregister(conn, &id))
        .await;
    if let Err(error) = deleted {
        tracing::warn!(?error, "the other servers count this one for 30 seconds");
    }
}

//! Server commands. All except `serve` work on the database directly, with or without a running
//! server.

pub mod audit;
pub mod client;
pub mod configuration;
pub mod operator;
pub mod org;
pub mod project;
pub mod serve;
pub mod user;

use doorcode::app::deployment::{Found, Secrets, make_private_directory};
use doorcode::app::user::Named;
use doorcode::app::{self, App, Entropy, Request, SystemClock, SystemEntropy};
use doorcode::config::{Config, DatabaseUrl};
use doorcode::domain::Fault;
use doorcode::domain::user::User;
use doorcode::store::{Conn, Schema, Store};
use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// Result of a command; the error is an explanation for the operator.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Reads the configuration from its file and the environment.
fn load_config(path: Option<&Path>) -> Outcome<Config> {
    let mut variables = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("DOORCODE_")) else {
            continue;
        };
        match value.into_string() {
            Ok(value) => variables.push((name.to_owned(), value)),
            Err(_) => return Err(format!("{name}: the value is not UTF-8").into()),
        }
    }
    Ok(Config::load(path, variables)?)
}

/// What opens a deployment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// A server, or `doorcode migrate`: applies pending migrations.
    Server,
    /// A command. It creates the tables of an empty database, and leaves pending migrations to the
    /// operator: running servers may be of the earlier version.
    Command,
}

/// An opened deployment: migrated, with its secrets and its built-in client.
struct Deployment {
    app: App,
    /// The secret files that this start created or found.
    files: Found,
}

/// Opens the deployment; a first start creates its secrets and the built-in client.
async fn open(config: Config, start: Start) -> Outcome<Deployment> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let secrets = Secrets::load(&config, entropy.as_ref(), |name| std::env::var(name).ok())?;
    let files = secrets.files.clone();
    let store = open_store(&config, start)?;
    let app = App::new(config, store, secrets, Arc::new(SystemClock), entropy)
        .map_err(|error| explain(&error))?;
    app::client::ensure_cli(&app)
        .await
        .map_err(|error| explain(&error))?;
    Ok(Deployment { app, files })
}

/// Runs one use case on the deployment, as a command of the operator.
fn as_operator<T>(
    config: Option<&Path>,
    work: impl AsyncFnOnce(&Request) -> Result<T, app::Error>,
) -> Outcome<T> {
    let config = load_config(config)?;
    actix_web::rt::System::new().block_on(async {
        let app = open(config, Start::Command).await?.app;
        let result = work(&Request::local(&app, None)).await;
        app.stop().await;
        Ok(result.map_err(|error| explain(&error))?)
    })
}

/// The user with this email address, given by the flag `flag`.
async fn user_of(req: &Request, flag: &'static str, email: &str) -> Result<User, app::Error> {
    let named = Named::Email(email.to_owned());
    let found = app::user::find(req, named).await;
    found.map_err(|error| match error {
        app::Error::NotFound => {
            Fault::new(flag, format!("No user has the address {email}.")).into()
        }
        error => error,
    })
}

/// `doorcode migrate`.
pub fn migrate(config: Option<&Path>) -> Outcome {
    let config = load_config(config)?;
    open_store(&config, Start::Server)?;
    print("The database is up to date.")
}

/// `doorcode openapi`.
pub fn openapi(config: Option<&Path>) -> Outcome {
    let config = load_config(config)?;
    let document = doorcode::web::openapi::document(&config.server.public_url);
    print(&serde_json::to_string_pretty(&document)?)
}

/// Opens the database, and migrates it if `start` may.
fn open_store(config: &Config, start: Start) -> Outcome<Store> {
    if let DatabaseUrl::Sqlite(path) = &config.database.url {
        // The database contains no secret in plain text, but all other data. Only its owner may
        // read it and the files that SQLite creates beside it.
        make_private_directory(path)
            .and_then(|()| {
                OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .mode(0o600)
                    .open(path)
            })
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if let Some(variable) = other_host(config) {
        return Err(format!("{variable}: unset it, and name the host in database.url").into());
    }
    let store = Store::open(&config.database.url)?;
    if start == Start::Command {
        match store.schema()? {
            Schema::Empty => {}
            // The next start of a server restores the triggers.
            Schema::Current | Schema::Unguarded => return Ok(store),
            Schema::Outdated => {
                return Err(
                    "The database is from an earlier version of this program. Run \
                            `doorcode migrate` first."
                        .into(),
                );
            }
        }
    }
    let migrations = store.migrate()?;
    if !migrations.is_empty() {
        tracing::info!(?migrations, "the database was migrated");
    }
    Ok(store)
}

/// The environment variable with which the driver of PostgreSQL would connect to another host than
/// the validated one.
fn other_host(config: &Config) -> Option<&'static str> {
    let is_set = |variable: &&str| std::env::var_os(variable).is_some();
    match &config.database.url {
        DatabaseUrl::Postgres(_) => ["PGHOSTADDR", "PGSERVICE"].into_iter().find(is_set),
        DatabaseUrl::Sqlite(_) => None,
    }
}

/// Warnings about settings that do not fit the organizations in the database; none if it cannot be
/// read. Creates no database.
fn warnings(config: &Config) -> Vec<String> {
    if other_host(config).is_some() {
        return Vec::new();
    }
    let Ok(mut conn) = Conn::open_existing(&config.database.url) else {
        return Vec::new();
    };
    app::org::unnamed_roles(config, &mut conn).unwrap_or_default()
}

/// The text of an error for a terminal.
fn explain(error: &doorcode::app::Error) -> String {
    use doorcode::app::Error;
    match error {
        Error::Invalid(faults) => faults
            .iter()
            .map(|fault| match fault.field {
                "" => fault.message.clone(),
                field => format!("{field}: {}", fault.message),
            })
            .collect::<Vec<_>>()
            .join("\n"),
        Error::Conflict(message) => (*message).to_owned(),
        Error::NotFound => "Not found. Check the spelling.".to_owned(),
        Error::Outside(why) => why.clone(),
        Error::Store(error) => error.to_string(),
        Error::Busy => "The database is busy. Try again.".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Writes to standard output. A closed pipe is not an error.
fn print(text: &str) -> Outcome {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

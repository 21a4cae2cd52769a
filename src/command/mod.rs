//! Server commands. All except `serve` work on the database directly, with or without a running
//! server. Only `serve` and `migrate` create a database: a command in the wrong folder must not
//! make a second deployment there.

pub mod audit;
pub mod backup;
pub mod check;
pub mod client;
pub mod configuration;
pub mod decision;
pub mod deployment;
pub mod health;
mod log;
pub mod operator;
pub mod org;
pub mod project;
pub mod serve;
mod signals;
mod supervisor;
pub mod transfer;
pub mod user;
mod uses;
mod welcome;

use doorcode::app::deployment::{
    Found, Secrets, is_in_use, make_private_directory, require_keys, require_operator_token,
    require_own_keys,
};
use doorcode::app::user::Named;
use doorcode::app::{self, App, Entropy, Request, SystemClock, SystemEntropy};
use doorcode::config::{Config, DatabaseUrl};
use doorcode::domain::Fault;
use doorcode::domain::page::{Page, Position};
use doorcode::domain::user::User;
use doorcode::store::{self, Conn, LockRefusal, Schema, Store, Turns};
use std::error::Error;
use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
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
    /// A server: creates the database, and applies pending migrations.
    Server,
    /// A server that leaves both to `doorcode migrate`.
    ServerWithoutMigration,
    /// `doorcode migrate`, which does the same and ends.
    Migration,
    /// A command on a deployment that exists. It leaves pending migrations to the operator: running
    /// servers may be of the earlier version.
    Command,
}

impl Start {
    fn is_server(self) -> bool {
        matches!(self, Self::Server | Self::ServerWithoutMigration)
    }

    /// Whether it creates and migrates the database.
    fn migrates(self) -> bool {
        matches!(self, Self::Server | Self::Migration)
    }
}

/// An opened deployment: migrated, with its secrets, and for a command with its built-in client.
struct Deployment {
    app: App,
    /// The secret files that this start created or found.
    files: Found,
}

/// Opens the deployment. Creates missing secrets, unless it is in use. Fails if its keys are not those
/// that belong to the database.
async fn open(config: Config, start: Start) -> Outcome<Deployment> {
    let deployment = open_with_any_keys(config, start).await?;
    require_own_keys(&deployment.app)
        .await
        .map_err(|error| explain(&error))?;
    // A server can still be refused, and then changes nothing.
    if !start.is_server() {
        app::client::ensure_cli(&deployment.app)
            .await
            .map_err(|error| explain(&error))?;
    }
    Ok(deployment)
}

/// The same with any keys, for the command that makes them those of the database.
async fn open_with_any_keys(config: Config, start: Start) -> Outcome<Deployment> {
    let store = open_store(&config, start)?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let env = |name: &str| std::env::var(name).ok();
    let is_in_use = is_in_use(&store).await;
    let is_in_use = is_in_use.map_err(|error| explain(&error))?;
    if is_in_use {
        require_keys(&config, env)?;
    }
    if is_in_use && start == Start::Command {
        require_operator_token(&config, env)?;
    }
    let secrets = Secrets::load(&config, entropy.as_ref(), env)?;
    let files = secrets.files.clone();
    let app = App::new(config, store, secrets, Arc::new(SystemClock), entropy)
        .map_err(|error| explain(&error))?;
    // Before anything is written, so that its time is that of the servers.
    app::clock::compare(&app)
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

/// Number of entries that are read at once.
const PAGE: u16 = 500;

/// All entries of a list that is read in pages; `position` is that of an entry.
async fn list_all<T>(
    read: impl AsyncFn(&Page) -> Result<Vec<T>, app::Error>,
    position: impl Fn(&T) -> Position,
) -> Result<Vec<T>, app::Error> {
    let (mut page, mut all) = (Page::first(PAGE), Vec::new());
    loop {
        let mut found = read(&page).await?;
        let has_more = page.cut(&mut found);
        page.after = found.last().map(&position);
        all.extend(found);
        if !has_more {
            return Ok(all);
        }
    }
}

/// Asks on the terminal whether to continue. Fails without a terminal.
fn confirm(consequences: &str) -> Outcome<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(format!("{consequences} Add --yes to continue.").into());
    }
    let mut terminal = std::io::stderr();
    write!(terminal, "{consequences} Continue? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
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
    open_store(&config, Start::Migration)?;
    print("The database is up to date.")
}

/// `doorcode openapi`.
pub fn openapi(config: Option<&Path>) -> Outcome {
    let config = load_config(config)?;
    let document = doorcode::web::openapi::document(&config);
    print_document(&serde_json::to_string_pretty(&document)?)
}

/// Opens the database. A server creates and migrates it, if it may; otherwise it must be there.
fn open_store(config: &Config, start: Start) -> Outcome<Store> {
    if let Some(variable) = other_host(config) {
        return Err(format!("{variable}: unset it, and name the host in database.url").into());
    }
    match (&config.database.url, start.migrates()) {
        (DatabaseUrl::Sqlite(path), true) => make_database(path)?,
        (DatabaseUrl::Sqlite(path), false) if !is_database(path) => {
            return Err(missing(config).into());
        }
        _ => {}
    }
    let turns = match &config.database.url {
        DatabaseUrl::Sqlite(path) => take_turns(path, start)?,
        DatabaseUrl::Postgres(_) => Turns::alone(),
    };
    let store = Store::open_by(&config.database.url, turns).map_err(unusable)?;
    if start.migrates() {
        let migrations = store.migrate().map_err(unusable)?;
        if !migrations.is_empty() {
            tracing::info!(?migrations, "the database was migrated");
        }
        return Ok(store);
    }
    match store.schema().map_err(unusable)? {
        // The next start of a server restores the triggers.
        Schema::Current | Schema::Unguarded => Ok(store),
        Schema::Empty => Err(missing(config).into()),
        Schema::Outdated => {
            Err("The database is of an older version. Run `doorcode migrate` first.".into())
        }
    }
}

/// The error of a start without a database that can be used.
fn unusable(error: store::Error) -> String {
    match error {
        store::Error::Unavailable(_) => format!(
            "{error}. Check `url` under [database] (DOORCODE__DATABASE__URL), and that the database \
             runs."
        ),
        error => error.to_string(),
    }
}

/// Takes the lock of a SQLite database, which one server has at most. A command beside a server, or one
/// that migrates, asks the server for its turns.
fn take_turns(path: &Path, start: Start) -> Outcome<Turns> {
    let taken = match start {
        Start::Server | Start::ServerWithoutMigration => Turns::of_server(path),
        Start::Migration | Start::Command => Turns::of_command(path),
    };
    taken.map_err(|refusal| {
        let refused = match refusal {
            LockRefusal::Server(id) => format!(
                "Another server (process {id}) uses {}. Stop it first. Several servers need \
                 PostgreSQL.",
                absolute(path)
            ),
            LockRefusal::Command => format!(
                "A command uses {}. Try again when it has ended.",
                absolute(path)
            ),
            LockRefusal::File(path, error) => format!("{}: {error}", absolute(&path)),
        };
        refused.into()
    })
}

/// Creates the file of a SQLite database. The database contains no secret in plain text, but all
/// other data. Only its owner may read it and the files that SQLite creates beside it.
fn make_database(path: &Path) -> Outcome {
    make_private_directory(path)
        .and_then(|()| {
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path)
        })
        .map(drop)
        .map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Whether a file may be a SQLite database. An empty one has no content.
fn is_database(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
}

/// The error of a command where there is no deployment.
fn missing(config: &Config) -> String {
    let place = match &config.database.url {
        DatabaseUrl::Sqlite(path) => absolute(path),
        url @ DatabaseUrl::Postgres(_) => url.to_string(),
    };
    format!(
        "There is no database at {place}. Run the command in the server's folder, or with --config \
         FILE. `doorcode serve` or `doorcode migrate` creates a new database."
    )
}

/// The absolute path, for a text.
fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path);
    absolute.as_deref().unwrap_or(path).display().to_string()
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
        Error::Outside(why) | Error::Configuration(why) => why.clone(),
        Error::Store(error) => error.to_string(),
        Error::Busy => "The database is busy. Try again.".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The command to call this program, as it was called: a company may have renamed it.
fn program() -> String {
    let called = std::env::args().next();
    let called = called.filter(|called| !called.is_empty());
    called.unwrap_or_else(|| "doorcode".to_owned())
}

/// A text with its commands of this program as they can be called here.
pub fn as_called(text: &str) -> String {
    text.replace("`doorcode ", &format!("`{} ", program()))
}

/// Writes to standard output, with commands as they can be called here.
fn print(text: &str) -> Outcome {
    print_document(&as_called(text))
}

/// Writes to standard output. A closed pipe is not an error.
fn print_document(text: &str) -> Outcome {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

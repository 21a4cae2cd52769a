//! The commands of the operator at the server: accounts, clients, the database and the
//! configuration. They work on the database directly, with or without a running server.

use super::{Outcome, explain, load_config, open, open_store, print};
use clap::Subcommand;
use doorcode::app::account::{self, Named, NewAccount};
use doorcode::app::caller::Caller;
use doorcode::app::client::{self, Kind, NewClient, Registered};
use doorcode::app::receipt::Receipt;
use doorcode::app::{App, Context, Error};
use doorcode::domain::org::Role;
use doorcode::domain::secret::Secret;
use std::io::{BufRead, IsTerminal};
use std::path::Path;

/// `doorcode user …`.
#[derive(Subcommand)]
pub enum User {
    /// Make an account
    Add {
        /// The address to sign in with
        #[arg(long)]
        email: String,
        /// The person's name
        #[arg(long)]
        name: String,
        /// The organization to join; it is made if it is not there
        #[arg(long)]
        org: Option<String>,
        /// The role in the organization: member, admin or owner
        #[arg(long, default_value = "member", requires = "org", value_parser = role)]
        role: Role,
        /// Read the password from the first line of standard input, instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// Switch an account off: its sessions and tokens end at once
    Deactivate {
        /// The address of the account
        #[arg(long)]
        email: String,
    },
}

/// `doorcode client …`.
#[derive(Subcommand)]
pub enum Client {
    /// Register an application
    Add {
        /// Its `client_id`
        #[arg(long)]
        id: String,
        /// The name that people see when they approve
        #[arg(long)]
        name: String,
        /// A scope that it may ask for; repeat for several [default: all of them, or none for
        /// a confidential client]
        #[arg(long)]
        scope: Vec<String>,
        /// A scope that it gets when it asks for none; repeat for several [default: all that
        /// it may ask for]
        #[arg(long)]
        default_scope: Vec<String>,
        /// It is an API with a secret, and may introspect tokens
        #[arg(long)]
        confidential: bool,
    },
}

/// `doorcode config …`.
#[derive(Subcommand)]
pub enum Configuration {
    /// Check the configuration and print what is in force
    Check,
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "write member, admin or owner".to_owned())
}

/// Runs one use case on the deployment.
fn with_app<T>(
    config: Option<&Path>,
    work: impl AsyncFnOnce(&App) -> Result<T, Error>,
) -> Outcome<T> {
    let config = load_config(config)?;
    actix_web::rt::System::new().block_on(async {
        let app = open(config).await?.app;
        let result = work(&app).await;
        app.stop().await;
        Ok(result.map_err(|error| explain(&error))?)
    })
}

/// `doorcode migrate`.
pub fn migrate(config: Option<&Path>) -> Outcome {
    let config = load_config(config)?;
    open_store(&config)?;
    print("The database is up to date.")
}

/// `doorcode user …`.
pub fn user(config: Option<&Path>, user: User) -> Outcome {
    match user {
        User::Add {
            email,
            name,
            org,
            role,
            password_stdin,
        } => {
            let new = NewAccount {
                email,
                name,
                password: read_password(password_stdin)?,
                organization: org.map(|org| (org, role)),
            };
            let account = with_app(config, async |app| {
                account::add(app, &Context::local(), new).await
            })?;
            print(&format!(
                "{} can sign in now. ({})",
                account.email, account.id
            ))
        }
        User::Deactivate { email } => {
            let account = with_app(config, async |app| {
                let named = Named::Email(email.clone());
                let operator = Caller::Operator(None);
                account::deactivate(app, &Context::local(), &operator, named, Receipt::none()).await
            });
            let account = account.map_err(|error| format!("{email}: {error}"))?;
            print(&format!(
                "{} is deactivated. Its sessions and tokens have ended. ({})",
                account.email, account.id
            ))
        }
    }
}

fn read_password(from_stdin: bool) -> Outcome<Secret> {
    if from_stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        let password = line.strip_suffix('\n').unwrap_or(&line);
        return Ok(Secret::new(password.strip_suffix('\r').unwrap_or(password)));
    }
    if !std::io::stdin().is_terminal() {
        return Err("there is no terminal to ask for the password: use --password-stdin".into());
    }
    let terminal = console::Term::stderr();
    terminal.write_str("Password (at least 15 characters): ")?;
    Ok(Secret::new(terminal.read_secure_line()?))
}

/// `doorcode client …`.
pub fn client(config: Option<&Path>, client: Client) -> Outcome {
    let Client::Add {
        id,
        name,
        scope,
        default_scope,
        confidential,
    } = client;
    let new = NewClient {
        id,
        name,
        scopes: scope,
        default_scopes: default_scope,
        kind: match confidential {
            true => Kind::Confidential,
            false => Kind::Public,
        },
    };
    let Registered { client, secret } = with_app(config, async |app| {
        let operator = Caller::Operator(None);
        client::register(app, &Context::local(), &operator, new, Receipt::none()).await
    })?;
    let list = |scopes: &doorcode::domain::scope::ScopeSet| match scopes.is_empty() {
        true => "none".to_owned(),
        false => scopes.to_string(),
    };
    let mut text = format!(
        "client_id:      {}\nname:           {}\nscopes:         {}\ndefault scopes: {}",
        client.id,
        client.name,
        list(&client.scopes),
        list(&client.default_scopes)
    );
    if let Some(secret) = secret {
        text += &format!(
            "\nclient_secret:  {}\n\nThe secret is shown this once. Keep it where your API keeps its secrets.",
            secret.expose()
        );
    }
    print(&text)
}

/// `doorcode openapi`.
pub fn openapi(config: Option<&Path>) -> Outcome {
    let config = load_config(config)?;
    let document = doorcode::web::openapi::document(&config.server.public_url);
    print(&serde_json::to_string_pretty(&document)?)
}

/// `doorcode config …`.
pub fn configuration(config: Option<&Path>, configuration: Configuration) -> Outcome {
    let Configuration::Check = configuration;
    let config = load_config(config)?;
    print(config.describe().trim_end())?;
    print("\n# The configuration is valid.")
}

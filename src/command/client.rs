//! `doorcode client …`: registered applications.

use super::{Outcome, as_operator, confirm, list_all, print, print_document};
use clap::Subcommand;
use clap::error::ErrorKind;
use doorcode::app::client::{self, Kind, NewClient, Registered, ScopeChoice, UpdateClient};
use doorcode::app::{self, Request};
use doorcode::domain::Instant;
use doorcode::domain::client::{Client as Application, Credential, Standing};
use doorcode::domain::scope::ScopeSet;
use doorcode::web::client_document;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// `doorcode client …`.
#[derive(Subcommand)]
pub enum Client {
    /// Register an application
    Add {
        /// Its `client_id`
        #[arg(long)]
        id: String,
        /// The name that the consent page shows
        #[arg(long)]
        name: String,
        /// A scope that it may request; can be repeated. A public client needs this or
        /// --all-scopes; a confidential one needs none to introspect tokens
        #[arg(long)]
        scope: Vec<String>,
        /// It may request all scopes except tokens:write and orgs:write
        #[arg(long, conflicts_with = "scope")]
        all_scopes: bool,
        /// A scope that it gets if it requests none; can be repeated [default: every scope that
        /// it may request except tokens:write and orgs:write]
        #[arg(long)]
        default_scope: Vec<String>,
        /// Create a client secret, and allow token introspection: for an API
        #[arg(long)]
        confidential: bool,
    },
    /// List the registered applications
    List {
        /// Print a JSON array, with the attributes of GET /v1/clients
        #[arg(long)]
        json: bool,
    },
    /// Change an application: its name, its scopes, or whether it is enabled
    #[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
    Update {
        /// Its `client_id`
        #[arg(long)]
        id: String,
        /// The new name that the consent page shows
        #[arg(long, group = "change")]
        name: Option<String>,
        /// A scope that it may request from now on; can be repeated. Replaces the earlier ones;
        /// tokens keep their scopes
        #[arg(long, group = "change")]
        scope: Option<Vec<String>>,
        /// It may request all scopes except tokens:write and orgs:write
        #[arg(long, group = "change", conflicts_with = "scope")]
        all_scopes: bool,
        /// A scope that it gets if it requests none; can be repeated. Replaces the earlier ones
        /// [default: the earlier ones that it may still request]
        #[arg(long, group = "change")]
        default_scope: Option<Vec<String>>,
        /// Treat it as unknown everywhere; its tokens cannot be used until it is enabled
        #[arg(long, group = "change")]
        disable: bool,
        /// Enable it again
        #[arg(long, group = "change", conflicts_with = "disable")]
        enable: bool,
    },
    /// Replace the secret of a confidential client; running servers accept the new one immediately
    RotateSecret {
        /// Its `client_id`
        #[arg(long)]
        id: String,
        /// How long the old secret stays valid, such as 90m or 24h; 0 ends it immediately
        #[arg(long, default_value = "24h", value_parser = doorcode::config::overlap)]
        overlap: Duration,
    },
    /// Remove an application: its device codes end, and the tokens that it obtained are revoked
    Remove {
        /// Its `client_id`
        #[arg(long)]
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Runs `doorcode client …`.
pub fn run(config: Option<&Path>, client: Client) -> Outcome {
    match client {
        Client::Add {
            id,
            name,
            scope,
            all_scopes,
            default_scope,
            confidential,
        } => {
            if scope.is_empty() && !all_scopes && !confidential {
                let text = "A public client needs `--scope NAME`, once for each scope that it may \
                            request, or `--all-scopes`.\n";
                clap::Error::raw(ErrorKind::MissingRequiredArgument, text).exit();
            }
            let new = NewClient {
                id,
                name,
                scopes: match all_scopes {
                    true => ScopeChoice::All,
                    false => ScopeChoice::These(scope),
                },
                default_scopes: default_scope,
                kind: match confidential {
                    true => Kind::Confidential,
                    false => Kind::Public,
                },
            };
            let (registered, namesakes) = as_operator(config, async |req| {
                let registered = client::register(req, new).await?;
                let namesakes = client::namesakes(req, &registered.client).await?;
                Ok((registered, namesakes))
            })?;
            print(&describe_registered(&registered))?;
            warn_about(&namesakes)
        }
        Client::List { json } => list(config, json),
        Client::Update {
            id,
            name,
            scope,
            all_scopes,
            default_scope,
            disable,
            enable,
        } => {
            let input = UpdateClient {
                name,
                scopes: match all_scopes {
                    true => Some(ScopeChoice::All),
                    false => scope.map(ScopeChoice::These),
                },
                default_scopes: default_scope,
                standing: match (disable, enable) {
                    (true, _) => Some(Standing::Disabled),
                    (_, true) => Some(Standing::Active),
                    (false, false) => None,
                },
            };
            let (client, namesakes) = on(config, &id, async |req| {
                let client = client::update(req, &id, input).await?;
                let namesakes = client::namesakes(req, &client).await?;
                Ok((client, namesakes))
            })?;
            print(&describe(&client))?;
            warn_about(&namesakes)
        }
        Client::RotateSecret { id, overlap } => {
            let overlap = chrono::Duration::from_std(overlap)?;
            let registered = on(config, &id, async |req| {
                client::rotate_secret(req, &id, overlap).await
            })?;
            print(&describe_registered(&registered))?;
            print(&describe_previous(&registered.client))
        }
        Client::Remove { id, yes } => remove(config, &id, yes),
    }
}

/// Runs a use case on the client with this id.
fn on<T>(
    config: Option<&Path>,
    id: &str,
    work: impl AsyncFnOnce(&Request) -> Result<T, app::Error>,
) -> Outcome<T> {
    as_operator(config, async |req| {
        work(req).await.map_err(|error| match error {
            app::Error::NotFound => app::Error::Outside(format!(
                "There is no client {id}. `doorcode client list` lists them."
            )),
            error => error,
        })
    })
}

/// `doorcode client list`.
fn list(config: Option<&Path>, json: bool) -> Outcome {
    let clients = as_operator(config, async |req| {
        // The list is sorted by id, so the id alone is the position.
        let position = |client: &Application| (Instant::UNIX_EPOCH, client.id.clone());
        list_all(async |page| client::list(req, page).await, position).await
    })?;
    if json {
        let documents: Vec<_> = clients.iter().map(client_document).collect();
        return print_document(&serde_json::to_string_pretty(&documents)?);
    }
    let texts: Vec<_> = clients.iter().map(describe).collect();
    print(&texts.join("\n\n"))
}

/// `doorcode client remove`.
fn remove(config: Option<&Path>, id: &str, yes: bool) -> Outcome {
    let (client, tokens) = on(config, id, async |req| {
        Ok((
            client::show(req, id).await?,
            client::count_tokens(req, id).await?,
        ))
    })?;
    let tokens_in_words = match tokens {
        0 => "It has no active tokens.".to_owned(),
        1 => "The active token that it obtained is revoked.".to_owned(),
        count => format!("The {count} active tokens that it obtained are revoked."),
    };
    let consequences = format!(
        "Removing {} ({id}) ends its device codes. {tokens_in_words}",
        client.name
    );
    if !yes && !confirm(&consequences)? {
        return print("Nothing was changed.");
    }
    let revoked = on(config, id, async |req| client::remove(req, id).await)?;
    print(&format!(
        "{id} is removed. Tokens revoked: {}.",
        revoked.tokens
    ))
}

/// Warns on standard error about the other clients with the same name.
fn warn_about(namesakes: &[String]) -> Outcome {
    if !namesakes.is_empty() {
        writeln!(
            std::io::stderr(),
            "warning: users cannot tell it apart from a client with the same name: {}",
            namesakes.join(", ")
        )?;
    }
    Ok(())
}

fn describe(client: &Application) -> String {
    let list = |scopes: &ScopeSet| match scopes.is_empty() {
        true => "none".to_owned(),
        false => scopes.to_string(),
    };
    let kind = match client.credential {
        Credential::Public => "public",
        Credential::Confidential(_) => "confidential",
    };
    let state = match client.standing {
        Standing::Active => "active",
        Standing::Disabled => "disabled",
    };
    format!(
        "client_id:      {}\nname:           {}\nkind:           {kind}\nstate:          {state}\n\
         scopes:         {}\ndefault scopes: {}",
        client.id,
        client.name,
        list(&client.scopes),
        list(&client.default_scopes)
    )
}

fn describe_registered(registered: &Registered) -> String {
    let mut text = describe(&registered.client);
    if let Some(secret) = &registered.secret {
        text += &format!(
            "\nclient_secret:  {}\n\nThe secret is shown only once. Store it with the secrets of your API.",
            secret.expose()
        );
    }
    text
}

/// When the secret that a rotation replaced ends.
fn describe_previous(client: &Application) -> String {
    let previous = match &client.credential {
        Credential::Confidential(secret) => secret.previous.as_ref(),
        Credential::Public => None,
    };
    match previous {
        Some(previous) => format!(
            "The old secret stays valid until {}.",
            previous.ends_at.format("%Y-%m-%d %H:%M:%S UTC")
        ),
        None => "The old secret has ended.".to_owned(),
    }
}

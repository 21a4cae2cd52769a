//! `doorcode client …`: registered applications.

use super::{Outcome, as_operator, print};
use clap::Subcommand;
use doorcode::app::client::{self, Kind, NewClient, Registered};
use doorcode::domain::scope::ScopeSet;
use std::path::Path;

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
        /// A scope that it may request; can be repeated [default: all scopes except
        /// tokens:write and orgs:write, or none for a confidential client]
        #[arg(long)]
        scope: Vec<String>,
        /// A scope that it gets if it requests none; can be repeated [default: every scope that
        /// it may request except tokens:write and orgs:write]
        #[arg(long)]
        default_scope: Vec<String>,
        /// Create a client secret, and allow token introspection: for an API
        #[arg(long)]
        confidential: bool,
    },
}

/// Runs `doorcode client …`.
pub fn run(config: Option<&Path>, client: Client) -> Outcome {
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
    let Registered { client, secret } =
        as_operator(config, async |req| client::register(req, new).await)?;
    let list = |scopes: &ScopeSet| match scopes.is_empty() {
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
            "\nclient_secret:  {}\n\nThe secret is shown only once. Store it with the secrets of your API.",
            secret.expose()
        );
    }
    print(&text)
}

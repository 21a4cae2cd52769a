//! `doorcode token create`.

use serde_json::Value;
use wire::api::{CreateTokenBody, NewToken};

use super::{OwnerOptions, facts};
use crate::commands::login::{parse_project, parse_scope};
use crate::commands::session::Session;
use crate::commands::{ClientOptions, Context};
use crate::error::Error;
use domain::id::ProjectId;
use domain::scope::ScopeSet;

/// The options of `token create`.
#[derive(Debug, clap::Args)]
pub struct CreateOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    #[command(flatten)]
    owner: OwnerOptions,
    /// The name of the token, to recognize it in lists
    #[arg(value_name = "NAME")]
    name: String,
    /// A scope of the token; can be repeated. Your sign-in must have it too
    #[arg(long, value_name = "SCOPE", value_parser = parse_scope, value_delimiter = ',')]
    scope: Vec<ScopeSet>,
    /// The lifetime: never, 30d, 90d, 1y, or the last day, such as 2030-01-31 [default: as
    /// configured on the server]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Limit the token to this organization, by its slug or ID
    #[arg(long, value_name = "ORG")]
    limit_org: Option<String>,
    /// Limit the token to this project, by its ID; can be repeated
    #[arg(long, value_name = "PROJECT", value_parser = parse_project)]
    limit_project: Vec<ProjectId>,
}

/// Creates a token. Its secret is all that is written to standard output.
pub async fn run(options: &CreateOptions, context: &Context<'_>) -> Result<(), Error> {
    let session = Session::open(context)?;
    let scopes = options.scope.iter().flat_map(ScopeSet::iter);
    let projects = options.limit_project.iter();
    let body = CreateTokenBody {
        name: options.name.clone(),
        scopes: scopes.map(ToString::to_string).collect(),
        expires: options.expires.clone(),
        organization: options.limit_org.clone(),
        projects: projects.map(|id| id.as_str().to_owned()).collect(),
    };
    let (path, list) = (
        options.owner.path(),
        options.owner.list_command(context.branding),
    );
    let document: Value = match session.create(&path, &body, &list).await {
        Err(error @ Error::Failed(_)) => {
            let wanted = body.scopes.iter().map(String::as_str);
            return Err(session.client.unknown_scopes(wanted).await.unwrap_or(error));
        }
        created => created?,
    };
    let new = read(&document, &session)?;
    context.out.note(format_args!(
        "{}\nThe secret is shown only this once. Store it now.",
        facts(&new.about, context)
    ));
    Ok(context.out.answer(&document, &new.token)?)
}

/// The new token as this version knows it.
pub(super) fn read(document: &Value, session: &Session<'_>) -> Result<NewToken, Error> {
    serde::Deserialize::deserialize(document)
        .map_err(|cause: serde_json::Error| session.client.unexpected(cause.to_string()))
}

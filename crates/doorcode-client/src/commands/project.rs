//! `doorcode project`: the client commands.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wire::api::{List, ProjectDetail};

use super::session::Session;
use super::{ClientOptions, Context, reference};
use crate::api::Listing;
use crate::error::Error;
use crate::output::{Column, moment, plain, table};
use domain::id::ProjectId;

/// The commands about projects.
#[derive(Debug, clap::Subcommand)]
pub enum ProjectCommand {
    /// List the projects that your token can access, oldest first
    List(ListOptions),
    /// Make a project the one of commands that name none
    Use(UseOptions),
}

/// The options of `project list`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    #[command(flatten)]
    client: ClientOptions,
    /// Only the projects of this organization, by its slug or ID
    #[arg(long, value_name = "ORG", value_parser = reference)]
    org: Option<String>,
}

/// The options of `project use`.
#[derive(Debug, clap::Args)]
pub struct UseOptions {
    #[command(flatten)]
    client: ClientOptions,
    /// The project, by its ID or name
    #[arg(value_name = "PROJECT", required_unless_present = "none")]
    project: Option<String>,
    /// Use no project unless a command names one
    #[arg(long, conflicts_with = "project")]
    none: bool,
}

impl ProjectCommand {
    /// The options that all client commands share.
    pub(super) fn options(&self) -> &ClientOptions {
        match self {
            Self::List(options) => &options.client,
            Self::Use(options) => &options.client,
        }
    }

    /// Runs the command.
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Error> {
        match self {
            Self::List(options) => list(options, context).await,
            Self::Use(options) => choose(options, context).await,
        }
    }
}

async fn list(options: &ListOptions, context: &Context<'_>) -> Result<(), Error> {
    let session = Session::open(context)?;
    let path = match &options.org {
        Some(org) => format!("/v1/orgs/{org}/projects"),
        None => "/v1/projects".to_owned(),
    };
    let (list, projects) = all(&session, &path).await?;
    let identity = session.identity().await?;
    let used = session.settings.project()?;
    let used = used.as_ref().map(ProjectId::as_str);
    let document = json!({
        "items": list.items,
        "next_cursor": list.next_cursor,
        "default_project": used,
    });
    if projects.is_empty() {
        let text = "There are no projects that the token can access.";
        let text = context.branding.words.apply(text);
        return Ok(context.out.report(&document, text)?);
    }
    let organizations = identity.me.organizations.iter();
    let names: BTreeMap<_, _> = organizations.map(|org| (&org.id, &org.name)).collect();
    let rows = projects.iter().map(|project| {
        let mark = if used == Some(&*project.id) { " *" } else { "" };
        let organization = names.get(&project.organization);
        [
            format!("{}{mark}", project.name),
            project.id.clone(),
            (*organization.unwrap_or(&&project.organization)).clone(),
            moment::last_day(Some(&project.created_at)),
        ]
        .map(|cell| plain(&cell).into_owned())
    });
    let organization = context.branding.words.apply("ORGANIZATION");
    let columns = [
        Column::Cut("NAME", 16),
        Column::Whole("ID"),
        Column::Cut(&organization, 12),
        Column::Optional("CREATED"),
    ];
    let text = table(columns, rows, context.out.columns());
    Ok(context.out.answer(&document, text)?)
}

async fn all(
    session: &Session<'_>,
    path: &str,
) -> Result<(List<Value>, Vec<ProjectDetail>), Error> {
    let (client, token) = (&session.client, &session.token);
    let list = client.list(token, &Listing::all(path)).await?;
    let projects = client.known(&list)?;
    Ok((list, projects))
}

/// Stores the default project, after the server has shown that the token can access it.
async fn choose(options: &UseOptions, context: &Context<'_>) -> Result<(), Error> {
    let session = Session::open(context)?;
    let settings = &session.settings;
    let project = match &options.project {
        Some(named) => Some(find(named, &session).await?),
        None => None,
    };
    let id = project
        .as_ref()
        .map(|project| {
            let unusable = || {
                session
                    .client
                    .unexpected("the ID of the project is invalid")
            };
            ProjectId::parse(&project.id).ok_or_else(unusable)
        })
        .transpose()?;
    settings.change_file(|credentials| {
        credentials.set_project(&settings.profile, &settings.host, id.as_ref())
    })?;
    let variable = context.branding.variable("PROJECT");
    if std::env::var_os(&variable).is_some_and(|value| !value.is_empty()) {
        context.out.note(format_args!(
            "The environment variable {variable} is set and overrides this."
        ));
    }
    let word = &context.branding.words.project;
    let (text, name) = match &project {
        Some(project) => {
            let name = plain(&project.name);
            let text = format!(
                "Commands that name no {word} use {name} ({}) at {} now.",
                plain(&project.id),
                settings.host
            );
            (text, Some(name))
        }
        None => (
            format!("There is no default {word} at {} now.", settings.host),
            None,
        ),
    };
    let document = json!({
        "host": settings.host.to_string(),
        "profile": settings.profile.to_string(),
        "default_project": id.as_ref().map(ProjectId::as_str),
        "name": name,
    });
    Ok(context.out.report(&document, text)?)
}

/// The project with this ID or name, among those that the token can access.
async fn find(named: &str, session: &Session<'_>) -> Result<ProjectDetail, Error> {
    if ProjectId::parse(named).is_some() {
        return session.get(&format!("/v1/projects/{named}")).await;
    }
    let (_, mut found) = all(session, "/v1/projects").await?;
    found.retain(|project| project.name == named);
    let words = &session.context.branding.words;
    let word = &words.project;
    let command = session.context.command(&format!("{word} list"));
    match <[ProjectDetail; 1]>::try_from(found) {
        Ok([project]) => Ok(project),
        Err(found) if found.is_empty() => Err(Error::Failed(format!(
            "The token can access no {word} with the name or ID {}. `{command}` shows the \
             {word}s.",
            plain(named)
        ))),
        Err(found) => {
            let ids: Vec<_> = found.iter().map(|project| plain(&project.id)).collect();
            Err(Error::Failed(format!(
                "{} {word}s have the name {}. Use an ID: {}.",
                ids.len(),
                plain(named),
                ids.join(", ")
            )))
        }
    }
}

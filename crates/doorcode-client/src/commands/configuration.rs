//! `doorcode config`: the client commands.

use serde_json::{Value, json};

use super::login::parse_project;
use super::{ClientOptions, Context};
use crate::credentials::Place;
use crate::error::Error;
use crate::output::{Column, plain, table};
use crate::settings::{Flags, Settings, Source, Token};
use domain::id::ProjectId;
use domain::token::hint;

/// The commands about the settings of the client.
#[derive(Debug, clap::Subcommand)]
pub enum ConfigCommand {
    /// Show the settings of client commands, and where each comes from
    Show(ShowOptions),
}

/// The options of `config show`.
#[derive(Debug, clap::Args)]
pub struct ShowOptions {
    #[command(flatten)]
    client: ClientOptions,
    /// Show the settings of a command that names this project, by its ID
    #[arg(long, value_name = "PROJECT", value_parser = parse_project)]
    project: Option<ProjectId>,
}

impl ConfigCommand {
    /// The options that all client commands share.
    pub(super) fn options(&self) -> &ClientOptions {
        let Self::Show(options) = self;
        &options.client
    }

    /// Runs the command.
    pub(super) fn run(&self, context: &Context<'_>) -> Result<(), Error> {
        let Self::Show(options) = self;
        let flags = Flags {
            project: options.project.clone(),
            ..options.client.flags()
        };
        show(context, &context.settings_with(&flags)?)
    }
}

/// A setting: its name, value and source.
struct Row(&'static str, Option<String>, String);

fn show(context: &Context<'_>, settings: &Settings) -> Result<(), Error> {
    let file = settings.file().ok().map(|file| file.display().to_string());
    let words = &context.branding.words;
    let from = |source, (flag, name): (&str, &str)| match source {
        Source::Flag => format!("flag --{}", words.name(flag)),
        Source::Environment => format!("environment {}", context.branding.variable(name)),
        Source::File => "file".to_owned(),
        Source::Default => "default".to_owned(),
    };
    let (token, token_source) = match &settings.token {
        Token::Environment(token) => (Some(token), Source::Environment),
        Token::Stored(token, ..) => (Some(token), Source::File),
        Token::Elsewhere(_) | Token::UnknownProfile(_) | Token::Missing | Token::Lost => {
            (None, Source::Default)
        }
    };
    let token_source = match &settings.token {
        Token::Stored(_, _, Place::Keyring) => "keyring".to_owned(),
        _ => from(token_source, ("", "TOKEN")),
    };
    let token = token.map(|token| {
        let prefix = token.expose().rsplit_once('_');
        hint(prefix.map_or("", |(prefix, _)| prefix), token)
    });
    let project = settings.project()?;
    let set = |name: &str| {
        let value = std::env::var_os(context.branding.variable(name));
        value.is_some_and(|value| !value.is_empty())
    };
    let file_source = if set("CONFIG") {
        Source::Environment
    } else {
        Source::Default
    };
    let (sources, host) = (settings.sources, settings.host.to_string());
    let project = project.as_ref().map(ProjectId::as_str).map(str::to_owned);
    let rows = [
        Row("file", file, from(file_source, ("", "CONFIG"))),
        Row(
            "profile",
            Some(settings.profile.to_string()),
            from(sources.profile, ("profile", "PROFILE")),
        ),
        Row("host", Some(host), from(sources.host, ("host", "HOST"))),
        Row("token", token, token_source),
        Row(
            "project",
            project,
            from(sources.project, ("project", "PROJECT")),
        ),
    ];
    let members = rows.iter().map(|Row(name, value, source)| {
        let setting = json!({ "value": value, "source": source });
        ((*name).to_owned(), setting)
    });
    let document = Value::Object(members.collect());
    let columns = [
        Column::Whole("SETTING"),
        Column::Whole("VALUE"),
        Column::Whole("SOURCE"),
    ];
    let cells = rows.into_iter().map(|Row(name, value, source)| {
        let value = value.unwrap_or_else(|| "-".to_owned());
        [words.apply(name), plain(&value).into_owned(), source]
    });
    let text = table(columns, cells, context.out.columns());
    Ok(context.out.answer(&document, text)?)
}

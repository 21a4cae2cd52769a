//! `doorcode profile`.

use serde_json::json;

use super::{ClientOptions, Context};
use crate::credentials::{Credentials, Entry, Origin, Place};
use crate::error::Error;
use crate::host::Host;
use crate::output::{Column, plain, table};
use crate::profile::Profile;
use crate::settings::Settings;

/// The commands about profiles.
#[derive(Debug, clap::Subcommand)]
pub enum ProfileCommand {
    /// List the profiles of the credentials file, with their servers
    List(ListOptions),
    /// Make a profile the one of commands that name none
    Use(UseOptions),
    /// Remove a profile from the credentials file
    Remove(RemoveOptions),
}

/// The options of `profile list`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    #[command(flatten)]
    client: ClientOptions,
}

/// The options of `profile use`.
#[derive(Debug, clap::Args)]
pub struct UseOptions {
    #[command(flatten)]
    client: ClientOptions,
    /// The profile; `default` is the one without a name
    #[arg(value_name = "PROFILE", value_parser = Profile::parse)]
    name: Profile,
}

/// The options of `profile remove`.
#[derive(Debug, clap::Args)]
pub struct RemoveOptions {
    #[command(flatten)]
    client: ClientOptions,
    /// The profile; `default` is the one without a name
    #[arg(value_name = "PROFILE", value_parser = Profile::parse)]
    name: Profile,
    /// Remove it even if it has tokens. They stay valid on their servers
    #[arg(long)]
    force: bool,
}

impl ProfileCommand {
    /// The options that all client commands share.
    pub(super) fn options(&self) -> &ClientOptions {
        match self {
            Self::List(options) => &options.client,
            Self::Use(options) => &options.client,
            Self::Remove(options) => &options.client,
        }
    }

    /// Runs the command.
    pub(super) fn run(&self, context: &Context<'_>) -> Result<(), Error> {
        let settings = context.settings()?;
        match self {
            Self::List(_) => list(&settings, context),
            Self::Use(options) => choose(&options.name, &settings, context),
            Self::Remove(options) => remove(options, &settings, context),
        }
    }
}

/// What a profile stores for a server.
struct Stored {
    host: String,
    entry: Entry,
}

fn stored(credentials: &Credentials, profile: &Profile) -> Result<Vec<Stored>, Error> {
    let mut found = Vec::new();
    for host in credentials.hosts(profile)? {
        let entry = match Host::parse(&host) {
            Ok(parsed) => credentials.entry(profile, &parsed)?,
            Err(_) => Entry::default(),
        };
        found.push(Stored { host, entry });
    }
    Ok(found)
}

fn list(settings: &Settings, context: &Context<'_>) -> Result<(), Error> {
    let file = settings.layout()?.main();
    let credentials = Credentials::load(settings.layout()?)?;
    let used = credentials.used_profile()?;
    let (mut items, mut rows) = (Vec::new(), Vec::new());
    for profile in credentials.profiles()? {
        let is_used = profile == used;
        let hosts = stored(&credentials, &profile)?;
        let documents = hosts.iter().map(|Stored { host, entry }| {
            json!({
                "host": host,
                "token": entry.token.is_some(),
                "kept_in": entry.token.is_some().then_some(entry.place.name()),
                "origin": entry.origin.map(Origin::name),
                "default_project": entry.default_project,
            })
        });
        items.push(json!({
            "name": profile.to_string(),
            "used": is_used,
            "hosts": documents.collect::<Vec<_>>(),
        }));
        let name = format!("{profile}{}", if is_used { " *" } else { "" });
        if hosts.is_empty() {
            rows.push([name, "-".to_owned(), "no".to_owned(), "-".to_owned()]);
            continue;
        }
        rows.extend(hosts.into_iter().map(|Stored { host, entry }| {
            let project = entry.default_project.unwrap_or_else(|| "-".to_owned());
            let token = match (entry.token.is_some(), entry.place) {
                (false, _) => "no",
                (true, Place::File) => "yes",
                (true, Place::Keyring) => "in the keyring",
            };
            [name.clone(), host, token.to_owned(), project].map(|cell| plain(&cell).into_owned())
        }));
    }
    let words = &context.branding.words;
    let (profile, project) = (words.apply("PROFILE"), words.apply("DEFAULT PROJECT"));
    let columns = [
        Column::Cut(&profile, 8),
        Column::Whole("SERVER"),
        Column::Whole("TOKEN"),
        Column::Whole(&project),
    ];
    let text = table(columns, rows, context.out.columns());
    let document = json!({ "file": file.display().to_string(), "items": items });
    Ok(context.out.answer(&document, text)?)
}

fn choose(name: &Profile, settings: &Settings, context: &Context<'_>) -> Result<(), Error> {
    let file = settings.layout()?.main();
    let credentials = Credentials::load(settings.layout()?)?;
    if !credentials.has_profile(name)? {
        return Err(unknown(name, &credentials.profiles()?, context));
    }
    settings.change_file(|credentials| {
        credentials.use_profile(name);
        Ok(())
    })?;
    let variable = context.branding.variable("PROFILE");
    if std::env::var_os(&variable).is_some_and(|value| !value.is_empty()) {
        context.out.note(format_args!(
            "The environment variable {variable} is set and overrides this."
        ));
    }
    let document = json!({ "file": file.display().to_string(), "used": name.to_string() });
    let word = &context.branding.words.profile;
    let text = format!("Commands that name no {word} use {name} now.");
    Ok(context.out.report(&document, text)?)
}

fn remove(
    options: &RemoveOptions,
    settings: &Settings,
    context: &Context<'_>,
) -> Result<(), Error> {
    let (name, word) = (&options.name, &context.branding.words.profile);
    let credentials = Credentials::load(settings.layout()?)?;
    if !credentials.has_profile(name)? {
        return Err(unknown(name, &credentials.profiles()?, context));
    }
    let hosts = credentials.hosts_with_token(name)?;
    if !hosts.is_empty() && !options.force {
        let program = &context.branding.program;
        let commands: Vec<_> = hosts
            .iter()
            .map(|host| format!("  {program} logout --{word} {name} --host {}", plain(host)))
            .collect();
        return Err(Error::Failed(format!(
            "The {word} {name} has tokens. Nothing was changed. Sign out first:\n{}\nOr add \
             --force, which leaves the tokens valid on their servers.",
            commands.join("\n")
        )));
    }
    settings.change_file(|credentials| credentials.remove_profile(name))?;
    if !hosts.is_empty() {
        context.out.note(format_args!(
            "Its tokens stay valid until they expire or are revoked at {}.",
            plain(&hosts.join(", "))
        ));
    }
    let document = json!({ "removed": name.to_string(), "tokens_left_valid_at": hosts });
    Ok(context
        .out
        .report(&document, format_args!("The {word} {name} is removed."))?)
}

fn unknown(name: &Profile, profiles: &[Profile], context: &Context<'_>) -> Error {
    let word = &context.branding.words.profile;
    let names: Vec<_> = profiles.iter().map(ToString::to_string).collect();
    Error::Usage(format!(
        "There is no {word} {name}. The {word}s are: {}.",
        names.join(", ")
    ))
}

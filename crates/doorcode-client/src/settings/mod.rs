//! Selects server, profile, project and token of a command: from a flag, else the environment,
//! else the credentials file.

mod environment;

use std::path::PathBuf;

use crate::api::Client;
use crate::branding::Branding;
use crate::credentials::{Credentials, FileError, Layout, Origin, Place};
use crate::error::Error;
use crate::host::Host;
use crate::profile::Profile;
use domain::id::ProjectId;
use domain::secret::Secret;
pub use environment::Environment;

/// The flags of a command that select server, profile and project.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// The profile of the credentials file.
    pub profile: Option<Profile>,
    /// The server.
    pub host: Option<Host>,
    /// The project.
    pub project: Option<ProjectId>,
    /// Whether `http` to another machine is allowed.
    pub allow_http: bool,
    /// A file of certificates, in PEM format, that are trusted besides those of the system.
    pub ca_cert: Option<PathBuf>,
}

/// Where a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command.
    Flag,
    /// An environment variable.
    Environment,
    /// The credentials file.
    File,
    /// The default of the program, or no value at all.
    Default,
}

/// Where each setting of a command comes from.
#[derive(Debug, Clone, Copy)]
pub struct Sources {
    /// The source of the profile.
    pub profile: Source,
    /// The source of the server.
    pub host: Source,
    /// The source of the project.
    pub project: Source,
}

/// The token of a command.
#[derive(Debug)]
pub enum Token {
    /// The environment variable has it.
    Environment(Secret),
    /// The credentials file has it, or names it in the keyring. The origin is `None` if an
    /// earlier version stored it.
    Stored(Secret, Option<Origin>, Place),
    /// It was in the keyring, which no longer has it.
    Lost,
    /// The file has tokens of the profile for these other servers only.
    Elsewhere(Vec<String>),
    /// The file has these profiles only.
    UnknownProfile(Vec<Profile>),
    /// There is none.
    Missing,
}

/// The resolved profile, server, project and token of a command.
#[derive(Debug)]
pub struct Settings {
    /// The profile.
    pub profile: Profile,
    /// The server.
    pub host: Host,
    /// The token.
    pub token: Token,
    /// Where the settings come from.
    pub sources: Sources,
    /// The content of the credentials file. `None` if there is no home directory, or if the file
    /// cannot be read and is not needed.
    pub credentials: Option<Credentials>,
    project: Option<String>,
    layout: Option<Layout>,
    branding: Branding,
    ca_cert: Option<PathBuf>,
}

impl Settings {
    /// Resolves the settings; refuses a server to which a token cannot be sent confidentially.
    /// The file may be unreadable if environment and flags name token and server.
    pub fn resolve(flags: &Flags, environment: &Environment) -> Result<Self, Error> {
        let host_is_named = flags.host.is_some() || environment.host.is_some();
        let is_complete = host_is_named && environment.token.is_some();
        let resolved = environment.layout.as_ref().map(Credentials::load);
        let resolved = resolved.transpose();
        let resolved = resolved
            .map_err(Error::from)
            .and_then(|credentials| Self::with_file(flags, environment, credentials));
        match resolved {
            Err(Error::File(_)) if is_complete => Self::with_file(flags, environment, None),
            resolved => resolved,
        }
    }

    fn with_file(
        flags: &Flags,
        environment: &Environment,
        credentials: Option<Credentials>,
    ) -> Result<Self, Error> {
        let from_file = credentials.as_ref();
        let (profile, profile_source) = choose_profile(flags, environment, from_file)?;
        let current = from_file.map(|file| file.current_host(&profile));
        let current = current.transpose()?.flatten();
        let (host, host_source) = choose_host(flags, environment, current)?;
        require_private(&host, flags.allow_http)?;
        let entry = from_file.map(|file| file.entry(&profile, &host));
        let entry = entry.transpose()?.unwrap_or_default();
        let named_project = flags.project.as_ref().map(ToString::to_string);
        let projects = [
            (named_project, Source::Flag),
            (environment.project.clone(), Source::Environment),
            (entry.default_project, Source::File),
        ];
        let project = projects.into_iter().find(|(project, _)| project.is_some());
        let (project, project_source) = project.unwrap_or((None, Source::Default));
        let token = match (&environment.token, entry.token, from_file) {
            (Some(token), ..) => Token::Environment(token.clone()),
            (None, Some(token), _) => Token::Stored(token, entry.origin, entry.place),
            (None, None, _) if entry.place == Place::Keyring => Token::Lost,
            (None, None, Some(file)) => missing_token(file, &profile, &host)?,
            (None, None, None) => Token::Missing,
        };
        Ok(Self {
            profile,
            host,
            token,
            sources: Sources {
                profile: profile_source,
                host: host_source,
                project: project_source,
            },
            credentials,
            project,
            layout: environment.layout.clone(),
            branding: environment.branding.clone(),
            ca_cert: flags.ca_cert.clone(),
        })
    }

    /// A client of the server.
    pub fn client(&self) -> Result<Client, Error> {
        self.client_of(&self.host)
    }

    /// A client of another server, with the same trusted certificates.
    pub fn client_of(&self, host: &Host) -> Result<Client, Error> {
        Client::with_authorities(host, &self.branding, self.ca_cert.as_deref())
    }

    /// The credentials file of the profile. Fails if there is no home directory.
    pub fn file(&self) -> Result<PathBuf, Error> {
        Ok(self.layout()?.file(&self.profile))
    }

    /// Where a stored token of the profile is, for the user.
    pub fn whereabouts(&self, origin: Option<Origin>, place: Place) -> Result<String, Error> {
        let layout = self.layout()?;
        Ok(match (place, origin, &layout.given) {
            (Place::Keyring, ..) => {
                "the keyring of the kernel, until this machine restarts".to_owned()
            }
            (Place::File, Some(Origin::Given), Some(given)) => given.display().to_string(),
            (Place::File, ..) => layout.file(&self.profile).display().to_string(),
        })
    }

    /// The credentials files. Fails if there is no home directory.
    pub fn layout(&self) -> Result<&Layout, Error> {
        self.layout.as_ref().ok_or_else(|| {
            Error::Usage(format!(
                "There is no home directory for the credentials file. Name a file in {}, or a \
                 token in {}.",
                self.branding.variable("CONFIG"),
                self.branding.variable("TOKEN")
            ))
        })
    }

    /// Reads the credentials again, changes them and writes them, while no other process does so.
    pub fn change_file<T>(
        &self,
        change: impl FnOnce(&mut Credentials) -> Result<T, FileError>,
    ) -> Result<T, Error> {
        Ok(Credentials::change(self.layout()?, change)?)
    }

    /// The project of the command; `None` if there is none.
    pub fn project(&self) -> Result<Option<ProjectId>, Error> {
        let Some(text) = &self.project else {
            return Ok(None);
        };
        let project = ProjectId::parse(text).ok_or_else(|| {
            let place = match self.sources.project {
                Source::Environment => self.branding.variable("PROJECT"),
                _ => "default_project in the credentials file".to_owned(),
            };
            Error::Usage(format!(
                "{place} is not the ID of a {}, which starts with prj_.",
                self.branding.words.project
            ))
        })?;
        Ok(Some(project))
    }

    /// The token of the command.
    pub fn token(&self) -> Result<&Secret, Error> {
        let explanation = match &self.token {
            Token::Environment(token) | Token::Stored(token, ..) => return Ok(token),
            Token::Lost => format!(
                "You are not signed in to {}: the keyring of the kernel no longer has the token. A \
                 restart of the machine empties it.",
                self.host
            ),
            Token::Elsewhere(hosts) => format!(
                "You are not signed in to {}. The tokens in {} are for {} and are not sent to other \
                 servers.",
                self.host,
                self.file()?.display(),
                hosts.join(", ")
            ),
            Token::UnknownProfile(profiles) => {
                let names: Vec<_> = profiles.iter().map(ToString::to_string).collect();
                format!(
                    "There is no {word} {} in {}. The {word}s are: {}.",
                    self.profile,
                    self.file()?.display(),
                    names.join(", "),
                    word = self.branding.words.profile,
                )
            }
            Token::Missing => {
                self.file()?;
                let word = &self.branding.words.profile;
                let profile = match self.profile == self.layout()?.default_profile {
                    true => String::new(),
                    false => format!(" with the {word} {}", self.profile),
                };
                format!("You are not signed in to {}{profile}.", self.host)
            }
        };
        Err(Error::NotSignedIn(explanation))
    }

    /// Whether the token comes from the environment.
    pub fn token_from_environment(&self) -> bool {
        matches!(self.token, Token::Environment(_))
    }
}

/// Refuses a server to which a token would be sent unencrypted.
pub fn require_private(host: &Host, allow_http: bool) -> Result<(), Error> {
    if host.is_private() || allow_http {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "The connection to {host} is not encrypted, so the network could read the token. Use \
         https://, or add --allow-http if you trust the whole network."
    )))
}

fn choose_profile(
    flags: &Flags,
    environment: &Environment,
    file: Option<&Credentials>,
) -> Result<(Profile, Source), Error> {
    if let Some(profile) = &flags.profile {
        return Ok((profile.clone(), Source::Flag));
    }
    if let Some(text) = &environment.profile {
        let profile = Profile::parse(text).map_err(|why| {
            let variable = environment.branding.variable("PROFILE");
            let word = &environment.branding.words.profile;
            Error::Usage(format!("{variable} is not the name of a {word}: {why}."))
        })?;
        return Ok((profile, Source::Environment));
    }
    let used = file.map(Credentials::used_profile).transpose()?;
    match (used, &environment.layout) {
        (Some(used), Some(layout)) if used != layout.default_profile => Ok((used, Source::File)),
        (_, Some(layout)) => Ok((layout.default_profile.clone(), Source::Default)),
        (_, None) => Ok((Profile::default(), Source::Default)),
    }
}

/// The server of a command; `current` is the one of the profile.
fn choose_host(
    flags: &Flags,
    environment: &Environment,
    current: Option<String>,
) -> Result<(Host, Source), Error> {
    if let Some(host) = &flags.host {
        return Ok((host.clone(), Source::Flag));
    }
    let branding = &environment.branding;
    if let Some(text) = &environment.host {
        return Ok((
            read_host(text, &branding.variable("HOST"))?,
            Source::Environment,
        ));
    }
    match current {
        Some(text) => Ok((read_host(&text, "the credentials file")?, Source::File)),
        None => Ok((
            read_host(&branding.host, "this program's default")?,
            Source::Default,
        )),
    }
}

fn read_host(text: &str, from: &str) -> Result<Host, Error> {
    Host::parse(text)
        .map_err(|why| Error::Usage(format!("The server's address in {from} is invalid: {why}.")))
}

/// Why the file has no token for a server. A stored token is sent to its own server only, so that
/// an address suggested by an attacker does not receive it, a loopback address included.
fn missing_token(file: &Credentials, profile: &Profile, host: &Host) -> Result<Token, FileError> {
    if !file.is_empty() && !file.has_profile(profile)? {
        return Ok(Token::UnknownProfile(file.profiles()?));
    }
    let current = file.current_host(profile)?;
    if current.is_some_and(|own| Host::parse(&own).as_ref() == Ok(host)) {
        return Ok(Token::Missing);
    }
    let others = file.hosts_with_token(profile)?;
    Ok(if others.is_empty() {
        Token::Missing
    } else {
        Token::Elsewhere(others)
    })
}

#[cfg(test)]
mod tests;

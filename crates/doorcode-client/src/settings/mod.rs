//! Selects server, profile and token of a command: from a flag, else the environment, else the
//! credentials file.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::api::Client;
use crate::branding::Branding;
use crate::credentials::{Credentials, Entry};
use crate::error::Error;
use crate::host::Host;
use crate::profile::Profile;
use domain::secret::Secret;

/// The flags of a command that select server, profile and token.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// The profile of the credentials file.
    pub profile: Option<Profile>,
    /// The server.
    pub host: Option<Host>,
    /// Whether `http` to another machine is allowed.
    pub allow_http: bool,
}

/// The environment variables of the client. An empty variable counts as not set.
#[derive(Debug)]
pub struct Environment {
    branding: Branding,
    token: Option<Secret>,
    host: Option<String>,
    profile: Option<String>,
    file: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process(branding: &Branding) -> Result<Self, Error> {
        Self::read(
            branding,
            |name| std::env::var_os(name),
            std::env::home_dir(),
        )
    }

    fn read(
        branding: &Branding,
        variable: impl Fn(&str) -> Option<OsString>,
        home: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let own = |name| set(&branding.variable(name));
        let text = |name| {
            own(name)
                .map(|value| {
                    value.into_string().map_err(|_| {
                        Error::Usage(format!("{} is not valid UTF-8.", branding.variable(name)))
                    })
                })
                .transpose()
        };
        let configuration = set("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            // The XDG specification requires relative paths to be ignored.
            .filter(|path| path.is_absolute())
            .or_else(|| home.map(|home| home.join(".config")));
        Ok(Self {
            branding: branding.clone(),
            token: text("TOKEN")?.map(|text| Secret::new(text.trim())),
            host: text("HOST")?,
            profile: text("PROFILE")?,
            file: own("CONFIG").map(PathBuf::from).or_else(|| {
                configuration.map(|path| path.join(&*branding.folder).join("config.json"))
            }),
        })
    }
}

/// The source of the token.
#[derive(Debug)]
enum Source {
    Environment(Secret),
    File(Secret),
    /// The file contains a token, but for this other server.
    Elsewhere(String),
    Nowhere,
}

/// The resolved profile, server and token of a command.
#[derive(Debug)]
pub struct Settings {
    /// The profile.
    pub profile: Profile,
    /// The server.
    pub host: Host,
    /// The credentials file.
    pub file: PathBuf,
    branding: Branding,
    source: Source,
}

impl Settings {
    /// Resolves the settings; refuses a server to which a token cannot be sent confidentially.
    pub fn resolve(flags: &Flags, environment: Environment) -> Result<Self, Error> {
        let branding = environment.branding;
        let variable = |name| branding.variable(name);
        let profile = match (&flags.profile, environment.profile) {
            (Some(profile), _) => profile.clone(),
            (None, Some(text)) => Profile::parse(&text).map_err(|why| {
                Error::Usage(format!(
                    "{} is not a profile name: {why}.",
                    variable("PROFILE")
                ))
            })?,
            (None, None) => Profile::default(),
        };
        let file = environment.file.ok_or_else(|| {
            Error::Usage(format!(
                "There is no home directory for the credentials file. Name a file in {}.",
                variable("CONFIG")
            ))
        })?;
        let kept = Credentials::load(&file)?.entry(&profile)?;
        let host = match (&flags.host, &environment.host, &kept.host) {
            (Some(host), _, _) => host.clone(),
            (None, Some(text), _) => read_host(text, &variable("HOST"))?,
            (None, None, Some(text)) => read_host(text, &file.display().to_string())?,
            (None, None, None) => read_host(&branding.host, "this program's default")?,
        };
        require_private(&host, flags.allow_http)?;
        let source = match environment.token {
            Some(token) => Source::Environment(token),
            None => choose(kept, &host),
        };
        Ok(Self {
            profile,
            host,
            file,
            branding,
            source,
        })
    }

    /// A client of the server.
    pub fn client(&self) -> Result<Client, Error> {
        Client::new(&self.host, &self.branding)
    }

    /// The token of the command.
    pub fn token(&self) -> Result<&Secret, Error> {
        match &self.source {
            Source::Environment(token) | Source::File(token) => Ok(token),
            Source::Elsewhere(kept) => Err(Error::NotSignedIn(format!(
                "You are not signed in to {}. The token in {} is for {kept} and is not sent to \
                 other servers.",
                self.host,
                self.file.display()
            ))),
            Source::Nowhere => Err(Error::NotSignedIn(format!(
                "You are not signed in to {}{}.",
                self.host,
                match self.profile.name() {
                    Some(name) => format!(" with the profile {name}"),
                    None => String::new(),
                }
            ))),
        }
    }

    /// Whether the token comes from the environment.
    pub fn token_from_environment(&self) -> bool {
        matches!(self.source, Source::Environment(_))
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

fn read_host(text: &str, from: &str) -> Result<Host, Error> {
    Host::parse(text)
        .map_err(|why| Error::Usage(format!("The server's address in {from} is invalid: {why}.")))
}

/// Sends a stored token only to the server that issued it, or to a loopback address, where a
/// tunnel to that server or its second address may end. An address suggested by an attacker
/// does not receive it.
fn choose(kept: Entry, host: &Host) -> Source {
    let Some(token) = kept.token else {
        return Source::Nowhere;
    };
    match kept.host {
        Some(own) if !host.is_loopback() && Host::parse(&own).as_ref() != Ok(host) => {
            Source::Elsewhere(own)
        }
        _ => Source::File(token),
    }
}

#[cfg(test)]
mod tests;

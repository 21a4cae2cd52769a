//! `branding.toml`, from the build and beside the program.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::Branding;
#[cfg(not(unix))]
use super::other as platform;
#[cfg(unix)]
use super::unix as platform;
use crate::host::Host;
use crate::profile::Profile;
use domain::scope::ScopeSet;

/// The file that the build was given; empty if it was given none.
const OF_BUILD: &str = include_str!(concat!(env!("OUT_DIR"), "/branding.toml"));

/// A branding file that cannot be used.
#[derive(Debug)]
pub struct BrandingError {
    path: PathBuf,
    what: String,
}

impl fmt::Display for BrandingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}.", self.path.display(), self.what)
    }
}

impl std::error::Error for BrandingError {}

impl Branding {
    /// The names of this program: those of its build, else those of `PROGRAM.branding.toml` beside
    /// it, else those of Doorcode. `warn` gets a sentence about a file that is ignored because
    /// others than the owner of the program may have written it.
    pub fn of_program(warn: impl FnOnce(String)) -> Result<Self, BrandingError> {
        Self::chosen(OF_BUILD, || beside_program(warn))
    }

    /// The names of the build with this file. Only a build without one takes the names of the file
    /// `beside` it: a company that builds its program has chosen the server that gets the tokens.
    pub(super) fn chosen(
        of_build: &str,
        beside: impl FnOnce() -> Result<Option<(PathBuf, String)>, BrandingError>,
    ) -> Result<Self, BrandingError> {
        let (path, text) = match of_build {
            "" => beside()?.unwrap_or_default(),
            text => ("branding.toml of the build".into(), text.to_owned()),
        };
        Self::parse(&text).map_err(|what| BrandingError { path, what })
    }

    /// Parses `branding.toml`; the error has no full stop.
    pub fn parse(text: &str) -> Result<Self, String> {
        let branding: Self = basic_toml::from_str(text).map_err(|cause| cause.to_string())?;
        branding.check()?;
        Ok(branding)
    }

    fn check(&self) -> Result<(), String> {
        let wrong = |key: &str, why: &str| Err(format!("{key}: {why}"));
        let is_word = |text: &str, more: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
            text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(fits)
        };
        if !is_word(&self.program, "-_") {
            return wrong("program", "use letters, digits, dashes and underscores");
        }
        let variables = &self.variables;
        let own = [
            &variables.prefix,
            &variables.token,
            &variables.host,
            &variables.profile,
            &variables.project,
            &variables.config,
            &variables.browser,
        ];
        if !own.into_iter().flatten().all(|name| is_word(name, "_")) {
            return wrong("variables", "use letters, digits and underscores");
        }
        let host = match Host::parse(&self.host) {
            Ok(host) => host,
            Err(why) => return wrong("host", &why.to_string()),
        };
        if !host.is_private() {
            return wrong(
                "host",
                "use https://, since the token would not be encrypted",
            );
        }
        if self.client_id.is_empty() {
            return wrong("client_id", "write the ID of a client of the server");
        }
        if self
            .scopes
            .iter()
            .any(|name| ScopeSet::parse(name).is_err())
        {
            return wrong("scopes", "a scope is a name such as orgs:read");
        }
        let files = &self.files;
        let own = [
            &files.folder,
            &files.given,
            &Some(files.credentials.clone()),
        ];
        let is_name = |name: &String| {
            Path::new(name)
                .file_name()
                .is_some_and(|own| own == name.as_str())
        };
        if !own.into_iter().flatten().all(is_name) {
            return wrong("files", "use names, not paths");
        }
        if files.given.as_ref() == Some(&files.credentials) {
            return wrong("files.given", "name another file than files.credentials");
        }
        if let Err(why) = Profile::parse(&files.default_profile) {
            return wrong("files.default_profile", &why);
        }
        let words = &self.words;
        let own = [&words.organization, &words.project, &words.profile];
        if !own
            .into_iter()
            .all(|word| is_word(word, "-") && *word == word.to_lowercase())
        {
            return wrong("words", "use nouns in lower case");
        }
        Ok(())
    }
}

/// The file beside the program and its content; `None` if there is none to be used.
fn beside_program(warn: impl FnOnce(String)) -> Result<Option<(PathBuf, String)>, BrandingError> {
    // Where the system does not tell the path, there is nothing beside it.
    let Ok(program) = std::env::current_exe() else {
        return Ok(None);
    };
    let Some(name) = program.file_stem().and_then(|name| name.to_str()) else {
        return Ok(None);
    };
    let path = program.with_file_name(format!("{name}.branding.toml"));
    match platform::read_trusted(&path, &program) {
        Ok(Ok(text)) => Ok(Some((path, text))),
        Ok(Err(why)) => {
            warn(format!("{} is ignored: {why}.", path.display()));
            Ok(None)
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => {
            let what = format!("cannot be read: {cause}");
            Err(BrandingError { path, what })
        }
    }
}

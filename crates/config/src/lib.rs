//! The typed configuration: read from a file and the environment, validated once, and passed by
//! value. It has no global state.
//!
//! Every key has a default, so an empty configuration works on this machine. An unknown key or an
//! invalid value prevents the start, because operators may rely on a setting that is silently
//! ignored. All faults are reported together, each with its key and its position.

mod audit;
mod branding;
mod database;
mod device;
mod duration;
mod error;
mod listen;
mod mail;
mod metrics;
mod misnamed;
mod operator;
mod organizations;
mod postgres;
mod postgres_tls;
mod reload;
mod routes;
mod scopes;
mod section;
mod server;
mod sign_in;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod tls;
mod tokens;
mod traces;
mod verify;

pub use audit::{Audit, Destination, TokenUse};
pub use branding::{Branding, Links, Notes, StaticFile, Support, Words};
pub use database::{Database, DatabaseUrl, Pooler, Postgres, PostgresSettings};
pub use device::Device;
pub use duration::overlap;
pub use error::{ConfigError, ConfigFault, SourcePosition};
pub use listen::Listen;
pub use mail::{Mail, Protection, SmtpUrl};
pub use metrics::Metrics;
pub use operator::Operator;
pub use organizations::{Makers, NewOrganizations, Organizations};
pub use postgres::{parameter, with_parameters};
pub use postgres_tls::{PostgresHost, PostgresTls};
pub use reload::Reload;
pub use server::{PublicUrl, Server, StrictTransport};
pub use sign_in::{
    EntryRules, FreshFor, GroupRule, HandOff, HandOffKey, LogoutEnds, Oidc, Passwords, Protocol,
    Provider, SecondFactor, SignIn, SignatureAlgorithm, secure_url,
};
pub use tls::{CertificateFiles, Tls};
pub use tokens::{Lifetime, TokenPrefix, Tokens};
pub use traces::Traces;
pub use verify::{ErrorFormat, Verify};

use domain::route::RouteTable;
use domain::scope::{Catalogue, Preset};
use reload::Origin;
use section::Section;
use source::{Entries, File};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use table::Table;

/// The file that is read if no file is named and this one exists.
pub const DEFAULT_FILE: &str = "doorcode.toml";

/// The environment variable that names the file when the command line does not.
pub const FILE_VARIABLE: &str = "DOORCODE_SERVER_CONFIG";

/// All settings of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[server]`: the addresses, proxies and threads of the server.
    pub server: Server,
    /// `[database]`: the database.
    pub database: Database,
    /// `[branding]`: the name, look and links that users see.
    pub branding: Branding,
    /// `[tokens]`: the format and lifetime of tokens.
    pub tokens: Tokens,
    /// `[device]`: the device login (RFC 8628).
    pub device: Device,
    /// `[operator]`: the operator token.
    pub operator: Operator,
    /// `[mail]`: outgoing mail; `None` if it is off.
    pub mail: Option<Mail>,
    /// `[metrics]`: the metrics endpoint.
    pub metrics: Metrics,
    /// `[traces]`: the export of traces.
    pub traces: Traces,
    /// `[organizations]`: who may create organizations.
    pub organizations: Organizations,
    /// `[new_organizations]`: their plan and policy.
    pub new_organizations: NewOrganizations,
    /// `[verify]`: the refusals of `/auth/verify`.
    pub verify: Verify,
    /// `[audit]`: the audit log.
    pub audit: Audit,
    /// `[sign_in]`: sessions, password hashing and identity providers.
    pub sign_in: SignIn,
    /// The built-in scopes and those of `[[scopes]]`.
    pub scopes: Catalogue,
    /// `[[presets]]`: selections of scopes that the form of a new token offers.
    pub presets: Vec<Preset>,
    /// `[[routes]]`: the access rules of the routes of the protected API.
    pub routes: RouteTable,
    /// The effective settings, as they were read.
    sections: Vec<Section>,
    origin: Origin,
}

impl Config {
    /// Reads and validates the configuration. The file is `path`, or the one that
    /// `DOORCODE_SERVER_CONFIG` names, and must then exist; otherwise `./doorcode.toml` if it
    /// exists. A variable such as `DOORCODE__SERVER__LISTEN` overrides its key in the file.
    /// Relative paths stay relative to the working directory.
    pub fn load(
        path: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let env: Vec<_> = env.into_iter().collect();
        let origin = Origin::new(path, &env);
        let named = env.iter().find(|(name, _)| name == FILE_VARIABLE);
        let named = named.map(|(_, path)| PathBuf::from(path));
        let file = match path.map(Path::to_owned).or(named) {
            Some(path) => Some(File::read(path)?),
            None => File::read_if_there(DEFAULT_FILE.into())?,
        };
        let config = Self::read(file.as_ref(), env)?;
        Ok(Self { origin, ..config })
    }

    /// Reads the configuration from sources that are already in memory.
    fn read(
        file: Option<&File>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut entries = file.map_or(Ok(Entries::new()), File::parse)?;
        let env: Vec<_> = env.into_iter().collect();
        let names: Vec<_> = env.iter().map(|(name, _)| name.clone()).collect();
        let faults = source::overlay(&mut entries, env);
        let mut root = Table::root(entries, faults);
        let mut config = Self {
            server: root.section("server", Server::read),
            database: root.section("database", Database::read),
            branding: root.section("branding", Branding::read),
            tokens: root.section("tokens", Tokens::read),
            device: root.section("device", Device::read),
            operator: root.section("operator", Operator::read),
            mail: root.section("mail", Mail::read),
            metrics: root.section("metrics", Metrics::read),
            traces: root.section("traces", Traces::read),
            organizations: root.section("organizations", Organizations::read),
            new_organizations: root.section("new_organizations", NewOrganizations::read),
            verify: root.section("verify", Verify::read),
            audit: root.section("audit", Audit::read),
            sign_in: root.section("sign_in", SignIn::read),
            scopes: Catalogue::default(),
            presets: Vec::new(),
            routes: RouteTable::default(),
            sections: Vec::new(),
            origin: Origin::default(),
        };
        let words = &config.branding.words;
        config.scopes = scopes::read(&mut root, &config.tokens.builtin_scopes)
            .reworded(|description| words.apply(description).into_owned());
        config.presets = scopes::presets(&mut root, &config.scopes);
        config.routes = routes::read(&mut root, &config.scopes);
        config.sections = root.finish()?;
        let misnamed = |name: &String| misnamed::fault(name, &config.sections);
        match names.iter().find_map(misnamed) {
            Some(fault) => Err(fault.into()),
            None => Ok(config),
        }
    }

    /// The effective settings as TOML, with the passwords in URLs hidden.
    pub fn describe(&self) -> String {
        let written = self.sections.iter().map(|section| {
            let (name, settings) = (&section.name, section.written("\n"));
            match section.is_in_list {
                true => format!("[[{name}]]\n{settings}\n"),
                false => format!("[{name}]\n{settings}\n"),
            }
        });
        written.collect::<Vec<_>>().join("\n")
    }

    /// The effective settings by full name, such as `audit.token_use`. Each entry of a list, such
    /// as `routes.0`, is one text. Passwords in URLs are hidden here too.
    pub fn effective(&self) -> BTreeMap<String, String> {
        let mut effective = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for section in &self.sections {
            let name = section.name.as_str();
            if section.is_in_list {
                let count = counts.entry(name).or_insert(0);
                effective.insert(format!("{name}.{count}"), section.written(", "));
                *count += 1;
            } else {
                effective.extend(section.settings.iter().map(|(key, value)| {
                    let text = value.as_str().map(str::to_owned);
                    let text = text.unwrap_or_else(|| value.to_string());
                    (format!("{name}.{key}"), text)
                }));
            }
        }
        effective
    }
}

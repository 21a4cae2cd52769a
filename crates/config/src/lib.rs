//! The typed configuration: read from a file and the environment, validated once, and passed by
//! value. It has no global state.
//!
//! Every key has a default, so an empty configuration works on this machine. An unknown key or an
//! invalid value prevents the start, because operators may rely on a setting that is silently
//! ignored. All faults are reported together, each with its key and its position.

mod audit;
mod database;
mod device;
mod duration;
mod error;
mod mail;
mod metrics;
mod operator;
mod organizations;
mod postgres;
mod routes;
mod scopes;
mod server;
mod sign_in;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod tokens;

pub use audit::{Audit, Destination, TokenUse};
pub use database::{Database, DatabaseUrl};
pub use device::Device;
pub use duration::overlap;
pub use error::{ConfigError, ConfigFault, SourcePosition};
pub use mail::{Mail, Protection, SmtpUrl};
pub use metrics::Metrics;
pub use operator::Operator;
pub use organizations::{Makers, Organizations};
pub use server::{PublicUrl, Server};
pub use sign_in::SignIn;
pub use tokens::{Lifetime, TokenPrefix, Tokens};

use domain::route::RouteTable;
use domain::scope::Catalogue;
use source::{Entries, File};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use table::Table;

/// The file that is read if no file is named and this one exists.
const DEFAULT_FILE: &str = "doorcode.toml";

/// The environment variable that names the file when the command line does not.
const FILE_VARIABLE: &str = "DOORCODE_SERVER_CONFIG";

/// All settings of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[server]`: the addresses, proxies and threads of the server.
    pub server: Server,
    /// `[database]`: the database.
    pub database: Database,
    /// `[branding]`: the name that pages show.
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
    /// `[organizations]`: who may create organizations.
    pub organizations: Organizations,
    /// `[audit]`: the audit log.
    pub audit: Audit,
    /// `[sign_in]`: sessions and password hashing.
    pub sign_in: SignIn,
    /// The built-in scopes and those of `[[scopes]]`.
    pub scopes: Catalogue,
    /// `[[routes]]`: the access rules of the routes of the protected API.
    pub routes: RouteTable,
}

/// The name that users see.
#[derive(Debug, Clone)]
pub struct Branding {
    /// The name on the pages and in the terminal.
    pub name: String,
}

impl Branding {
    fn read(table: &mut Table<'_>) -> Self {
        let name = |text: &str| domain::name("name", text).map_err(|fault| fault.message);
        Self {
            name: table
                .text("name", name)
                .unwrap_or_else(|| "Doorcode".to_owned()),
        }
    }

    fn settings(&self) -> Settings {
        vec![("name", self.name.as_str().into())]
    }
}

/// The effective settings of a section, for [`Config::describe`].
type Settings = Vec<(&'static str, toml::Value)>;

fn written_number<T: TryInto<i64>>(number: T) -> toml::Value {
    number.try_into().unwrap_or(i64::MAX).into()
}

fn written_path(path: &Path) -> toml::Value {
    path.display().to_string().into()
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
        let named = || {
            env.iter()
                .find(|(name, _)| name == FILE_VARIABLE)
                .map(|(_, value)| PathBuf::from(value))
        };
        let file = match path.map(Path::to_owned).or_else(named) {
            Some(path) => Some(File::read(path)?),
            None => File::read_if_there(DEFAULT_FILE.into())?,
        };
        Self::read(file.as_ref(), env)
    }

    /// Reads the configuration from sources that are already in memory.
    fn read(
        file: Option<&File>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let mut entries = file.map_or(Ok(Entries::new()), File::parse)?;
        source::overlay(&mut entries, env, &mut faults);

        let mut root = Table::root(entries, &mut faults);
        let server = root.section("server", Server::read);
        let database = root.section("database", Database::read);
        let branding = root.section("branding", Branding::read);
        let tokens = root.section("tokens", Tokens::read);
        let device = root.section("device", Device::read);
        let operator = root.section("operator", Operator::read);
        let mail = root.section("mail", Mail::read);
        let metrics = root.section("metrics", Metrics::read);
        let organizations = root.section("organizations", Organizations::read);
        let audit = root.section("audit", Audit::read);
        let sign_in = root.section("sign_in", SignIn::read);
        let scopes = scopes::read(&mut root);
        let routes = routes::read(&mut root, scopes.as_ref());
        root.finish();

        match scopes {
            Some(scopes) if faults.is_empty() => Ok(Self {
                server,
                database,
                branding,
                tokens,
                device,
                operator,
                mail,
                metrics,
                organizations,
                audit,
                sign_in,
                scopes,
                routes,
            }),
            _ => Err(ConfigError::new(faults)),
        }
    }

    /// The effective settings as TOML, with the passwords in URLs hidden.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for (header, settings) in self.sections() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("{header}\n"));
            for (key, value) in settings {
                text.push_str(&format!("{key} = {value}\n"));
            }
        }
        text
    }

    /// The effective settings by full name, such as `audit.token_use`. Each entry of a list, such
    /// as `routes.0`, is one text. Passwords in URLs are hidden here too.
    pub fn effective(&self) -> BTreeMap<String, String> {
        let mut effective = BTreeMap::new();
        let mut many = BTreeMap::new();
        for (header, settings) in self.sections() {
            let name = header.trim_matches(['[', ']']).to_owned();
            if header.starts_with("[[") {
                let number = many
                    .entry(name.clone())
                    .and_modify(|n| *n += 1)
                    .or_insert(0);
                let written: Vec<_> = settings
                    .iter()
                    .map(|(key, value)| format!("{key} = {value}"))
                    .collect();
                effective.insert(format!("{name}.{number}"), written.join(", "));
            } else {
                effective.extend(settings.into_iter().map(|(key, value)| {
                    let text = value.as_str().map(str::to_owned);
                    (
                        format!("{name}.{key}"),
                        text.unwrap_or_else(|| value.to_string()),
                    )
                }));
            }
        }
        effective
    }

    fn sections(&self) -> Vec<(String, Settings)> {
        let sections = [
            ("server", self.server.settings()),
            ("database", self.database.settings()),
            ("branding", self.branding.settings()),
            ("tokens", self.tokens.settings()),
            ("device", self.device.settings()),
            ("operator", self.operator.settings()),
            (
                "mail",
                self.mail.as_ref().map(Mail::settings).unwrap_or_default(),
            ),
            ("metrics", self.metrics.settings()),
            ("organizations", self.organizations.settings()),
            ("audit", self.audit.settings()),
            ("sign_in", self.sign_in.settings()),
        ];
        let sections = sections
            .into_iter()
            .filter(|(_, settings)| !settings.is_empty())
            .map(|(name, settings)| (format!("[{name}]"), settings));
        let scopes = scopes::settings(&self.scopes)
            .into_iter()
            .map(|settings| ("[[scopes]]".to_owned(), settings));
        let routes = routes::settings(&self.routes)
            .into_iter()
            .map(|settings| ("[[routes]]".to_owned(), settings));
        sections.chain(scopes).chain(routes).collect()
    }
}

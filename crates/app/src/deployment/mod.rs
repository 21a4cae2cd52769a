//! The server's own secrets: the operator token, the secret key and the key that signs the audit
//! log. Each comes from the environment or from a file that only its owner can read; the first
//! start creates the files.

pub mod backup;
pub(super) mod file;
pub(crate) mod identity;
mod keys;
pub(super) mod operator_token;
pub mod transfer;

use super::Entropy;
use config::{Config, DatabaseUrl, Tls};
use domain::secret::{Key, Secret};
use file::SecretFile;
pub use file::make_private_directory;
pub use identity::{accept_keys, deregister, register, require_own_keys};
use operator_token::OperatorTokens;
use ring::signature::Ed25519KeyPair;
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use store::Store;

/// The environment variable that holds the secret key, 64 hexadecimal digits.
pub const SECRET_KEY: &str = "DOORCODE_SECRET_KEY";

/// The environment variable that holds the key that signs the audit log, 64 hexadecimal digits.
pub const AUDIT_KEY: &str = "DOORCODE_AUDIT_KEY";

/// The environment variable that holds the token sent to the webhook addresses of the audit log.
pub const WEBHOOK_TOKEN: &str = "DOORCODE_AUDIT_WEBHOOK_TOKEN";

/// The server's secrets.
pub struct Secrets {
    /// Authenticates form tokens and hides user codes.
    pub key: Key,
    /// Signs checkpoints of the audit log (Ed25519, RFC 8032).
    pub audit: Ed25519KeyPair,
    /// Bearer token for the webhook addresses of the audit log.
    pub webhook_token: Option<Secret>,
    /// The valid operator tokens.
    pub operator: OperatorTokens,
    /// The files of this start.
    pub files: Found,
}

/// Secret files that a start created or found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Files created by this start.
    pub made: Vec<PathBuf>,
    /// Files that other users can read, accepted because root owns them or their file system is
    /// read-only.
    pub shared: Vec<PathBuf>,
}

/// The files of a new deployment: the database, if it is a file, the secrets that the environment,
/// given as a look-up, does not hold, and a self-signed certificate with its key.
pub fn files(config: &Config, env: impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let database = match &config.database.url {
        DatabaseUrl::Sqlite(path) => Some(path.clone()),
        DatabaseUrl::Postgres(_) => None,
    };
    let secrets = [
        (
            config.operator.token_variable.as_str(),
            &config.operator.token_file,
        ),
        (SECRET_KEY, &config.server.secret_key_file),
        (AUDIT_KEY, &config.audit.signing_key_file),
    ];
    let is_off = |path| path == &config.operator.token_file && !config.operator.enabled;
    let secrets = secrets
        .into_iter()
        .filter(|(variable, path)| !is_off(*path) && value(&env, variable).is_none())
        .map(|(_, path)| path.clone());
    let certificate = match config.server.tls {
        Tls::SelfSigned => config.server.certificate_files(),
        Tls::Off | Tls::Files(_) => None,
    };
    let certificate = certificate
        .into_iter()
        .flat_map(|files| [files.key, files.cert]);
    database
        .into_iter()
        .chain(secrets)
        .chain(certificate)
        .collect()
}

/// Whether a deployment is in use: a server or a command has written to its audit log.
pub async fn is_in_use(store: &Store) -> Result<bool, crate::Error> {
    store
        .read(|conn| {
            let has_log = store::audit::find_head(conn)?.is_some();
            Ok(has_log || store::audit::is_any_unsealed(conn)?)
        })
        .await
}

/// Fails if a key is missing, for a deployment in use: with new ones, a start would silently make
/// void what hangs on the old ones.
pub fn require_keys(config: &Config, env: impl Fn(&str) -> Option<String>) -> Result<(), Error> {
    for (variable, path, loss) in [
        (
            SECRET_KEY,
            &config.server.secret_key_file,
            "Without it, pending device codes, open forms and answers that are kept for repeated \
             requests become void, and the counts of wrong guesses start again. Users, tokens and \
             sessions stay.",
        ),
        (
            AUDIT_KEY,
            &config.audit.signing_key_file,
            "Without it, this server cannot sign the audit log with the key that its readers \
             trust.",
        ),
    ] {
        require(SecretFile { path, variable }, &env, loss)?;
    }
    Ok(())
}

/// Fails if the operator token is missing, for a command on a deployment in use.
pub fn require_operator_token(
    config: &Config,
    env: impl Fn(&str) -> Option<String>,
) -> Result<(), Error> {
    let file = operator_token::secret_file(&config.operator);
    match config.operator.enabled {
        true => require(file, &env, "A start of the server creates a new one."),
        false => Ok(()),
    }
}

/// Reads the current operator token, to call the running server.
pub fn read_operator_token(
    config: &Config,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Secret, Error> {
    if !config.operator.enabled {
        return Err(Error::Unusable(
            "operator.enabled".to_owned(),
            "is false, so there is no operator token. Send the signal SIGHUP to the \
             process of the server instead."
                .into(),
        ));
    }
    let file = operator_token::secret_file(&config.operator);
    let token = match value(&env, file.variable) {
        Some(token) => Some(token),
        None => file.read()?,
    };
    let token = token.ok_or_else(|| {
        let gone = io::Error::from(io::ErrorKind::NotFound);
        Error::File(file.path.to_owned(), gone)
    })?;
    Ok(Secret::new(token.trim()))
}

fn require(
    file: SecretFile<'_>,
    env: &dyn Fn(&str) -> Option<String>,
    loss: &'static str,
) -> Result<(), Error> {
    match value(env, file.variable).is_some() || file.path.exists() {
        true => Ok(()),
        false => Err(Error::Lost(
            file.path.to_owned(),
            file.variable.to_owned(),
            loss,
        )),
    }
}

/// The value of a variable that is set and not empty.
fn value(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

/// Why the secrets cannot be used.
#[derive(Debug)]
pub enum Error {
    /// A file does not exist although the deployment is in use; the environment variable that
    /// replaces it, and what hangs on it.
    Lost(PathBuf, String, &'static str),
    /// A file cannot be read or created.
    File(PathBuf, io::Error),
    /// A file is readable by other users; the environment variable that replaces it, if one does.
    Exposed(PathBuf, Option<String>),
    /// A value is too short, a sample, or malformed; its origin, and what to do.
    Unusable(String, Cow<'static, str>),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(path, variable, loss) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                let path = path.display();
                write!(
                    f,
                    "{path} does not exist, and {variable} is not set, but the database is in use. \
                     Run the program in the server's folder or with --config FILE, or restore the \
                     file from a backup. {loss}"
                )?;
                match variable.as_str() {
                    SECRET_KEY | AUDIT_KEY => write!(
                        f,
                        " To continue with a new one: `(umask 077; openssl rand -hex 32 > {path})`, \
                         then `doorcode deployment accept-keys`."
                    ),
                    _ => Ok(()),
                }
            }
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Exposed(path, variable) => {
                let path = path.display();
                write!(
                    f,
                    "{path} can be read by other users of this machine. Run `chmod 600 {path}`"
                )?;
                if let Some(variable) = variable {
                    write!(f, ", or set {variable} instead of the file")?;
                }
                f.write_str(". If others may have read it, replace the secret.")
            }
            Self::Unusable(origin, what) => write!(f, "{origin}: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl Secrets {
    /// Reads the secrets from the environment, given as a look-up, or from their files, which are
    /// created if missing.
    pub fn load(
        config: &Config,
        entropy: &dyn Entropy,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let env = |name: &str| value(&env, name);
        let mut files = Found::default();
        let operator = OperatorTokens::load(config, entropy, env, &mut files)?;

        let mut key = |variable: &'static str, path: &Path| {
            let (origin, key) = match env(variable) {
                Some(value) => (variable.to_owned(), Secret::new(value.trim())),
                None => {
                    let draw = || {
                        let mut bytes = [0; 32];
                        entropy.fill(&mut bytes);
                        Secret::from_random(&bytes)
                    };
                    let key = SecretFile { path, variable }.read_or_make(&draw, &mut files)?;
                    (path.display().to_string(), key)
                }
            };
            match hex::decode(key.expose()).map(<[u8; 32]>::try_from) {
                Ok(Ok(bytes)) => Ok(bytes),
                _ => Err(Error::Unusable(
                    origin,
                    "a key must be 64 hexadecimal digits, such as `openssl rand -hex 32` prints."
                        .into(),
                )),
            }
        };
        let secret = key(SECRET_KEY, &config.server.secret_key_file)?;
        let audit = key(AUDIT_KEY, &config.audit.signing_key_file)?;
        let audit = Ed25519KeyPair::from_seed_unchecked(&audit).map_err(|_| {
            Error::Unusable(
                AUDIT_KEY.to_owned(),
                "the key cannot sign. Create another with `openssl rand -hex 32`.".into(),
            )
        })?;
        Ok(Self {
            key: Key::new(secret),
            audit,
            webhook_token: env(WEBHOOK_TOKEN).map(Secret::new),
            operator,
            files,
        })
    }
}

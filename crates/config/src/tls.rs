//! `server.tls`: whether and with which certificate the server itself encrypts its connections.

use super::source::{Entries, Value};
use super::table::file_path;
use std::path::PathBuf;

/// The accepted values, for messages.
const VALUES: &str =
    r#"write "off", "self-signed", or { cert = "server.pem", key = "server.key" }"#;

/// How the server encrypts connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: plain HTTP.
    Off,
    /// With a certificate that the server makes for itself.
    SelfSigned,
    /// With the certificate in these files.
    Files(CertificateFiles),
}

/// The files of a certificate, in PEM format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's certificate, then the intermediate ones.
    pub cert: PathBuf,
    /// Its private key, which only its owner can read.
    pub key: PathBuf,
}

impl Tls {
    /// Whether the server speaks TLS.
    pub fn is_on(&self) -> bool {
        *self != Self::Off
    }

    pub(super) fn parse(value: Value) -> Result<Self, String> {
        match value {
            Value::Table(entries) => Ok(Self::Files(CertificateFiles::parse(entries)?)),
            Value::Text(text) | Value::Variable(text) => match text.as_str() {
                "off" => Ok(Self::Off),
                "self-signed" => Ok(Self::SelfSigned),
                _ => Err(format!("{text:?} is not a valid value; {VALUES}")),
            },
            other => Err(format!("is {}; {VALUES}", other.kind())),
        }
    }

    pub(super) fn written(&self) -> toml::Value {
        match self {
            Self::Off => "off".into(),
            Self::SelfSigned => "self-signed".into(),
            Self::Files(files) => {
                let path = |path: &PathBuf| toml::Value::from(path.display().to_string());
                let keys = [("cert", path(&files.cert)), ("key", path(&files.key))];
                let table = keys.map(|(key, value)| (key.to_owned(), value));
                toml::Value::Table(table.into_iter().collect())
            }
        }
    }
}

impl CertificateFiles {
    fn parse(mut entries: Entries) -> Result<Self, String> {
        let mut path = |key| match entries.remove(key).map(|node| node.value) {
            Some(Value::Text(text)) => file_path(&text),
            _ => Err(format!("has no {key}; {VALUES}")),
        };
        let files = Self {
            cert: path("cert")?,
            key: path("key")?,
        };
        match entries.keys().next() {
            Some(key) => Err(format!("has the unknown key {key:?}; {VALUES}")),
            None => Ok(files),
        }
    }
}

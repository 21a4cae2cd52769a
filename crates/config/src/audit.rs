//! `[audit]`: the recording, retention, checkpoints and shipping of the audit log.

use super::duration::{self, DAY, HOUR, LONGEST, MINUTE, SECOND};
use super::server::is_loopback;
use super::table::Table;
use super::tokens::Lifetime;
use super::{Settings, written_number, written_path};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// The audit log settings.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Which uses of tokens are recorded.
    pub token_use: TokenUse,
    /// How long uses are kept. The roots of their usage batches stay in the log.
    pub keep_uses: Lifetime,
    /// How long records are kept; at least as long as uses.
    pub keep_records: Lifetime,
    /// The file of the key that signs checkpoints, created at the first start.
    pub signing_key_file: PathBuf,
    /// The destination of published checkpoints besides the database, if any.
    pub checkpoint_to: Option<Destination>,
    /// The time from the last checkpoint to the next, if there are new records.
    pub checkpoint_every: Duration,
    /// The number of new records after which a checkpoint is signed at the latest.
    pub checkpoint_records: u64,
    /// The sink to which all records are shipped, if any.
    pub ship_to: Option<Destination>,
}

/// Which uses of tokens are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// Every use.
    Every,
    /// None. The last use of each token is still stored.
    Off,
}

impl TokenUse {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "every" => Ok(Self::Every),
            "off" => Ok(Self::Off),
            _ => Err(format!("{text:?} is neither every nor off")),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Every => "every",
            Self::Off => "off",
        }
    }
}

/// A destination of checkpoints or records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A file to append to.
    File(PathBuf),
    /// A URL for `POST` requests.
    Url(Url),
}

impl Destination {
    /// Parses a path or a URL; `None` for `off`.
    fn parse(text: &str) -> Result<Option<Self>, String> {
        if text == "off" {
            return Ok(None);
        }
        if !text.contains("://") {
            return match text.is_empty() {
                true => Err("is empty; write a path, an https:// address, or off".to_owned()),
                false => Ok(Some(Self::File(text.into()))),
            };
        }
        let url = Url::parse(text)
            .map_err(|error| format!("{text:?} is neither a path nor a URL: {error}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "names a user or a password; put a token into DOORCODE_AUDIT_WEBHOOK_TOKEN \
                 instead, which is sent as Authorization: Bearer"
                    .to_owned(),
            );
        }
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => Ok(Some(Self::Url(url))),
            ("http", Some(host)) if is_loopback(&host) => Ok(Some(Self::Url(url))),
            _ => Err(format!(
                "{text:?} would send the log unencrypted; write an https:// address"
            )),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

/// Parses a retention time of at least `shortest`.
fn kept(text: &str, shortest: Duration) -> Result<Lifetime, String> {
    match text {
        "never" => Err("write forever, or a duration such as 90d".to_owned()),
        "forever" => Ok(Lifetime::Never),
        text => duration::parse_within(text, &(shortest..=LONGEST)).map(Lifetime::For),
    }
}

impl Audit {
    pub(super) fn read(table: &mut Table<'_>) -> Self {
        let checkpoints = Destination::File("data/audit_checkpoints".into());
        let keep_uses = table
            .text("keep_uses", |text| kept(text, HOUR))
            .unwrap_or(Lifetime::For(DAY * 90));
        let keep_records = table
            .text("keep_records", |text| match kept(text, DAY)? {
                records if records < keep_uses => Err(format!(
                    "{text:?} is shorter than keep_uses; the proofs of uses are in the records"
                )),
                records => Ok(records),
            })
            .unwrap_or(Lifetime::Never);
        Self {
            token_use: table
                .text("token_use", TokenUse::parse)
                .unwrap_or(TokenUse::Every),
            keep_uses,
            keep_records,
            signing_key_file: table
                .path("signing_key_file")
                .unwrap_or_else(|| "data/audit_key".into()),
            checkpoint_to: table
                .text("checkpoint_to", Destination::parse)
                .unwrap_or(Some(checkpoints)),
            checkpoint_every: table
                .duration("checkpoint_every", SECOND..=DAY)
                .unwrap_or(MINUTE * 10),
            checkpoint_records: table
                .number("checkpoint_records", 1..=1_000_000)
                .unwrap_or(1_000),
            ship_to: table
                .text("ship_to", Destination::parse)
                .unwrap_or_default(),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        let kept = |lifetime: Lifetime| match lifetime {
            Lifetime::Never => "forever".to_owned(),
            Lifetime::For(_) => lifetime.to_string(),
        };
        let written = |to: &Option<Destination>| match to {
            Some(to) => to.to_string(),
            None => "off".to_owned(),
        };
        vec![
            ("token_use", self.token_use.as_str().into()),
            ("keep_uses", kept(self.keep_uses).into()),
            ("keep_records", kept(self.keep_records).into()),
            ("signing_key_file", written_path(&self.signing_key_file)),
            ("checkpoint_to", written(&self.checkpoint_to).into()),
            (
                "checkpoint_every",
                duration::write(self.checkpoint_every).into(),
            ),
            (
                "checkpoint_records",
                written_number(self.checkpoint_records),
            ),
            ("ship_to", written(&self.ship_to).into()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_file_or_an_encrypted_address() {
        for text in [
            "data/audit.ndjson",
            "https://logs.example.com/doorcode",
            "http://127.0.0.1:9000/hook",
        ] {
            let read = Destination::parse(text).unwrap().unwrap();
            assert_eq!(read.to_string(), text);
        }
        assert_eq!(Destination::parse("off"), Ok(None));
        for (text, reason) in [
            ("", "is empty"),
            ("http://logs.example.com/", "would send the log unencrypted"),
            ("ftp://logs.example.com/", "would send the log unencrypted"),
            ("https://", "neither a path nor a URL"),
            ("https://ada:hunter2@logs.example.com/", "names a user"),
        ] {
            let message = Destination::parse(text).unwrap_err();
            assert!(message.contains(reason), "{text:?}: {message}");
            assert!(!message.contains("hunter2"));
        }
    }
}

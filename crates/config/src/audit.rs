//! `[audit]`: the recording, retention, checkpoints and shipping of the audit log.

use super::duration::{self, DAY, HOUR, LONGEST, MINUTE, SECOND};
use super::server::is_loopback;
use super::table::Table;
use super::tokens::Lifetime;
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
    pub(super) fn read(table: &mut Table) -> Self {
        let token_uses = [("every", TokenUse::Every), ("off", TokenUse::Off)];
        let token_use = table.choice("token_use", token_uses, "is neither every nor off");
        let written = |kept: &Lifetime| match kept {
            Lifetime::Never => "forever".to_owned(),
            Lifetime::For(_) => kept.to_string(),
        };
        let usual = Lifetime::For(DAY * 90);
        let keep_uses = table.text_as("keep_uses", usual, |text| kept(text, HOUR), written);
        let at_least_uses = |text: &str| match kept(text, DAY)? {
            records if records < keep_uses => Err(format!(
                "{text:?} is shorter than keep_uses; the proofs of uses are in the records"
            )),
            records => Ok(records),
        };
        let keep_records = table.text_as("keep_records", Lifetime::Never, at_least_uses, written);
        let written = |to: &Option<Destination>| match to {
            Some(to) => to.to_string(),
            None => "off".to_owned(),
        };
        let usual = Some(Destination::File("data/audit_checkpoints".into()));
        Self {
            token_use,
            keep_uses,
            keep_records,
            signing_key_file: table.path("signing_key_file", "data/audit_key"),
            checkpoint_to: table.text_as("checkpoint_to", usual, Destination::parse, written),
            checkpoint_every: table.duration("checkpoint_every", MINUTE * 10, SECOND..=DAY),
            checkpoint_records: table.number("checkpoint_records", 1_000, 1..=1_000_000),
            ship_to: table.text_as("ship_to", None, Destination::parse, written),
        }
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

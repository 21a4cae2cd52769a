//! The options that all client commands share.

use std::path::PathBuf;

use chrono::{DateTime, Local, NaiveDate, NaiveTime, Utc};

use crate::host::Host;
use crate::profile::Profile;
use crate::settings::Flags;

/// The options that all client commands share.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ClientOptions {
    /// Print the result as JSON on standard output; everything else goes to standard error
    #[arg(long)]
    pub json: bool,
    /// Use this profile of the credentials file [env: DOORCODE_PROFILE]
    #[arg(long, value_name = "NAME", value_parser = Profile::parse)]
    pub profile: Option<Profile>,
    /// The server's address, such as https://auth.example.com [env: DOORCODE_HOST]
    #[arg(long, value_name = "URL", value_parser = Host::parse)]
    pub host: Option<Host>,
    /// Allow http:// to another machine: the token is then sent without encryption
    #[arg(long)]
    pub allow_http: bool,
    /// Also trust the certificates of this PEM file, such as the authority of a company; the
    /// environment variable SSL_CERT_FILE replaces those of the system
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
}

impl ClientOptions {
    /// The flags that select server, profile and token.
    pub fn flags(&self) -> Flags {
        Flags {
            profile: self.profile.clone(),
            host: self.host.clone(),
            project: None,
            allow_http: self.allow_http,
            ca_cert: self.ca_cert.clone(),
        }
    }
}

/// Parses the slug or ID of an organization, which becomes a part of a path.
pub fn reference(text: &str) -> Result<String, &'static str> {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    if text.is_empty() || !text.bytes().all(is_part) {
        return Err("a slug or ID has letters, digits, dashes and underscores only");
    }
    Ok(text.to_owned())
}

/// Parses a time, or a date, which means midnight in the local time zone.
pub fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let date: NaiveDate = text
        .parse()
        .map_err(|_| "write a date such as 2030-01-31, or 2030-01-31T12:00:00Z".to_owned())?;
    let midnight = date.and_time(NaiveTime::MIN).and_local_timezone(Local);
    // Where daylight saving time starts at midnight, the day starts later.
    let begins = midnight.earliest().map(|at| at.to_utc());
    Ok(begins.unwrap_or_else(|| date.and_time(NaiveTime::MIN).and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_or_a_time() {
        let read = |text| parse_time(text).map(|at| at.to_rfc3339());
        let at = read("2030-01-31T12:00:00+02:00");
        assert_eq!(at.as_deref(), Ok("2030-01-31T10:00:00+00:00"));
        assert!(read("2030-01-31").is_ok_and(|at| at.starts_with("2030-01-3")));
        for bad in ["", "yesterday", "2030-02-30", "2030-01-31T12:00:00"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_reference_is_one_part_of_a_path() {
        assert!(reference("acme").is_ok() && reference("org_01-a").is_ok());
        for bad in ["", "a/b", "..", "a b", "a?b", "é"] {
            assert!(reference(bad).is_err(), "{bad}");
        }
    }
}

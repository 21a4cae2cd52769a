//! `[mail]`: the SMTP server for outgoing mail. Without this section, no mail is sent.

use super::table::Table;
use domain::secret::Secret;
use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use std::fmt;
use url::{Host, Url};

/// The mail settings.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The SMTP server.
    pub smtp_url: SmtpUrl,
    /// The sender.
    pub from: Mailbox,
}

impl Mail {
    /// Reads the section; `None` if it is absent or empty.
    pub(super) fn read(table: &mut Table) -> Option<Self> {
        if table.is_empty() {
            return None;
        }
        let smtp_url = table.required("smtp_url", SmtpUrl::parse);
        let from = table.required("from", mailbox);
        Some(Self {
            smtp_url: smtp_url?,
            from: from?,
        })
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| {
        format!(
            "{text:?} is not an address; write one such as login@example.com, or \
             \"Acme <login@example.com>\""
        )
    })
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// TLS after STARTTLS (RFC 3207), which is mandatory.
    StartTls,
    /// No encryption.
    Plain,
}

/// A mail server and its credentials. `Display` and `Debug` hide the password.
#[derive(Clone)]
pub struct SmtpUrl {
    /// The host's name, or its address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// The user and password, if the server requires them.
    pub credentials: Option<(String, Secret)>,
    /// The URL without the password.
    shown: String,
}

impl SmtpUrl {
    /// Parses a URL. The message never repeats it, since it may contain a password.
    fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "write smtp://user:password@mail.example.com:587, or smtps:// for \
                            TLS from the first byte";
        let url = Url::parse(text).map_err(|error| {
            format!("is not a URL ({error}); {FORM}, with %40 for @, %2F for / and %23 for #")
        })?;
        let is_bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
        let host = match url.host() {
            Some(host) if is_bare && !host.to_string().is_empty() => host,
            _ => return Err(format!("is not the address of a mail server; {FORM}")),
        };
        let tls = match url.query() {
            None => None,
            Some("tls=off") => Some(false),
            Some("tls=required") => Some(true),
            Some(_) => {
                return Err(
                    "has a part after ? that means nothing; write ?tls=off or ?tls=required, \
                     or leave it out"
                        .to_owned(),
                );
            }
        };
        let (protection, usual_port) = match (url.scheme(), tls) {
            ("smtps", Some(false)) => {
                return Err("smtps:// is TLS; write smtp:// with ?tls=off".to_owned());
            }
            ("smtps", _) => (Protection::Tls, 465),
            ("smtp", Some(true)) => (Protection::StartTls, 587),
            ("smtp", None) if !is_loopback(&host) => (Protection::StartTls, 587),
            ("smtp", _) => (Protection::Plain, 25),
            _ => return Err(format!("is neither smtp:// nor smtps://; {FORM}")),
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) => return Err(format!("has a password without a user; {FORM}")),
            (_, None) => return Err(format!("has a user without a password; {FORM}")),
            (user, Some(password)) => Some((decode(user)?, Secret::new(decode(password)?))),
        };
        let mut shown = url.clone();
        if credentials.is_some() && shown.set_password(Some("***")).is_err() {
            return Err(format!("cannot have a password; {FORM}"));
        }
        Ok(Self {
            host: bare(&host),
            port: url.port().unwrap_or(usual_port),
            protection,
            credentials,
            shown: shown.into(),
        })
    }
}

fn decode(text: &str) -> Result<String, String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| "has a user or password that is not UTF-8".to_owned())
}

/// The IP address in a host. The URL parser recognizes it only for the schemes of browsers.
fn ip(host: &Host<&str>) -> Option<std::net::IpAddr> {
    match host {
        Host::Domain(name) => name.parse().ok(),
        Host::Ipv4(address) => Some((*address).into()),
        Host::Ipv6(address) => Some((*address).into()),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    let is_name = matches!(host, Host::Domain(name) if name.eq_ignore_ascii_case("localhost"));
    is_name || ip(host).is_some_and(|address| address.is_loopback())
}

fn bare(host: &Host<&str>) -> String {
    ip(host).map_or_else(|| host.to_string(), |address| address.to_string())
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A URL, then its host, port and protection.
    #[rustfmt::skip]
    const ACCEPTED: [(&str, &str, u16, Protection); 9] = [
        ("smtp://mail.example.com", "mail.example.com", 587, Protection::StartTls),
        ("smtp://mail.example.com:25?tls=required", "mail.example.com", 25, Protection::StartTls),
        ("smtp://mail.example.com?tls=off", "mail.example.com", 25, Protection::Plain),
        ("smtp://10.0.0.5/", "10.0.0.5", 587, Protection::StartTls),
        ("smtp://localhost:1025", "localhost", 1025, Protection::Plain),
        ("smtp://127.0.0.1", "127.0.0.1", 25, Protection::Plain),
        ("smtp://[::1]:1025", "::1", 1025, Protection::Plain),
        ("smtp://localhost?tls=required", "localhost", 587, Protection::StartTls),
        ("smtps://mail.example.com", "mail.example.com", 465, Protection::Tls),
    ];

    #[test]
    fn mail_is_encrypted_unless_local_or_configured_otherwise() {
        for (text, host, port, protection) in ACCEPTED {
            let url = SmtpUrl::parse(text).unwrap();
            assert_eq!(
                (url.host.as_str(), url.port, url.protection),
                (host, port, protection),
                "{text}"
            );
            assert!(url.credentials.is_none());
            assert_eq!(url.to_string(), text);
        }
        for (text, reason) in [
            ("mail.example.com", "is not a URL"),
            (
                "smtp:mail.example.com",
                "is not the address of a mail server",
            ),
            ("smtp://", "is not the address of a mail server"),
            (
                "smtp://mail.example.com/inbox",
                "is not the address of a mail server",
            ),
            (
                "smtp://mail.example.com#x",
                "is not the address of a mail server",
            ),
            ("https://mail.example.com", "neither smtp:// nor smtps://"),
            ("smtp://mail.example.com?tls=none", "part after ?"),
            ("smtps://mail.example.com?tls=off", "smtps:// is TLS"),
            ("smtp://ada@mail.example.com", "a user without a password"),
            (
                "smtp://:hunter2@mail.example.com",
                "a password without a user",
            ),
            ("smtp://ada:hunter%ff@mail.example.com", "not UTF-8"),
            ("smtp://ada:hunter2/@mail.example.com", "is not a URL"),
        ] {
            let message = SmtpUrl::parse(text).unwrap_err();
            assert!(message.contains(reason), "{text:?}: {message}");
            assert!(!message.contains("hunter"), "{message}");
        }
    }

    #[test]
    fn the_password_is_read_and_never_shown() {
        let url = SmtpUrl::parse("smtp://a%40b:hunter%402@mail.example.com").unwrap();
        let (user, password) = url.credentials.as_ref().unwrap();
        assert_eq!((user.as_str(), password.expose()), ("a@b", "hunter@2"));
        assert_eq!(url.to_string(), "smtp://a%40b:***@mail.example.com");
        assert!(!format!("{url:?}").contains("hunter"));
    }

    proptest! {
        #[test]
        fn no_text_panics_or_leaks(
            head in "(smtp://|smtps://)?[a-z:,\\[\\]]{0,8}",
            tail in "[-a-z0-9%@:/?&=#,.\\[\\] é]{0,40}",
        ) {
            let shown = match SmtpUrl::parse(&format!("{head}:Hunter-2-Secret@{tail}")) {
                Ok(url) => format!("{url:?}{url}"),
                Err(message) => message,
            };
            prop_assert!(!shown.contains("Hunter-2"), "{}", shown);
        }
    }
}

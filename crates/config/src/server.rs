//! `[server]`: the addresses, proxies and threads of the server.

use super::listen::Listen;
use super::table::Table;
use super::tls::{CertificateFiles, Tls};
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;
use url::{Host, Url};

/// Default of `drain_for`: longer than the usual interval of readiness checks.
const DRAIN_FOR: Duration = Duration::from_secs(5);

/// Maximum of `drain_for`.
const MOST_DRAIN: Duration = Duration::from_secs(300);

/// For which hosts browsers are told to use https only (RFC 6797).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrictTransport {
    /// For the host of the public URL.
    Host,
    /// For that host and all below it.
    Subdomains,
    /// For none.
    Off,
}

/// The server settings.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where the server listens. Not used if a service manager passes sockets.
    pub listen: Listen,
    /// How long the server handles requests after a signal to stop, while it is not ready.
    pub drain_for: Duration,
    /// The base URL for browsers and clients, and the issuer of the tokens.
    pub public_url: PublicUrl,
    /// The encryption of the connections to `listen`.
    pub tls: Tls,
    /// The proxies whose forwarded addresses are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The file of the secret key, which is never in the database.
    pub secret_key_file: PathBuf,
    /// Whether `public_url` may be plain http on a host other than this machine.
    pub allow_http: bool,
    /// Which hosts `Strict-Transport-Security` covers. It is only sent if the public URL is https
    /// and not on this machine.
    pub hsts: StrictTransport,
    /// The number of worker threads.
    pub workers: usize,
}

impl Server {
    pub(super) fn read(table: &mut Table) -> Self {
        let mut hosts = [
            ("host", StrictTransport::Host),
            ("subdomains", StrictTransport::Subdomains),
            ("off", StrictTransport::Off),
        ];
        let default_listen = Listen::Tcp((Ipv4Addr::LOCALHOST, 8080).into());
        let listen = table.text("listen", default_listen, Listen::parse);
        let drain_for = table.duration("drain_for", DRAIN_FOR, Duration::ZERO..=MOST_DRAIN);
        table.announce("public_url");
        let tls = table.text_or_table("tls", Tls::Off, Tls::parse, Tls::written);
        if tls == Tls::SelfSigned {
            // The first is the default. A browser that was told to use https only lets no user
            // accept a certificate that it does not know.
            hosts.rotate_right(1);
        }
        let url = PublicUrl::on_this_machine(tls.is_on());
        let server = Self {
            listen,
            drain_for,
            public_url: table.text("public_url", url, PublicUrl::parse),
            tls,
            trusted_proxies: table.list("trusted_proxies", r#"["10.0.0.0/8"]"#, network),
            secret_key_file: table.path("secret_key_file", "data/secret_key"),
            allow_http: table.flag("allow_http", false),
            hsts: table.choice("hsts", hosts, "is not one of host, subdomains, off"),
            workers: table.number("workers", cores(), 1..=1024),
        };
        let url = &server.public_url;
        if server.tls.is_on() && !url.is_https() {
            table.fault(
                "public_url",
                format!("{url} is not https, but server.tls is on; write an https address"),
            );
        }
        if server.tls == Tls::SelfSigned && server.hsts != StrictTransport::Off {
            table.fault(
                "hsts",
                "with a self-signed certificate browsers would lock users out; write off, or use \
                 the files of a certificate in server.tls"
                    .to_owned(),
            );
        }
        if !(url.is_https() || url.is_loopback() || server.allow_http) {
            table.fault(
                "public_url",
                format!(
                    "{url} would send passwords and tokens unencrypted; write an https address, \
                     or set server.allow_http = true if the network is trusted"
                ),
            );
        }
        server
    }

    /// The files of the certificate, if the server speaks TLS. Those of a self-signed one are
    /// beside the secret key.
    pub fn certificate_files(&self) -> Option<CertificateFiles> {
        match &self.tls {
            Tls::Off => None,
            Tls::SelfSigned => Some(CertificateFiles {
                cert: self.secret_key_file.with_file_name("tls_certificate.pem"),
                key: self.secret_key_file.with_file_name("tls_key.pem"),
            }),
            Tls::Files(files) => Some(files.clone()),
        }
    }
}

/// The number of processor cores; 1 if unknown.
pub(super) fn cores() -> usize {
    available_parallelism().map_or(1, usize::from).min(1024)
}

pub(super) fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| {
            format!(
                "{text:?} is not a network; write one such as 10.0.0.0/8, or an address such \
                 as 10.0.0.1"
            )
        })
}

/// The public URL of the server: scheme, host and port, exactly as configured, without a trailing
/// slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    host: String,
    is_loopback: bool,
}

impl Default for PublicUrl {
    fn default() -> Self {
        Self::on_this_machine(false)
    }
}

impl PublicUrl {
    /// The URL of a server without a configuration.
    fn on_this_machine(is_https: bool) -> Self {
        let scheme = if is_https { "https" } else { "http" };
        Self {
            origin: format!("{scheme}://127.0.0.1:8080"),
            host: "127.0.0.1".to_owned(),
            is_loopback: true,
        }
    }

    /// Parses a URL. The message does not repeat a text with a user or password.
    fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "write one such as https://login.example.com";
        let url = Url::parse(text).map_err(|error| format!("is not a URL ({error}); {FORM}"))?;
        let host = match url.host() {
            Some(host) if matches!(url.scheme(), "http" | "https") => host,
            _ => return Err(format!("is not an http or https address; {FORM}")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("has a user or password in it; {FORM}"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("has a part after ? or #; {FORM}"));
        }
        if url.path() != "/" {
            return Err(format!(
                "has the path {:?}, which is not supported: Doorcode needs a host of its own; \
                 {FORM}",
                url.path()
            ));
        }
        let origin = url.origin().ascii_serialization();
        if text.strip_suffix('/').unwrap_or(text) != origin {
            return Err(format!(
                "is not in its plain form, which clients compare letter by letter; write {origin}"
            ));
        }
        Ok(Self {
            origin,
            is_loopback: is_loopback(&host),
            host: host.to_string(),
        })
    }

    /// The URL, which is also the issuer.
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// The origin that a browser sends for our pages: the URL itself, since it has no path.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The URL of a page; `path` begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The host without the port; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the scheme is https.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

pub(super) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A text, then its origin (empty if it is refused), its host, and whether it is https
    /// and loopback.
    #[rustfmt::skip]
    const URLS: [(&str, &str, &str, bool, bool); 9] = [
        ("https://id.example.com", "https://id.example.com", "id.example.com", true, false),
        ("https://id.example.com/", "https://id.example.com", "id.example.com", true, false),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1", false, true),
        ("http://127.9.0.1", "http://127.9.0.1", "127.9.0.1", false, true),
        ("http://localhost:80801", "", "", false, false),
        ("http://localhost:8080", "http://localhost:8080", "localhost", false, true),
        ("http://a.localhost", "http://a.localhost", "a.localhost", false, true),
        ("http://[::1]:8080/", "http://[::1]:8080", "[::1]", false, true),
        ("http://notlocalhost", "http://notlocalhost", "notlocalhost", false, false),
    ];

    #[test]
    fn a_public_url_is_an_origin() {
        for (text, origin, host, https, loopback) in URLS {
            let Ok(url) = PublicUrl::parse(text) else {
                assert_eq!(origin, "", "{text} was refused");
                continue;
            };
            assert_eq!(url.as_str(), origin);
            assert_eq!(url.origin(), origin);
            assert_eq!(url.join("/device"), format!("{origin}/device"));
            assert_eq!(
                (url.host(), url.is_https(), url.is_loopback()),
                (host, https, loopback)
            );
        }
        assert_eq!(
            PublicUrl::parse("http://127.0.0.1:8080"),
            Ok(PublicUrl::default())
        );
    }

    #[test]
    fn other_urls_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", "not a URL"),
            ("id.example.com", "not a URL"),
            ("https://", "not a URL"),
            ("ftp://id.example.com", "not an http or https address"),
            ("localhost:8080", "not an http or https address"),
            ("https://u:hunter2@id.example.com", "user or password"),
            ("https://u@id.example.com", "user or password"),
            ("https://id.example.com/?", "after ? or #"),
            ("https://id.example.com/#", "after ? or #"),
            ("https://id.example.com/auth", "path \"/auth\""),
            ("https://id.example.com//", "path \"//\""),
            ("https://ID.example.com", "write https://id.example.com"),
            ("https://id.example.com:443", "write https://id.example.com"),
            ("https:id.example.com", "write https://id.example.com"),
            (" https://id.example.com", "write https://id.example.com"),
        ] {
            let message = PublicUrl::parse(text).unwrap_err();
            assert!(message.contains(reason), "{text:?}: {message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(https?://)?\\PC*") {
            let _ = PublicUrl::parse(&text);
            let _ = Listen::parse(&text);
            let _ = network(&text);
        }
    }
}

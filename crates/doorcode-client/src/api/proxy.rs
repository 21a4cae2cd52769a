//! The proxy that the environment names for a server.

use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;

use crate::host::Host;

/// The proxy for a server, from `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY`, unless `NO_PROXY`
/// excludes the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The address, without a name and a password.
    address: String,
    /// The environment variable that names it.
    pub variable: &'static str,
}

impl Proxy {
    /// The proxy that requests to this server use. Loopback addresses use none.
    pub fn of(host: &Host) -> Option<Self> {
        if host.is_loopback() {
            return None;
        }
        let server = host.endpoint("/").parse().ok()?;
        let proxy = Matcher::from_env().intercept(&server)?;
        let variables: [&'static str; 4] = match host.is_encrypted() {
            true => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
            false => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        };
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Some(Self {
            address: proxy.uri().to_string().trim_end_matches('/').to_owned(),
            variable: variables.into_iter().find(is_set)?,
        })
    }

    /// Whether it is a SOCKS proxy.
    pub fn is_socks(&self) -> bool {
        self.address.starts_with("socks")
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.variable)
    }
}

//! The address of a server.

use std::fmt;

use url::Url;

/// The address of a server: scheme, host, port and optional path, without a final slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    base: String,
    encrypted: bool,
    loopback: bool,
}

impl Host {
    /// Parses an address that a user typed. Without a scheme it means `https`, or `http` on this
    /// machine.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = with_scheme(text.trim()).ok_or_else(|| {
            "write an address such as https://auth.example.com or http://127.0.0.1:8080".to_owned()
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("remove the name and password from the address".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(
                "remove the query and the fragment (from ? or #) from the address".to_owned(),
            );
        }
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            encrypted: url.scheme() == "https",
            loopback: is_loopback(&url),
        })
    }

    /// Whether a token can be sent confidentially: over TLS, or to this machine.
    pub fn is_private(&self) -> bool {
        self.encrypted || self.loopback
    }

    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether the address is a loopback address.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The URL of an endpoint.
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

/// Parses a URL that a browser may open: `http` or `https` only, since other schemes can start
/// programs.
pub fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn with_scheme(text: &str) -> Option<Url> {
    if text.contains("://") {
        return web_address(text);
    }
    let encrypted = web_address(&format!("https://{text}"))?;
    if is_loopback(&encrypted) {
        web_address(&format!("http://{text}"))
    } else {
        Some(encrypted)
    }
}

/// Whether the address is a loopback address, which another device cannot open.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_normalized() {
        let base = |text| Host::parse(text).map(|host| host.to_string());
        assert_eq!(
            base(" HTTPS://Auth.Example.com:443/ ").unwrap(),
            "https://auth.example.com"
        );
        assert_eq!(base("http://[::1]:8080").unwrap(), "http://[::1]:8080");
        assert_eq!(
            Host::parse("https://example.com/login/")
                .unwrap()
                .endpoint("/v1/me"),
            "https://example.com/login/v1/me"
        );
        for (short, full) in [
            ("auth.example.com", "https://auth.example.com"),
            (
                "auth.example.com:8443/login",
                "https://auth.example.com:8443/login",
            ),
            ("10.0.0.1:8080", "https://10.0.0.1:8080"),
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1", "http://127.0.0.1"),
            ("[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(base(short).unwrap(), full);
        }
        for bad in [
            "",
            "two words",
            "javascript:alert(1)",
            "ada@example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://",
            "https://ada:secret@example.com",
            "https://example.com/?a=b",
            "https://example.com/#a",
        ] {
            assert!(base(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_loopback_and_https_are_private() {
        let private = |text| Host::parse(text).unwrap().is_private();
        for yes in [
            "https://example.com",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]",
            "http://localhost:3000",
            "http://doorcode.localhost",
        ] {
            assert!(private(yes), "{yes}");
        }
        for no in [
            "http://example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://0.0.0.0:8080",
        ] {
            assert!(!private(no), "{no}");
        }
    }
}

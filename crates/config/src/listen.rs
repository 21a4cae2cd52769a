//! Where the server listens.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Prefix of the path of a Unix socket.
const UNIX: &str = "unix:";

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address and port.
    Tcp(SocketAddr),
    /// A Unix socket, by its absolute path.
    Unix(PathBuf),
}

impl Listen {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix(UNIX) {
            Some(path) if path.starts_with('/') && !path.ends_with('/') => {
                Ok(Self::Unix(path.into()))
            }
            Some(_) => Err(format!(
                "{text:?} has no absolute path; write one such as unix:/run/doorcode/http.sock"
            )),
            None => listen_address(text).map(Self::Tcp).map_err(|message| {
                format!("{message}, or a Unix socket such as unix:/run/doorcode/http.sock")
            }),
        }
    }
}

pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!(
            "{text:?} is not an IP address with a port; write one such as 127.0.0.1:8080, \
             0.0.0.0:8080 or [::1]:8080"
        )
    })
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listens_on_an_address_or_a_unix_socket() {
        for text in ["127.0.0.1:8080", "[::1]:80", "unix:/run/doorcode/http.sock"] {
            assert_eq!(Listen::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "unix:",
            "unix:http.sock",
            "unix:/run/",
            "unix://run/",
            "/run/http.sock",
            "8080",
        ] {
            let message = Listen::parse(text).unwrap_err();
            assert!(
                message.contains("unix:/run/doorcode/http.sock"),
                "{message}"
            );
        }
    }
}

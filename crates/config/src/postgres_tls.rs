//! TLS to PostgreSQL: what a URL with `sslmode=verify-full` says about it.

use super::CertificateFiles;
use super::postgres::{PostgresUrl, decode, host_of};
use std::fmt;
use std::path::PathBuf;

const PORT: u16 = 5432;

/// A connection that is encrypted, to a server whose certificate is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresTls {
    /// The servers, in the order in which they are tried.
    pub hosts: Vec<PostgresHost>,
    /// The certificates of the authorities that count; `None` for those of the system.
    pub authorities: Option<PathBuf>,
    /// The certificate of the client, if it has one.
    pub client: Option<CertificateFiles>,
    /// The URL without hosts and without what is about TLS. It has a `?`.
    pub rest: String,
}

/// Without the URL, which has a password.
impl fmt::Debug for PostgresTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTls")
            .field("hosts", &self.hosts)
            .field("authorities", &self.authorities)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresHost {
    /// The name in its certificate.
    pub name: String,
    /// Where to connect instead of the name.
    pub address: Option<String>,
    /// The port.
    pub port: u16,
}

impl PostgresUrl<'_> {
    /// What the URL says about TLS, which it asks for.
    pub(super) fn tls(&self) -> Result<PostgresTls, String> {
        let mut names: Vec<_> = self.hosts.split(',').map(host_of).collect();
        let mut ports: Vec<_> = self.hosts.split(',').map(port_of).collect();
        let mut addresses = Vec::new();
        let (mut authorities, mut cert, mut key) = (None, None, None);
        let mut rest = Vec::new();
        for (parameter, raw) in self.parameters() {
            let value = decode(raw);
            let list = || value.split(',').map(str::to_owned).collect();
            match parameter.as_str() {
                "host" => names = list(),
                "hostaddr" => addresses = list(),
                "port" => ports = list(),
                "sslmode" => {}
                "sslrootcert" => authorities = Some(value),
                "sslcert" => cert = Some(value),
                "sslkey" => key = Some(value),
                // The path of TLS limits it; the path to it takes no time.
                "connect_timeout" => {}
                "channel_binding" if value == "require" => {
                    return Err(unsupported("channel_binding=require"));
                }
                other if other.starts_with("ssl") || other == "requiressl" => {
                    return Err(unsupported(other));
                }
                other => rest.push(format!("{other}={raw}")),
            }
        }
        let client = match (cert, key) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some(CertificateFiles {
                cert: cert.into(),
                key: key.into(),
            }),
            _ => return Err("needs both sslcert and sslkey, or none of them".to_owned()),
        };
        let userinfo = self
            .userinfo
            .map_or(String::new(), |user| format!("{user}@"));
        let database = match self.database {
            "" => "/",
            database => database,
        };
        Ok(PostgresTls {
            hosts: hosts(names, &ports, addresses)?,
            authorities: authorities
                .filter(|path| path != "system")
                .map(PathBuf::from),
            client,
            rest: format!("{}://{userinfo}{database}?{}", self.scheme, rest.join("&")),
        })
    }
}

fn unsupported(parameter: &str) -> String {
    format!(
        "has the parameter {parameter}, which this program does not support; with \
         sslmode=verify-full write sslrootcert, sslcert and sslkey alone"
    )
}

fn port_of(host_and_port: &str) -> String {
    let port = host_and_port.rsplit_once(':').map(|(_, port)| port);
    port.filter(|port| !port.ends_with(']'))
        .unwrap_or_default()
        .to_owned()
}

/// The servers. One port is that of all.
fn hosts(
    names: Vec<String>,
    ports: &[String],
    addresses: Vec<String>,
) -> Result<Vec<PostgresHost>, String> {
    if !addresses.is_empty() && addresses.len() != names.len() {
        return Err("names other numbers of hosts and of host addresses".to_owned());
    }
    if ports.len() != 1 && ports.len() != names.len() {
        return Err("names other numbers of hosts and of ports".to_owned());
    }
    let mut addresses = addresses.into_iter();
    let hosts = names.into_iter().enumerate().map(|(at, name)| {
        if is_socket(&name) {
            return Err("asks for TLS to a socket; write the host name of the database".to_owned());
        }
        let port = ports.get(at).or(ports.first()).map_or("", String::as_str);
        let port = match port {
            "" => PORT,
            port => port.parse().map_err(|_| "has a port that is no number")?,
        };
        let address = addresses.next().filter(|address| !address.is_empty());
        Ok(PostgresHost {
            name,
            address,
            port,
        })
    });
    hosts.collect()
}

/// Whether a host is a socket of this machine.
fn is_socket(host: &str) -> bool {
    host.is_empty() || host.starts_with(['/', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(url: &str) -> Result<PostgresTls, String> {
        PostgresUrl::split(url).unwrap().tls()
    }

    fn host(name: &str, address: Option<&str>, port: u16) -> PostgresHost {
        PostgresHost {
            name: name.to_owned(),
            address: address.map(str::to_owned),
            port,
        }
    }

    #[test]
    fn hosts_and_files_are_taken_out_of_the_url() {
        let read = tls(
            "postgres://u:p%40w@db1.example:5433,[::1],db3/d?sslmode=verify-full&connect_timeout=3\
             &sslrootcert=%2Fetc%2Fca.pem&sslcert=c.pem&sslkey=k.pem&application_name=a%20b",
        );
        let expected = PostgresTls {
            hosts: vec![
                host("db1.example", None, 5433),
                host("::1", None, 5432),
                host("db3", None, 5432),
            ],
            authorities: Some("/etc/ca.pem".into()),
            client: Some(CertificateFiles {
                cert: "c.pem".into(),
                key: "k.pem".into(),
            }),
            rest: "postgres://u:p%40w@/d?application_name=a%20b".to_owned(),
        };
        assert_eq!(read, Ok(expected));
        let read = tls(
            "postgres:///d?host=a,b&hostaddr=10.0.0.1,10.0.0.2&port=6432&sslmode=verify-full\
             &sslrootcert=system",
        );
        let expected = PostgresTls {
            hosts: vec![
                host("a", Some("10.0.0.1"), 6432),
                host("b", Some("10.0.0.2"), 6432),
            ],
            authorities: None,
            client: None,
            rest: "postgres:///d?".to_owned(),
        };
        assert_eq!(read, Ok(expected));
        assert_eq!(tls("postgres://h").unwrap().rest, "postgres:///?");
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (url, reason) in [
            ("postgres:///d", "TLS to a socket"),
            ("postgres:///d?host=/run/postgresql", "TLS to a socket"),
            ("postgres://h:x/d", "a port that is no number"),
            (
                "postgres://h,i/d?port=1,2,3",
                "numbers of hosts and of ports",
            ),
            ("postgres://h,i/d?hostaddr=10.0.0.1", "host addresses"),
            ("postgres://h/d?sslcert=c.pem", "both sslcert and sslkey"),
            ("postgres://h/d?sslcrl=c.pem", "sslcrl"),
            (
                "postgres://h/d?ssl_min_protocol_version=TLSv1.3",
                "ssl_min_protocol_version",
            ),
            (
                "postgres://h/d?channel_binding=require",
                "channel_binding=require",
            ),
        ] {
            let message = tls(url).unwrap_err();
            assert!(message.contains(reason), "{url}: {message}");
        }
    }
}

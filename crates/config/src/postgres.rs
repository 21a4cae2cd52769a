//! Which PostgreSQL connections are safe without TLS.

use percent_encoding::percent_decode_str;
use std::net::IpAddr;

/// The parts of a PostgreSQL URL, split as libpq splits it. A general URL parser finds other
/// hosts in unusual URLs, and the host decides whether a connection may be unencrypted.
pub(super) struct PostgresUrl<'a> {
    pub(super) scheme: &'a str,
    pub(super) userinfo: Option<&'a str>,
    pub(super) hosts: &'a str,
    pub(super) database: &'a str,
    pub(super) query: &'a str,
}

impl<'a> PostgresUrl<'a> {
    /// Splits a URL; `None` if it is not a PostgreSQL URL.
    pub(super) fn split(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        if !matches!(scheme, "postgres" | "postgresql") {
            return None;
        }
        let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let at = authority.rsplit_once('@');
        let (userinfo, hosts) = at.map_or((None, authority), |(user, hosts)| (Some(user), hosts));
        let (database, query) = tail.split_once('?').unwrap_or((tail, ""));
        Some(Self {
            scheme,
            userinfo,
            hosts,
            database,
            query,
        })
    }

    pub(super) fn parameters(&self) -> impl Iterator<Item = (String, &'a str)> {
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), value)
        })
    }

    /// Refuses connections that leave this machine unencrypted, unless the URL says so
    /// explicitly, and TLS without verification. Returns whether the URL asks for TLS.
    pub(super) fn check(&self) -> Result<bool, String> {
        let userinfo = self.userinfo.unwrap_or_default();
        let parts = [userinfo, self.hosts, self.database, self.query].concat();
        if parts.contains(['@', '#']) {
            return Err(
                "has a character that divides a URL inside a part of it; write @ as %40, \
                 # as %23, / as %2F and ? as %3F in a password"
                    .to_owned(),
            );
        }
        if parts.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("has a space or control character in it".to_owned());
        }

        let mut hosts: Vec<String> = self.hosts.split(',').map(host_of).collect();
        let mut modes = Vec::new();
        for (key, value) in self.parameters() {
            let value = decode(value);
            match key.as_str() {
                "host" | "hostaddr" => hosts.extend(value.split(',').map(str::to_owned)),
                "sslmode" => modes.push(value),
                "ssl" => modes.push("require".to_owned()),
                "service" => {
                    return Err(
                        "has the parameter service, which hides the host; write the host itself"
                            .to_owned(),
                    );
                }
                _ => {}
            }
        }

        const WAYS: &str = "write sslmode=verify-full for TLS, or sslmode=disable if the network \
                            is trusted";
        let all = |one: &str| !modes.is_empty() && modes.iter().all(|mode| mode == one);
        if all("verify-full") {
            return Ok(true);
        }
        if all("disable") {
            return Ok(false);
        }
        let is_plain = |mode: &String| matches!(mode.as_str(), "disable" | "allow" | "prefer");
        if let Some(mode) = modes.iter().find(|mode| !is_plain(mode)) {
            return Err(format!(
                "has sslmode={mode}; TLS without the verification of the server and its name is not \
                 supported: {WAYS}"
            ));
        }
        if !hosts.iter().all(|host| is_this_machine(host)) {
            return Err(format!(
                "names another machine, and everything would travel unencrypted; {WAYS}"
            ));
        }
        Ok(false)
    }

    /// The URL with `***` for each password.
    pub(super) fn without_password(&self) -> String {
        let mut text = format!("{}://", self.scheme);
        if let Some(userinfo) = self.userinfo {
            match userinfo.split_once(':') {
                Some((user, _)) => text.push_str(&format!("{user}:***@")),
                None => text.push_str(&format!("{userinfo}@")),
            }
        }
        text.push_str(self.hosts);
        text.push_str(self.database);
        for (i, (key, value)) in self.parameters().enumerate() {
            let value = if key.contains("password") {
                "***"
            } else {
                value
            };
            let sign = if i == 0 { '?' } else { '&' };
            text.push_str(&format!("{sign}{key}={value}"));
        }
        text
    }
}

/// The value of a parameter of a URL.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = PostgresUrl::split(url)?;
    let values = url.parameters().filter(|(key, _)| key == name);
    values.map(|(_, value)| decode(value)).last()
}

/// Adds the parameters that the URL does not name itself.
pub fn with_parameters(url: &str, parameters: &[(&str, &str)]) -> String {
    let named: Vec<String> = PostgresUrl::split(url)
        .iter()
        .flat_map(PostgresUrl::parameters)
        .map(|(key, _)| key)
        .collect();
    let mut text = url.to_owned();
    for (key, value) in parameters {
        if named.iter().any(|name| name == key) {
            continue;
        }
        let sign = match (text.contains('?'), text.ends_with(['?', '&'])) {
            (_, true) => "",
            (true, false) => "&",
            (false, false) => "?",
        };
        text.push_str(&format!("{sign}{key}={value}"));
    }
    text
}

/// The host of `host:port`; libpq takes an IPv6 address in brackets.
pub(super) fn host_of(host_and_port: &str) -> String {
    let host = match host_and_port.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host_and_port.split(':').next(),
    };
    decode(host.unwrap_or_default())
}

/// Whether a connection stays on this machine: by loopback, or by a socket, as for an empty host,
/// a path and an abstract name with an `@`.
pub(super) fn is_this_machine(host: &str) -> bool {
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

pub(super) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A URL and a part of the reason against it.
    #[rustfmt::skip]
    const REFUSED: [(&str, &str); 20] = [
        ("postgres://db.example.com/doorcode", "another machine"),
        ("postgres://10.0.0.5/doorcode?sslmode=prefer", "another machine"),
        ("postgres://127.1/doorcode", "another machine"),
        ("postgres://localhost,db.example.com/doorcode", "another machine"),
        ("postgres://localhost/doorcode?host=db.example.com", "another machine"),
        ("postgres://localhost/doorcode?h%6Fst=db.example.com", "another machine"),
        ("postgres://localhost/doorcode?hostaddr=10.0.0.5", "another machine"),
        ("postgres://10.0.0.5/d?sslmode=disable&sslmode=prefer", "another machine"),
        ("postgres://localhost/doorcode?sslmode=require", "sslmode=require"),
        ("postgres://10.0.0.5/d?sslmode=verify-full&sslmode=prefer", "sslmode=verify-full"),
        ("postgres://10.0.0.5/doorcode?sslmode=verify-ca", "sslmode=verify-ca"),
        ("postgres://localhost/doorcode?sslmode=Disable", "sslmode=Disable"),
        ("postgres://localhost/doorcode?ssl=true", "sslmode=require"),
        ("postgres:///doorcode?service=far", "service"),
        ("postgres://u:hunter2@x@localhost/doorcode", "%40"),
        ("postgres://u:hunter2/@localhost/doorcode", "%40"),
        ("postgres://u:hunter2?@db.example.com/doorcode", "%40"),
        ("postgres://localhost#@db.example.com/doorcode", "%40"),
        ("postgres://u:hunter2 x@localhost/doorcode", "space"),
        ("postgres://u:hunter2@db.example.com/doorcode", "sslmode=disable"),
    ];

    #[test]
    fn connections_stay_on_this_machine_unless_the_url_disables_tls() {
        for text in [
            "postgres://localhost/doorcode",
            "postgresql://user:word@127.0.0.1:5432/doorcode?sslmode=prefer",
            "postgres://user@[::1]:5432/doorcode",
            "postgres:///doorcode",
            "postgres://",
            "postgres://%2Frun%2Fpostgresql/doorcode",
            "postgres:///doorcode?host=/run/postgresql&application_name=x",
            "postgres://localhost:5432,127.0.0.1:5433/doorcode",
            "postgres://db.example.com/doorcode?sslmode=disable",
            "postgres://db.example.com/doorcode?connect_timeout=3&sslmode=disable",
        ] {
            assert_eq!(
                PostgresUrl::split(text).unwrap().check(),
                Ok(false),
                "{text}"
            );
        }
        for (text, reason) in REFUSED {
            let message = PostgresUrl::split(text).unwrap().check().unwrap_err();
            assert!(message.contains(reason), "{text:?}: {message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn parameters_are_added_unless_the_url_names_them() {
        let defaults = [("connect_timeout", "2"), ("keepalives_idle", "5")];
        for (url, complete) in [
            (
                "postgres://u:p@h/d",
                "postgres://u:p@h/d?connect_timeout=2&keepalives_idle=5",
            ),
            (
                "postgres:///d?",
                "postgres:///d?connect_timeout=2&keepalives_idle=5",
            ),
            (
                "postgres:///d?keepalives_idle=9",
                "postgres:///d?keepalives_idle=9&connect_timeout=2",
            ),
            (
                "postgres:///d?connect%5Ftimeout=9&keepalives_idle=1",
                "postgres:///d?connect%5Ftimeout=9&keepalives_idle=1",
            ),
            // The name of a database is no parameter.
            (
                "postgres:///connect_timeout=1",
                "postgres:///connect_timeout=1?connect_timeout=2&keepalives_idle=5",
            ),
        ] {
            assert_eq!(with_parameters(url, &defaults), complete);
        }
    }
}

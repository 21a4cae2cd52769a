//! `[operator]`: the operator token, its networks, and the header that names its actor.

use super::server::network;
use super::table::Table;
use domain::network::{canonical, is_unknown};
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::PathBuf;

/// Headers that already have a meaning in HTTP, for proxies or for this server.
#[rustfmt::skip]
const TAKEN: [&str; 24] = [
    "authorization", "connection", "cookie", "date", "dnt", "expect", "forwarded", "from",
    "host", "idempotency-key", "keep-alive", "max-forwards", "origin", "pragma", "prefer",
    "range", "referer", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    "x-request-id",
];

/// Prefixes of such headers.
#[rustfmt::skip]
const TAKEN_BEGINNINGS: [&str; 11] = [
    "accept", "access-control-", "cache-", "content-", "if-", "proxy-", "sec-", "x-auth-",
    "x-forwarded-", "x-original-", "x-real-",
];

/// The operator settings.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Whether the operator token is enabled.
    pub enabled: bool,
    /// The file of the operator token, created at the first start.
    pub token_file: PathBuf,
    /// The environment variable that replaces the file.
    pub token_variable: String,
    /// The header in which the operator names the user it acts for.
    pub actor_header: String,
    /// The networks from which the operator token is accepted; empty means all.
    pub networks: Vec<IpNet>,
}

impl Operator {
    pub(super) fn read(table: &mut Table) -> Self {
        Self {
            enabled: table.flag("enabled", true),
            token_file: table.path("token_file", "data/operator_token"),
            token_variable: table.text(
                "token_variable",
                "DOORCODE_OPERATOR_TOKEN".to_owned(),
                variable_name,
            ),
            actor_header: table.text("actor_header", "X-Actor-User-Id".to_owned(), header_name),
            networks: table.list("networks", r#"["10.0.0.0/8"]"#, network),
        }
    }

    /// The environment variable that holds the token before the current one, while clients change
    /// over.
    pub fn previous_token_variable(&self) -> String {
        format!("{}_PREVIOUS", self.token_variable)
    }

    /// Whether the operator token is accepted from an address. An unknown address is in no
    /// network, not even in 0.0.0.0/0.
    pub fn is_reachable_from(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        self.networks.is_empty()
            || (!is_unknown(address)
                && self
                    .networks
                    .iter()
                    .any(|network| network.contains(&address)))
    }
}

/// Capital letters, digits and underscores; none of the other variables of this server.
fn variable_name(text: &str) -> Result<String, String> {
    const FORM: &str = "write one such as DOORCODE_OPERATOR_TOKEN or ACME_API_TOKEN";
    let is_legal = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let begins = text.starts_with(|first: char| first.is_ascii_uppercase());
    if !begins || text.len() > 64 || !text.bytes().all(is_legal) {
        return Err(format!(
            "{text:?} is not the name of an environment variable: 1 to 64 capital letters, digits \
             and underscores; {FORM}"
        ));
    }
    if text.starts_with("DOORCODE_") && text != "DOORCODE_OPERATOR_TOKEN" {
        return Err(format!("{text:?} may have a meaning of its own; {FORM}"));
    }
    Ok(text.to_owned())
}

/// Letters, digits and hyphens only: proxies drop or rewrite the other characters that
/// HTTP allows.
fn header_name(text: &str) -> Result<String, String> {
    const FORM: &str = "write one such as X-Actor-User-Id";
    let is_legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if !(1..=64).contains(&text.len()) || !text.bytes().all(is_legal) {
        return Err(format!(
            "{text:?} is not the name of a header: 1 to 64 letters, digits and hyphens; {FORM}"
        ));
    }
    let lower = text.to_ascii_lowercase();
    let is_taken = TAKEN.contains(&lower.as_str())
        || TAKEN_BEGINNINGS
            .iter()
            .any(|taken| lower.starts_with(taken));
    if is_taken {
        return Err(format!("{text:?} has a meaning of its own; {FORM}"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_legal_and_free() {
        for free in ["X-Actor-User-Id", "x-on-behalf-of", "Acme-Actor", "Actor"] {
            assert_eq!(header_name(free), Ok(free.to_owned()));
        }
        for (text, reason) in [
            ("", "is not the name of a header"),
            ("X Actor", "is not the name of a header"),
            ("X-Actor:", "is not the name of a header"),
            ("X_Actor", "is not the name of a header"),
            ("X-Äctor", "is not the name of a header"),
            ("X-Actor\r\nHost", "is not the name of a header"),
            ("Authorization", "has a meaning of its own"),
            ("COOKIE", "has a meaning of its own"),
            ("x-request-id", "has a meaning of its own"),
            ("X-Auth-User-Id", "has a meaning of its own"),
            ("X-Forwarded-For", "has a meaning of its own"),
            ("Content-Type", "has a meaning of its own"),
        ] {
            let message = header_name(text).unwrap_err();
            assert!(message.contains(reason), "{text:?}: {message}");
        }
        assert!(header_name(&"x".repeat(65)).is_err());
    }

    #[test]
    fn a_variable_is_legal_and_free() {
        for free in ["DOORCODE_OPERATOR_TOKEN", "ACME_TOKEN", "T", "X9_"] {
            assert_eq!(variable_name(free), Ok(free.to_owned()));
        }
        for (text, reason) in [
            ("", "is not the name of an environment variable"),
            ("acme_token", "is not the name of an environment variable"),
            ("_TOKEN", "is not the name of an environment variable"),
            ("ACME-TOKEN", "is not the name of an environment variable"),
            ("ACME=1", "is not the name of an environment variable"),
            ("DOORCODE_SECRET_KEY", "may have a meaning of its own"),
            ("DOORCODE__SERVER__LISTEN", "may have a meaning of its own"),
        ] {
            let message = variable_name(text).unwrap_err();
            assert!(message.contains(reason), "{text:?}: {message}");
        }
        assert!(variable_name(&"X".repeat(65)).is_err());
    }

    #[test]
    fn networks_limit_the_operator_token() {
        let mut operator = Operator {
            enabled: true,
            token_file: PathBuf::new(),
            token_variable: String::new(),
            actor_header: String::new(),
            networks: Vec::new(),
        };
        let from =
            |operator: &Operator, text: &str| operator.is_reachable_from(text.parse().unwrap());
        assert!(from(&operator, "203.0.113.9"));
        operator.networks = ["10.0.0.0/8", "2001:db8::/32"]
            .map(|n| n.parse().unwrap())
            .into();
        for (address, is_in) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("127.0.0.1", false),
            ("2001:db8::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(from(&operator, address), is_in, "{address}");
        }
    }
}

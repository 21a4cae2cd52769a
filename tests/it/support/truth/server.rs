//! The questions to a server.

use crate::support::OPERATOR;
use crate::support::canary::Canaries;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than any answer takes.
const LIMIT: Duration = Duration::from_secs(30);

/// A server of the tests that runs.
pub struct Server {
    address: String,
}

/// The answer about a token.
pub enum Asked {
    /// The server accepts it; what it says about it.
    Active(Value),
    /// The server refuses it.
    Inactive,
    /// There is no such server.
    Gone,
}

impl Server {
    /// The server at this URL; `None` for one that only stands in for it.
    pub fn at(host: &str) -> Option<Self> {
        let address = host.strip_prefix("http://")?.to_owned();
        Canaries::is_server(host).then_some(Self { address })
    }

    /// A request with a token: the status and the document. `None` if nothing answers.
    pub fn get(&self, path: &str, token: &str, more: &str) -> Option<(u16, Value)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n{more}\
             Connection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body).unwrap_or_default()))
    }

    /// What the server says about a token at `/v1/me`.
    pub fn me(&self, token: &str) -> Asked {
        match self.get("/v1/me", token, "") {
            Some((200, me)) => Asked::Active(me),
            Some((401, _)) => Asked::Inactive,
            Some((status, body)) => panic!("/v1/me: {status} {body}"),
            None => Asked::Gone,
        }
    }

    /// The tokens of a user, or of an organization, as the operator sees them. `None` if the server
    /// is gone or has another operator token, and for the operator, who has no tokens.
    pub fn tokens(&self, user: Option<&str>, org: Option<&str>) -> Option<Vec<Value>> {
        let path = match org {
            Some(org) => format!("/v1/orgs/{org}/tokens?limit=100"),
            None => "/v1/tokens?limit=100".to_owned(),
        };
        let actor = user.map(|user| format!("X-Actor-User-Id: {user}\r\n"));
        let (status, list) = self.get(&path, OPERATOR, &actor.unwrap_or_default())?;
        (status == 200).then(|| list["items"].as_array().unwrap().clone())
    }

    /// The number of pending invitations to an organization.
    pub fn invitations(&self, org: &str) -> usize {
        let path = format!("/v1/orgs/{org}/invitations?limit=100");
        let answer = self.get(&path, OPERATOR, "");
        answer
            .and_then(|(_, list)| Some(list["items"].as_array()?.len()))
            .unwrap_or_default()
    }
}

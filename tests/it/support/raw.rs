//! Raw requests that no HTTP library sends.

use super::TestApp;
use super::device::Answer;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than every timeout of the server, so that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub struct Line(TcpStream);

impl TestApp {
    /// Opens a connection to the server.
    pub fn line(&self) -> Line {
        let address = self.url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Line(stream)
    }

    /// Sends bytes and reads the response.
    pub fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut line = self.line();
        line.send(request);
        let answer = line.answer();
        self.canaries.add_document(&answer.body);
        answer
    }
}

impl Line {
    /// Sends bytes. The server may close the connection meanwhile.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        match self.0.write_all(bytes.as_ref()) {
            Err(error)
                if !matches!(
                    error.kind(),
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
                ) =>
            {
                panic!("{error}")
            }
            _ => {}
        }
    }

    /// Reads one response.
    pub fn answer(&mut self) -> Answer {
        let mut bytes = Vec::new();
        let head_length = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.more(&mut bytes) > 0, "no answer came: {bytes:?}");
        };
        let head = String::from_utf8(bytes[..head_length].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers: HeaderMap = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| {
                (
                    name.parse::<HeaderName>().unwrap(),
                    value.parse::<HeaderValue>().unwrap(),
                )
            })
            .collect();
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.to_str().unwrap().parse().unwrap());
        while bytes.len() < head_length + length {
            assert!(self.more(&mut bytes) > 0, "the answer broke off: {head}");
        }
        Answer {
            status: status.parse().unwrap(),
            headers,
            body: serde_json::from_slice(&bytes[head_length..]).unwrap_or_default(),
        }
    }

    fn more(&mut self, bytes: &mut Vec<u8>) -> usize {
        let mut chunk = [0; 4096];
        let count = self.0.read(&mut chunk).unwrap();
        bytes.extend_from_slice(&chunk[..count]);
        count
    }
}

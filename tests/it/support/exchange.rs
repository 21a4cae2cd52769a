//! Requests that no well-behaved client sends.

use super::TestApp;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than every timeout of the server.
const PATIENCE: Duration = Duration::from_secs(30);

impl TestApp {
    /// Sends raw bytes and reads until the server closes the connection. The request should
    /// contain `Connection: close`. The server runs on its own threads.
    pub fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.open();
        // The server may respond and close before it has read everything.
        let _ = stream.write_all(bytes);
        read_all(stream)
    }

    /// Sends the beginning of a request and reads the response to the silence that follows.
    pub fn exchange_unfinished(&self, bytes: &[u8]) -> String {
        let mut stream = self.open();
        stream.write_all(bytes).unwrap();
        read_all(stream)
    }

    fn open(&self) -> TcpStream {
        let stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

fn read_all(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    // A server that refuses to read on resets the connection after its response.
    while let Ok(length) = stream.read(&mut buffer) {
        if length == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Status codes of all responses in the received text.
pub fn statuses(answer: &str) -> Vec<u16> {
    answer
        .split("\r\n")
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .map(|rest| rest[..3].parse().unwrap())
        .collect()
}

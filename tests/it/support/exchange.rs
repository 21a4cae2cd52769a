//! Requests that no well-behaved client sends.

use super::TestApp;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than the server waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

impl TestApp {
    /// Sends bytes as they are and reads until the server closes the connection; so a request
    /// in them should say `Connection: close`. The server runs on threads of its own.
    pub fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.open();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(bytes);
        read_all(stream)
    }

    /// Sends the beginning of a request and waits for what the server makes of the silence
    /// that follows.
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
    // A reset after the answer is how a server refuses to read on.
    while let Ok(length) = stream.read(&mut buffer) {
        if length == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The statuses of the answers in what the server sent.
pub fn statuses(answer: &str) -> Vec<u16> {
    answer
        .split("\r\n")
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .map(|rest| rest[..3].parse().unwrap())
        .collect()
}

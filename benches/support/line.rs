//! A persistent HTTP connection for sequential requests.

use rand::SeedableRng;
use rand::rngs::StdRng;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A connection with a random number generator for its requests.
pub struct Line {
    stream: TcpStream,
    /// Seeded identically in every run.
    pub random: StdRng,
}

impl Line {
    /// Opens connections.
    pub fn open(address: SocketAddr, count: usize, seed: u64) -> Vec<Self> {
        (0..count)
            .map(|n| Self {
                stream: TcpStream::connect(address).unwrap(),
                random: StdRng::seed_from_u64(seed + n as u64),
            })
            .collect()
    }

    /// Sends a request; returns the whole response.
    pub fn ask(&mut self, request: &[u8]) -> String {
        self.stream.write_all(request).unwrap();
        let (mut answer, mut chunk) = (Vec::new(), [0; 65536]);
        loop {
            let count = self.stream.read(&mut chunk).unwrap();
            assert!(count > 0, "the response is incomplete");
            answer.extend_from_slice(&chunk[..count]);
            if length(&answer) == Some(answer.len()) {
                return String::from_utf8(answer).unwrap();
            }
        }
    }
}

/// The length of the whole response, once its head is complete.
fn length(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let body = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.parse::<usize>().unwrap())
    });
    Some(end + body.unwrap_or(0))
}

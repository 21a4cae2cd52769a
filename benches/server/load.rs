//! Load on a server: persistent connections from one thread that never waits.
//!
//! `oha` and `wrk` send one request over and over, but most rows need a different body each time,
//! and some a body only once. Here the thread looks at each connection in turn, without system
//! calls that sleep: its core is its own, and it must be faster than the fastest route.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Concurrent connections.
pub const CONNECTIONS: usize = 32;

/// What a load measured.
#[derive(Default)]
pub struct Measured {
    /// Responses in the measured time.
    pub responses: usize,
    /// The measured time.
    pub took: Duration,
    /// Responses of the whole load, and the successful ones: status below 300.
    pub all: usize,
    pub successes: usize,
    /// Time of the processor that the server took for the whole load.
    pub processor: Duration,
    /// Response times, sorted.
    times: Vec<Duration>,
}

impl Measured {
    /// Responses a second.
    #[expect(clippy::cast_precision_loss, reason = "a few million")]
    pub fn rate(&self) -> f64 {
        self.responses as f64 / self.took.as_secs_f64()
    }

    /// Time of the processor for a response, in microseconds. Other load on the machine changes it
    /// less than the rate.
    #[expect(clippy::cast_precision_loss, reason = "a few million")]
    pub fn microseconds(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.all.max(1) as f64
    }

    /// The response time that this share of the responses, in thousandths, did not exceed, in
    /// milliseconds.
    pub fn milliseconds(&self, thousandths: usize) -> f64 {
        let at = self.times.len() * thousandths / 1000;
        let at = at.min(self.times.len().saturating_sub(1));
        self.times.get(at).map_or(0.0, Duration::as_secs_f64) * 1000.0
    }
}

struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    sent_at: Option<Instant>,
}

/// When a load begins to measure and when it ends.
#[derive(Clone, Copy)]
pub struct Span {
    /// Not measured.
    pub warm_up: Duration,
    /// Measured.
    pub measured: Duration,
}

/// A server under load.
#[derive(Clone, Copy)]
pub struct Target {
    pub address: SocketAddr,
    /// Its process.
    pub id: u32,
}

impl Target {
    /// Time of the processor that all threads of the process took so far.
    fn processor(self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.id)).unwrap();
        let nanoseconds = threads.filter_map(|thread| {
            let of_thread = thread.ok()?.path().join("schedstat");
            let text = std::fs::read_to_string(of_thread).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }
}

/// Sends the requests in turn until the time or the requests are used up. `allowed` are the status
/// codes that may come.
pub fn load<'a>(
    target: Target,
    span: Span,
    mut requests: impl Iterator<Item = &'a [u8]>,
    allowed: &[u16],
) -> Measured {
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| connect(target.address)).collect();
    let processor = target.processor();
    let mut measured = Measured::default();
    let began = Instant::now();
    let from = began + span.warm_up;
    let until = from + span.measured;
    let mut last = from;
    let mut open = CONNECTIONS;
    for connection in &mut connections {
        connection.send(requests.next());
    }
    while open > 0 {
        open = 0;
        for connection in &mut connections {
            let Some(sent_at) = connection.sent_at else {
                continue;
            };
            open += 1;
            let Some(status) = connection.receive() else {
                continue;
            };
            let now = Instant::now();
            assert!(allowed.contains(&status), "status {status}");
            measured.all += 1;
            measured.successes += usize::from(status < 300);
            if (from..until).contains(&now) {
                measured.responses += 1;
                measured.times.push(now - sent_at);
                last = now;
            }
            connection.send(requests.next().filter(|_| now < until));
        }
    }
    measured.took = last - from;
    measured.processor = target.processor() - processor;
    measured.times.sort_unstable();
    measured
}

fn connect(address: SocketAddr) -> Connection {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    Connection {
        stream,
        answer: Vec::with_capacity(16 * 1024),
        sent_at: None,
    }
}

impl Connection {
    fn send(&mut self, request: Option<&[u8]>) {
        self.sent_at = request.map(|request| {
            // Fits in the buffer of the connection, on which nothing else is sent.
            self.stream.write_all(request).unwrap();
            Instant::now()
        });
    }

    /// The status of the response, once it is complete.
    fn receive(&mut self) -> Option<u16> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => panic!("the server closed a connection"),
            Ok(count) => self.answer.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) => panic!("{error}"),
        }
        let end = self
            .answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")?
            + 4;
        if self.answer.len() < end + content_length(&self.answer[..end]) {
            return None;
        }
        let status = std::str::from_utf8(&self.answer[9..12]).unwrap();
        let status = status.parse().unwrap();
        self.answer.clear();
        Some(status)
    }
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let found = head.windows(NAME.len()).position(|name| name == NAME);
    let digits = found.map_or(&[][..], |at| &head[at + NAME.len()..]);
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))
}

//! A mail server that stores the messages it receives.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Longer than any message takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mail server.
pub struct Sink {
    /// Listen address.
    pub address: SocketAddr,
    received: Receiver<Received>,
}

/// A received message.
#[derive(Debug, Default)]
pub struct Received {
    /// SMTP commands before the message, one per line.
    pub commands: String,
    /// Message text, without SMTP dot-stuffing.
    pub data: String,
}

impl Received {
    /// Value of a header, including its continuation lines.
    pub fn header(&self, name: &str) -> String {
        let head = self.data.split("\r\n\r\n").next().unwrap();
        let head = head.replace("\r\n ", " ");
        let mut values = head
            .split("\r\n")
            .filter_map(|line| line.strip_prefix(&format!("{name}: ")));
        let value = values.next().unwrap_or_else(|| panic!("{name}: {head}"));
        assert_eq!(values.next(), None, "{name} is there twice");
        value.to_owned()
    }

    /// Text after the headers, decoded, with line feeds.
    pub fn text(&self) -> String {
        let body = self.body().replace("\r\n", "\n");
        if self.header("Content-Transfer-Encoding") != "quoted-printable" {
            return body;
        }
        let body = body.replace("=\n", "");
        let mut pieces = body.split('=');
        let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
        for piece in pieces {
            let (code, rest) = piece.split_at(2);
            bytes.push(u8::from_str_radix(code, 16).unwrap());
            bytes.extend(rest.as_bytes());
        }
        String::from_utf8(bytes).unwrap()
    }

    /// Text after the headers, as it was sent.
    pub fn body(&self) -> &str {
        self.data.split_once("\r\n\r\n").unwrap().1
    }
}

impl Sink {
    /// Starts it. It sends these replies to the first messages and accepts all later ones.
    pub fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = channel();
        let mut answers = answers.iter().copied();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client may close the connection at any time.
                let _ = serve(stream.unwrap(), &mut answers, &sender);
            }
        });
        Self { address, received }
    }

    /// Waits for the next message.
    pub fn next(&self) -> Received {
        self.received.recv_timeout(PATIENCE).unwrap()
    }

    /// Whether no further message has arrived.
    pub fn is_empty(&self) -> bool {
        self.received.try_recv().is_err()
    }
}

fn serve(
    mut stream: TcpStream,
    answers: &mut impl Iterator<Item = &'static str>,
    received: &Sender<Received>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut line = || {
        let mut line = String::new();
        lines.read_line(&mut line).map(|_| line)
    };
    let mut message = Received::default();
    stream.write_all(b"220 sink\r\n")?;
    loop {
        let command = line()?;
        message.commands += &command;
        let verb = command.split(' ').next().unwrap_or_default().trim();
        match verb {
            "" => return Ok(()),
            "EHLO" => stream.write_all(b"250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n")?,
            "AUTH" => stream.write_all(b"235 welcome\r\n")?,
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                loop {
                    let text = line()?;
                    if text == ".\r\n" || text.is_empty() {
                        break;
                    }
                    message.data += text.strip_prefix('.').unwrap_or(&text);
                }
                let answer = answers.next().unwrap_or("250 taken");
                // The receiver may have been dropped.
                let _ = received.send(std::mem::take(&mut message));
                stream.write_all(format!("{answer}\r\n").as_bytes())?;
            }
            "STARTTLS" => stream.write_all(b"502 not here\r\n")?,
            "QUIT" => return stream.write_all(b"221 bye\r\n"),
            _ => stream.write_all(b"250 ok\r\n")?,
        }
    }
}

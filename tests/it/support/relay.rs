//! A network path to PostgreSQL that can fail.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use url::Url;

/// Forwards connections to a server.
pub struct Relay {
    address: SocketAddr,
    paths: Arc<Mutex<Vec<Arc<Path>>>>,
    closed: Receiver<()>,
}

/// The path of one connection.
#[derive(Default)]
struct Path {
    /// Whether it accepts bytes and keeps them.
    is_silent: AtomicBool,
    /// How far it is towards the lost answer.
    losing: Mutex<Losing>,
    /// Bytes kept for the server.
    kept: Mutex<Vec<u8>>,
    /// The server's side, once the path is silent.
    server: Mutex<Option<TcpStream>>,
}

/// Progress towards the loss of the answer to a commit.
#[derive(Default)]
enum Losing {
    /// All answers are forwarded.
    #[default]
    Nothing,
    /// Waits for these bytes from the client.
    After(&'static str),
    /// Waits for the commit.
    Commit,
    /// The next bytes of the server are lost.
    Answer,
}

impl Losing {
    /// The state after these bytes from the client.
    fn next(&mut self, bytes: &[u8]) {
        let has = |text: &str| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        if matches!(self, Self::After(text) if has(text)) {
            *self = Self::Commit;
        }
        if matches!(self, Self::Commit) && has("COMMIT") {
            *self = Self::Answer;
        }
    }
}

impl Relay {
    /// Starts a relay to the server of a URL.
    pub fn to(url: &str) -> Self {
        let url = Url::parse(url).unwrap();
        let server = (
            url.host_str().unwrap().to_owned(),
            url.port().unwrap_or(5432),
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let paths: Arc<Mutex<Vec<Arc<Path>>>> = Arc::default();
        let (ended, closed) = channel();
        let opened = paths.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect((server.0.as_str(), server.1)).unwrap();
                let path = Arc::new(Path::default());
                opened.lock().unwrap().push(path.clone());
                *path.server.lock().unwrap() = Some(server.try_clone().unwrap());
                forward(path, client, server, ended.clone());
            }
        });
        Self {
            address,
            paths,
            closed,
        }
    }

    /// The URL of a database through this relay.
    pub fn url(&self, url: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        url.set_ip_host(self.address.ip()).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }

    /// From now on the present connections accept bytes and nobody answers them. New ones work.
    /// Returns their number.
    pub fn silence(&self) -> usize {
        let paths = self.paths.lock().unwrap();
        for path in paths.iter() {
            path.is_silent.store(true, Ordering::SeqCst);
        }
        paths.len()
    }

    /// Closes a connection in place of the answer to its next commit after the client has sent this
    /// text.
    pub fn lose_commit_after(&self, text: &'static str) {
        for path in self.paths.lock().unwrap().iter() {
            *path.losing.lock().unwrap() = Losing::After(text);
        }
    }

    /// Delivers the bytes that silent connections have kept; they work again.
    pub fn deliver(&self) {
        for path in self.paths.lock().unwrap().iter() {
            let mut kept = path.kept.lock().unwrap();
            path.is_silent.store(false, Ordering::SeqCst);
            if let Some(server) = path.server.lock().unwrap().as_mut() {
                // The server may have closed it.
                let _ = server.write_all(&kept);
            }
            kept.clear();
        }
    }

    /// Waits until the client has closed this many connections.
    pub fn wait_for_closed(&self, count: usize, within: Duration) {
        for _ in 0..count {
            self.closed.recv_timeout(within).unwrap();
        }
    }
}

fn forward(path: Arc<Path>, client: TcpStream, server: TcpStream, ended: Sender<()>) {
    let (mut from_client, mut to_client) = (client.try_clone().unwrap(), client);
    let (mut from_server, mut to_server) = (server.try_clone().unwrap(), server);
    let forwarded = path.clone();
    thread::spawn(move || {
        while let Some(bytes) = receive(&mut from_client) {
            forwarded.losing.lock().unwrap().next(&bytes);
            let mut kept = forwarded.kept.lock().unwrap();
            if forwarded.is_silent.load(Ordering::SeqCst) {
                kept.extend(bytes);
            } else if to_server.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Both);
        let _ = ended.send(());
    });
    thread::spawn(move || {
        while let Some(bytes) = receive(&mut from_server) {
            let is_lost = matches!(*path.losing.lock().unwrap(), Losing::Answer);
            if is_lost || to_client.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

fn receive(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match from.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return None,
            Ok(read) => {
                buffer.truncate(read);
                return Some(buffer);
            }
        }
    }
}

/// A port that accepts connections and never answers.
pub struct DeadEnd {
    /// Its address.
    pub address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl DeadEnd {
    /// Starts to listen.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = accepted.clone();
        thread::spawn(move || {
            let mut all = Vec::new();
            for client in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                all.push(client);
            }
        });
        Self { address, accepted }
    }

    /// How many connections it has accepted.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

//! A server that misbehaves.

use crate::support::canary::Canaries;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longer than any step takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it does with a request.
pub enum Reply {
    /// Sends these bytes and closes the connection.
    Bytes(Vec<u8>),
    /// Closes the connection without a response.
    Close,
    /// Sends these bytes and resets the connection.
    Reset(Vec<u8>),
    /// Never responds.
    Hang,
}

impl Reply {
    /// A complete response: its status, its media type and its body.
    pub fn new(status: u16, kind: &str, body: &str) -> Self {
        Self::with(status, &format!("Content-Type: {kind}\r\n"), body)
    }

    /// A JSON document.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", &body.to_string())
    }

    /// A response with header fields, each with its line break.
    pub fn with(status: u16, fields: &str, body: &str) -> Self {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status} Status\r\n{fields}Content-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
        Self::Bytes(text.into_bytes())
    }
}

/// The server. It runs until the tests end.
pub struct FakeServer {
    /// Host and port.
    pub address: String,
    requests: Receiver<String>,
}

impl FakeServer {
    /// A server that answers each request, by its path.
    pub fn start(answer: impl FnMut(&str) -> Reply + Send + 'static) -> Self {
        Self::serve(None, answer)
    }

    /// The same over TLS, with a certificate and a key.
    pub fn with_tls(
        certificate: &Path,
        key: &Path,
        answer: impl FnMut(&str) -> Reply + Send + 'static,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = CertificateDer::from_pem_file(certificate).unwrap();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::serve(Some(Arc::new(config)), answer)
    }

    fn serve(
        tls: Option<Arc<ServerConfig>>,
        mut answer: impl FnMut(&str) -> Reply + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Canaries::stand_in_at(&format!("http://{address}"));
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            let mut open: Vec<Box<dyn Stream>> = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let connection = stream.try_clone().unwrap();
                let mut stream: Box<dyn Stream> = match &tls {
                    None => Box::new(stream),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        Box::new(StreamOwned::new(connection, stream))
                    }
                };
                // A client that refuses the certificate sends no request.
                let Some(path) = read_path(&mut stream) else {
                    continue;
                };
                let reply = answer(&path);
                // The test may not want to know.
                let _ = sender.send(path);
                match reply {
                    // The client may be gone already.
                    Reply::Bytes(bytes) => drop(stream.write_all(&bytes)),
                    Reply::Close => {}
                    Reply::Reset(bytes) => {
                        drop(stream.write_all(&bytes));
                        // Closed without a linger time, a connection is reset.
                        let no_time = Some(Duration::ZERO);
                        rustix::net::sockopt::set_socket_linger(&connection, no_time).unwrap();
                    }
                    Reply::Hang => open.push(stream),
                }
            }
        });
        Self { address, requests }
    }

    /// Waits for a request with this path.
    #[track_caller]
    pub fn requested(&self, path: &str) {
        while let Ok(found) = self.requests.recv_timeout(PATIENCE) {
            if found == path {
                return;
            }
        }
        panic!("{path} was not requested");
    }
}

trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// Reads a request and returns its path.
fn read_path(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.eq_ignore_ascii_case("content-length")).then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    head.split(' ').nth(1).map(str::to_owned)
}

//! The bytes of one connection: plain from and to libpq, encrypted to and from PostgreSQL.

use super::trust;
use config::PostgresHost;
use rustix::event::{PollFd, PollFlags, poll};
use rustls::ClientConnection;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;

/// The longest first message of a client that PostgreSQL accepts.
const LONGEST_GREETING: usize = 10_000;

/// The request for TLS (SSLRequest).
const REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The time for the last bytes to the server.
const END_WITHIN: Duration = Duration::from_secs(1);

/// Reads the first message of libpq (StartupMessage), whose length comes first.
pub fn read_greeting(local: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    local.read_exact(&mut length)?;
    let size = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if !(length.len()..=LONGEST_GREETING).contains(&size) {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut greeting = vec![0; size];
    greeting[..length.len()].copy_from_slice(&length);
    local.read_exact(&mut greeting[length.len()..])?;
    Ok(greeting)
}

/// Asks the server for TLS. The answer is one byte: what follows belongs to TLS.
pub fn request_tls(remote: &mut TcpStream) -> Result<(), String> {
    let mut answer = [0];
    let asked = remote
        .write_all(&REQUEST)
        .and_then(|()| remote.read_exact(&mut answer));
    asked.map_err(|error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "it does not answer".to_owned(),
        ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
        _ => error.to_string(),
    })?;
    match answer {
        [b'S'] => Ok(()),
        [b'N'] => Err(
            "it offers no TLS. Set ssl = on in its postgresql.conf, or write sslmode=disable in the \
             URL if the network is trusted"
                .to_owned(),
        ),
        _ => Err("it is no PostgreSQL server".to_owned()),
    }
}

/// One connection.
pub struct Tunnel<'a> {
    local: &'a mut UnixStream,
    remote: &'a mut TcpStream,
    tls: &'a mut ClientConnection,
    /// Decrypted bytes that libpq has not taken yet.
    inbound: Vec<u8>,
    /// Whether libpq has got any.
    has_delivered: bool,
}

/// How a connection ends.
enum End {
    /// One side has closed it, or the path to the server has failed.
    Closed,
    /// TLS failed.
    Tls(rustls::Error),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

impl<'a> Tunnel<'a> {
    /// A tunnel between two sockets.
    pub fn new(
        local: &'a mut UnixStream,
        remote: &'a mut TcpStream,
        tls: &'a mut ClientConnection,
    ) -> Self {
        Self {
            local,
            remote,
            tls,
            inbound: Vec::new(),
            has_delivered: false,
        }
    }

    /// Carries bytes until one side closes the connection. Fails with the reason if libpq got none.
    pub fn run(mut self, host: &PostgresHost) -> Result<(), String> {
        let end = match self.carry() {
            Err(end) => end,
            Ok(never) => match never {},
        };
        self.finish();
        match end {
            _ if self.has_delivered => Ok(()),
            End::Closed => Err("it closed the connection".to_owned()),
            End::Tls(error) => Err(trust::explain(&error, host)),
        }
    }

    fn carry(&mut self) -> Result<std::convert::Infallible, End> {
        self.local.set_nonblocking(true)?;
        self.remote.set_nonblocking(true)?;
        let mut buffer = vec![0; CHUNK];
        loop {
            self.send()?;
            self.deliver()?;
            let (from_local, from_remote) = self.wait()?;
            if from_local {
                match self.local.read(&mut buffer) {
                    Ok(0) => return Err(End::Closed),
                    Ok(size) => self.tls.writer().write_all(&buffer[..size])?,
                    Err(error) => later(error)?,
                }
            }
            if from_remote {
                self.receive()?;
            }
        }
    }

    /// Waits until one side has bytes, or takes those that wait. Each side waits for the other one,
    /// so that little is kept here.
    fn wait(&self) -> Result<(bool, bool), End> {
        let (mut local, mut remote) = (PollFlags::empty(), PollFlags::empty());
        match self.tls.wants_write() {
            true => remote |= PollFlags::OUT,
            false => local |= PollFlags::IN,
        }
        match self.inbound.is_empty() {
            true => remote |= PollFlags::IN,
            false => local |= PollFlags::OUT,
        }
        let mut sockets = [
            PollFd::new(&*self.local, local),
            PollFd::new(&*self.remote, remote),
        ];
        match poll(&mut sockets, None) {
            Err(rustix::io::Errno::INTR) => return Ok((false, false)),
            polled => polled.map_err(io::Error::from)?,
        };
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        let [of_local, of_remote] = [&sockets[0], &sockets[1]].map(PollFd::revents);
        let is_readable = |events: PollFlags| events.intersects(PollFlags::IN);
        // A side that is gone and has no bytes to read ends the connection.
        if of_local.intersects(gone) && !is_readable(of_local)
            || of_remote.intersects(gone) && !is_readable(of_remote)
        {
            return Err(End::Closed);
        }
        Ok((is_readable(of_local), is_readable(of_remote)))
    }

    /// Sends encrypted bytes, as many as the server takes now.
    fn send(&mut self) -> Result<(), End> {
        while self.tls.wants_write() {
            match self.tls.write_tls(self.remote) {
                Ok(0) => return Err(End::Closed),
                Ok(_) => {}
                Err(error) => return Ok(later(error)?),
            }
        }
        Ok(())
    }

    /// Receives encrypted bytes and decrypts them, a chunk at most.
    fn receive(&mut self) -> Result<(), End> {
        let mut is_end = false;
        while !is_end && self.inbound.len() < CHUNK {
            match self.tls.read_tls(self.remote) {
                Ok(size) => is_end = size == 0,
                Err(error) => return Ok(later(error)?),
            }
            let state = self.tls.process_new_packets().map_err(End::Tls)?;
            is_end |= state.peer_has_closed();
            let start = self.inbound.len();
            let size = state.plaintext_bytes_to_read();
            self.inbound.resize(start + size, 0);
            self.tls.reader().read_exact(&mut self.inbound[start..])?;
        }
        if is_end {
            self.local.set_nonblocking(false)?;
            self.deliver()?;
            return Err(End::Closed);
        }
        Ok(())
    }

    /// Hands decrypted bytes to libpq, as many as it takes now.
    fn deliver(&mut self) -> Result<(), End> {
        while !self.inbound.is_empty() {
            match self.local.write(&self.inbound) {
                Ok(0) => return Err(End::Closed),
                Ok(size) => {
                    self.inbound.drain(..size);
                    self.has_delivered = true;
                }
                Err(error) => return Ok(later(error)?),
            }
        }
        Ok(())
    }

    /// Sends the last bytes: the end of the session, or an alert.
    fn finish(&mut self) {
        self.tls.send_close_notify();
        let ready = self.remote.set_nonblocking(false);
        let limited = self.remote.set_write_timeout(Some(END_WITHIN));
        if ready.and(limited).is_ok() {
            // The server may be gone.
            let _ = self.send();
        }
    }
}

/// Succeeds if the socket is ready later.
fn later(error: io::Error) -> io::Result<()> {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(()),
        _ => Err(error),
    }
}

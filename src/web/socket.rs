//! Listening sockets: of an address or a file, or passed by a service manager.

use super::capacity;
use config::Listen;
use rustix::net::{Shutdown, shutdown, sockopt};
use std::fs;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Permissions of the file of a Unix socket: its owner and group can connect.
const SOCKET_MODE: u32 = 0o660;

/// A filter of packets (BPF) that drops those with the flag SYN, which is in byte 13 of a TCP header.
#[cfg(target_os = "linux")]
const WITHOUT_SYN: [socket2::SockFilter; 4] = [
    socket2::SockFilter::new(0x30, 0, 0, 13), // load the byte
    socket2::SockFilter::new(0x45, 0, 1, 2),  // skip the next step unless SYN is set
    socket2::SockFilter::new(0x06, 0, 0, 0),  // drop
    socket2::SockFilter::new(0x06, 0, 0, u32::MAX), // keep
];

/// A listening socket.
#[derive(Debug)]
pub struct OpenSocket {
    /// The socket.
    pub socket: Socket,
    /// Ends its new connections.
    pub closer: Closer,
}

/// A socket by its kind.
#[derive(Debug)]
pub enum Socket {
    /// Of an address and port.
    Tcp(TcpListener),
    /// Of a file.
    Unix(UnixListener),
}

/// Ends the new connections of a socket, while the open ones stay.
#[derive(Debug)]
pub enum Closer {
    /// The port refuses them.
    Tcp(TcpListener),
    /// The file of the socket is gone.
    Unix(PathBuf),
    /// They wait for the next process: the service manager holds the socket too.
    Inherited,
}

impl Socket {
    /// Lets more new connections wait than the standard library does.
    pub(super) fn widen_backlog(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => capacity::widen_backlog(socket),
            Self::Unix(socket) => capacity::widen_backlog(socket),
        }
    }
}

impl OpenSocket {
    /// Opens a socket. The file of a Unix socket that no process listens on is replaced.
    pub fn bind(listen: &Listen) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => {
                let socket = TcpListener::bind(address)?;
                Ok(Self {
                    closer: Closer::Tcp(socket.try_clone()?),
                    socket: Socket::Tcp(socket),
                })
            }
            Listen::Unix(path) => {
                let socket = bind_unix(path)?;
                fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE))?;
                Ok(Self {
                    socket: Socket::Unix(socket),
                    closer: Closer::Unix(path.clone()),
                })
            }
        }
    }

    /// A socket that the service manager opened. Fails for one that does not listen for streams.
    pub fn inherited(file: OwnedFd) -> io::Result<Self> {
        let is_listening = sockopt::socket_acceptconn(&file)?;
        let is_stream = sockopt::socket_type(&file)? == rustix::net::SocketType::STREAM;
        let domain = sockopt::socket_domain(&file)?;
        let socket = match domain {
            _ if !(is_listening && is_stream) => {
                return Err(io::Error::new(
                    ErrorKind::InvalidInput,
                    "it is no stream socket that listens",
                ));
            }
            rustix::net::AddressFamily::UNIX => Socket::Unix(file.into()),
            _ => Socket::Tcp(file.into()),
        };
        Ok(Self {
            socket,
            closer: Closer::Inherited,
        })
    }
}

impl Closer {
    /// From now on a new connection gets no answer, while those that have begun complete: when a port
    /// closes, it resets those that no worker has taken. The peer tries again after a second, and is
    /// then refused. Only on Linux.
    pub fn hold(&self) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Tcp(socket) => socket2::SockRef::from(socket).attach_filter(&WITHOUT_SYN),
            _ => Ok(()),
        }
    }

    /// From now on a new connection is refused, so that a proxy sends its request elsewhere; or it
    /// waits, if the service manager holds the socket.
    pub fn close(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => Ok(shutdown(socket, Shutdown::Read)?),
            Self::Unix(path) => fs::remove_file(path),
            Self::Inherited => Ok(()),
        }
    }
}

fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_over(path) => {
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }
}

/// Whether a path is a socket on which no process listens any more.
fn is_left_over(path: &Path) -> bool {
    // A connection to another kind of file is refused too.
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    is_socket
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_over_socket_is_replaced_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("http.sock");
        let listen = Listen::Unix(path.clone());
        drop(UnixListener::bind(&path).unwrap());
        let opened = OpenSocket::bind(&listen).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, SOCKET_MODE);
        let error = OpenSocket::bind(&listen).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        opened.closer.close().unwrap();
        assert!(!path.exists());
        // A file that is no socket stays.
        fs::write(&path, "data").unwrap();
        assert!(OpenSocket::bind(&listen).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"data");
    }

    #[test]
    fn closed_port_refuses_new_connections() {
        let opened = OpenSocket::bind(&Listen::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
        let Socket::Tcp(socket) = &opened.socket else {
            panic!("{opened:?}");
        };
        let address = socket.local_addr().unwrap();
        let _open = std::net::TcpStream::connect(address).unwrap();
        opened.closer.close().unwrap();
        let refused = std::net::TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn held_port_takes_no_new_connection_and_loses_none() {
        use std::io::{Read, Write};
        let opened = OpenSocket::bind(&Listen::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
        let Socket::Tcp(socket) = &opened.socket else {
            panic!("{opened:?}");
        };
        let address = socket.local_addr().unwrap();
        let mut early = std::net::TcpStream::connect(address).unwrap();
        opened.closer.hold().unwrap();
        let within = std::time::Duration::from_millis(100);
        let late = std::net::TcpStream::connect_timeout(&address, within);
        assert_eq!(late.unwrap_err().kind(), ErrorKind::TimedOut);
        let (mut accepted, _) = socket.accept().unwrap();
        early.write_all(b"a").unwrap();
        accepted.write_all(b"b").unwrap();
        let mut byte = [0];
        accepted.read_exact(&mut byte).unwrap();
        early.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"b");
        opened.closer.close().unwrap();
        let refused = std::net::TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn inherited_socket_must_listen() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(OpenSocket::inherited(listener.into()).is_ok());
        assert!(OpenSocket::inherited(stream.into()).is_err());
        let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(OpenSocket::inherited(datagrams.into()).is_err());
    }
}

//! TLS to PostgreSQL.
//!
//! libpq is compiled without TLS, which would take OpenSSL. Instead it connects to a socket of this
//! process for each host, in a folder that only its user can enter and that is gone when the
//! attempt to connect ends. A thread for each connection carries the bytes over TLS.

mod trust;
mod tunnel;

use config::{PostgresHost, PostgresTls};
use rustix::event::{PollFd, PollFlags, poll};
use rustls::ClientConfig;
use std::fs::DirBuilder;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often another name of the folder is tried.
const NAMES: u32 = 16;

/// The longest time for a connection where the URL sets no limit.
const UNLIMITED: Duration = Duration::from_secs(60);

/// An error after which libpq tries the next host (cannot_connect_now).
const TRY_NEXT: &str = "57P03";

/// The sockets of one attempt to connect. They are gone when it is dropped; connections stay.
pub struct Forwarder {
    folder: PathBuf,
    url: String,
    hosts: Vec<PostgresHost>,
    /// Ends the listening thread.
    _stop: UnixStream,
}

/// Limits of the outer connection, which libpq does not see.
struct Limits {
    connect: Duration,
    /// Milliseconds; see tcp(7).
    user_timeout: Option<u32>,
    /// Whether there are keepalives, and after which time, at which interval and how many.
    keepalives: bool,
    idle: Option<Duration>,
    interval: Option<Duration>,
    count: Option<u32>,
}

impl Limits {
    fn of(url: &str) -> Self {
        let number = |name| config::parameter(url, name).and_then(|text| text.parse().ok());
        let number = |name| number(name).filter(|number: &u32| *number > 0);
        let seconds = |name| number(name).map(|seconds| Duration::from_secs(seconds.into()));
        Self {
            connect: seconds("connect_timeout").unwrap_or(UNLIMITED),
            user_timeout: number("tcp_user_timeout"),
            keepalives: config::parameter(url, "keepalives").as_deref() != Some("0"),
            idle: seconds("keepalives_idle"),
            interval: seconds("keepalives_interval"),
            count: number("keepalives_count"),
        }
    }

    fn apply(&self, socket: &TcpStream) -> io::Result<()> {
        use rustix::net::sockopt;
        socket.set_nodelay(true)?;
        sockopt::set_socket_keepalive(socket, self.keepalives)?;
        if let Some(idle) = self.idle {
            sockopt::set_tcp_keepidle(socket, idle)?;
        }
        if let Some(interval) = self.interval {
            sockopt::set_tcp_keepintvl(socket, interval)?;
        }
        if let Some(count) = self.count {
            sockopt::set_tcp_keepcnt(socket, count)?;
        }
        #[cfg(target_os = "linux")]
        if let Some(milliseconds) = self.user_timeout {
            sockopt::set_tcp_user_timeout(socket, milliseconds)?;
        }
        Ok(())
    }
}

/// What a connection to a host needs.
struct Route {
    host: PostgresHost,
    limits: Arc<Limits>,
    settings: Arc<ClientConfig>,
}

impl Forwarder {
    /// Opens the sockets. The parameters are those that the URL does not name. Fails with the
    /// reason, such as a certificate that cannot be read.
    pub fn start(
        tls: &PostgresTls,
        url: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Self, String> {
        let limits = Arc::new(Limits::of(&config::with_parameters(url, parameters)));
        let settings = Arc::new(trust::settings(tls)?);
        let folder = make_folder().map_err(|error| {
            let parent = parent();
            format!(
                "cannot create a folder in {} for the connection to the database: {error}. Name a \
                 folder that this user may write to in the environment variable TMPDIR",
                parent.display()
            )
        })?;
        let (stop, stopped) = UnixStream::pair().map_err(|error| error.to_string())?;
        let url = local_url(tls, &folder, &limits);
        let url = config::with_parameters(&url, parameters);
        let forwarder = Self {
            folder,
            url,
            hosts: tls.hosts.clone(),
            _stop: stop,
        };
        let mut listeners = Vec::new();
        for (at, host) in tls.hosts.iter().enumerate() {
            let path = forwarder.folder.join(format!(".s.PGSQL.{}", at + 1));
            let bound = UnixListener::bind(&path).and_then(|listener| {
                listener.set_nonblocking(true)?;
                Ok(listener)
            });
            let listener = bound
                .map_err(|error| format!("{}: {error}. Name a shorter TMPDIR", path.display()))?;
            let route = Route {
                host: host.clone(),
                limits: limits.clone(),
                settings: settings.clone(),
            };
            listeners.push((listener, Arc::new(route)));
        }
        thread("connections", move || listen(&listeners, &stopped))
            .map_err(|error| error.to_string())?;
        Ok(forwarder)
    }

    /// The URL for libpq.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An error of libpq, with the names of the hosts instead of the sockets.
    pub fn explain(&self, error: &str) -> String {
        let mut text = error.to_owned();
        for (at, host) in self.hosts.iter().enumerate().rev() {
            let socket = format!(
                "on socket \"{}/.s.PGSQL.{}\"",
                self.folder.display(),
                at + 1
            );
            text = text.replace(&socket, &format!("at {}:{}", host.name, host.port));
        }
        text.replace("FATAL:  ", "")
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        // It is in a folder for temporary files, if it stays.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = std::thread::Builder::new().name(name.into());
    builder.spawn(work).map(drop)
}

/// The folder of the service (systemd), or that for temporary files.
fn parent() -> PathBuf {
    let runtime = std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from);
    runtime
        .filter(|path| path.is_dir())
        .unwrap_or_else(std::env::temp_dir)
}

fn make_folder() -> io::Result<PathBuf> {
    let mut tried = 0;
    loop {
        // Others must not know the name before: they could create it first.
        let random = RandomState::new().hash_one(std::process::id());
        let name = format!("doorcode-{random:016x}");
        let folder = parent().join(name);
        tried += 1;
        // Fails if it is there already, even if it is one of another user.
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && tried < NAMES => {}
            made => return made.map(|()| folder),
        }
    }
}

/// The URL of the sockets. libpq waits longer than the outer connection, whose error says more.
fn local_url(tls: &PostgresTls, folder: &Path, limits: &Limits) -> String {
    let encoded: String = folder
        .display()
        .to_string()
        .replace('%', "%25")
        .replace('/', "%2F");
    let hosts = vec![encoded; tls.hosts.len()].join(",");
    let ports: Vec<_> = (1..=tls.hosts.len()).map(|port| port.to_string()).collect();
    let sign = if tls.rest.ends_with('?') { "" } else { "&" };
    format!(
        "{}{sign}host={hosts}&port={}&sslmode=disable&connect_timeout={}",
        tls.rest,
        ports.join(","),
        limits.connect.as_secs() + 1
    )
}

/// Accepts connections of this process until the other end of `stopped` is closed.
fn listen(listeners: &[(UnixListener, Arc<Route>)], stopped: &UnixStream) {
    loop {
        let sockets = listeners
            .iter()
            .map(|(listener, _)| PollFd::new(listener, PollFlags::IN));
        let mut waiting: Vec<_> = sockets.collect();
        waiting.push(PollFd::new(stopped, PollFlags::IN));
        match poll(&mut waiting, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) => {}
        }
        let is_ready: Vec<_> = waiting.iter().map(|it| !it.revents().is_empty()).collect();
        for ((listener, route), is_ready) in listeners.iter().zip(&is_ready) {
            if !is_ready {
                continue;
            }
            match listener.accept() {
                Ok((local, _)) => {
                    let route = route.clone();
                    // Without a thread the connection is closed, and libpq says so.
                    let _ = thread("tunnel", move || carry(local, &route));
                }
                // libpq has given up.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
        if is_ready.last() == Some(&true) {
            return;
        }
    }
}

/// Whether the other end of a socket is in this process.
#[cfg(target_os = "linux")]
fn is_own(local: &UnixStream) -> bool {
    let peer = rustix::net::sockopt::socket_peercred(local);
    peer.is_ok_and(|peer| peer.pid == rustix::process::getpid())
}

#[cfg(not(target_os = "linux"))]
fn is_own(_: &UnixStream) -> bool {
    true
}

/// Carries one connection to its end.
fn carry(mut local: UnixStream, route: &Route) {
    if !is_own(&local) {
        return;
    }
    if let Err(why) = connect(&mut local, route) {
        // libpq may have given up.
        let _ = local.set_nonblocking(false);
        let _ = local.write_all(&refusal(&why));
    }
}

/// Connects and carries the connection. Fails with the reason if no byte of the server was
/// delivered.
fn connect(local: &mut UnixStream, route: &Route) -> Result<(), String> {
    let within = |socket: &UnixStream| socket.set_read_timeout(Some(route.limits.connect));
    let greeting = within(local).and_then(|()| tunnel::read_greeting(local));
    let greeting = greeting.map_err(|error| error.to_string())?;
    let mut remote = dial(route)?;
    tunnel::request_tls(&mut remote)?;
    let name = trust::name(&route.host)?;
    let tls = rustls::ClientConnection::new(route.settings.clone(), name);
    let mut tls = tls.map_err(|error| error.to_string())?;
    // Sent when the certificate is verified.
    tls.writer()
        .write_all(&greeting)
        .map_err(|error| error.to_string())?;
    tunnel::Tunnel::new(local, &mut remote, &mut tls).run(&route.host)
}

/// Connects to the first address that accepts, each within its share of the time.
fn dial(route: &Route) -> Result<TcpStream, String> {
    let Route { host, limits, .. } = route;
    let until = Instant::now() + limits.connect;
    let place = host.address.as_deref().unwrap_or(&host.name);
    let found = (place, host.port).to_socket_addrs();
    let addresses: Vec<_> = found.map_err(|error| error.to_string())?.collect();
    let mut failed = "its name has no address".to_owned();
    for (at, address) in addresses.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - at).unwrap_or(1);
        let share = share.max(Duration::from_millis(100));
        let connected = TcpStream::connect_timeout(address, share).and_then(|socket| {
            limits.apply(&socket)?;
            socket.set_read_timeout(Some(limits.connect))?;
            Ok(socket)
        });
        match connected {
            Ok(socket) => return Ok(socket),
            Err(error) => failed = error.to_string(),
        }
    }
    Err(failed)
}

/// The message of a server that refuses a connection.
fn refusal(why: &str) -> Vec<u8> {
    let fields = [("S", "FATAL"), ("V", "FATAL"), ("C", TRY_NEXT), ("M", why)];
    let mut body = Vec::new();
    for (kind, value) in fields {
        body.extend(kind.bytes());
        body.extend(value.bytes().filter(|byte| *byte != 0));
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut message = vec![b'E'];
    message.extend(length.to_be_bytes());
    message.extend(body);
    message
}

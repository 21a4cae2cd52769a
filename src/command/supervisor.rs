//! The service manager (systemd): messages of the server to it, and the sockets that it passes.

use doorcode::web::OpenSocket;
use rustix::time::{ClockId, clock_gettime};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Number of the first passed file (sd_listen_fds(3)).
const FIRST_FILE: i32 = 3;

/// Time limit for a message: a service manager that reads none must not hold up the server.
const TELL_WITHIN: Duration = Duration::from_millis(100);

/// The service manager of this process, if there is one (sd_notify(3)).
#[derive(Debug, Clone, Default)]
pub struct Supervisor {
    address: Option<SocketAddr>,
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The service manager that the environment, given as a look-up, names.
    pub fn find(env: impl Fn(&str) -> Option<String>) -> Self {
        let address = env("NOTIFY_SOCKET").and_then(|name| match name.strip_prefix('@') {
            Some(name) => abstract_address(name).ok(),
            None => SocketAddr::from_pathname(name).ok(),
        });
        let is_for_this = env("WATCHDOG_PID").is_none_or(|id| id == own_id());
        let microseconds = env("WATCHDOG_USEC").and_then(|text| text.parse().ok());
        Self {
            address,
            watchdog: microseconds
                .filter(|microseconds| is_for_this && *microseconds > 0)
                .map(Duration::from_micros),
        }
    }

    /// The server accepts requests, also after a reload.
    pub fn tell_ready(&self) {
        self.tell("READY=1\nSTATUS=Serving requests.");
    }

    /// The server reads its configuration again.
    pub fn tell_reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    /// The server stops.
    pub fn tell_stopping(&self, status: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={status}"));
    }

    /// Tells the watchdog twice in its interval that the server runs.
    pub async fn feed_watchdog(self) {
        let Some(interval) = self.watchdog else {
            return;
        };
        loop {
            self.tell("WATCHDOG=1");
            tokio::time::sleep(interval / 2).await;
        }
    }

    fn tell(&self, state: &str) {
        let Some(address) = &self.address else {
            return;
        };
        let sent = UnixDatagram::unbound().and_then(|socket| {
            socket.set_write_timeout(Some(TELL_WITHIN))?;
            socket.send_to_addr(state.as_bytes(), address)
        });
        if let Err(error) = sent {
            tracing::warn!("the service manager cannot be told about the state: {error}");
        }
    }
}

/// The listening sockets that the service manager passes; none if it passes none to this process.
/// The files themselves stay open, so that the sockets outlive the server's own.
pub fn passed_sockets(env: impl Fn(&str) -> Option<String>) -> Result<Vec<OpenSocket>, String> {
    if env("LISTEN_PID").is_none_or(|id| id != own_id()) {
        return Ok(Vec::new());
    }
    let count = env("LISTEN_FDS").and_then(|text| text.parse().ok());
    (FIRST_FILE..FIRST_FILE.saturating_add(count.unwrap_or(0)))
        .map(|number| OpenSocket::inherited(passed_file(number)?))
        .collect::<io::Result<_>>()
        .map_err(|error| unusable(&error))
}

/// The reason against a passed socket, and what to do.
fn unusable(error: &io::Error) -> String {
    let advice = match error.kind() {
        // Containers and filters of system calls may forbid it.
        ErrorKind::PermissionDenied | ErrorKind::Unsupported => {
            ". This system forbids a process to copy its own sockets: allow the system calls pidfd_open \
             and pidfd_getfd, for example in the seccomp profile of the container, or start the server \
             without socket activation (LISTEN_FDS), so that it listens on [server] listen"
        }
        _ => "",
    };
    format!("a socket that the service manager passes cannot be used: {error}{advice}.")
}

/// A copy of an open file of this process. The number alone proves nothing about its owner, so the
/// kernel is asked for a new one.
#[cfg(target_os = "linux")]
fn passed_file(number: i32) -> io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let process = pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(pidfd_getfd(process, number, PidfdGetfdFlags::empty())?)
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &str) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn passed_file(_: i32) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &str) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

fn own_id() -> String {
    std::process::id().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_system_call_is_named() {
        let forbidden: io::Error = rustix::io::Errno::PERM.into();
        let text = unusable(&forbidden);
        assert!(
            text.contains("pidfd_getfd") && text.contains("[server] listen"),
            "{text}"
        );
        let unknown: io::Error = rustix::io::Errno::NOSYS.into();
        assert!(unusable(&unknown).contains("pidfd_getfd"));
        let closed: io::Error = rustix::io::Errno::BADF.into();
        assert!(!unusable(&closed).contains("pidfd_getfd"));
    }
}

//! Connecting to the database.
//!
//! libpq resolves names and tries addresses one after the other, with a limit for each and none for
//! all of them. Each attempt has its own thread. A worker waits for it for a limited time, and the
//! next wait continues with the same attempt, so that even a slow one succeeds in the end.

use super::Error;
use super::conn::{Conn, Purpose};
use super::shift::Shift;
use config::DatabaseUrl;
use crossbeam_channel::{Receiver, Sender, at, select};
use std::time::{Duration, Instant};

/// How long work waits for a connection. Work that arrives meanwhile may wait twice, and is answered
/// in time all the same.
const WITHIN: Duration = Duration::from_secs(4);

/// The longest time for one attempt, with all hosts and addresses. After it the next one begins.
const LONGEST: Duration = Duration::from_secs(60);

/// Opens connections for one worker.
pub struct Connector {
    url: DatabaseUrl,
    purpose: Purpose,
    /// Where attempts leave their connections. Several workers may share it.
    returned: Sender<Conn>,
    idle: Receiver<Conn>,
    attempt: Option<Attempt>,
}

/// An attempt that runs.
struct Attempt {
    began: Instant,
    /// Receives its error, or is disconnected at its end.
    failed: Receiver<Error>,
}

impl Connector {
    /// A connector that takes connections out of this channel, if there are any.
    pub fn new(
        url: &DatabaseUrl,
        purpose: Purpose,
        (returned, idle): (Sender<Conn>, Receiver<Conn>),
    ) -> Self {
        Self {
            url: url.clone(),
            purpose,
            returned,
            idle,
            attempt: None,
        }
    }

    /// An idle connection or a new one. The worker rests meanwhile.
    pub fn connect(&mut self, shift: &Shift) -> Result<Conn, Error> {
        if matches!(self.url, DatabaseUrl::Sqlite(_)) {
            return Conn::open(&self.url, self.purpose);
        }
        if let Ok(conn) = self.idle.try_recv() {
            return Ok(conn);
        }
        shift.rest();
        let connected = self.wait();
        shift.step();
        connected
    }

    fn wait(&mut self) -> Result<Conn, Error> {
        let until = at(Instant::now() + WITHIN);
        // An error from before this wait is out of date.
        // One without an end waits for a server that takes its statements and never answers.
        self.attempt
            .take_if(|attempt| !attempt.failed.is_empty() || attempt.began.elapsed() > LONGEST);
        loop {
            let attempt = self.attempt()?;
            select! {
                recv(self.idle) -> conn => if let Ok(conn) = conn {
                    return Ok(conn);
                },
                recv(attempt) -> failed => {
                    self.attempt = None;
                    if let Ok(error) = failed {
                        return Err(error);
                    }
                    // Another worker may have taken its connection.
                    if let Ok(conn) = self.idle.try_recv() {
                        return Ok(conn);
                    }
                },
                recv(until) -> _ => {
                    return Err(Error::Unavailable("no connection in time".into()));
                },
            }
        }
    }

    /// The attempt that runs, or a new one.
    fn attempt(&mut self) -> Result<Receiver<Error>, Error> {
        if let Some(attempt) = &self.attempt {
            return Ok(attempt.failed.clone());
        }
        let (fail, attempt) = crossbeam_channel::bounded(1);
        let (url, purpose, returned) = (self.url.clone(), self.purpose, self.returned.clone());
        let connect = move || match Conn::open(&url, purpose) {
            // If there are enough already, it is closed.
            Ok(conn) => drop(returned.try_send(conn)),
            Err(error) => drop(fail.try_send(error)),
        };
        std::thread::Builder::new()
            .name("connection".into())
            .spawn(connect)
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let attempt = Attempt {
            began: Instant::now(),
            failed: attempt,
        };
        Ok(self.attempt.insert(attempt).failed.clone())
    }

    /// Leaves a connection for others.
    pub fn give_back(&self, conn: Conn) {
        // If there are enough already, it is closed.
        let _ = self.returned.try_send(conn);
    }

    /// Waits for a connection that another worker gives back.
    pub fn wait_for_idle(&self, within: Duration) -> Option<Conn> {
        self.idle.recv_timeout(within).ok()
    }

    /// Closes the idle connections.
    pub fn close_idle(&self) {
        while self.idle.try_recv().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server may take the first statements of a session and never answer them. The driver has no
    /// limit for that.
    #[test]
    fn attempt_without_an_end_is_replaced() {
        let name = "DOORCODE__DATABASE__URL".to_owned();
        let variables = [(name, "postgres://127.0.0.1:1/d".to_owned())];
        let url = config::Config::load(None, variables).unwrap().database.url;
        let mut connector = Connector::new(&url, Purpose::Read, crossbeam_channel::bounded(1));
        let (_endless, failed) = crossbeam_channel::bounded(1);
        connector.attempt = Some(Attempt {
            began: Instant::now().checked_sub(2 * LONGEST).unwrap(),
            failed,
        });
        let Err(Error::Unavailable(why)) = connector.wait() else {
            panic!("connected to nothing");
        };
        assert!(!why.contains("in time"), "{why}");
    }
}

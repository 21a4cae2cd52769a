//! Outgoing messages: a short queue, and one thread that empties it. Mail servers may be slow or
//! unavailable; only this thread waits for them.

use crate::Error;
use config::{Config, Mail, Protection};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use lettre::Transport;
use lettre::transport::smtp::SmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Capacity of the queue.
const QUEUE: usize = 100;

/// Timeout of each server response.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Delays before the retries of a message, one each.
const WAITS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
];

/// How long waiting messages may delay the end of the program.
const END_WITHIN: Duration = Duration::from_secs(3);

struct Letter {
    id: String,
    email: lettre::Message,
}

/// The queue; `None` without a mail server, and once it is closed.
pub struct Outbox(Mutex<Option<Queue>>);

struct Queue {
    letters: Sender<Letter>,
    /// Carries no messages: dropping it signals the thread to stop.
    _open: Sender<()>,
    /// Carries no messages: it is closed when the thread has ended.
    ended: Receiver<()>,
}

impl Outbox {
    /// Starts the thread, if a mail server is configured.
    pub fn start(config: &Config) -> Result<Self, Error> {
        let Some(mail) = &config.mail else {
            return Ok(Self(Mutex::new(None)));
        };
        let transport = transport(mail, config.server.public_url.host())
            .map_err(|error| Error::internal(format!("mail.smtp_url: {error}")))?;
        let (letters, waiting) = crossbeam_channel::bounded(QUEUE);
        let (open, closed) = crossbeam_channel::bounded(0);
        let (running, ended) = crossbeam_channel::bounded::<()>(0);
        std::thread::Builder::new()
            .name("mail".to_owned())
            .spawn(move || {
                deliver(&transport, &waiting, &closed);
                drop(running);
            })
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self(Mutex::new(Some(Queue {
            letters,
            _open: open,
            ended,
        }))))
    }

    /// Queues a message, unless the queue is full.
    pub fn put(&self, id: String, email: lettre::Message) {
        let queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = queue.as_ref() else {
            return;
        };
        let letter = Letter {
            id: id.clone(),
            email,
        };
        if queue.letters.try_send(letter).is_err() {
            tracing::warn!(id, "message not sent: too many are waiting");
        }
    }

    /// Accepts no more messages, and waits a short time for queued ones to be sent. Blocks.
    pub fn stop(&self) {
        let queue = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Queue {
            letters,
            _open,
            ended,
        }) = queue
        else {
            return;
        };
        drop((letters, _open));
        if ended.recv_timeout(END_WITHIN) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("messages still in the queue were not sent");
        }
    }
}

fn transport(mail: &Mail, own_host: &str) -> Result<SmtpTransport, lettre::transport::smtp::Error> {
    let url = &mail.smtp_url;
    let parameters = || TlsParameters::new(url.host.clone());
    let tls = match url.protection {
        Protection::Tls => Tls::Wrapper(parameters()?),
        Protection::StartTls => Tls::Required(parameters()?),
        Protection::Plain => Tls::None,
    };
    let own_host = own_host.trim_start_matches('[').trim_end_matches(']');
    let hello = match own_host.parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(own_host.to_owned()),
    };
    let mut transport = SmtpTransport::builder_dangerous(url.host.clone())
        .port(url.port)
        .tls(tls)
        .timeout(Some(ANSWER_WITHIN))
        .hello_name(hello);
    if let Some((user, password)) = &url.credentials {
        let credentials = Credentials::new(user.clone(), password.expose().to_owned());
        transport = transport.credentials(credentials);
    }
    Ok(transport.build())
}

/// Sends messages until the queue is closed and empty.
fn deliver(transport: &SmtpTransport, waiting: &Receiver<Letter>, closed: &Receiver<()>) {
    while let Ok(letter) = waiting.recv() {
        let mut waits = WAITS.iter();
        while let Err(error) = transport.send(&letter.email) {
            let (id, reason) = (&letter.id, reason(&error));
            let wait = match error.is_permanent() {
                true => None,
                false => waits.next(),
            };
            let Some(wait) = wait else {
                tracing::warn!(id, reason, "message not sent");
                break;
            };
            tracing::info!(id, reason, ?wait, "sending the message will be retried");
            if closed.recv_timeout(*wait) == Err(RecvTimeoutError::Disconnected) {
                let others = waiting.len();
                tracing::warn!(id, others, "messages not sent: the program ends");
                return;
            }
        }
    }
}

/// Cause of an error, without the text of the server, which may quote the message.
fn reason(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_response() => "the mail server's response is invalid".to_owned(),
        None => error.to_string(),
    }
}

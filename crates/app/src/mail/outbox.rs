//! Outgoing messages: a bounded queue, and one thread that empties it. Mail servers may be slow or
//! unavailable; only this thread waits for them. The senders take turns, so that the messages of
//! one do not delay those of the others.

use crate::Error;
use crate::slots::{Slot, Slots};
use config::{Config, Mail, Protection};
use crossbeam_channel::{Receiver, RecvTimeoutError, Select, Sender};
use lettre::Transport;
use lettre::transport::smtp::SmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Messages of all senders that may wait.
const QUEUE: usize = 1_000;

/// Messages of one sender that may wait.
const QUEUE_PER_SENDER: usize = 100;

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

/// A place in the queue for one message, which is free again when the last copy is dropped.
#[derive(Clone)]
pub struct MailSlot(Arc<Slot>);

impl MailSlot {
    fn take(slots: &Arc<Slots>, sender: &str) -> Option<Self> {
        let slot = slots.take(sender, QUEUE_PER_SENDER)?;
        Some(Self(Arc::new(slot)))
    }
}

/// A message in the queue.
struct Letter {
    id: String,
    email: lettre::Message,
    slot: MailSlot,
    /// How often sending it has failed.
    failures: usize,
}

/// Messages by sender, in the order in which the senders take turns.
#[derive(Default)]
struct Waiting {
    senders: VecDeque<(String, VecDeque<Letter>)>,
    is_closed: bool,
}

impl Waiting {
    fn push(&mut self, letter: Letter) {
        let sender = letter.slot.0.key().to_owned();
        match self.senders.iter_mut().find(|(name, _)| *name == sender) {
            Some((_, letters)) => letters.push_back(letter),
            None => self.senders.push_back((sender, VecDeque::from([letter]))),
        }
    }

    fn pop(&mut self) -> Option<Letter> {
        let (sender, mut letters) = self.senders.pop_front()?;
        let letter = letters.pop_front();
        if !letters.is_empty() {
            self.senders.push_back((sender, letters));
        }
        letter
    }
}

/// A message whose sending failed, and a channel that gets a value when it is to be sent again.
struct Retry {
    due: Receiver<Instant>,
    letter: Letter,
}

/// The queue, shared with the thread.
struct Queue {
    waiting: Mutex<Waiting>,
    changed: (Sender<()>, Receiver<()>),
    /// Messages that wait for a retry.
    delayed: AtomicUsize,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            changed: crossbeam_channel::bounded(1),
            delayed: AtomicUsize::default(),
        }
    }
}

/// What the thread does next.
enum Next {
    Send(Letter),
    /// The retry at this index is due.
    Retry(usize),
    /// The queue is closed and empty.
    End,
}

impl Queue {
    fn change(&self, change: impl FnOnce(&mut Waiting)) {
        change(&mut self.lock());
        // Full: the thread has not yet seen an earlier change.
        let _ = self.changed.0.try_send(());
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a message, or until a retry is due.
    fn next(&self, retries: &[Retry]) -> Next {
        loop {
            let mut waiting = self.lock();
            if !waiting.is_closed
                && let Some(due) = retries.iter().position(|one| one.due.try_recv().is_ok())
            {
                return Next::Retry(due);
            }
            if let Some(letter) = waiting.pop() {
                return Next::Send(letter);
            }
            if waiting.is_closed {
                return Next::End;
            }
            drop(waiting);
            let mut select = Select::new();
            select.recv(&self.changed.1);
            for one in retries {
                select.recv(&one.due);
            }
            select.ready();
            let _ = self.changed.1.try_recv();
        }
    }
}

/// The messages that are not sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Number of messages.
    pub waiting: usize,
    /// Number of those that wait for a retry after a failure.
    pub delayed: usize,
}

/// The outgoing messages; empty without a mail server.
pub struct Outbox(Option<Running>);

struct Running {
    queue: Arc<Queue>,
    slots: Arc<Slots>,
    /// Carries no messages: it is closed when the thread has ended.
    ended: Receiver<()>,
}

impl Outbox {
    /// Starts the thread, if a mail server is configured.
    pub fn start(config: &Config) -> Result<Self, Error> {
        let Some(mail) = &config.mail else {
            return Ok(Self(None));
        };
        let transport = transport(mail, config.server.public_url.host())
            .map_err(|error| Error::internal(format!("mail.smtp_url: {error}")))?;
        let queue = Arc::new(Queue::default());
        let (running, ended) = crossbeam_channel::bounded::<()>(0);
        let of_thread = queue.clone();
        std::thread::Builder::new()
            .name("mail".to_owned())
            .spawn(move || {
                deliver(&transport, &of_thread);
                drop(running);
            })
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self(Some(Running {
            queue,
            slots: Slots::new(QUEUE),
            ended,
        })))
    }

    /// Takes a place for a message of a sender. `None` if the queue is full, if too many messages of
    /// the sender wait, or without a mail server.
    pub fn reserve(&self, sender: &str) -> Option<MailSlot> {
        let running = self.0.as_ref()?;
        MailSlot::take(&running.slots, sender)
    }

    /// Queues a message at its place.
    pub fn put(&self, slot: MailSlot, id: String, email: lettre::Message) {
        let Some(running) = &self.0 else {
            return;
        };
        let letter = Letter {
            id,
            email,
            slot,
            failures: 0,
        };
        running.queue.change(|waiting| {
            if !waiting.is_closed {
                waiting.push(letter);
            }
        });
    }

    /// What waits; `None` without a mail server.
    pub fn backlog(&self) -> Option<Backlog> {
        let running = self.0.as_ref()?;
        Some(Backlog {
            waiting: running.slots.count(),
            delayed: running.queue.delayed.load(Ordering::Relaxed),
        })
    }

    /// Accepts no more messages, and waits a short time for queued ones to be sent. Blocks.
    pub fn stop(&self) {
        let Some(running) = &self.0 else {
            return;
        };
        running.queue.change(|waiting| waiting.is_closed = true);
        if running.ended.recv_timeout(END_WITHIN) == Err(RecvTimeoutError::Timeout) {
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

/// Sends messages until the queue is closed and empty. Messages that wait for a retry delay no
/// others.
fn deliver(transport: &SmtpTransport, queue: &Queue) {
    let mut retries = Vec::new();
    loop {
        let letter = match queue.next(&retries) {
            Next::Send(letter) => letter,
            Next::Retry(due) => retries.swap_remove(due).letter,
            Next::End => break,
        };
        retries.extend(try_to_send(transport, letter));
        queue.delayed.store(retries.len(), Ordering::Relaxed);
    }
    for Retry { letter, .. } in retries {
        let id = &letter.id;
        tracing::warn!(id, "message not sent: the program ends");
    }
}

/// Sends a message. After a passing failure, returns it for its retry.
fn try_to_send(transport: &SmtpTransport, mut letter: Letter) -> Option<Retry> {
    let error = transport.send(&letter.email).err()?;
    let (id, reason) = (&letter.id, reason(&error));
    let wait = match error.is_permanent() {
        true => None,
        false => WAITS.get(letter.failures),
    };
    let Some(wait) = wait else {
        tracing::warn!(id, reason, "message not sent");
        return None;
    };
    let wait_seconds = wait.as_secs_f64();
    tracing::info!(
        id,
        reason,
        wait_seconds,
        "sending the message will be retried"
    );
    letter.failures += 1;
    let due = crossbeam_channel::after(*wait);
    Some(Retry { due, letter })
}

/// Cause of an error, without the text of the server, which may quote the message.
fn reason(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_response() => "the mail server's response is invalid".to_owned(),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(slot: MailSlot, id: &str) -> Letter {
        let email = lettre::Message::builder()
            .from("a@example.com".parse().unwrap())
            .to("b@example.com".parse().unwrap())
            .body(String::new());
        Letter {
            id: id.to_owned(),
            email: email.unwrap(),
            slot,
            failures: 0,
        }
    }

    #[test]
    fn senders_take_turns_and_each_is_bounded() {
        let slots = Slots::new(QUEUE);
        let mut waiting = Waiting::default();
        let mut queued = 0;
        while let Some(slot) = MailSlot::take(&slots, "flooder") {
            waiting.push(letter(slot, "of the flooder"));
            queued += 1;
        }
        assert_eq!(queued, QUEUE_PER_SENDER);
        let slot = MailSlot::take(&slots, "other").unwrap();
        waiting.push(letter(slot, "of the other"));
        let first: Vec<_> = (0..2).map(|_| waiting.pop().unwrap().id).collect();
        assert_eq!(first, ["of the flooder", "of the other"]);
        // A message that was sent frees its place.
        assert!(MailSlot::take(&slots, "flooder").is_some());

        let mut others = Vec::new();
        for n in 0..2 * QUEUE {
            others.extend(MailSlot::take(&slots, &format!("sender {n}")));
        }
        assert_eq!(others.len() + QUEUE_PER_SENDER - 1, QUEUE);
        assert!(MailSlot::take(&slots, "one more").is_none());
        drop((others, waiting));
        assert!(MailSlot::take(&slots, "one more").is_some());
    }
}

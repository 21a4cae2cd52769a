//! Requests that take effect once, however often they are sent (Idempotency-Key).
//!
//! [`begin`] takes a lease on the request, in a transaction of its own; a concurrent repetition
//! on any server is told to wait. The use case gets an [`IdempotencyRecord`] and stores the
//! response in the transaction of its effect, so that both commit or neither does. After a crash
//! the lease expires, and the request can be repeated.
//!
//! A response may contain a token that is shown once. It is stored encrypted, under a key derived
//! from the caller's bearer token and the Idempotency-Key, neither of which is stored.

use super::outcome_record::OutcomeRecord;
use super::{App, Error, throttle};
use crate::access::Caller;
use chrono::Duration;
use domain::sealed::{SealKey, SealSalt};
use domain::secret::{Digest, Secret};
use serde::Serialize;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use store::Conn;
use store::idempotency::Call;

/// How long a response is kept. Then the key counts as new.
pub const KEPT: Duration = Duration::hours(24);

/// How long a request may run before a repetition may start it again.
const LEASE: Duration = Duration::seconds(30);

/// Response to a request: a status and a JSON document.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The document; empty if there is none.
    pub body: String,
}

impl Answer {
    /// A response with a document.
    pub fn json(status: u16, document: &impl Serialize) -> Self {
        #[expect(clippy::unwrap_used, reason = "the keys of documents are strings")]
        let body = serde_json::to_string(document).unwrap();
        Self { status, body }
    }

    fn write(&self) -> String {
        format!("{} {}", self.status, self.body)
    }

    fn read(text: &str) -> Option<Self> {
        let (status, body) = text.split_once(' ')?;
        Some(Self {
            status: status.parse().ok()?,
            body: body.to_owned(),
        })
    }
}

/// Identifies a request.
pub struct IdempotentCall<'a> {
    /// The caller.
    pub caller: &'a Caller,
    /// The bearer token.
    pub bearer: &'a Secret,
    /// The Idempotency-Key.
    pub key: &'a Secret,
    /// Method, path and body in canonical form.
    pub payload: [&'a str; 3],
}

/// Start of a request.
pub enum IdempotencyStart {
    /// The first one with its key.
    First(IdempotencyGuard),
    /// A repetition, with the stored response.
    Repeated(Answer),
}

/// The right to execute a request and store its response.
#[derive(Clone)]
pub struct IdempotencyGuard(Arc<Inner>);

struct Inner {
    id: Digest,
    lease: String,
    bound: String,
    key: SealKey,
    /// The counters of the caller's keys.
    keys: throttle::Guess,
    /// Counter for the encryption: a retried transaction may store another response, and no two may
    /// be sealed alike.
    sealed: AtomicU32,
    filed: AtomicBool,
}

impl IdempotencyGuard {
    /// Whether the use case has stored its response.
    pub fn is_filed(&self) -> bool {
        self.0.filed.load(Ordering::Acquire)
    }

    fn file(&self, conn: &mut Conn, answer: &Answer) -> Result<(), Error> {
        let count = self.0.sealed.fetch_add(1, Ordering::Relaxed);
        let sealed = self.0.key.seal(count, &self.0.bound, &answer.write());
        if !store::idempotency::mark_answered(conn, &self.0.id, &self.0.lease, &sealed)? {
            // The lease expired and another request runs: roll this effect back.
            return Err(Error::InProgress);
        }
        self.0.filed.store(true, Ordering::Release);
        Ok(())
    }
}

/// Stores the outcome of a use case in its transaction, so that a repetition gets it too.
#[derive(Clone)]
pub struct IdempotencyRecord {
    guard: IdempotencyGuard,
    write: Arc<Write>,
}

/// Creates the response from an outcome; `None` if the outcome has another type.
type Write = dyn Fn(&dyn Any) -> Option<Answer> + Send + Sync;

impl IdempotencyRecord {
    /// Stores the response that `write` creates from the outcome.
    pub fn of<T: 'static>(
        guard: &IdempotencyGuard,
        write: impl Fn(&T) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self {
            guard: guard.clone(),
            write: Arc::new(move |outcome| outcome.downcast_ref().map(&write)),
        }
    }
}

impl OutcomeRecord for IdempotencyRecord {
    fn file(&self, conn: &mut Conn, outcome: &dyn Any) -> Result<(), Error> {
        let answer = (self.write)(outcome).ok_or_else(|| {
            Error::internal("the response of a request with an Idempotency-Key has another type")
        })?;
        self.guard.file(conn, &answer)
    }
}

/// Starts a request, or returns its stored response. Fails with [`Error::InProgress`] while it is
/// running, with [`Error::KeyReused`] if the key belongs to another request, and with
/// [`Error::TooManyKeys`] if a new key would exceed the caller's number for a day.
pub async fn begin(app: &App, request: IdempotentCall<'_>) -> Result<IdempotencyStart, Error> {
    let now = app.now();
    let salt: SealSalt = app.random();
    let id = app.key().authenticate(
        "idempotency_record",
        &[&request.caller.identity(), request.key.expose()],
    );
    let new = Call {
        payload: app.key().authenticate("payload", &request.payload),
        lease: hex::encode(app.random::<16>()),
        leased_until: now + LEASE,
        created_at: now,
        salt: hex::encode(salt),
        answer: None,
        id,
    };
    let call = new.clone();
    let keys = throttle::idempotency_keys(request.caller);
    let counted = keys.clone();
    let count = move |conn: &mut Conn| {
        counted.count(conn, now).map_err(|error| match error {
            Error::Throttled(wait) => Error::TooManyKeys(wait),
            error => error,
        })
    };
    let answered = app
        .store()
        .write(move |conn| {
            let Some(old) = store::idempotency::find_call(conn, &call.id)? else {
                // A concurrent request was first; the retried transaction finds it.
                store::idempotency::insert_call(conn, &call).map_err(|error| match error {
                    store::Error::Duplicate => store::Error::Collision,
                    error => error,
                })?;
                count(conn)?;
                return Ok(None);
            };
            let is_kept = now < old.created_at + KEPT;
            if is_kept && !old.payload.matches(&call.payload) {
                return Err(Error::KeyReused);
            }
            if is_kept && old.answer.is_some() {
                return Ok(Some(old));
            }
            if is_kept && now < old.leased_until {
                return Err(Error::InProgress);
            }
            if !store::idempotency::take_over(conn, &call, &old.lease, now - KEPT)? {
                return Err(store::Error::Collision.into());
            }
            // A request that is kept was counted when it began.
            if !is_kept {
                count(conn)?;
            }
            Ok(None)
        })
        .await?;

    let secrets = [request.bearer, request.key];
    let bound = |call: &Call| format!("{} {}", call.id.as_str(), call.payload.as_str());
    let Some(call) = answered else {
        return Ok(IdempotencyStart::First(IdempotencyGuard(Arc::new(Inner {
            bound: bound(&new),
            key: SealKey::derive(&salt, &secrets),
            id: new.id,
            lease: new.lease,
            keys,
            sealed: AtomicU32::new(0),
            filed: AtomicBool::new(false),
        }))));
    };
    let opened = read_salt(&call.salt).and_then(|salt| {
        let key = SealKey::derive(&salt, &secrets);
        let text = key.open(&bound(&call), call.answer.as_deref()?)?;
        Answer::read(&text)
    });
    // A token's text never changes, but the operator is one caller with two tokens during a
    // rotation: neither can decrypt responses to the other.
    let is_operator = request.caller.is_operator();
    opened
        .map(IdempotencyStart::Repeated)
        .ok_or_else(|| match is_operator {
            true => Error::KeyReused,
            false => Error::Store(store::Error::Corrupt {
                table: "idempotency_record",
                column: "answer",
                id: call.id.as_str().to_owned(),
            }),
        })
}

fn read_salt(text: &str) -> Option<SealSalt> {
    hex::decode(text).ok()?.try_into().ok()
}

/// Stores the response to a request without effect, for repetitions.
pub async fn settle(app: &App, guard: &IdempotencyGuard, answer: Answer) -> Result<(), Error> {
    let guard = guard.clone();
    app.store()
        .write(move |conn| guard.file(conn, &answer))
        .await
}

/// Releases a request that had no effect and whose response may differ next time. Its key no longer
/// counts.
pub async fn release(app: &App, guard: &IdempotencyGuard) -> Result<(), Error> {
    let guard = guard.clone();
    app.store()
        .write(move |conn| {
            let Inner {
                id, lease, keys, ..
            } = &*guard.0;
            match store::idempotency::delete_unanswered(conn, id, lease)? {
                true => keys.undo(conn),
                false => Ok(()),
            }
        })
        .await
}

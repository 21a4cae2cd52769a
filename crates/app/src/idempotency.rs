//! Calls that take effect once, however often they are made (Idempotency-Key).
//!
//! [`begin`] takes a lease on the call, in a transaction of its own: whoever makes the same
//! call meanwhile is told to wait, on every server. The use case gets a [`IdempotencyRecord`] and files
//! the answer in the transaction of its effect, so that both are there or neither. A lease
//! whose holder crashed runs out, and the call can be made again.
//!
//! An answer may hold a token that is shown once. It is kept encrypted under a key that is
//! made of the caller's own token and the Idempotency-Key, neither of which is stored.

use super::{App, Error};
use chrono::Duration;
use domain::audit::Actor;
use domain::sealed::{SealKey, SealSalt};
use domain::secret::{Digest, Secret};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use store::Conn;
use store::idempotency::Call;

/// How long an answer is kept. Then the key is new.
pub const KEPT: Duration = Duration::hours(24);

/// How long a call may take before somebody else may begin it.
const LEASE: Duration = Duration::seconds(30);

/// What a call was answered: a status and a JSON document.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The document; empty if there is none.
    pub body: String,
}

impl Answer {
    /// An answer that holds a document.
    pub fn json(status: u16, document: &impl Serialize) -> Self {
        #[expect(clippy::unwrap_used, reason = "documents have text for keys")]
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

/// A call, as far as it can be told from another.
pub struct IdempotentCall<'a> {
    /// Who makes it.
    pub caller: &'a str,
    /// The token with which it is made.
    pub bearer: &'a Secret,
    /// The Idempotency-Key.
    pub key: &'a Secret,
    /// What is asked: the method, the path and the body in canonical form.
    pub payload: [&'a str; 3],
}

/// What becomes of a call.
pub enum IdempotencyStart {
    /// It is made for the first time.
    First(IdempotencyGuard),
    /// It was made before, and answered so.
    Repeated(Answer),
}

/// The right to carry out a call and to answer it.
#[derive(Clone)]
pub struct IdempotencyGuard(Arc<Inner>);

struct Inner {
    id: Digest,
    lease: String,
    bound: String,
    key: SealKey,
    /// Work may run again and file another answer; no two are sealed alike.
    sealed: AtomicU32,
    filed: AtomicBool,
}

impl IdempotencyGuard {
    /// Whether the use case filed its answer.
    pub fn is_filed(&self) -> bool {
        self.0.filed.load(Ordering::Acquire)
    }

    fn file(&self, conn: &mut Conn, answer: &Answer) -> Result<(), Error> {
        let count = self.0.sealed.fetch_add(1, Ordering::Relaxed);
        let sealed = self.0.key.seal(count, &self.0.bound, &answer.write());
        if !store::idempotency::mark_answered(conn, &self.0.id, &self.0.lease, &sealed)? {
            // The lease ran out, and somebody else is at work: this effect must not be.
            return Err(Error::InProgress);
        }
        self.0.filed.store(true, Ordering::Release);
        Ok(())
    }
}

/// What a use case files its outcome with, as the last act of its transaction.
pub struct IdempotencyRecord<T>(Option<(IdempotencyGuard, Arc<Write<T>>)>);

type Write<T> = dyn Fn(&T) -> Answer + Send + Sync;

impl<T> IdempotencyRecord<T> {
    /// For pages and the command line, which have other means against repetition.
    pub fn none() -> Self {
        Self(None)
    }

    /// Answers a call, in the words of `write`.
    pub fn of(
        guard: &IdempotencyGuard,
        write: impl Fn(&T) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self(Some((guard.clone(), Arc::new(write))))
    }

    /// Keeps the answer beside the effect. An error undoes both.
    pub fn file(&self, conn: &mut Conn, outcome: &T) -> Result<(), Error> {
        match &self.0 {
            Some((guard, write)) => guard.file(conn, &write(outcome)),
            None => Ok(()),
        }
    }
}

/// Begins a call, or tells what it was answered before. Fails with [`Error::InProgress`]
/// while it is at work elsewhere, and with [`Error::KeyReused`] if the key was another
/// call's.
pub async fn begin(app: &App, request: IdempotentCall<'_>) -> Result<IdempotencyStart, Error> {
    let now = app.now();
    let salt: SealSalt = app.random();
    let id = app.key().authenticate(
        "idempotency_record",
        &[request.caller, request.key.expose()],
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
    let answered = app
        .store()
        .write(move |conn| {
            let Some(old) = store::idempotency::find_call(conn, &call.id)? else {
                // Whoever began at the same moment was first; the work runs again and finds it.
                store::idempotency::insert_call(conn, &call).map_err(|error| match error {
                    store::Error::Duplicate => store::Error::Collision,
                    error => error,
                })?;
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
            match store::idempotency::take_over(conn, &call, &old.lease, now - KEPT)? {
                true => Ok(None),
                false => Err(store::Error::Collision.into()),
            }
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
            sealed: AtomicU32::new(0),
            filed: AtomicBool::new(false),
        }))));
    };
    let opened = read_salt(&call.salt).and_then(|salt| {
        let key = SealKey::derive(&salt, &secrets);
        let text = key.open(&bound(&call), call.answer.as_deref()?)?;
        Answer::read(&text)
    });
    // A token has its own text for life, but the operator is one caller with two tokens while
    // they rotate: what one was answered the other cannot open.
    let is_operator = request.caller.starts_with(Actor::Operator.kind());
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

/// Keeps the answer of a call that had no effect, so that a repetition gets the same.
pub async fn settle(app: &App, guard: &IdempotencyGuard, answer: Answer) -> Result<(), Error> {
    let guard = guard.clone();
    app.store()
        .write(move |conn| guard.file(conn, &answer))
        .await
}

/// Gives a call back that had no effect and no answer that would hold another time.
pub async fn release(app: &App, guard: &IdempotencyGuard) -> Result<(), Error> {
    let guard = guard.clone();
    app.store()
        .write(move |conn| {
            let Inner { id, lease, .. } = &*guard.0;
            Ok(store::idempotency::delete_unanswered(conn, id, lease)?)
        })
        .await
}

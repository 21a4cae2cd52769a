//! Secrets that a page shows once, after the redirect from the form that created them.
//!
//! A secret is encrypted and stored in the transaction that creates it. Its key is in a cookie for
//! the path of the page, and is not stored.

use super::outcome_record::OutcomeRecord;
use super::{App, Error};
use chrono::Duration;
use domain::sealed::{SealKey, SealSalt};
use domain::secret::{Digest, Secret};
use std::any::Any;
use store::Conn;
use store::sealed_text::SealedText;

/// How long a secret waits for its page.
pub const KEPT: Duration = Duration::minutes(10);

/// The key to the secret of the object with this id. It is the same for each form of a session, so
/// that of two answers to a double click either one leads to the secret.
pub fn key(app: &App, session: &Secret, id: &str) -> Secret {
    let key = app
        .key()
        .authenticate("one-time secret", &[session.expose(), id]);
    Secret::new(key.as_str())
}

/// Stores the secret that a use case creates, in its transaction.
pub struct SecretRecord {
    app: App,
    session: Secret,
    read: Box<Read>,
}

/// The id of the object and its secret, from an outcome; `None` if the outcome has another type.
type Read = dyn Fn(&dyn Any) -> Option<(String, Secret)> + Send + Sync;

impl SecretRecord {
    /// Stores the secret that `read` finds in the outcome, with the id of its object, for the
    /// session with this secret.
    pub fn of<T: 'static>(
        app: &App,
        session: &Secret,
        read: impl Fn(&T) -> (String, Secret) + Send + Sync + 'static,
    ) -> Self {
        Self {
            app: app.clone(),
            session: session.clone(),
            read: Box::new(move |outcome| outcome.downcast_ref().map(&read)),
        }
    }
}

impl OutcomeRecord for SecretRecord {
    fn file(&self, conn: &mut Conn, outcome: &dyn Any) -> Result<(), Error> {
        let (id, secret) = (self.read)(outcome)
            .ok_or_else(|| Error::internal("the outcome with a secret has another type"))?;
        let app = &self.app;
        // A retried transaction draws another salt, so that no key seals two texts.
        let salt: SealSalt = app.random();
        let key = SealKey::derive(&salt, &[&key(app, &self.session, &id)]);
        let new = SealedText {
            id: digest(app, &id),
            salt: hex::encode(salt),
            text: key.seal(0, &id, secret.expose()),
            expires_at: app.now() + KEPT,
            slot: None,
        };
        // The secret of an earlier change, such as a rotation, is void.
        store::sealed_text::delete_text(conn, &new.id)?;
        Ok(store::sealed_text::insert_text(conn, &new)?)
    }
}

/// Takes the secret of the object with this id: the first call with its key gets it and deletes it.
pub async fn take(app: &App, id: &str, key: &Secret) -> Result<Option<Secret>, Error> {
    let (digest, now) = (digest(app, id), app.now());
    let (id, key) = (id.to_owned(), key.clone());
    app.store()
        .write(move |conn| {
            let Some(found) = store::sealed_text::find_text(conn, &digest, now)? else {
                return Ok(None);
            };
            let opened = open(&found, &id, &key);
            match opened.is_some() && store::sealed_text::delete_text(conn, &digest)? {
                true => Ok::<_, Error>(opened),
                false => Ok(None),
            }
        })
        .await
}

fn open(found: &SealedText, id: &str, key: &Secret) -> Option<Secret> {
    let salt = hex::decode(&found.salt).ok()?.try_into().ok()?;
    let text = SealKey::derive(&salt, &[key]).open(id, &found.text)?;
    Some(Secret::new(text))
}

fn digest(app: &App, id: &str) -> Digest {
    app.key().authenticate("one-time secret of", &[id])
}

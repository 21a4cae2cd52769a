//! Forms that a page shows again with what was typed: after an error, a new sign-in or a wait.
//!
//! A form is encrypted under a key of the browser that sent it and of its random id, neither of
//! which is stored. It expires soon. Its size is limited, and the number of forms is fixed: a new
//! one replaces the oldest in its bucket.

use super::{App, Error, Request};
use chrono::Duration;
use domain::sealed::{SealKey, SealSalt};
use domain::secret::{Digest, Secret};
use store::Conn;
use store::sealed_text::{SealedText, Slot};

/// How long a form is kept.
pub const KEPT: Duration = Duration::minutes(10);

/// Maximum size of a form, in bytes.
const MAX_SIZE: usize = 20 * 1024;

/// Number of forms in a bucket: the most for one browser.
const SLOTS: i32 = 8;

/// Number of buckets for the forms of signed-in users. Visitors have as many of their own, so that
/// they cannot replace the forms of users.
const BUCKETS: u8 = 128;

/// The only reader of a form.
#[derive(Debug, Clone, Copy)]
pub struct FormReader<'a> {
    /// The secret of the browser.
    pub browser: &'a Secret,
    /// The user of the browser, in any form that identifies one.
    pub user: &'a str,
    /// The path of the page.
    pub page: &'a str,
}

impl FormReader<'_> {
    fn bound(&self) -> String {
        format!("{} {}", self.page, self.user)
    }

    fn key(&self, salt: &SealSalt, id: &Secret) -> SealKey {
        SealKey::derive(salt, &[self.browser, id])
    }
}

/// Saves a form. Returns its id for the URL of the page, or `None` if it is too large.
pub async fn save(
    req: &Request,
    reader: FormReader<'_>,
    form: &str,
) -> Result<Option<String>, Error> {
    if form.len() > MAX_SIZE {
        return Ok(None);
    }
    let app = &req.app;
    let (id, salt) = (Secret::from_random(&app.random::<16>()), app.random());
    let bucket = bucket(req, reader.browser);
    let now = app.now();
    let new = SealedText {
        id: digest(app, &id),
        salt: hex::encode(salt),
        text: reader.key(&salt, &id).seal(0, &reader.bound(), form),
        expires_at: now + KEPT,
        slot: None,
    };
    app.store()
        .write(move |conn| {
            let slot = Some(free_slot(conn, bucket)?);
            let new = SealedText {
                slot,
                ..new.clone()
            };
            // Another server took the slot; the retried transaction finds another one.
            store::sealed_text::insert_text(conn, &new).map_err(|error| match error {
                store::Error::Duplicate => store::Error::Collision,
                error => error,
            })?;
            Ok::<_, Error>(())
        })
        .await?;
    Ok(Some(id.expose().to_owned()))
}

/// A form that was saved for this reader.
pub async fn find(app: &App, reader: FormReader<'_>, id: &str) -> Result<Option<String>, Error> {
    let (id, now) = (Secret::new(id), app.now());
    let digest = digest(app, &id);
    let found = app
        .store()
        .read_one(move |conn| Ok::<_, Error>(store::sealed_text::find_text(conn, &digest, now)?))
        .await?;
    Ok(found.and_then(|found| {
        let salt = hex::decode(&found.salt).ok()?.try_into().ok()?;
        reader.key(&salt, &id).open(&reader.bound(), &found.text)
    }))
}

fn digest(app: &App, id: &Secret) -> Digest {
    app.key().authenticate("saved form", &[id.expose()])
}

/// The bucket of a browser.
fn bucket(req: &Request, browser: &Secret) -> i32 {
    let digest = req.app.key().authenticate("bucket", &[browser.expose()]);
    let number = u8::from_str_radix(&digest.as_str()[..2], 16).unwrap_or_default() % BUCKETS;
    match req.caller.signed_in() {
        Ok(_) => i32::from(number),
        Err(_) => i32::from(number) + i32::from(BUCKETS),
    }
}

/// A free slot of a bucket, or that of its oldest form, which is deleted.
fn free_slot(conn: &mut Conn, bucket: i32) -> Result<Slot, Error> {
    let taken = store::sealed_text::list_bucket(conn, bucket)?;
    let slots = (0..SLOTS).map(|number| Slot { bucket, number });
    for slot in slots {
        if !taken.iter().any(|text| text.slot == Some(slot)) {
            return Ok(slot);
        }
    }
    let oldest = taken.first().and_then(|text| Some((&text.id, text.slot?)));
    let (id, slot) = oldest.ok_or_else(|| Error::internal("a full bucket has no forms"))?;
    store::sealed_text::delete_text(conn, id)?;
    Ok(slot)
}

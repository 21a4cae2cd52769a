//! Pagination. A cursor is the position of the last item, authenticated with the server's key for
//! one list and one caller. Other callers can neither create nor use it.

use super::call::Call;
use crate::web::failure::Failure;
use actix_web::HttpResponse;
use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Instant;
use domain::page::{Page, Position};
use domain::secret::Key;
use serde::Serialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;
use utoipa::IntoParams;
use wire::api::{List, ListParameters};

/// Default number of items on a page.
const DEFAULT_LIMIT: u16 = 50;

/// Maximum number of items on a page.
const LARGEST_LIMIT: u16 = 100;

/// Requested page of a list, and the filters of the list.
pub struct Listing<'a, P> {
    /// Limit and start of the page.
    pub page: Page,
    /// Filters.
    pub filters: P,
    call: &'a Call,
    caller: String,
    /// Parameters of the filters as sent, sorted by name.
    sent: Vec<(String, String)>,
}

impl Call {
    /// Reads the requested page of a list, and its filters.
    pub fn listing<P: DeserializeOwned + IntoParams>(&self) -> Result<Listing<'_, P>, Failure> {
        let mut query = self.query()?;
        let ListParameters { limit, cursor } = query.take()?;
        let sent = query.rest();
        let filters = query.take()?;
        query.finish()?;
        let limit = match limit {
            None => DEFAULT_LIMIT,
            Some(text) => read_limit(&text).ok_or(Failure::Malformed(
                "The parameter limit must be a whole number from 1 to 100.",
            ))?,
        };
        let mut listing = Listing {
            page: Page { limit, after: None },
            filters,
            call: self,
            caller: self.caller.identity(),
            sent,
        };
        if let Some(cursor) = cursor {
            let after = listing.seal().read(&cursor);
            listing.page.after = Some(after.ok_or(Failure::InvalidCursor)?);
        }
        Ok(listing)
    }
}

impl<P> Listing<'_, P> {
    /// Id of the last item of the previous page, parsed by `read`.
    pub fn last<T>(&self, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (_, id) = self.page.after.as_ref()?;
        read(id)
    }

    /// Builds the response. `found` may have one item more than the page.
    pub fn answer<T, D: Serialize>(
        &self,
        mut found: Vec<T>,
        position: impl Fn(&T) -> Position,
        document: impl Fn(&T) -> D,
    ) -> HttpResponse {
        let goes_on = self.page.cut(&mut found);
        let last = found.last().filter(|_| goes_on);
        let next_cursor = last.map(|last| self.seal().write(&position(last)));
        let mut response = HttpResponse::Ok();
        if let Some(cursor) = &next_cursor {
            response.insert_header((header::LINK, self.link(cursor)));
        }
        response.json(List {
            items: found.iter().map(document).collect(),
            next_cursor,
        })
    }

    /// Link to the next page (RFC 8288).
    fn link(&self, cursor: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.page.limit.to_string());
        query.extend_pairs(&self.sent);
        query.append_pair("cursor", cursor);
        let query = query.finish();
        let public_url = &self.call.app.config().server.public_url;
        let list = public_url.join(&self.call.path);
        format!(r#"<{list}?{query}>; rel="next""#)
    }

    fn seal(&self) -> Seal<'_> {
        let mut bound = vec![self.call.path.as_str(), &self.caller];
        for (name, value) in &self.sent {
            bound.extend([name.as_str(), value.as_str()]);
        }
        Seal {
            key: self.call.app.key(),
            bound,
        }
    }
}

fn read_limit(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    let limit = text.parse().ok().filter(|_| is_number)?;
    (1..=LARGEST_LIMIT).contains(&limit).then_some(limit)
}

/// Creates and verifies the cursors of one list for one caller.
struct Seal<'a> {
    key: &'a Key,
    bound: Vec<&'a str>,
}

impl Seal<'_> {
    fn write(&self, (at, id): &Position) -> String {
        let at = at.timestamp_millis().to_string();
        let parts: Vec<_> = [at.as_str(), id]
            .into_iter()
            .chain(self.bound.iter().copied())
            .collect();
        let mac = self.key.authenticate("cursor", &parts);
        URL_SAFE_NO_PAD.encode(format!("{at}.{id}.{}", mac.as_str()))
    }

    fn read(&self, cursor: &str) -> Option<Position> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (at, rest) = text.split_once('.')?;
        let (id, _) = rest.rsplit_once('.')?;
        let at = Instant::from_timestamp_millis(at.parse().ok()?)?;
        let position = (at, id.to_owned());
        let is_ours: bool = self
            .write(&position)
            .as_bytes()
            .ct_eq(cursor.as_bytes())
            .into();
        is_ours.then_some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        let at = Instant::from_timestamp_millis(1_795_305_600_123).expect("a moment");
        (at, "tok_0197b9c000007000800000000000000a".to_owned())
    }

    #[test]
    fn cursor_is_valid_only_for_its_list_and_caller() {
        let key = Key::new([1; 32]);
        let seal = |bound: &[&'static str]| Seal {
            key: &key,
            bound: bound.to_vec(),
        };
        let own = seal(&["/v1/tokens", "tok_1", "state", "live"]);
        let cursor = own.write(&position());
        assert_eq!(own.read(&cursor), Some(position()));
        for other in [
            seal(&["/v1/audit", "tok_1", "state", "live"]),
            seal(&["/v1/tokens", "tok_2", "state", "live"]),
            seal(&["/v1/tokens", "tok_1", "state", "revoked"]),
            seal(&["/v1/tokens", "tok_1"]),
            Seal {
                key: &Key::new([2; 32]),
                bound: own.bound.clone(),
            },
        ] {
            assert_eq!(other.read(&cursor), None);
        }
    }

    #[test]
    fn modified_cursor_is_rejected() {
        let key = Key::new([1; 32]);
        let seal = Seal {
            key: &key,
            bound: vec!["/v1/tokens", "tok_1"],
        };
        let cursor = seal.write(&position());
        for (at, letter) in cursor.char_indices() {
            let mut changed = cursor.clone();
            changed.replace_range(at..=at, if letter == 'A' { "B" } else { "A" });
            assert_eq!(seal.read(&changed), None, "{at}");
        }
        let forged = URL_SAFE_NO_PAD.encode("1795305600123.tok_1.00");
        for bad in [
            "",
            "=",
            "é",
            "abc",
            &cursor[1..],
            &format!("{cursor}="),
            &forged,
        ] {
            assert_eq!(seal.read(bad), None, "{bad}");
        }
    }

    #[test]
    fn limit_is_a_whole_number_from_1_to_100() {
        for (text, limit) in [("1", Some(1)), ("100", Some(100)), ("050", Some(50))] {
            assert_eq!(read_limit(text), limit);
        }
        for bad in [
            "0",
            "101",
            "-1",
            "+1",
            "1.5",
            "ten",
            "99999999999999999999",
            " 1",
        ] {
            assert_eq!(read_limit(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn cursors_never_panic(text: String) {
            let key = Key::new([1; 32]);
            let seal = Seal { key: &key, bound: Vec::new() };
            let _ = seal.read(&text);
            let _ = seal.read(&URL_SAFE_NO_PAD.encode(&text));
        }
    }
}

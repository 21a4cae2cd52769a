//! Headers that several modules read or set.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Header with the request id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The place of a request in a distributed trace.
pub const TRACE: HeaderName = HeaderName::from_static("traceparent");

/// Forbids caches to store a response.
pub fn no_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}

//! A complete HTTP response, before it is interpreted.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::output::plain;
use domain::name::shorten;
use wire::api::Problem;

/// An HTTP response with its whole body.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether a later retry of the same request may succeed.
    pub fn is_passing(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// The `Retry-After` pause in seconds; the HTTP-date form is ignored.
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        Some(Duration::from_secs(value.trim().parse().ok()?))
    }

    /// The missing scope that the response names (RFC 6750 section 3).
    pub fn missing_scope(&self) -> Option<String> {
        let challenges = self.headers.get_all(WWW_AUTHENTICATE).iter();
        challenges
            .filter_map(|value| value.to_str().ok())
            .filter(|challenge| challenge.contains(r#"error="insufficient_scope""#))
            .find_map(|challenge| {
                let (_, rest) = challenge.split_once(r#" scope=""#)?;
                let (scope, _) = rest.split_once('"')?;
                Some(plain(scope).into_owned())
            })
    }

    /// How recent the sign-in of the token's owner must be, in seconds, if that is why the request is
    /// refused (RFC 9470 section 3).
    pub fn needed_sign_in(&self) -> Option<u64> {
        let challenges = self.headers.get_all(WWW_AUTHENTICATE).iter();
        challenges
            .filter_map(|value| value.to_str().ok())
            .filter(|challenge| challenge.contains(r#"error="insufficient_user_authentication""#))
            .find_map(|challenge| {
                let (_, rest) = challenge.split_once(" max_age=")?;
                let rest = rest.trim_start_matches('"');
                let end = rest.find(|c: char| !c.is_ascii_digit());
                rest[..end.unwrap_or(rest.len())].parse().ok()
            })
    }

    /// Whether the server applied `Prefer: wait` (RFC 7240 section 3).
    pub fn was_held(&self) -> bool {
        self.headers
            .get_all("Preference-Applied")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|preference| preference.split(['=', ';']).next())
            .any(|name| name.trim().eq_ignore_ascii_case("wait"))
    }

    /// The detail of a problem response (RFC 9457), if the body is one.
    pub fn problem(&self) -> Option<String> {
        let problem: Problem = serde_json::from_slice(&self.body).ok()?;
        let text = format!("{} (request {})", problem.detail, problem.request_id);
        Some(plain(&text).into_owned())
    }

    /// A description of the body if it is a web page, such as the sign-in page of a proxy.
    pub fn web_page(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        // ASCII only, so that positions are the same in both.
        let lower = text.to_ascii_lowercase();
        let kind = self.headers.get(CONTENT_TYPE);
        let html = kind.is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
            || ["<!doctype html", "<html"]
                .iter()
                .any(|start| lower.trim_start().starts_with(start));
        if !html {
            return None;
        }
        let title = || {
            let tag = lower.find("<title")?;
            let start = tag + lower[tag..].find('>')? + 1;
            let end = start + lower[start..].find('<')?;
            let words: Vec<_> = text[start..end].split_whitespace().collect();
            let title = shorten(&plain(&words.join(" ")));
            (!title.is_empty()).then(|| format!(" (title \"{title}\")"))
        };
        Some(format!(
            "it is a web page{}, perhaps the sign-in page of a proxy or a portal",
            title().unwrap_or_default()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderName;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.into(),
        }
    }

    #[test]
    fn only_an_applied_wait_preference_means_held() {
        for (value, held) in [
            ("wait=25", true),
            ("Wait", true),
            ("respond-async, wait=5", true),
            ("wait; a=b", true),
            ("waiting=5", false),
            ("return=minimal", false),
            ("", false),
        ] {
            let answer = answer(400, &[("preference-applied", value)], "");
            assert_eq!(answer.was_held(), held, "{value:?}");
        }
        assert!(!answer(400, &[], "").was_held());
    }

    #[test]
    fn only_a_scope_that_the_token_lacks_is_named() {
        for (value, scope) in [
            (
                r#"Bearer realm="D", error="insufficient_scope", scope="audit:read""#,
                Some("audit:read"),
            ),
            (r#"Bearer realm="D", error="insufficient_scope""#, None),
            (r#"Bearer realm="D", scope="audit:read""#, None),
            ("Basic", None),
        ] {
            let answer = answer(403, &[("www-authenticate", value)], "");
            assert_eq!(answer.missing_scope().as_deref(), scope, "{value}");
        }
    }

    #[test]
    fn challenge_says_how_recent_the_sign_in_must_be() {
        let start = r#"Bearer realm="D", error="insufficient_user_authentication""#;
        for (rest, seconds) in [
            (
                r#", max_age="300", confirm_uri="https://a.example""#,
                Some(300),
            ),
            (", max_age=60", Some(60)),
            (r#", max_age="soon""#, None),
            ("", None),
        ] {
            let value = format!("{start}{rest}");
            let answer = answer(401, &[("www-authenticate", &value)], "");
            assert_eq!(answer.needed_sign_in(), seconds, "{value}");
        }
        let other = r#"Bearer error="invalid_token", max_age="300""#;
        let answer = answer(401, &[("www-authenticate", other)], "");
        assert_eq!(answer.needed_sign_in(), None);
    }

    #[test]
    fn overload_and_server_errors_can_be_retried_after_the_given_pause() {
        for (status, passing) in [
            (200, false),
            (400, false),
            (401, false),
            (429, true),
            (503, true),
        ] {
            assert_eq!(answer(status, &[], "").is_passing(), passing, "{status}");
        }
        let pause = |value| answer(429, &[("retry-after", value)], "").retry_after();
        assert_eq!(pause(" 7 "), Some(Duration::from_secs(7)));
        for unread in ["", "-1", "1.5", "Fri, 31 Dec 1999 23:59:59 GMT"] {
            assert_eq!(pause(unread), None, "{unread:?}");
        }
    }

    #[test]
    fn problem_text_has_no_control_characters() {
        let body = r#"{ "type": "t", "title": "t", "status": 500, "code": "c",
            "detail": "No\u001b[2J disk.", "request_id": "r1" }"#;
        let told = answer(500, &[], body).problem();
        assert_eq!(told.as_deref(), Some("No[2J disk. (request r1)"));
        assert_eq!(answer(500, &[], "<html>").problem(), None);
    }

    #[test]
    fn web_page_is_described_by_its_title() {
        let html = &[("content-type", "text/html; charset=utf-8")][..];
        let described = |headers, body| answer(200, headers, body).web_page();
        let titled = |title| {
            Some(format!(
                "it is a web page{title}, perhaps the sign-in page of a proxy or a portal"
            ))
        };
        for (body, title) in [
            (
                "<html><TITLE lang=en>Hotel\n  Wi-Fi</title>",
                " (title \"Hotel Wi-Fi\")",
            ),
            (
                "<!DOCTYPE html><title>\u{1b}[2J</title>",
                " (title \"[2J\")",
            ),
            ("\n<html><p>İ<title>é</title>", " (title \"é\")"),
            ("<html><title></title>", ""),
            ("<html><title", ""),
        ] {
            assert_eq!(described(&[], body), titled(title), "{body:?}");
        }
        assert_eq!(described(html, "<p>hello</p>"), titled(""));
        assert_eq!(described(&[], "{}"), None);
    }
}

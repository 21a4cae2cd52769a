//! Protection of forms against cross-site request forgery.

use super::failure::Failure;
use actix_web::HttpRequest;
use app::App;
use domain::secret::{Digest, Key, Secret};
use std::fmt;

/// Rejects cross-site requests. Browsers send `Sec-Fetch-Site`; older ones send `Origin`.
pub fn check_site(app: &App, request: &HttpRequest) -> Result<(), Failure> {
    let public_url = &app.config().server.public_url;
    let text = |name| {
        let value = request.headers().get(name);
        value.map(|value| value.to_str().unwrap_or("unreadable"))
    };
    let is_ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        // Under `Referrer-Policy: no-referrer`, browsers without `Sec-Fetch-Site` send `null`. In
        // a secure context (https or loopback), browsers send `Sec-Fetch-Site`.
        (None, Some("null")) => !public_url.is_https() && !public_url.is_loopback(),
        (None, Some(origin)) => origin == public_url.origin(),
        (None, None) => true,
    };
    if is_ours {
        Ok(())
    } else {
        Err(Failure::CrossSite)
    }
}

/// What the CSRF token of a form proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormProof {
    /// This browser got the form in its current session, or without one if it has none.
    Session,
    /// This browser got the form before its session began, ended or was replaced.
    Browser,
    /// Nothing: the form may come from anywhere.
    None,
}

/// The CSRF token of the forms of a browser: one digest for the browser, one for its session.
pub struct CsrfToken {
    browser: Digest,
    session: Digest,
}

impl CsrfToken {
    /// The token for a visitor secret and the value of the session cookie.
    pub fn new(key: &Key, visitor: &Secret, session: Option<&Secret>) -> Self {
        let (visitor, session) = (visitor.expose(), session.map_or("", Secret::expose));
        Self {
            browser: key.authenticate("form-of-browser", &[visitor]),
            session: key.authenticate("form", &[visitor, session]),
        }
    }

    /// Compares it with the token of a form.
    pub fn proof(&self, given: &str) -> FormProof {
        let (browser, session) = match given.split_at_checked(self.browser.as_str().len()) {
            Some((browser, session)) if session.len() == self.session.as_str().len() => {
                (browser, session)
            }
            _ => return FormProof::None,
        };
        let is = |given: &str, expected: &Digest| {
            expected.matches(&Digest::from_stored(given.to_owned()))
        };
        match (is(browser, &self.browser), is(session, &self.session)) {
            (true, true) => FormProof::Session,
            (true, false) => FormProof::Browser,
            (false, _) => FormProof::None,
        }
    }
}

impl fmt::Display for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.browser.as_str(), self.session.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_proves_browser_and_session() {
        let key = Key::new([1; 32]);
        let token = |visitor: &str, session: Option<&str>| {
            CsrfToken::new(
                &key,
                &Secret::new(visitor),
                session.map(Secret::new).as_ref(),
            )
        };
        let ours = token("v", Some("s"));
        let text = ours.to_string();
        assert_eq!(ours.proof(&text), FormProof::Session);
        for session in [None, Some("t")] {
            let earlier = token("v", session).to_string();
            assert_eq!(ours.proof(&earlier), FormProof::Browser);
        }
        for session in [None, Some("s"), Some("t")] {
            let other = token("w", session).to_string();
            assert_eq!(ours.proof(&other), FormProof::None);
        }
        let without_session = &text[..64];
        let mixed = format!("{}{}", &token("w", None).to_string()[..64], &text[64..]);
        let wide = "ä".repeat(64);
        for broken in [
            "",
            "x",
            without_session,
            &text[..127],
            &text[1..],
            &mixed,
            &wide,
        ] {
            assert_eq!(ours.proof(broken), FormProof::None, "{broken}");
        }
        assert_eq!(ours.proof(&text.to_uppercase()), FormProof::None);
    }
}

//! Second factors: the step of a sign-in, the authenticator app and the recovery codes.

use super::filters;
use super::{Chrome, FieldErrors, Moment};
use askama::Template;
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// What a page passes to the browser for a ceremony with a passkey.
#[derive(Debug, Clone)]
pub struct Ceremony {
    /// The sealed state, sent back by the form.
    pub state: String,
    /// The challenge, in base64url.
    pub challenge: String,
    /// The host to which passkeys belong.
    pub host: String,
}

/// `/account/security/passkeys`. Posts to the same path the field `name` and a response.
#[derive(Template)]
#[template(path = "passkeys.html")]
pub struct PasskeysPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The passkeys of the user, the oldest first.
    pub passkeys: Vec<PasskeyRow>,
    /// Their credentials, separated by spaces.
    pub known: String,
    /// The id of the user.
    pub user_id: String,
    /// The email of the user.
    pub email: String,
    /// The typed name.
    pub name: String,
    /// The ceremony that adds one; `None` if the server has no passkeys.
    pub begun: Option<Ceremony>,
    /// Form errors; field `name`.
    pub errors: FieldErrors,
}

/// A passkey in the list.
pub struct PasskeyRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was added.
    pub added: Moment,
    /// When the user last signed in with it.
    pub last_used: Option<Moment>,
}

/// `/account/security/passkeys/{passkey}`. Posts to `…/name` the field `name`, and to `…/remove`.
#[derive(Debug, Template)]
#[template(path = "passkey.html")]
pub struct PasskeyPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The id of the passkey.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The typed name.
    pub typed: String,
    /// Form errors; field `name`.
    pub errors: FieldErrors,
}

/// `/login/factor`. Posts to the same path the fields `link` and `code`, or a response of a passkey.
#[derive(Template)]
#[template(path = "login_factor.html")]
pub struct LoginFactorPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The sealed first step, sent back by the form.
    pub link: String,
    /// The email of the user who signs in.
    pub email: String,
    /// Whether the user has an authenticator app.
    pub has_authenticator: bool,
    /// The ceremony with a passkey; `None` if the user has none.
    pub passkey: Option<Ceremony>,
    /// The credentials of the passkeys, separated by spaces.
    pub known: String,
    /// Form errors; field `code`.
    pub errors: FieldErrors,
}

/// `/login/factor` without a sign-in that waits.
#[derive(Debug, Template)]
#[template(path = "login_factor_closed.html")]
pub struct LoginFactorClosedPage {
    /// The page frame.
    pub chrome: Chrome,
}

/// `/account/security/totp`. Posts to the same path the fields `sealed` and `code`, and to
/// `/account/security/totp/remove`.
#[derive(Template)]
#[template(path = "authenticator.html")]
pub struct AuthenticatorPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The app, or the secret for one.
    pub state: AuthenticatorState,
    /// Form errors; field `code`.
    pub errors: FieldErrors,
}

/// The authenticator app of a user.
pub enum AuthenticatorState {
    /// There is none, and this secret is offered.
    Offered {
        /// The QR code; `None` if the name of the server is too long for one.
        qr: Option<QrPicture>,
        /// The secret in groups, to be typed.
        secret: String,
        /// The sealed secret, sent back by the form.
        sealed: String,
    },
    /// There is one.
    Present(Box<AuthenticatorTimes>),
}

/// What a user may want to know of an authenticator app.
pub struct AuthenticatorTimes {
    /// When it was added.
    pub added: Moment,
    /// When the user last signed in with it.
    pub last_used: Option<Moment>,
}

/// `/account/security/recovery-codes`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "recovery_codes.html")]
pub struct RecoveryPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The number of codes that are left.
    pub left: usize,
    /// Whether the user has a second factor.
    pub has_factor: bool,
    /// Form errors, of the whole form.
    pub errors: FieldErrors,
}

/// `/account/security/recovery-codes/secret`.
#[derive(Template)]
#[template(path = "recovery_codes_new.html")]
pub struct NewCodesPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The new codes; `None` if they were shown before.
    pub codes: Option<Vec<String>>,
}

/// A QR code as an SVG path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrPicture {
    /// Modules of a side, with the quiet zone.
    pub side: usize,
    /// The dark modules.
    pub path: String,
}

/// The light modules around a QR code (ISO/IEC 18004 section 9.1).
const QUIET: usize = 4;

/// The QR code of a text; `None` if it is too long.
pub fn qr(text: &str) -> Option<QrPicture> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (at % width + QUIET, at / width + QUIET);
            // Writing to a text cannot fail.
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    let side = width + 2 * QUIET;
    Some(QrPicture { side, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qr_code_has_its_finder_patterns_within_the_quiet_zone() {
        let drawn = qr("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ").unwrap();
        let is_dark = |x: usize, y: usize| drawn.path.contains(&format!("M{x} {y}h1"));
        let last = drawn.side - QUIET - 1;
        for (x, y) in [(QUIET, QUIET), (last, QUIET), (QUIET, last)] {
            assert!(is_dark(x, y), "{x} {y}");
        }
        assert!(!is_dark(QUIET + 1, QUIET + 1) && !is_dark(QUIET - 1, QUIET));
        assert_eq!(qr(&"x".repeat(3_000)), None);
    }
}

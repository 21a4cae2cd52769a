//! Users and their browser sessions.

use super::id::{SessionId, UserId};
use super::identity::SessionIdentity;
use super::{Fault, Instant, name};
use chrono::Duration;
use email_address::EmailAddress;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use std::net::IpAddr;
use unicode_normalization::UnicodeNormalization;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its identifier.
    pub id: UserId,
    /// The email address for sign-in, in the form of [`email`]; unique on the server.
    pub email: String,
    /// The display name.
    pub name: String,
    /// The argon2id hash of the password, with its parameters; empty for a user without a password,
    /// whom an identity provider signs in.
    pub password_hash: String,
    /// Whether the user may sign in.
    pub standing: Standing,
    /// When the user was created.
    pub created_at: Instant,
    /// Whether the user's tokens need an organization: `false` for a user whom the operator created
    /// without one, until the user joins one that the operator created.
    pub needs_organization: bool,
    /// When the address was verified by the user, or marked as verified by the operator; `None` if
    /// it is not verified.
    pub email_verified_at: Option<Instant>,
    /// Whether the password must be changed before anything else, since the operator set it.
    pub must_change_password: bool,
    /// Whether the operator of the server marked the user as one; see [`Self::may_operate`].
    pub is_operator: bool,
}

/// Whether a user is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The user may sign in.
    Active,
    /// The user was deactivated; the sessions have ended and the tokens are inactive.
    Deactivated,
}

impl User {
    /// The hash of the password; `None` for a user without a password.
    pub fn password(&self) -> Option<&str> {
        Some(self.password_hash.as_str()).filter(|hash| !hash.is_empty())
    }

    /// Whether the user may act as the operator in a browser. A user without a verified address may
    /// not: another user may prove to have the address, and take over this one.
    pub fn may_operate(&self) -> bool {
        self.is_operator
            && self.standing == Standing::Active
            && self.email_verified_at.is_some()
            && !self.must_change_password
    }

    /// Whether the address goes to another user who proves it: an unverified address may be that
    /// of another. A deactivated user keeps it until the operator decides.
    pub fn yields_address(&self) -> bool {
        self.standing == Standing::Active && self.email_verified_at.is_none()
    }

    /// An address in place of the one that the user lost. No user can sign in with it.
    pub fn placeholder(&self) -> String {
        format!("{}@unverified.{RESERVED}", self.id)
    }
}

/// The top-level domain of placeholders, which has no mail (RFC 2606 section 2).
const RESERVED: &str = "invalid";

/// Whether an address is a placeholder. [`email`] refuses these.
pub fn is_placeholder(email: &str) -> bool {
    let domain = email.rsplit_once('@').map(|(_, domain)| domain);
    domain.and_then(|domain| domain.rsplit('.').next()) == Some(RESERVED)
}

/// The maximum length of an email address (RFC 5321 section 4.5.3.1.3, without the brackets).
const EMAIL_LENGTH: usize = 254;

/// Checks an email address and converts it to its canonical form, in which it is stored and looked
/// up, so that two spellings of one address never belong to two users: the domain in ASCII (UTS
/// #46, non-transitional), the local part in normalization form C, both in lower case.
pub fn email(text: &str) -> Result<String, Fault> {
    let fault = |message: &str| Fault::new("email", message);
    let malformed = || fault("Enter an email address, such as ada@example.com.");
    let text = text.trim();
    if text.chars().count() > EMAIL_LENGTH {
        return Err(fault("Use at most 254 characters."));
    }
    let is_quoted = text.contains(['"', '<', '>', ' ']);
    let parts = text.rsplit_once('@').filter(|_| !is_quoted);
    let (local, domain) = parts.ok_or_else(malformed)?;
    if local.is_empty() || domain.is_empty() {
        return Err(malformed());
    }
    name::check_characters(local).map_err(|flaw| fault(&flaw.to_string()))?;
    // Lower case can be written with a decomposed letter: İ becomes i and U+0307.
    let local: String = local
        .nfc()
        .collect::<String>()
        .to_lowercase()
        .nfc()
        .collect();
    let domain = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| fault("The part after the @ is not a domain name. Check its spelling."))?;
    let email = format!("{local}@{domain}");
    if email.len() > EMAIL_LENGTH || !EmailAddress::is_valid(&email) {
        return Err(malformed());
    }
    if is_placeholder(&email) {
        return Err(fault(
            "Addresses that end in .invalid receive no mail. Enter another address.",
        ));
    }
    Ok(email)
}

/// A browser session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Identifies the session on pages; it is not the cookie.
    pub id: SessionId,
    /// The signed-in user.
    pub user_id: UserId,
    /// When the user signed in.
    pub created_at: Instant,
    /// When the session was last used; written at most once a minute.
    pub last_seen_at: Instant,
    /// The IP address at sign-in.
    pub address: IpAddr,
    /// The `User-Agent` of the browser.
    pub user_agent: String,
    /// The identity with which the user signed in; `None` after a sign-in with a password.
    pub identity: Option<SessionIdentity>,
}

/// The timeouts of sessions.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// The longest time without a request.
    pub idle: Duration,
    /// The longest time since the sign-in.
    pub absolute: Duration,
}

/// How stale `last_seen_at` may become before it is written again.
pub const SEEN_EVERY: Duration = Duration::minutes(1);

impl Session {
    /// Whether the session is valid at a moment.
    pub fn is_live(&self, now: Instant, limits: SessionLimits) -> bool {
        now - self.last_seen_at < limits.idle && now - self.created_at < limits.absolute
    }

    /// When the user proved who they are. `None` if an identity provider did not state it.
    pub fn authenticated_at(&self) -> Option<Instant> {
        match &self.identity {
            Some(begun) => begun.authenticated_at,
            None => Some(self.created_at),
        }
    }

    /// Whether the user proved who they are less than this time ago.
    pub fn is_recent(&self, now: Instant, within: Duration) -> bool {
        let authenticated_at = self.authenticated_at();
        authenticated_at.is_some_and(|at| (now - at).abs() < within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUCHER: &str = "ada@xn--bcher-kva.example";

    #[test]
    fn all_spellings_of_an_address_have_one_form() {
        for (text, canonical) in [
            (" Ada@Example.COM \n", "ada@example.com"),
            ("ada+doorcode@mail.example", "ada+doorcode@mail.example"),
            ("root@localhost", "root@localhost"),
            ("ada@BÜCHER.example", BUCHER),
            ("ada@bücher.example", BUCHER),
            ("ada@bu\u{308}cher.example", BUCHER),
            ("ADA@XN--BCHER-KVA.EXAMPLE", BUCHER),
            // Full-width letters, an ideographic full stop and a soft hyphen.
            ("ada@ｂüｃｈｅｒ\u{3002}exam\u{ad}ple", BUCHER),
            // Non-transitional: ß is not ss.
            ("ada@straße.example", "ada@xn--strae-oqa.example"),
            ("ada@STRASSE.example", "ada@strasse.example"),
            ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
            ("ada@a--b.example", "ada@a--b.example"),
            ("ZOE\u{308}@example.com", "zoë@example.com"),
            ("zoë@example.com", "zoë@example.com"),
        ] {
            assert_eq!(email(text).as_deref(), Ok(canonical), "{text:?}");
        }
        for reserved in ["usr_1@unverified.invalid", "a@INVALID", "a@b.invalid"] {
            assert!(email(reserved).is_err(), "{reserved}");
        }
        let longest = format!("{}@{}.example", "x".repeat(64), "y".repeat(63));
        assert_eq!(email(&longest).as_deref(), Ok(&*longest));
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        const MALFORMED: &str = "Enter an email address, such as ada@example.com.";
        const DOMAIN: &str = "The part after the @ is not a domain name. Check its spelling.";
        for (text, message) in [
            ("", MALFORMED),
            ("ada", MALFORMED),
            ("ada@", MALFORMED),
            ("@x", MALFORMED),
            ("a b@example.com", MALFORMED),
            ("a@b@c", MALFORMED),
            ("Ada <a@b.c>", MALFORMED),
            ("\"ada\"@example.com", MALFORMED),
            (".ada@example.com", MALFORMED),
            ("a\n@b.c", "Leave out the control character U+000A."),
            ("a\u{200b}@b.c", "Leave out the invisible character U+200B."),
            (
                "a\u{202e}@b.c",
                "Leave out U+202E, which changes the direction of text.",
            ),
            ("ada@[127.0.0.1]", DOMAIN),
            ("ada@example..com", DOMAIN),
            ("ada@example.com.", DOMAIN),
            ("ada@-example.com", DOMAIN),
            ("ada@exa_mple.com", DOMAIN),
            ("ada@xn--a.example", DOMAIN),
            ("ada@exa\u{202e}mple.com", DOMAIN),
            ("ada@exam/ple.com", DOMAIN),
            (
                "usr_1@Erased.Invalid",
                "Addresses that end in .invalid receive no mail. Enter another address.",
            ),
            (
                "ada@unverified\u{3002}invalid",
                "Addresses that end in .invalid receive no mail. Enter another address.",
            ),
            (&format!("ada@{}.example", "x".repeat(64)), DOMAIN),
            (
                &format!("{}@example.com", "x".repeat(243)),
                "Use at most 254 characters.",
            ),
            (
                &format!("ada@{}", "é".repeat(251)),
                "Use at most 254 characters.",
            ),
        ] {
            let fault = email(text).expect_err(text);
            assert_eq!(
                (fault.field, &*fault.message),
                ("email", message),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), domain in any::<String>()) {
            let _ = (email(&text), email(&format!("ada@{domain}")));
        }

        #[test]
        fn the_canonical_form_is_its_own(
            local in "[A-Za-zÀ-ÖİΣσςß\u{300}-\u{308}.+]{1,10}",
            domain in "[A-Za-zÀ-ÖßΣςａ-ｚ\u{308}-]{1,10}(\\.|。)[A-Za-zü]{2,4}",
        ) {
            if let Ok(canonical) = email(&format!("{local}@{domain}")) {
                prop_assert_eq!(email(&canonical), Ok(canonical.clone()));
                let (_, domain) = canonical.rsplit_once('@').unwrap();
                prop_assert!(domain.is_ascii() && !canonical.contains(char::is_uppercase));
                prop_assert!(unicode_normalization::is_nfc(&canonical));
            }
        }

        /// Case and normalization form make no difference.
        #[test]
        fn spellings_agree(local in "[a-zà-öø-ý]{1,10}", domain in "[a-zà-öø-ý]{1,10}") {
            let plain = format!("{local}@{domain}.example");
            let canonical = email(&plain);
            prop_assert!(canonical.is_ok(), "{plain}");
            for spelled in [
                plain.to_uppercase(),
                plain.nfd().collect(),
                plain.to_uppercase().nfd().collect(),
                format!("\t{plain} "),
                canonical.clone().unwrap(),
            ] {
                prop_assert_eq!(email(&spelled), canonical.clone(), "{}", spelled);
            }
        }
    }
}

//! Second factors: what a user proves besides the password.

use super::Instant;
use super::id::{PasskeyId, UserId};
use super::secret::{Digest, Key};
use std::fmt;

/// How a second factor was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// A value of the authenticator app.
    Totp,
    /// A recovery code.
    RecoveryCode,
    /// A passkey.
    Passkey,
}

impl Factor {
    /// Its word in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Passkey => "passkey",
        }
    }
}

/// The authenticator app of a user, with its encrypted secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticator {
    /// The salt of the key, in hexadecimal.
    pub salt: String,
    /// The encrypted secret.
    pub secret: String,
    /// When it was added.
    pub created_at: Instant,
    /// When the user last signed in with it.
    pub last_used_at: Option<Instant>,
    /// The time step of the last value that was used; see [`super::totp`].
    pub last_step: i64,
}

/// A passkey of a user; see [`super::webauthn`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Its identifier.
    pub id: PasskeyId,
    /// The id of the credential, in base64url.
    pub credential: String,
    /// The user.
    pub user_id: UserId,
    /// The name that the user gave it.
    pub name: String,
    /// The key as COSE, in hexadecimal.
    pub public_key: String,
    /// The number of the last signature.
    pub counter: u32,
    /// When it was added.
    pub created_at: Instant,
    /// When the user last signed in with it.
    pub last_used_at: Option<Instant>,
}

/// Number of recovery codes of a user.
pub const RECOVERY_CODES: usize = 10;

/// Random bytes of a recovery code.
pub const RECOVERY_CODE_BYTES: usize = 10;

/// Letters and digits without those that look alike (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters of a recovery code.
const LENGTH: usize = RECOVERY_CODE_BYTES * 8 / 5;

/// A recovery code, which replaces another factor once: 80 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

impl RecoveryCode {
    /// The code of random bytes.
    pub fn from_random(bytes: [u8; RECOVERY_CODE_BYTES]) -> Self {
        let bits = bytes
            .into_iter()
            .fold(0u128, |bits, byte| bits << 8 | u128::from(byte));
        let digit = |at: usize| ALPHABET[(bits >> (5 * at) & 31) as usize];
        Self((0..LENGTH).rev().map(digit).map(char::from).collect())
    }

    /// Parses a code as typed: in any case, with any spaces and dashes. `None` if it cannot be one.
    pub fn parse(typed: &str) -> Option<Self> {
        // A pasted page is not a code; parsing all of it would waste time.
        if typed.len() > 200 {
            return None;
        }
        let mut code = String::with_capacity(LENGTH);
        for c in typed.chars().filter(|c| c.is_ascii_alphanumeric()) {
            let c = match c.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                c => c,
            };
            if !ALPHABET.contains(&u8::try_from(c).ok()?) || code.len() == LENGTH {
                return None;
            }
            code.push(c);
        }
        (code.len() == LENGTH).then_some(Self(code))
    }

    /// The stored form: a keyed digest for its user. The code is random, so that a slow hash adds
    /// nothing.
    pub fn digest(&self, key: &Key, user_id: &str) -> Digest {
        key.authenticate("recovery code", &[user_id, &self.0])
    }
}

impl fmt::Display for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, two, three, four) = (&self.0[..4], &self.0[4..8], &self.0[8..12], &self.0[12..]);
        write!(f, "{one}-{two}-{three}-{four}")
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_spelling_of_a_recovery_code_reads_back() {
        let code =
            RecoveryCode::from_random([0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf]);
        assert_eq!(code.to_string(), "0123-4567-89ab-cdef");
        for typed in [
            "0123-4567-89ab-cdef",
            "0123456789ABCDEF",
            " O123 4567 89ab cdef\n",
            "0i23.4567.89ab.cdef",
            "0l23-4567-89AB-CDEF",
        ] {
            assert_eq!(RecoveryCode::parse(typed), Some(code.clone()), "{typed}");
        }
        let long = "0".repeat(300);
        for wrong in [
            "",
            "123456",
            "0123-4567-89ab-cde",
            "0123-4567-89ab-cdefg",
            "0123-4567-89ab-cdeu",
            &long,
        ] {
            assert_eq!(RecoveryCode::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn digest_depends_on_the_user() {
        let (key, code) = (Key::new([1; 32]), RecoveryCode::from_random([7; 10]));
        assert_ne!(code.digest(&key, "usr_1"), code.digest(&key, "usr_2"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_reads_back(bytes: [u8; RECOVERY_CODE_BYTES], typed: String) {
            let code = RecoveryCode::from_random(bytes);
            proptest::prop_assert_eq!(RecoveryCode::parse(&code.to_string()), Some(code));
            let _ = RecoveryCode::parse(&typed);
        }
    }
}

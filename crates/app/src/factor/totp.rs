//! Values of authenticator apps (TOTP, RFC 6238), in the form that all apps have: SHA-1, six digits,
//! 30 seconds.

use domain::Instant;
use domain::secret::Secret;
use totp_rs::{Builder, Totp};

/// Random bytes of a secret (RFC 4226 section 4).
pub const SECRET_BYTES: usize = 20;

/// The alphabet of base 32 (RFC 4648 section 6).
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Characters of a secret in base 32.
const SECRET_LENGTH: usize = SECRET_BYTES * 8 / 5;

/// A secret of random bytes, in base 32.
pub fn secret(random: [u8; SECRET_BYTES]) -> Secret {
    let group = |five: &[u8]| {
        let bits = five
            .iter()
            .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        (0..8)
            .rev()
            .map(move |at| char::from(ALPHABET[(bits >> (5 * at) & 31) as usize]))
    };
    Secret::new(random.chunks(5).flat_map(group).collect::<String>())
}

/// The bytes of a secret; `None` if the text is none.
fn bytes(secret: &Secret) -> Option<[u8; SECRET_BYTES]> {
    let text = secret.expose().as_bytes();
    if text.len() != SECRET_LENGTH {
        return None;
    }
    let mut bytes = [0; SECRET_BYTES];
    for (five, eight) in bytes.chunks_mut(5).zip(text.chunks(8)) {
        let bits = eight.iter().try_fold(0u64, |bits, c| {
            let digit = ALPHABET.iter().position(|one| one == c)?;
            Some(bits << 5 | digit as u64)
        })?;
        five.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(bytes)
}

fn totp(secret: &Secret) -> Option<Totp> {
    let secret = totp_rs::Secret::new_stack(bytes(secret)?);
    Builder::new().with_secret(secret).with_skew(1).build().ok()
}

/// The time step to which a typed value belongs: the present one, or the one before or after it,
/// since clocks differ and typing takes time (RFC 6238 section 5.2). `None` for a wrong value. The
/// caller remembers the step, and accepts none that is not later.
pub fn step_of(secret: &Secret, typed: &str, now: Instant) -> Option<i64> {
    let value: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let seconds = u64::try_from(now.timestamp()).ok()?;
    let step = totp(secret)?.check(&value, seconds)?;
    i64::try_from(step).ok()
}

/// Whether a typed text has the form of a value.
pub fn is_value(typed: &str) -> bool {
    let digits = || typed.chars().filter(|c| !c.is_whitespace());
    digits().count() == 6 && digits().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, the last six digits.
    #[test]
    fn values_of_the_rfc() {
        let secret = secret(*b"12345678901234567890");
        assert_eq!(secret.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (seconds, value) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let now = Instant::from_timestamp(seconds, 0).unwrap();
            let at = |offset| step_of(&secret, value, now + chrono::Duration::seconds(offset));
            assert_eq!(at(0), Some(seconds / 30), "{value}");
            assert_eq!((at(30), at(-30)), (at(0), at(0)), "{value}");
            assert_eq!((at(60), at(-60)), (None, None), "{value}");
        }
    }

    #[test]
    fn only_six_digits_are_a_value() {
        let secret = secret([7; SECRET_BYTES]);
        let now = Instant::from_timestamp(1_111_111_111, 0).unwrap();
        for typed in ["", "12345", "1234567", "abcdef", "１２３４５６", "12-456"] {
            assert!(!is_value(typed), "{typed}");
            assert_eq!(step_of(&secret, typed, now), None, "{typed}");
        }
        assert!(is_value(" 123 456 "));
        for broken in [
            "",
            "GEZDGNBV",
            "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1",
        ] {
            assert_eq!(step_of(&Secret::new(broken), "287082", now), None);
        }
    }
}

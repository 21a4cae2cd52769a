//! User codes, which a user reads on one screen and types on another (RFC 8628 section 6.1).

use super::secret::{Digest, Key};
use std::fmt;

/// Twenty consonants: no vowels, so that no words appear, and no pair that looks alike.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Letters in a code. 20^8 codes are 34.5 bits, enough with the throttle on wrong codes.
const LENGTH: usize = 8;

/// A user code in normal form: eight letters of the alphabet.
///
/// Look-up, approval, counting of guesses and logs all use this form, so that all spellings of a
/// code are treated alike.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// Draws a code from random bytes. Bytes from 240 up are skipped, since taking them modulo 20
    /// would favour some letters. `None` if too few bytes are left.
    pub fn draw(random: &[u8]) -> Option<Self> {
        let letters: String = random
            .iter()
            .filter(|byte| **byte < 240)
            .map(|byte| char::from(ALPHABET[usize::from(byte % 20)]))
            .take(LENGTH)
            .collect();
        (letters.len() == LENGTH).then_some(Self(letters))
    }

    /// Parses a code as typed: any case, full-width letters, and any separators between them (RFC
    /// 8628 section 6.1). `None` if it cannot be a code.
    pub fn parse(typed: &str) -> Option<Self> {
        // A pasted page is not a code; parsing all of it would waste time.
        if typed.len() > 200 {
            return None;
        }
        let mut letters = String::with_capacity(LENGTH);
        for c in typed.chars() {
            let c = match c {
                'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(c as u32 - 0xfee0)?,
                c => c,
            };
            if c.is_alphanumeric() {
                let letter = u8::try_from(c).ok()?.to_ascii_uppercase();
                if !ALPHABET.contains(&letter) || letters.len() == LENGTH {
                    return None;
                }
                letters.push(char::from(letter));
            }
        }
        (letters.len() == LENGTH).then_some(Self(letters))
    }

    /// The stored form: a keyed digest, since codes are short enough to try them all.
    pub fn digest(&self, key: &Key) -> Digest {
        key.authenticate("user-code", &[&self.0])
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", &self.0[..4], &self.0[4..])
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_spelling_reads_back() {
        for typed in [
            "WDJB-MJHT",
            "wdjbmjht",
            "WDJB MJHT",
            " wdjb-mjht\n",
            "WDJB–MJHT",
            "W.D.J.B.M.J.H.T",
            "ＷＤＪＢ－ＭＪＨＴ",
            "ｗｄｊｂmjht",
        ] {
            let code = UserCode::parse(typed).unwrap_or_else(|| panic!("{typed:?}"));
            assert_eq!(code.to_string(), "WDJB-MJHT");
        }
    }

    #[test]
    fn malformed_codes_are_refused() {
        let long = "W".repeat(10_000);
        for typed in [
            "",
            "WDJB",
            "WDJB-MJHTX",
            "WDJB-MJHA",
            "WDJB-MJH1",
            "🙂🙂🙂🙂🙂🙂🙂🙂",
            "WDJB-MJHÉ",
            "\0",
            &long,
        ] {
            assert_eq!(UserCode::parse(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn every_letter_is_equally_likely() {
        // Each byte value once: 240 usable values fall on 20 letters 12 times each.
        let mut counts = std::collections::BTreeMap::new();
        for byte in 0..=239u8 {
            let code = UserCode::draw(&[byte; LENGTH]).unwrap();
            *counts.entry(code.0).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 20);
        assert!(counts.values().all(|count| *count == 12));
        assert_eq!(UserCode::draw(&[250; 64]), None);
        assert_eq!(UserCode::draw(&[0; 7]), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_reads_back(typed: String) {
            if let Some(code) = UserCode::parse(&typed) {
                proptest::prop_assert_eq!(UserCode::parse(&code.to_string()), Some(code));
            }
        }
    }
}

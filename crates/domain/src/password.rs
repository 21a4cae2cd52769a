//! Password rules (NIST SP 800-63B-4 section 3.1.1.2).
//!
//! The rule is length: 15 characters of any kind. Passwords that attackers guess first are
//! refused: well-known ones, sequences, repetitions, and the name of the user or the product.

use super::Fault;
use unicode_normalization::UnicodeNormalization;

/// The minimum number of characters.
pub const MIN_LENGTH: usize = 15;

/// The maximum number of characters; longer passwords are refused, never truncated.
pub const MAX_LENGTH: usize = 256;

/// The words that make up well-known passwords of 15 characters and more.
const COMMON: [&str; 34] = [
    "password",
    "passwort",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "qwerty",
    "qwertz",
    "azerty",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qazwsx",
    "1q2w3e4r5t",
    "1qaz2wsx3edc",
    "letmein",
    "welcome",
    "iloveyou",
    "admin",
    "administrator",
    "login",
    "secret",
    "changeme",
    "master",
    "dragon",
    "monkey",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "superman",
    "trustno1",
    "abc",
    "test",
    "default",
];

/// Sequences of keys and characters that are common as passwords.
const SEQUENCES: [&str; 7] = [
    "01234567890123456789012345678901234567890123456789",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Published passwords that pass every other test.
const PUBLISHED: [&str; 12] = [
    "correcthorsebatterystaple",
    "correct horse battery staple",
    "tobeornottobethatisthequestion",
    "manchesterunited",
    "kartoffelpuffer",
    "friend of emily",
    "friend of gerly",
    "somanypickles27",
    "migrationschool",
    "familiyafamiliya",
    "yfdbufnjh10305070",
    "qazwsxedcrfvtgb",
];

/// The form of a password that is hashed: NFKC, so that the same keys give the same password on
/// every system. Case and spaces are significant.
pub fn normalize(password: &str) -> String {
    password.nfkc().collect()
}

/// Checks a new password. `context` holds words that an attacker would try for this user: the
/// name, the email address, the product.
pub fn check(field: &'static str, password: &str, context: &[&str]) -> Result<(), Fault> {
    let password = normalize(password);
    let length = password.chars().count();
    if length < MIN_LENGTH {
        return Err(Fault::new(
            field,
            format!(
                "Use at least {MIN_LENGTH} characters. Four or more words that do not belong together are easy to remember."
            ),
        ));
    }
    if length > MAX_LENGTH {
        return Err(Fault::new(
            field,
            format!("Use at most {MAX_LENGTH} characters."),
        ));
    }
    if password.contains('\0') {
        return Err(Fault::new(field, "Leave out control characters."));
    }
    let lower = password.to_lowercase();
    if is_repetition(&lower) || is_sequence(&lower) {
        return Err(Fault::new(
            field,
            "This repeats itself or runs along the keyboard, which guessers try first. Choose something else.",
        ));
    }
    if PUBLISHED.contains(&lower.as_str()) || is_made_of(&lower, &COMMON) {
        return Err(Fault::new(
            field,
            "This is a well-known password, which guessers try first. Choose something else.",
        ));
    }
    let words: Vec<String> = context
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.chars().count() >= 3)
        .map(str::to_lowercase)
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).chain(COMMON).collect();
    if is_made_of(&lower, &words) {
        return Err(Fault::new(
            field,
            "This is made of your name, your email address or the name of this service. Choose something else.",
        ));
    }
    Ok(())
}

/// Whether a password repeats a unit of up to 8 characters, such as `abcabcabcabcabc`.
fn is_repetition(password: &str) -> bool {
    let chars: Vec<char> = password.chars().collect();
    (1..=8).any(|unit| {
        chars
            .iter()
            .zip(&chars[unit.min(chars.len())..])
            .all(|(a, b)| a == b)
    })
}

fn is_sequence(password: &str) -> bool {
    let backwards: String = password.chars().rev().collect();
    SEQUENCES
        .iter()
        .any(|sequence| sequence.contains(password) || sequence.contains(&backwards))
}

/// Whether removing all of `words` leaves only digits, punctuation and at most two letters.
fn is_made_of(password: &str, words: &[&str]) -> bool {
    let mut rest = password.to_owned();
    let mut by_length = words.to_vec();
    by_length.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in by_length {
        rest = rest.replace(word, "");
    }
    rest.len() < password.len() && rest.chars().filter(|c| c.is_alphabetic()).count() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: [&str; 3] = ["Ada Lovelace", "ada.lovelace@example.com", "Doorcode"];

    #[test]
    fn length_is_counted_in_characters() {
        let refused = |password: &str| check("password", password, &CONTEXT).is_err();
        assert!(refused("fourteen chars"));
        assert!(!refused("fifteen letters"));
        assert!(refused("éééééääääüüüüü"), "14 characters in 28 bytes");
        let phrase = |n: usize| {
            "the quick onyx goblin jumps over a lazy dwarf; "
                .chars()
                .cycle()
                .take(n)
                .collect::<String>()
        };
        for (length, expected) in [(64, false), (128, false), (256, false), (257, true)] {
            assert_eq!(refused(&phrase(length)), expected, "{length}");
        }
    }

    #[test]
    fn guessable_passwords_are_refused_with_the_reason() {
        for password in [
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "123456789012345",
            "543210987654321",
            "qwertyuiopasdfgh",
            "PasswordPassword1!",
            "password123456789",
            "adminadministrator",
            "Correct Horse Battery Staple",
            "AdaLovelace1234567",
            "doorcode-doorcode!",
            "ada.lovelace@example.com",
        ] {
            let fault = check("password", password, &CONTEXT).unwrap_err();
            assert!(
                fault.message.contains("Choose something else"),
                "{password}: {fault:?}"
            );
        }
        check("password", "violet kettle marches north", &CONTEXT).unwrap();
        check("password", "only lower case words", &CONTEXT).unwrap();
    }

    #[test]
    fn both_spellings_of_an_accent_are_one_password() {
        assert_eq!(normalize("caf\u{e9}"), normalize("cafe\u{301}"));
        assert_ne!(normalize("word"), normalize("word "));
        assert_ne!(normalize("word"), normalize("Word"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(password: String) {
            let _ = check("password", &password, &CONTEXT);
        }
    }
}

//! The header `Idempotency-Key`.

use super::failure::Failure;
use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use domain::secret::Secret;

/// Identifies a request, so that a repetition has no second effect.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Maximum length of a key.
const KEY_LENGTH: usize = 255;

/// Idempotency key of a request: a structured field string (RFC 9651 section 3.3.3), or the bare
/// text, which is the same key.
pub fn idempotency_key(request: &HttpRequest) -> Result<Secret, Failure> {
    let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
    let value = values.next().ok_or(Failure::KeyRequired)?;
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    let key = text.and_then(read_key).map(Secret::new);
    key.ok_or(Failure::KeyInvalid)
}

fn read_key(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t']);
    let key = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => text.to_owned(),
    };
    let is_visible = |c: char| matches!(c, ' '..='~');
    ((1..=KEY_LENGTH).contains(&key.len()) && key.chars().all(is_visible)).then_some(key)
}

/// Content of a quoted string; only quotes and backslashes may be escaped.
fn unquote(rest: &str) -> Option<String> {
    let mut key = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return characters.as_str().is_empty().then_some(key),
            '\\' => key.push(characters.next().filter(|c| matches!(c, '"' | '\\'))?),
            other => key.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_key_equals_the_bare_key() {
        for (text, key) in [
            (
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
            ),
            ("\"a\"", "a"),
            ("a", "a"),
            (" \"a b\" ", "a b"),
            (r#""a\"\\""#, "a\"\\"),
            ("a\"b", "a\"b"),
        ] {
            assert_eq!(read_key(text).as_deref(), Some(key), "{text}");
        }
        let long = "k".repeat(KEY_LENGTH);
        assert_eq!(read_key(&long).as_deref(), Some(long.as_str()));
        assert_eq!(read_key(&format!("\"{long}\"")), Some(long.clone()));
        let too_long = format!("{long}k");
        for bad in [
            "", " ", "\"\"", "\"", "\"a", "\"a\"b", r#""a\b""#, "a\tb", "é", &too_long,
        ] {
            assert_eq!(read_key(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn keys_never_panic(text: String) {
            let _ = read_key(&text);
        }
    }
}

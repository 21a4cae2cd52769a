//! `application/x-www-form-urlencoded`, read strictly.
//!
//! The usual parsers repair what is broken: they replace invalid UTF-8 and keep a lone `%`.
//! Two readers of one body could then disagree about what it says, so here it is an error
//! (RFC 6749 appendix B). Which parameters may repeat is for the caller to say; RFC 6749
//! section 3.2 lets none.

use percent_encoding::percent_decode_str;
use std::collections::HashSet;

/// The parameters of a form, in the order they came.
#[derive(Default, Clone)]
pub struct Form(Vec<(String, String)>);

/// Why a body is not a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormError {
    /// A broken percent escape, invalid UTF-8 or a NUL.
    Malformed,
}

impl Form {
    /// Reads a body or a query string.
    pub fn parse(body: &[u8]) -> Result<Self, FormError> {
        let body = std::str::from_utf8(body).map_err(|_| FormError::Malformed)?;
        body.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name)?, decode(value)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// A form of pairs that came in another encoding.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The first name that appears twice, other than those that may.
    pub fn repeated_except(&self, may_repeat: &[&str]) -> Option<&str> {
        let mut seen = HashSet::new();
        self.names()
            .find(|name| !may_repeat.contains(name) && !seen.insert(*name))
    }

    /// The value of a parameter; one with an empty value counts as absent (RFC 6749 section 3.1).
    pub fn value(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// All values of a parameter that may repeat, such as a group of checkboxes.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_owned();
        self.0
            .iter()
            .filter(move |(n, _)| *n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// Decodes one name or value: `+` is a space, each `%` needs two hexadecimal digits, and
/// the result is UTF-8 without NUL.
pub fn decode(text: &str) -> Result<String, FormError> {
    let bytes = text.as_bytes();
    let broken_escape = bytes.iter().enumerate().any(|(i, b)| {
        *b == b'%'
            && !bytes
                .get(i + 1..i + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if broken_escape {
        return Err(FormError::Malformed);
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced)
        .decode_utf8()
        .map_err(|_| FormError::Malformed)?;
    if decoded.contains('\0') {
        return Err(FormError::Malformed);
    }
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_well_formed() {
        let form = Form::parse(b"a=1&b=x+y%20z&&c&d=&e=%C3%A9").unwrap();
        assert_eq!(form.value("a"), Some("1"));
        assert_eq!(form.value("b"), Some("x y z"));
        assert_eq!(form.value("c"), None);
        assert_eq!(form.value("d"), None);
        assert_eq!(form.value("e"), Some("é"));
        assert_eq!(form.repeated_except(&[]), None);
    }

    #[test]
    fn refuses_what_is_not() {
        for bad in [
            "a=%FF",
            "a=%zz",
            "a=%0",
            "a=%",
            "%00=1",
            "a=%00",
            "a=%C0%AF",
            "a=%ED%A0%80",
        ] {
            assert!(Form::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Form::parse(b"a=\xff").is_err());
    }

    #[test]
    fn an_escaped_name_is_the_same_name() {
        let form = Form::parse(b"client_id=a&client%5Fid=a").unwrap();
        assert_eq!(form.repeated_except(&[]), Some("client_id"));
        let form = Form::parse(b"a=1&a=2&b=1&b=2").unwrap();
        assert_eq!(form.repeated_except(&["a"]), Some("b"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(body: Vec<u8>) {
            let _ = Form::parse(&body);
        }
    }
}

//! `application/x-www-form-urlencoded`, read strictly.
//!
//! Common parsers repair malformed input: they replace invalid UTF-8 and keep a lone `%`. Two
//! parsers could then read one body differently, so here it is an error (RFC 6749 appendix B).
//! The caller chooses which parameters may repeat; RFC 6749 section 3.2 allows none.

use percent_encoding::percent_decode_str;
use std::collections::HashSet;

/// Parameters up to which each is compared with all others, which is faster than to hash them.
const FEW: usize = 16;

/// Parameters of a form, in the order of the body.
#[derive(Default, Clone)]
pub struct Form(Vec<(String, String)>);

/// Error of the form parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormError {
    /// A broken percent escape, invalid UTF-8 or a NUL.
    Malformed,
}

impl Form {
    /// Parses a body or a query string.
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

    /// Creates a form from pairs of another encoding.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// First repeated name that is not in `may_repeat`.
    pub fn repeated_except(&self, may_repeat: &[&str]) -> Option<&str> {
        if self.0.len() <= FEW {
            let mut names = self.names().enumerate();
            let repeated = names.find(|(at, name)| {
                !may_repeat.contains(name) && self.names().take(*at).any(|other| other == *name)
            });
            return repeated.map(|(_, name)| name);
        }
        let mut seen = HashSet::new();
        self.names()
            .find(|name| !may_repeat.contains(name) && !seen.insert(*name))
    }

    /// Value of a parameter. An empty value counts as absent (RFC 6749 section 3.1).
    pub fn value(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// All values of a repeatable parameter, such as a group of checkboxes.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// Removes all values of a parameter.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| n != name);
    }

    /// The parameters in order.
    pub fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// Decodes one name or value: `+` is a space, each `%` needs two hexadecimal digits, and the result
/// must be UTF-8 without NUL.
pub fn decode(text: &str) -> Result<String, FormError> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|b| matches!(b, b'%' | b'+' | 0)) {
        return Ok(text.to_owned());
    }
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
    fn well_formed_form_is_parsed() {
        let form = Form::parse(b"a=1&b=x+y%20z&&c&d=&e=%C3%A9").unwrap();
        assert_eq!(form.value("a"), Some("1"));
        assert_eq!(form.value("b"), Some("x y z"));
        assert_eq!(form.value("c"), None);
        assert_eq!(form.value("d"), None);
        assert_eq!(form.value("e"), Some("é"));
        assert_eq!(form.repeated_except(&[]), None);
    }

    #[test]
    fn malformed_form_is_rejected() {
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
    fn escaped_name_equals_the_plain_name() {
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

//! Parses the target of a request so that it has only one meaning.
//!
//! Between the client and the API stand a proxy and a framework, and each has its own way to
//! repair an odd path: one merges `//`, another resolves `..` before or after it decodes `%2e`, a
//! third takes `%2F` or `\` for a separator, removes `;parameters`, or decodes twice. One more
//! repair here would check a path that the API never serves. So a target that servers read
//! differently is refused. Only characters on which all agree are decoded, once: percent-encoded
//! characters that need no encoding (RFC 3986 section 6.2.2.2), and others that cannot be path
//! syntax, also not after a compatibility normalization (NFKC), which some servers apply.
//!
//! Refused are: a target that is not a path (an absolute URI, `*`, an authority), a fragment,
//! empty segments, `.` and `..` in any spelling, `\`, `;`, characters
//! that are invalid in a path, broken escapes, the escapes of `/`, `\`, `%`, `?`, `#`, `;` and of
//! control characters, text that is not UTF-8, and characters such as U+FF0F (full-width `/`) and
//! U+2026 (`…`) whose NFKC has one of these or a `.`. The query is ignored.

use unicode_normalization::UnicodeNormalization;

/// Characters that are path syntax for some server. Their escapes are refused.
const SYNTAX: &str = r"/\%?#;";

/// A segment of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The text, decoded.
    pub(super) text: String,
    /// Whether every server reads it the same way. Some servers equate a percent-encoded reserved
    /// character with the plain one, others do not (RFC 3986 section 2.2).
    pub(super) is_plain: bool,
}

impl Segment {
    /// Whether some server reads it as a literal, which is in ASCII.
    pub(super) fn reads_as(&self, literal: &str) -> bool {
        let is_same = |text: &str| text.eq_ignore_ascii_case(literal);
        match self.text.is_ascii() {
            true => is_same(&self.text),
            false => is_same(&self.text.nfkc().collect::<String>()),
        }
    }
}

/// The path of a target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The segments, none for `/`.
    pub(super) segments: Vec<Segment>,
    /// Whether a slash follows the last segment. Some servers ignore it, others do not.
    pub(super) ends_in_slash: bool,
}

/// The path of a target; `None` if the target must be refused.
pub(super) fn read(target: &str) -> Option<Path> {
    let (path, _query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.strip_prefix('/')?;
    let (path, ends_in_slash) = match path.strip_suffix('/') {
        Some(before) => (before, true),
        None => (path, false),
    };
    let segments = match (path, ends_in_slash) {
        ("", false) => Vec::new(),
        _ => path.split('/').map(segment).collect::<Option<_>>()?,
    };
    Some(Path {
        segments,
        ends_in_slash,
    })
}

fn segment(written: &str) -> Option<Segment> {
    let mut text = Vec::with_capacity(written.len());
    let mut is_plain = true;
    let mut bytes = written.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let octet = hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?;
            if octet.is_ascii_control() || SYNTAX.as_bytes().contains(&octet) {
                return None;
            }
            is_plain &= is_unreserved(octet);
            text.push(octet);
        } else if is_unreserved(byte) || b":@!$&'()*+,=".contains(&byte) {
            text.push(byte);
        } else {
            return None;
        }
    }
    let text = String::from_utf8(text).ok()?;
    let is_safe = !matches!(text.as_str(), "" | "." | "..") && !text.contains(is_disguised_syntax);
    is_safe.then_some(Segment { text, is_plain })
}

/// Whether a character becomes path syntax by compatibility normalization (NFKC).
fn is_disguised_syntax(c: char) -> bool {
    let is_syntax = |c| c == '.' || SYNTAX.contains(c);
    !c.is_ascii() && std::iter::once(c).nfkc().any(is_syntax)
}

fn hex_digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Whether a byte is an unreserved character (RFC 3986 section 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(target: &str) -> Option<Vec<String>> {
        let texts = |path: Path| path.segments.into_iter().map(|segment| segment.text);
        read(target).map(|path| texts(path).collect())
    }

    fn segments(target: &str) -> Vec<Segment> {
        read(target).map_or_else(Vec::new, |path| path.segments)
    }

    #[test]
    fn one_slash_may_follow_the_last_segment() {
        for (target, ends_in_slash) in [
            ("/", false),
            ("/v1", false),
            ("/v1/", true),
            ("/a/b/?x", true),
        ] {
            assert_eq!(
                read(target).unwrap().ends_in_slash,
                ends_in_slash,
                "{target}"
            );
        }
    }

    #[test]
    fn unambiguous_escapes_are_decoded_once() {
        for (target, expected) in [
            ("/", &[][..]),
            ("/?a", &[]),
            ("/v1", &["v1"]),
            ("/v1/a-b._~", &["v1", "a-b._~"]),
            ("/%76%31/%7E%7e", &["v1", "~~"]),
            ("/v1?a=/../x;y#%", &["v1"]),
            ("/a:b@c/!$&'()*+,=", &["a:b@c", "!$&'()*+,="]),
            ("/%3A%40%2B/%20/%7B", &[":@+", " ", "{"]),
            ("/%C3%A9.../...", &["é...", "..."]),
            // Full-width letters, a fraction and another slash, whose NFKC has no path syntax.
            ("/%EF%BD%81/%C2%BD/%E2%88%95", &["ａ", "½", "∕"]),
        ] {
            let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(texts(target), Some(expected), "{target}");
        }
        let is_plain = |target: &str| read(target).unwrap().segments[0].is_plain;
        assert!(is_plain("/%61:") && !is_plain("/a%3A"));
    }

    #[test]
    fn ambiguous_targets_are_refused() {
        for target in [
            "",
            "*",
            "v1",
            "?/v1",
            "//",
            "//v1",
            "/v1//",
            "/v1//status",
            "//?x",
            "http://api.example.com/v1",
            "api.example.com:443",
            "/.",
            "/..",
            "/v1/./status",
            "/v1/../status",
            "/v1/%2e/status",
            "/v1/%2E%2e/status",
            "/v1/.%2E",
            "/v1%2Fstatus",
            "/v1%2fstatus",
            "/v1%5Cstatus",
            "/v1%5cstatus",
            "/v1\\status",
            "/v1/..\\status",
            "/v1/status;a=b",
            "/v1/;/status",
            "/v1/status%3Ba",
            "/v1/status%3Fa",
            "/v1/status%23a",
            "/v1/status#a",
            "/v1/status#?a",
            "/v1/%252e",
            "/v1/%25",
            "/v1/%",
            "/v1/%7",
            "/v1/%7/",
            "/v1/%zz",
            "/v1/%+1",
            "/v1/%é",
            "/v1/%00",
            "/v1/a%0A",
            "/v1/a%7F",
            "/v1/\0",
            "/v1/a\n",
            "/v1/a\tb",
            "/v1/a b",
            "/v1/\"a\"",
            "/v1/<a>",
            "/v1/{a}",
            "/v1/a|b^c`d",
            "/v1/é",
            "/v1/\u{ff0f}",
            "/v1/%FF",
            "/v1/%C0%AF",
            "/v1/%C3",
            "/v1/%C3/%A9",
            // Full-width / \ . % ? # ;
            "/v1/..%ef%bc%8fstatus",
            "/v1/..%EF%BC%BCstatus",
            "/v1/%EF%BC%8E%EF%BC%8E",
            "/v1/a%EF%BC%8Eb",
            "/v1/%EF%BC%852fstatus",
            "/v1/a%EF%BC%9Fb",
            "/v1/a%EF%BC%83b",
            "/v1/a%EF%BC%9Bb",
            // Small . and %, the ellipsis, two dots, a/c, c/o, `1.`, and the Greek ;
            "/v1/%EF%B9%92.",
            "/v1/%EF%B9%AA2e",
            "/v1/%E2%80%A6",
            "/v1/%E2%80%A5",
            "/v1/%E2%84%80",
            "/v1/%E2%84%85",
            "/v1/%E2%92%88",
            "/v1/a%CD%BEb",
        ] {
            assert_eq!(texts(target), None, "{target:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), path in "[/.%\\\\;?#a-f0-9é]{0,20}") {
            let _ = read(&text);
            let _ = read(&format!("/{path}"));
        }

        #[test]
        fn segments_contain_no_path_syntax(path in "(/|%2[ef5]|%5c|%3b|[.a;]|%0|\\\\){0,8}") {
            for segment in segments(&format!("/{path}")) {
                prop_assert!(!segment.text.contains(['/', '\\', ';', '%', '?', '#', '\0']));
                prop_assert!(!["", ".", ".."].contains(&segment.text.as_str()));
            }
        }

        #[test]
        fn normalized_segments_contain_no_path_syntax(text in "\\PC{1,8}") {
            let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            for segment in segments(&format!("/{escaped}")) {
                let normalized: String = segment.text.nfkc().collect();
                prop_assert!(!normalized.contains(['/', '\\', ';', '%', '?', '#', '\0']));
                prop_assert!(!["", ".", ".."].contains(&normalized.as_str()));
            }
        }
    }
}

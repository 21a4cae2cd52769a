//! Names that users chose, in messages to others. Mail programs turn a part that looks like a URL
//! into a link, which would have the reputation of this server.

use domain::org::Organization;
use domain::user::User;

/// The name of an admin, or a description if the name looks like a URL.
pub(crate) fn admin_name(user: &User, organization: &str) -> String {
    match is_like_url(&user.name) {
        true => format!("An admin of {organization}"),
        false => user.name.clone(),
    }
}

/// The name of an organization, or its slug if the name looks like a URL.
pub(crate) fn organization_name(organization: &Organization) -> &str {
    match is_like_url(&organization.name) {
        true => &organization.slug,
        false => &organization.name,
    }
}

/// Whether a text may have a part that mail programs show as a link: `://`, `www.`, or a dot with a
/// letter or digit before it and two letters after it, as in a domain name. Initials have one.
fn is_like_url(text: &str) -> bool {
    let text = text.to_lowercase();
    // The dots that UTS #46 maps to a full stop.
    let is_dot = |c: char| matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let is_domain = |(at, dot): (usize, &str)| {
        let (before, mut after) = (&text[..at], text[at + dot.len()..].chars());
        before.ends_with(char::is_alphanumeric)
            && after.next().is_some_and(char::is_alphabetic)
            && after.next().is_some_and(char::is_alphanumeric)
    };
    let mut dots = text.match_indices(is_dot);
    text.contains("://") || text.contains("www.") || dots.any(is_domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_urls_are_found() {
        for name in [
            "https://evil.example/reset",
            "x://y",
            "Your account is locked: evil.example",
            "WWW.x",
            "evil1.com",
            "ada@evil.com",
            "(evil.com)",
            "b\u{fc}cher.de",
            "evil\u{3002}com",
            "evil\u{ff0e}com",
            "evil.xn--p1ai",
        ] {
            assert!(is_like_url(name), "{name}");
        }
        for name in [
            "Ada",
            "J.R.R. Tolkien",
            "Dr. Ada",
            "Acme Inc.",
            "a.b",
            "v1.2",
            "Ada: x",
            "...",
            "a...b",
            "",
        ] {
            assert!(!is_like_url(name), "{name}");
        }
    }
}

//! The target after sign-in: the requested page, and never another site.

/// The default page.
pub const HOME: &str = "/tokens";

/// The pages that sign-in can return to.
const PAGES: [&str; 12] = [
    "/device",
    "/account",
    "/account/security",
    "/account/email/verify",
    "/account/email/confirm",
    PASSKEYS,
    "/account/security/recovery-codes",
    "/account/security/totp",
    "/invite",
    ORGANIZATIONS,
    CONSOLE,
    HOME,
];

/// The pages of organizations.
const ORGANIZATIONS: &str = "/o";

/// The passkeys of the user.
const PASSKEYS: &str = "/account/security/passkeys";

/// The operator console.
const CONSOLE: &str = "/admin";

/// The requested local path, or the default. Only the characters of our own URLs are allowed: no
/// other interpretation by browsers can be written with these.
pub fn local(asked: Option<&str>) -> &str {
    asked.filter(|asked| is_local(asked)).unwrap_or(HOME)
}

fn is_local(asked: &str) -> bool {
    let (path, query) = asked.split_once('?').unwrap_or((asked, ""));
    // The pages below these are local, too.
    let is_below = |page| {
        path.strip_prefix(page)
            .is_some_and(|rest: &str| rest.starts_with('/'))
    };
    let is_page = PAGES.contains(&path)
        || [HOME, ORGANIZATIONS, CONSOLE, PASSKEYS]
            .into_iter()
            .any(is_below);
    is_page
        && !path.contains("//")
        && !path.contains("/.")
        && path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.'))
        && query.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'=' | b'&' | b'.' | b'%' | b'+')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_pages_are_local_and_others_become_the_default() {
        for ours in [
            "/device",
            "/device?user_code=WDJB-MJHT",
            "/tokens/new",
            "/account",
            "/account/security",
            "/account/security/passkeys/psk_01a20320a20071b78b901d3842476c20",
            "/o",
            "/o/acme/settings/api-tokens",
            "/admin",
            "/admin/clients/acme.cli",
            "/invite?link=0af3",
            "/account/email/verify?link=0af3",
            "/account/email/confirm?link=0af3",
        ] {
            assert_eq!(local(Some(ours)), ours);
        }
        for foreign in [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/%2f%2fevil.example",
            "https:evil.example",
            "https://evil.example",
            "/..//evil.example",
            "/device/..//evil.example",
            "javascript:alert(1)",
            "\t//evil.example",
            "/\t/evil.example",
            "/device\r\nLocation: //evil.example",
            "/device#@evil",
            "/deviceevil",
            "/tokens//evil",
            "/logout",
            "/device/decide",
            "/account/name",
            "/account/email",
            "/setup",
            "/o//evil",
            "/other",
            "/invite/account",
            "",
            "device",
            "/device?next=http://evil.example",
        ] {
            assert_eq!(local(Some(foreign)), HOME, "{foreign:?}");
        }
        assert_eq!(local(None), HOME);
    }

    proptest::proptest! {
        #[test]
        fn never_leaves_the_site(asked: String) {
            let base = url::Url::parse("https://doorcode.example").unwrap();
            let target = base.join(local(Some(&asked))).unwrap();
            proptest::prop_assert_eq!(target.origin(), base.origin());
        }
    }
}

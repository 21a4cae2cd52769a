//! Authenticator apps and recovery codes of users.

use crate::support::TestApp;
use crate::support::browser::{Browser, Page};
use crate::support::clock::ManualClock;
use doorcode::app::Clock;
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use std::sync::Arc;

/// The path of the page of the authenticator app.
pub const TOTP: &str = "/account/security/totp";
/// The path of the page of the recovery codes.
pub const CODES: &str = "/account/security/recovery-codes";

/// An authenticator app.
pub struct Phone {
    key: Vec<u8>,
    clock: Arc<ManualClock>,
}

impl Phone {
    /// An app with the secret of a page.
    pub fn scan(test: &TestApp, page: &Page) -> Self {
        let (_, rest) = page.body.split_once("in the app: <code>").unwrap();
        let secret = rest.split('<').next().unwrap();
        test.canaries.add(secret);
        let letters: String = secret.split(' ').collect();
        test.canaries.add(&letters);
        let digits = letters.bytes().map(|letter| {
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
            alphabet.iter().position(|one| *one == letter).unwrap()
        });
        let digits: Vec<_> = digits.collect();
        let bytes = |eight: &[usize]| {
            let bits = eight
                .iter()
                .fold(0u64, |bits, digit| bits << 5 | *digit as u64);
            bits.to_be_bytes()[3..].to_vec()
        };
        Self {
            key: digits.chunks(8).flat_map(bytes).collect(),
            clock: test.clock.clone(),
        }
    }

    /// The value that it shows (RFC 6238).
    pub fn value(&self) -> String {
        let step = self.clock.now().timestamp() / 30;
        let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.key);
        let tag = sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[19] & 15);
        let four = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap());
        format!("{:06}", (four & 0x7fff_ffff) % 1_000_000)
    }

    /// The value that it shows 30 seconds later, when no earlier one works any more.
    pub fn next_value(&self) -> String {
        self.clock.advance(30);
        self.value()
    }
}

/// Adds an authenticator app to the user of a browser. Returns it with the page that follows.
pub async fn enrol(test: &TestApp, browser: &mut Browser) -> (Phone, Page) {
    let page = browser.get(TOTP).await;
    let phone = Phone::scan(test, &page);
    let sealed = page.field("sealed").unwrap();
    let fields = [("sealed", sealed.as_str()), ("code", &phone.value())];
    let done = browser.post(TOTP, &fields).await;
    for code in codes(&done) {
        test.canaries.add(&code);
    }
    (phone, done)
}

/// The recovery codes on a page.
pub fn codes(page: &Page) -> Vec<String> {
    let Some((_, rest)) = page.body.split_once(r#"<code id="codes""#) else {
        return Vec::new();
    };
    let (_, rest) = rest.split_once('>').unwrap();
    let (codes, _) = rest.split_once("</code>").unwrap();
    codes.split("<br>").map(str::to_owned).collect()
}

/// The link to the second step of a sign-in with the password.
pub async fn first_step(browser: &mut Browser, email: &str, password: &str) -> String {
    let page = browser.try_sign_in(email, password).await;
    link_of(&page)
}

/// The link to the second step that a page redirects to.
#[track_caller]
pub fn link_of(page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.body);
    let location = page.location();
    let link = location.strip_prefix("/login/factor?link=");
    link.unwrap_or_else(|| panic!("{location}")).to_owned()
}

/// Sends the form of the second step.
pub async fn second_step(browser: &mut Browser, link: &str, code: &str) -> Page {
    browser.get(&format!("/login/factor?link={link}")).await;
    let fields = [("link", link), ("code", code)];
    browser.post("/login/factor", &fields).await
}

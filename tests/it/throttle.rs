//! Throttling of password guesses by user, source and in total.

use crate::support::browser::{Browser, Page};
use crate::support::database::AUDIT;
use crate::support::{EMAIL, PASSWORD, TestApp};

pub const WRONG: &str = "yellow anvil sleeps under";
/// All tests use the local address, which then counts as a proxy.
pub const BEHIND_PROXY: &str = "[server]\ntrusted_proxies = [\"127.0.0.1/32\"]";

/// A browser with the sign-in page open.
pub async fn at_login(test: &TestApp) -> Browser {
    let mut browser = test.browser();
    assert_eq!(browser.get("/login").await.status, 200);
    browser
}

pub async fn guess(browser: &mut Browser, email: &str, password: &str) -> Page {
    browser
        .post("/login", &[("email", email), ("password", password)])
        .await
}

/// The seconds to wait according to a page.
pub fn retry_after(page: &Page) -> i64 {
    assert_eq!(page.status, 429, "{}", page.body);
    assert!(page.contains("Too many attempts"));
    page.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}

/// BRT-01, BRT-02, BRT-03, RTL-01: known and unknown addresses get the same increasing waits.
#[actix_web::test]
async fn five_wrong_passwords_cause_increasing_waits() {
    let test = TestApp::start().await;
    let mut browser = at_login(&test).await;
    for email in [EMAIL, "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(guess(&mut browser, email, WRONG).await.status, 401);
        }
        for wait in [30, 60, 120] {
            assert_eq!(retry_after(&guess(&mut browser, email, WRONG).await), wait);
            // The correct password is rejected too; an attempt does not extend the wait.
            test.clock.advance(wait - 1);
            assert_eq!(retry_after(&guess(&mut browser, email, PASSWORD).await), 1);
            test.clock.advance(1);
            assert_eq!(guess(&mut browser, email, WRONG).await.status, 401);
        }
    }
    test.clock.advance(240);
    browser.sign_in(EMAIL, PASSWORD).await;
    // The success has reset the count.
    let mut browser = at_login(&test).await;
    for _ in 0..5 {
        assert_eq!(guess(&mut browser, EMAIL, WRONG).await.status, 401);
    }
}

/// BRT-01: an address in another letter case is the same user.
#[actix_web::test]
async fn other_spellings_of_the_address_gain_no_guess() {
    let test = TestApp::start().await;
    let mut browser = at_login(&test).await;
    for email in [
        "ADA@example.com",
        " ada@example.com",
        "Ada@Example.Com ",
        EMAIL,
        EMAIL,
    ] {
        assert_eq!(guess(&mut browser, email, WRONG).await.status, 401);
    }
    assert_eq!(
        retry_after(&guess(&mut browser, "aDa@example.com", WRONG).await),
        30
    );
}

/// BRT-01: at most 100 consecutive failures, and no attacker can lock the owner out permanently.
#[actix_web::test]
async fn guess_101_waits_a_day_and_the_owner_can_still_sign_in() {
    let test = TestApp::start().await;
    let mut browser = at_login(&test).await;
    let mut failures = 0;
    while failures < 100 {
        let page = guess(&mut browser, EMAIL, WRONG).await;
        match page.status {
            401 => failures += 1,
            _ => test.clock.advance(retry_after(&page)),
        }
    }
    let day = 24 * 3600;
    assert_eq!(
        retry_after(&guess(&mut browser, EMAIL, PASSWORD).await),
        day
    );
    test.clock.advance(day);
    assert_eq!(guess(&mut browser, EMAIL, PASSWORD).await.status, 303);
}

/// BRT-01: guesses by an attacker do not lock owners out of their own browser, which does not
/// bypass the limit either.
#[actix_web::test]
async fn known_browser_is_counted_separately() {
    let test = TestApp::start().await;
    test.add_user("eve@example.com", PASSWORD, None).await;
    let mut known = test.user().await;
    known.get("/account").await;
    known.post("/logout", &[]).await;
    let mut stranger = at_login(&test).await;
    for _ in 0..5 {
        assert_eq!(guess(&mut stranger, EMAIL, WRONG).await.status, 401);
    }
    assert_eq!(guess(&mut stranger, EMAIL, PASSWORD).await.status, 429);
    // The cookie of a known browser is valid only for this user and with its other cookie.
    for (name, value) in &known.cookies {
        let mut forger = at_login(&test).await;
        forger.cookies.insert(name.clone(), value.clone());
        forger.get("/login").await;
        assert_eq!(
            guess(&mut forger, EMAIL, PASSWORD).await.status,
            429,
            "{name}"
        );
    }
    known.get("/login").await;
    let mut thief = known.clone();
    assert_eq!(guess(&mut known, EMAIL, PASSWORD).await.status, 303);
    for _ in 0..5 {
        assert_eq!(guess(&mut thief, EMAIL, WRONG).await.status, 401);
    }
    assert_eq!(retry_after(&guess(&mut thief, EMAIL, PASSWORD).await), 30);
    let mut eve = at_login(&test).await;
    for _ in 0..5 {
        assert_eq!(guess(&mut eve, "eve@example.com", WRONG).await.status, 401);
    }
    let page = guess(&mut thief, "eve@example.com", PASSWORD).await;
    assert_eq!(
        page.status, 429,
        "known for one account is not known for another"
    );
}

/// BRT-01, T-13: a clock that is set back locks no user out.
#[actix_web::test]
async fn clock_set_back_extends_no_wait() {
    let test = TestApp::start().await;
    let mut browser = at_login(&test).await;
    for _ in 0..5 {
        guess(&mut browser, EMAIL, WRONG).await;
    }
    assert_eq!(retry_after(&guess(&mut browser, EMAIL, WRONG).await), 30);
    test.clock.advance(-7200);
    assert_eq!(guess(&mut browser, EMAIL, PASSWORD).await.status, 303);
}

/// BRT-01, BRT-02: concurrent guesses cannot exceed the limit.
#[actix_web::test]
async fn fifty_concurrent_wrong_passwords_count_as_five_guesses() {
    let test = TestApp::start().await;
    let mut browsers = Vec::new();
    for _ in 0..50 {
        browsers.push(at_login(&test).await);
    }
    let guesses: Vec<_> = browsers
        .into_iter()
        .map(|mut browser| {
            actix_web::rt::spawn(async move { guess(&mut browser, EMAIL, WRONG).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for guess in guesses {
        statuses.push(guess.await.unwrap());
    }
    let of = |status| statuses.iter().filter(|s| **s == status).count();
    assert_eq!((of(401), of(429)), (5, 45), "{statuses:?}");
}

/// Guesses for a different user each time until this source has to wait.
pub async fn guesses_of_source(browser: &mut Browser) -> usize {
    for i in 0..60 {
        let page = guess(browser, &format!("user{i}@example.com"), WRONG).await;
        if page.status == 429 {
            return i;
        }
        assert_eq!(page.status, 401);
    }
    panic!("no guess was stopped");
}

/// BRT-02, T-09, T-17: one source guesses for many users; neighbouring sources are unaffected,
/// and a success in between does not reset the count.
#[actix_web::test]
async fn source_is_throttled_over_all_users() {
    let test = TestApp::with(BEHIND_PROXY).await;
    let mut browser = at_login(&test).await;
    browser.set_header("x-forwarded-for", "198.51.100.7");
    for i in 0..49 {
        let page = guess(&mut browser, &format!("other{i}@example.com"), WRONG).await;
        assert_eq!(page.status, 401);
    }
    let mut owner = browser.clone();
    assert_eq!(guess(&mut owner, EMAIL, PASSWORD).await.status, 303);
    assert_eq!(guesses_of_source(&mut browser).await, 1);
    assert_eq!(
        guess(&mut browser.clone(), EMAIL, PASSWORD).await.status,
        429
    );

    browser.set_header("x-forwarded-for", "198.51.100.8");
    assert_eq!(
        guess(&mut browser.clone(), EMAIL, PASSWORD).await.status,
        303
    );
    test.clock.advance(600);
    browser.set_header("x-forwarded-for", "198.51.100.7");
    assert_eq!(guess(&mut browser, EMAIL, PASSWORD).await.status, 303);
}

/// BRT-02, T-17, OAU-16.
#[actix_web::test]
async fn all_addresses_of_a_slash_64_are_one_source() {
    let test = TestApp::with(BEHIND_PROXY).await;
    let mut browser = at_login(&test).await;
    for i in 1..=50 {
        let address = format!("2001:db8:1:2:{i:x}::{i:x}");
        browser.set_header("x-forwarded-for", &address);
        let page = guess(&mut browser, &format!("user{i}@example.com"), WRONG).await;
        assert_eq!(page.status, 401);
    }
    browser.set_header("x-forwarded-for", "2001:db8:1:2:ffff:ffff:ffff:ffff");
    assert_eq!(guess(&mut browser, EMAIL, PASSWORD).await.status, 429);
    browser.set_header("x-forwarded-for", "2001:db8:1:3::1");
    assert_eq!(guess(&mut browser, EMAIL, PASSWORD).await.status, 303);
    // The audit log stores the full address of the first of them.
    test.settle().await;
    let first = "action = 'session.refused' AND address = '2001:db8:1:2:1::1'";
    assert_eq!(test.count(AUDIT, first), 1);
    assert_eq!(test.count(AUDIT, "action = 'session.refused'"), 1);
}

/// DOS-02, OAU-16, T-17: clients cannot choose their own address.
#[actix_web::test]
async fn spoofed_forwarded_address_is_ignored() {
    // First without a trusted proxy; then with one that appends the real address.
    for (settings, suffix, seen) in [
        ("", "", "127.0.0.1"),
        (BEHIND_PROXY, ", 198.51.100.7", "198.51.100.7"),
    ] {
        let test = TestApp::with(settings).await;
        let mut browser = at_login(&test).await;
        for i in 0..50 {
            browser.set_header("x-forwarded-for", &format!("203.0.113.{i}{suffix}"));
            browser.set_header("forwarded", &format!("for=203.0.113.{i}"));
            browser.set_header("x-real-ip", &format!("203.0.113.{i}"));
            let page = guess(&mut browser, &format!("user{i}@example.com"), WRONG).await;
            assert_eq!(page.status, 401);
        }
        browser.set_header("x-forwarded-for", &format!("203.0.113.99{suffix}"));
        assert_eq!(guess(&mut browser, EMAIL, PASSWORD).await.status, 429);
        let failed = "action = 'session.refused'";
        test.settle().await;
        assert_eq!(test.count(AUDIT, failed), 1);
        let of_source = format!(
            "{failed} AND address = '{seen}' AND detail LIKE '%\"count\":50,%unknown_address%'"
        );
        assert_eq!(test.count(AUDIT, &of_source), 1);
    }
}

/// DOS-02: garbled addresses share one source, and block no client whose address is known.
#[actix_web::test]
async fn garbled_addresses_are_one_source_of_their_own() {
    let test = TestApp::with(BEHIND_PROXY).await;
    let mut browser = at_login(&test).await;
    for i in 0..50 {
        browser.set_header("x-forwarded-for", &format!("unknown{i}"));
        let page = guess(&mut browser, &format!("user{i}@example.com"), WRONG).await;
        assert_eq!(page.status, 401);
    }
    browser.set_header("x-forwarded-for", "203.0.113.9, hidden");
    let mut owner = browser.clone();
    assert_eq!(guess(&mut browser, EMAIL, PASSWORD).await.status, 429);
    owner.set_header("x-forwarded-for", "hidden, 203.0.113.9");
    assert_eq!(guess(&mut owner, EMAIL, PASSWORD).await.status, 303);
    owner.headers.remove("x-forwarded-for");
    let mut beside = at_login(&test).await;
    assert_eq!(guess(&mut beside, EMAIL, PASSWORD).await.status, 303);
}

/// BRT-02, RTL-03: two instances share the counts.
#[actix_web::test]
async fn several_instances_do_not_multiply_the_guesses() {
    let test = TestApp::start().await;
    let other = test.second_server("").await;
    let mut here = at_login(&test).await;
    let mut there = at_login(&other).await;
    for _ in 0..2 {
        for browser in [&mut here, &mut there] {
            assert_eq!(guess(browser, EMAIL, WRONG).await.status, 401);
        }
    }
    assert_eq!(guess(&mut here, EMAIL, WRONG).await.status, 401);
    assert_eq!(guess(&mut there, EMAIL, PASSWORD).await.status, 429);
}

//! Failures of strangers slow down strangers, and block no user who caused none.

mod hashing;
mod timed;

use crate::support::browser::Browser;
use crate::support::{EMAIL, PASSWORD, TestApp};
use crate::throttle::{BEHIND_PROXY, WRONG, at_login, guess, guesses_of_source, retry_after};
use doorcode::app::sweep;

/// The text of the metrics.
pub async fn metrics(test: &TestApp) -> String {
    let answer = test.anon().get(test.at("/metrics")).send().await.unwrap();
    answer.text().await.unwrap()
}

/// A browser at an address, with the sign-in page open.
async fn stranger(test: &TestApp, address: &str) -> Browser {
    let mut browser = at_login(test).await;
    browser.set_header("x-forwarded-for", address);
    browser
}

/// Guesses from many networks until the overall limit is exceeded; each network and address has one.
async fn exceed_the_overall_limit(test: &TestApp) {
    let mut attacker = at_login(test).await;
    attacker.set_header("x-forwarded-for", "198.51.100.1");
    let page = guess(&mut attacker, "nobody@example.com", WRONG).await;
    assert_eq!(page.status, 401);
    test.database
        .execute("UPDATE throttle SET attempts = 5000 WHERE key = 'password'");
    for i in 0..20 {
        attacker.set_header("x-forwarded-for", &format!("198.51.100.{i}"));
        let email = format!("eve{i}@example.com");
        assert_eq!(guess(&mut attacker, &email, WRONG).await.status, 401);
    }
}

/// BRT-02, security finding 7: guesses from many networks beyond the overall limit block no user, in
/// a known browser or a new one.
#[actix_web::test]
async fn overall_limit_blocks_no_user_without_failures() {
    let test = TestApp::with(BEHIND_PROXY).await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut known = test.user().await;
    known.get("/account").await;
    known.post("/logout", &[]).await;
    exceed_the_overall_limit(&test).await;

    known.get("/login").await;
    assert_eq!(guess(&mut known, EMAIL, PASSWORD).await.status, 303);
    let mut bob = at_login(&test).await;
    bob.set_header("x-forwarded-for", "203.0.113.9");
    let page = guess(&mut bob, "bob@example.com", PASSWORD).await;
    assert_eq!(page.status, 303);
    // A mistyped password does not block the user either.
    let mut eve = at_login(&test).await;
    eve.set_header("x-forwarded-for", "203.0.113.10");
    assert_eq!(guess(&mut eve, "bob@example.com", WRONG).await.status, 401);
    let page = guess(&mut eve, "bob@example.com", PASSWORD).await;
    assert_eq!(page.status, 303);

    let metrics = metrics(&test).await;
    let name = "doorcode_limit_reached_total{limit=\"password\"} ";
    let (_, count) = metrics.split_once(name).expect(&metrics);
    let count: u64 = count.lines().next().unwrap().parse().unwrap();
    // The guesses of the attacker, and the attempts of two users in new browsers.
    assert_eq!(count, 23);
}

/// Strangers, who hash at their own pace, keep neither known browsers nor signed-in users from the
/// threads, and those with failures leave half of their queue to those without.
#[actix_web::test]
async fn flood_of_strangers_leaves_room_for_known_browsers_and_new_ones() {
    let settings = "[sign_in]\nhash_threads = 1\nhash_queue = 2\nargon2_iterations = 10";
    let test = TestApp::with(&format!("{BEHIND_PROXY}\n{settings}")).await;
    let mut known = test.user().await;
    known.get("/account").await;
    known.post("/logout", &[]).await;
    known.get("/login").await;
    exceed_the_overall_limit(&test).await;
    let mut flood = Vec::new();
    for i in 0..12 {
        let mut attacker = at_login(&test).await;
        attacker.set_header("x-forwarded-for", &format!("198.51.100.{i}"));
        let email = format!("mallory{i}@example.com");
        let guess = async move { guess(&mut attacker, &email, WRONG).await.status };
        flood.push(actix_web::rt::spawn(guess));
    }
    // One of the flood is hashed and one waits, in the half that is left to it.
    let mut stranger = at_login(&test).await;
    stranger.set_header("x-forwarded-for", "203.0.113.9");
    let (known, stranger) = futures_util::future::join(
        guess(&mut known, EMAIL, PASSWORD),
        guess(&mut stranger, EMAIL, PASSWORD),
    )
    .await;
    assert_eq!((known.status, stranger.status), (303, 303));
    let mut statuses = Vec::new();
    for guess in flood {
        statuses.push(guess.await.unwrap());
    }
    assert!(statuses.contains(&503), "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 401 | 503)));
}

/// Security finding 7: fifty wrong guesses from one address do not block a known browser behind the
/// same NAT, nor one where a stranger guessed at the user's own address.
#[actix_web::test]
async fn neighbours_do_not_block_a_known_browser() {
    let test = TestApp::start().await;
    let mut known = test.user().await;
    known.get("/account").await;
    known.post("/logout", &[]).await;
    let mut stranger = at_login(&test).await;
    for _ in 0..5 {
        assert_eq!(guess(&mut stranger, EMAIL, WRONG).await.status, 401);
    }
    assert_eq!(guesses_of_source(&mut stranger).await, 45);
    known.get("/login").await;
    assert_eq!(guess(&mut known, EMAIL, PASSWORD).await.status, 303);
}

/// Security finding 16: a change of the password ends the guesses of other known browsers, whose
/// cookies others may have. The browser of the change stays known.
#[actix_web::test]
async fn password_change_ends_known_browsers() {
    const NEW: &str = "copper lantern sandwich";
    let test = TestApp::start().await;
    let mut other = test.user().await;
    other.get("/account").await;
    other.post("/logout", &[]).await;
    let mut own = test.user().await;
    own.get("/account").await;
    let fields = [("current_password", PASSWORD), ("new_password", NEW)];
    assert_eq!(own.post("/account/password", &fields).await.status, 303);
    own.get("/account").await;
    own.post("/logout", &[]).await;

    let mut stranger = at_login(&test).await;
    for _ in 0..5 {
        assert_eq!(guess(&mut stranger, EMAIL, WRONG).await.status, 401);
    }
    other.get("/login").await;
    assert_eq!(retry_after(&guess(&mut other, EMAIL, NEW).await), 30);
    own.get("/login").await;
    assert_eq!(guess(&mut own, EMAIL, NEW).await.status, 303);
}

/// Invented addresses share a bounded number of rows. A user keeps its own count.
#[actix_web::test]
async fn counters_of_invented_addresses_replace_each_other() {
    let test = TestApp::with(BEHIND_PROXY).await;
    let mut browser = at_login(&test).await;
    let invented = "password:unknown:%";
    for i in 0..10 {
        browser.set_header("x-forwarded-for", &format!("198.51.100.{i}"));
        let email = format!("invented{i}@example.com");
        assert_eq!(guess(&mut browser, &email, WRONG).await.status, 401);
    }
    let rows = test.count("throttle", &format!("key LIKE '{invented}'"));
    assert!((9..=10).contains(&rows), "{rows}");
    // Another address takes the row of an invented one: the counts do not add up.
    test.database.execute(&format!(
        "UPDATE throttle SET attempts = 100, tag = 'another' WHERE key LIKE '{invented}'"
    ));
    for _ in 0..5 {
        let page = guess(&mut browser, "invented1@example.com", WRONG).await;
        assert_eq!(page.status, 401);
    }
    let page = guess(&mut browser, "invented1@example.com", WRONG).await;
    assert_eq!(retry_after(&page), 30);
    assert_eq!(
        test.count("throttle", &format!("key LIKE '{invented}'")),
        rows
    );

    // Windows end with their time, and consecutive failures after two days.
    let sources = "key LIKE 'password:198.51.100.%'";
    assert_eq!(test.count("throttle", sources), 10);
    test.clock.advance(600);
    sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("throttle", sources), 0);
    test.clock.advance(2 * 86_400);
    sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("throttle", "1 = 1"), 0);
}

//! Attacks at their measured rates, for longer than it once took until an innocent user was blocked.
//! Every request is real; the clock of the server moves one second after the requests of a second.
//!
//! `cargo test --locked --test it -- innocent::timed --nocapture` prints the seconds.

use super::stranger;
use crate::support::browser::Browser;
use crate::support::device::{Answer, Device};
use crate::support::{CLI, EMAIL, PASSWORD, TestApp, http};
use crate::throttle::{BEHIND_PROXY, WRONG, at_login, guess};
use crate::wrong_code::wrong_code;
use futures_util::future::join_all;

const BOB: &str = "bob@example.com";

/// The attack of one of the security findings.
struct Story {
    name: &'static str,
    /// Seconds until an innocent user was blocked, when the finding was reported.
    once: u32,
    /// Requests of the attacker in a second.
    rate: u32,
}

impl Story {
    /// Longer than it once took.
    fn seconds(&self) -> std::ops::Range<u32> {
        0..self.once + self.once / 16 + 2
    }

    /// The numbers of the requests of the attacker in a second.
    fn requests(&self, second: u32) -> std::ops::Range<u32> {
        second * self.rate..(second + 1) * self.rate
    }

    /// Prints when the user was blocked, and fails if it was.
    fn end(&self, blocked: Option<(u32, u16)>) {
        let now = blocked.map_or("never".to_owned(), |(second, _)| second.to_string());
        eprintln!(
            "{}: blocked after {} s at first, now: {now}",
            self.name, self.once
        );
        assert_eq!(blocked, None, "{}", self.name);
    }
}

/// Security finding 7: 102 networks try 50 invented addresses each. Bob signs in every second, in a
/// browser that he uses for the first time and in one that he used before.
#[actix_web::test]
async fn sign_in_during_guesses_from_many_networks() {
    let story = Story {
        name: "sign-in",
        once: 282,
        rate: 18,
    };
    let test = TestApp::with(BEHIND_PROXY).await;
    test.add_user(BOB, PASSWORD, None).await;
    let mut known = stranger(&test, "203.0.113.9").await;
    assert_eq!(guess(&mut known, BOB, PASSWORD).await.status, 303);
    known.get("/account").await;
    known.post("/logout", &[]).await;
    known.get("/login").await;
    let new = stranger(&test, "203.0.113.10").await;
    let attacker = at_login(&test).await;
    let mut blocked = None;
    for second in story.seconds() {
        let guesses = story.requests(second).map(|number| {
            let mut attacker = attacker.clone();
            let source = format!("198.51.{}.1", number % 102);
            attacker.set_header("x-forwarded-for", &source);
            async move {
                let email = format!("eve{number}@x.example");
                let fields = [("email", email.as_str()), ("password", WRONG)];
                attacker.post_only("/login", &fields).await.status
            }
        });
        for status in join_all(guesses).await {
            assert!(matches!(status, 303 | 401 | 429 | 503), "{status}");
        }
        for mut bob in [known.clone(), new.clone()] {
            let page = guess(&mut bob, BOB, PASSWORD).await;
            if page.status != 303 && blocked.is_none() {
                blocked = Some((second, page.status));
            }
        }
        test.clock.advance(1);
    }
    let overall = "key = 'password' AND attempts > 5000";
    assert_eq!(
        test.count("throttle", overall),
        1,
        "the overall limit is reached"
    );
    story.end(blocked);
}

/// A signed-in user of the attacker, with the page for the code open.
async fn sock_puppet(test: &TestApp, number: u32) -> Browser {
    let email = format!("sock{number}@x.example");
    test.add_user(&email, PASSWORD, None).await;
    // Four to a source, which the limit of a source allows.
    let source = format!("100.{}.{}.1", 64 + number / 1024, number / 4 % 256);
    let mut browser = stranger(test, &source).await;
    assert_eq!(guess(&mut browser, &email, PASSWORD).await.status, 303);
    assert_eq!(browser.get("/device").await.status, 200);
    browser
}

/// Security finding 5: the attacker has many users, who enter five wrong codes each. Bob enters the
/// right code of his device every second, and approves it in the end.
#[actix_web::test]
async fn code_entry_during_guesses_of_many_users() {
    let story = Story {
        name: "code entry",
        once: 101,
        rate: 50,
    };
    let test = TestApp::with(BEHIND_PROXY).await;
    test.add_user(BOB, PASSWORD, None).await;
    let mut bob = stranger(&test, "203.0.113.9").await;
    assert_eq!(guess(&mut bob, BOB, PASSWORD).await.status, 303);
    let request = http()
        .post(test.at("/auth/device"))
        .header("x-forwarded-for", "203.0.113.9")
        .form(&[("client_id", CLI), ("scope", "tokens:read")]);
    let device = Device::of(&Answer::of(request.send().await.unwrap()).await);
    let mut blocked = None;
    for second in story.seconds() {
        let numbers: Vec<_> = story.requests(second).collect();
        let test = &test;
        let guesses = numbers.chunks(5).map(|codes| async move {
            let mut sock_puppet = sock_puppet(test, codes[0] / 5).await;
            for code in codes {
                let code = wrong_code(*code as usize);
                let fields = [("user_code", code.as_str()), ("via", "keyboard")];
                let page = sock_puppet.post_only("/device", &fields).await;
                assert!(matches!(page.status, 303 | 400 | 429), "{}", page.status);
            }
        });
        join_all(guesses).await;
        let page = bob.type_code(&device.user_code).await;
        if page.status != 200 && blocked.is_none() {
            blocked = Some((second, page.status));
        }
        test.clock.advance(1);
    }
    let overall = "key = 'user_code' AND attempts > 5000";
    assert_eq!(
        test.count("throttle", overall),
        1,
        "the overall limit is reached"
    );
    story.end(blocked);
    let page = bob.approve(&device.user_code, &["tokens:read"]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    test.poll(&device).await.token();
}

/// Requests a device code for the client of the tests from an address.
async fn request_code(test: &TestApp, client: &reqwest::Client, address: &str) -> u16 {
    let request = client
        .post(test.at("/auth/device"))
        .header("x-forwarded-for", address)
        .form(&[("client_id", CLI), ("scope", "tokens:read")]);
    request.send().await.unwrap().status().as_u16()
}

/// Security finding 8: 100 networks request codes without end, from five addresses each. Each second
/// another user requests one, from an unused address and from a neighbour of the attacker's.
#[actix_web::test]
async fn device_codes_during_requests_from_many_networks() {
    let story = Story {
        name: "device code",
        once: 40,
        rate: 250,
    };
    let test = TestApp::with(BEHIND_PROXY).await;
    let client = http();
    let mut blocked = None;
    for second in story.seconds() {
        let requests = story.requests(second).map(|number| {
            let address = format!("198.51.{}.{}", number % 100, number / 100 % 5);
            let (test, client) = (&test, &client);
            async move { request_code(test, client, &address).await }
        });
        for status in join_all(requests).await {
            assert!(matches!(status, 200 | 429), "{status}");
        }
        for address in ["203.0.113", "198.51.7"].map(|site| format!("{site}.{}", 100 + second)) {
            let status = request_code(&test, &client, &address).await;
            if status != 200 && blocked.is_none() {
                blocked = Some((second, status));
            }
        }
        test.clock.advance(1);
    }
    let codes = test.count("device_grant", "state = 'pending'");
    assert!(
        codes >= 9_000,
        "{codes} codes: the limit of the client is not reached"
    );
    story.end(blocked);
    // A user whose browser is known from before signs in and sees no trace of it.
    test.browser().sign_in(EMAIL, PASSWORD).await;
}

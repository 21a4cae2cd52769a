//! Sign-in: the content, the cost and the concurrency limit of a rejection.

use crate::support::browser::{Browser, Page};
use crate::support::database::AUDIT;
use crate::support::{EMAIL, PASSWORD, TestApp};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const WRONG: &str = "yellow anvil sleeps under";

/// A response without the parts that always differ: the CSRF token, the submitted address, and
/// the request id.
fn comparable(page: &Page, browser: &Browser, email: &str) -> (u16, String, Vec<String>) {
    let body = page
        .body
        .replace(&browser.csrf, "FORM-TOKEN")
        .replace(email, "EMAIL");
    let mut headers: Vec<String> = page
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    (page.status, body, headers)
}

/// BRT-03.
#[actix_web::test]
async fn unknown_address_wrong_password_and_deactivated_user_get_the_same_response() {
    let test = TestApp::start().await;
    let gone = "bob@example.com";
    test.add_user(gone, PASSWORD, None).await;
    test.database.execute(&format!(
        "UPDATE users SET state = 'deactivated' WHERE email = '{gone}'"
    ));
    let mut answers = Vec::new();
    for (email, password) in [(EMAIL, WRONG), ("eve@example.com", WRONG), (gone, PASSWORD)] {
        let mut browser = test.browser();
        let page = browser.try_sign_in(email, password).await;
        assert_eq!(page.status, 401, "{email}");
        assert!(page.contains("The email address or the password is wrong."));
        assert!(!page.contains(password), "a typed password comes back");
        answers.push(comparable(&page, &browser, email));
        assert_eq!(browser.get("/tokens").await.status, 303);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    test.settle().await;
    assert_eq!(test.count(AUDIT, "action = 'session.refused'"), 3);
    assert_eq!(test.count("session", "1 = 1"), 0);
}

/// BRT-03, PWD-07: hashing dominates the response time, so a response without it would be many
/// times faster.
#[actix_web::test]
async fn rejection_takes_the_time_of_a_hash_for_any_address() {
    let test = TestApp::with("[sign_in]\nargon2_iterations = 30").await;
    let gone = "bob@example.com";
    test.add_user(gone, PASSWORD, None).await;
    test.database.execute(&format!(
        "UPDATE users SET state = 'deactivated' WHERE email = '{gone}'"
    ));
    let mut quickest = [Duration::MAX; 3];
    let tried = [(EMAIL, WRONG), ("eve@example.com", WRONG), (gone, PASSWORD)];
    let mut browser = test.browser();
    browser.get("/login").await;
    // In turn, so that other work on this machine falls on all three.
    for _ in 0..3 {
        for ((email, password), quickest) in tried.into_iter().zip(&mut quickest) {
            let before = Instant::now();
            let page = browser
                .post("/login", &[("email", email), ("password", password)])
                .await;
            *quickest = before.elapsed().min(*quickest);
            assert_eq!(page.status, 401);
        }
    }
    let fastest = quickest.iter().min().unwrap();
    let slowest = quickest.iter().max().unwrap();
    assert!(*fastest > Duration::from_millis(20), "{quickest:?}");
    assert!(*fastest * 3 > *slowest, "{quickest:?}");
}

/// PWD-07: only a successful sign-in upgrades a hash to higher parameters.
#[actix_web::test]
async fn hash_is_upgraded_at_sign_in_when_the_parameters_increase() {
    let test = TestApp::with("[sign_in]\nargon2_memory_kib = 19456").await;
    // 16 bytes of salt are 22 digits of base64.
    let with = |t: u8| {
        format!(
            "password_hash LIKE '$argon2id$v=19$m=19456,t={t},p=1${:_<22}$%'",
            ""
        )
    };
    assert_eq!(test.count("users", &with(2)), 1);

    let raised = test.second_server("[sign_in]\nargon2_iterations = 3").await;
    let refused = raised.browser().try_sign_in(EMAIL, WRONG).await;
    assert_eq!(refused.status, 401);
    assert_eq!(test.count("users", &with(2)), 1);
    raised.user().await;
    assert_eq!(test.count("users", &with(3)), 1);
    raised.user().await;
    let refused = raised.browser().try_sign_in(EMAIL, WRONG).await;
    assert_eq!(refused.status, 401);

    // The first server, with the lower parameters, still accepts the hash and keeps it.
    test.user().await;
    assert_eq!(test.count("users", &with(3)), 1);
}

/// PWD-10.
#[actix_web::test]
async fn new_installation_has_no_default_user() {
    let test = TestApp::empty("").await;
    for (email, password) in [("admin", "admin"), ("admin@example.com", "admin"), ("", "")] {
        let page = test.browser().try_sign_in(email, password).await;
        assert_eq!(page.status, 401, "{email}");
    }
    assert_eq!(test.count("users", "1 = 1"), 0);
}

/// Sends concurrent sign-ins for unknown addresses; the pages arrive as they complete.
async fn flood(test: &TestApp, count: usize) -> mpsc::UnboundedReceiver<Page> {
    let (sender, receiver) = mpsc::unbounded_channel();
    for i in 0..count {
        let (mut browser, sender) = (test.browser(), sender.clone());
        browser.get("/login").await;
        actix_web::rt::spawn(async move {
            let email = format!("nobody{i}@example.com");
            let fields = [("email", email.as_str()), ("password", WRONG)];
            let page = browser.post("/login", &fields).await;
            sender.send(page).unwrap();
        });
    }
    receiver
}

/// PWD-07, DOS-01.
#[actix_web::test]
async fn excess_sign_ins_are_rejected_while_other_requests_succeed() {
    let test =
        TestApp::with("[sign_in]\nhash_threads = 1\nhash_queue = 2\nargon2_iterations = 10").await;
    let token = test.token(&["tokens:read"]).await;
    let mut answers = flood(&test, 40).await;
    for _ in 0..20 {
        assert_eq!(test.introspect(&token).await["active"], true);
    }
    let mut statuses = Vec::new();
    while let Some(page) = answers.recv().await {
        match page.status {
            401 => {}
            503 => {
                assert!(page.headers.contains_key("retry-after"));
                assert!(page.contains("Back in a moment"));
            }
            status => panic!("{status}: {}", page.body),
        }
        statuses.push(page.status);
    }
    assert_eq!(statuses.len(), 40);
    assert!(statuses.contains(&401), "{statuses:?}");
    assert!(statuses.contains(&503), "{statuses:?}");
    test.user().await;
}

/// BRT-01, DOS-01: an attacker who occupies the hashing threads gains no guesses.
#[actix_web::test]
async fn rejected_excess_sign_in_neither_counts_nor_clears_guesses() {
    let test = TestApp::start().await;
    // Hashing for unknown addresses takes seconds here, for the user it stays fast.
    let slow = test
        .second_server(
            "[sign_in]\nhash_threads = 1\nhash_queue = 1\nargon2_iterations = 100\n\
             argon2_memory_kib = 80000",
        )
        .await;
    // The queue is full when the first of the others is rejected. If the machine is so busy that it
    // has emptied again, the guess counts, and another round follows.
    let mut wrong = 0;
    loop {
        let mut waiting = slow.browser();
        waiting.get("/login").await;
        let mut answers = flood(&slow, 10).await;
        while answers.recv().await.unwrap().status != 503 {}
        let fields = [("email", EMAIL), ("password", WRONG)];
        let status = waiting.post("/login", &fields).await.status;
        while let Some(page) = answers.recv().await {
            assert!([401, 503].contains(&page.status), "{}", page.status);
        }
        if status == 503 {
            break;
        }
        assert_eq!(status, 401);
        wrong += 1;
        assert!(wrong < 5, "no sign-in was rejected");
    }

    for _ in wrong..5 {
        assert_eq!(test.browser().try_sign_in(EMAIL, WRONG).await.status, 401);
    }
    let sixth = test.browser().try_sign_in(EMAIL, PASSWORD).await;
    assert_eq!(
        sixth.status, 429,
        "five wrong passwords were let through before"
    );
}

/// OAU-15: a browser must not resubmit a form, with its password, to the redirect target.
#[actix_web::test]
async fn every_form_is_followed_by_a_get() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    let signed_in = browser.try_sign_in(EMAIL, PASSWORD).await;
    assert_eq!((signed_in.status, signed_in.location()), (303, "/tokens"));
    browser.get("/account").await;
    let renamed = browser.post("/account/name", &[("name", "Ada L.")]).await;
    assert_eq!(
        (renamed.status, renamed.location()),
        (303, "/account?done=name")
    );
    let revoked = browser.post("/tokens/revoke-all", &[]).await;
    assert_eq!(
        (revoked.status, revoked.location()),
        (303, "/tokens?revoked-all=0")
    );
    let signed_out = browser.post("/logout", &[]).await;
    assert_eq!(
        (signed_out.status, signed_out.location()),
        (303, "/login?notice=signed-out")
    );
    let page = browser.get(signed_out.location()).await;
    assert!(page.contains("You are signed out."));
}

/// Signs in with the form of a tab.
async fn submit(tab: &mut Browser, email: &str, password: &str, return_to: &str) -> Page {
    let fields = [
        ("email", email),
        ("password", password),
        ("return_to", return_to),
    ];
    tab.post("/login", &fields).await
}

/// Two tabs on the sign-in page: each continues to its own page, in one session.
#[actix_web::test]
async fn second_tab_goes_on_after_the_first_has_signed_in() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    browser.get("/login?return_to=%2Faccount").await;
    let mut tab = browser.clone();
    tab.get("/login?return_to=%2Fo").await;
    let first = submit(&mut browser, EMAIL, PASSWORD, "/account").await;
    assert_eq!((first.status, first.location()), (303, "/account"));
    tab.cookies = browser.cookies.clone();
    let before = test.unread();
    // The session exists: the password is not even checked.
    for password in [PASSWORD, WRONG] {
        let second = submit(&mut tab, " ADA@example.com", password, "/o").await;
        assert_eq!((second.status, second.location()), (303, "/o"));
        assert_eq!(second.headers.get("set-cookie"), None);
    }
    let foreign = submit(&mut tab, EMAIL, PASSWORD, "https://evil.example").await;
    assert_eq!((foreign.status, foreign.location()), (303, "/tokens"));
    assert!(before == test.unread(), "something was written");
    assert_eq!(browser.get("/account").await.status, 200);
    assert_eq!(test.count("session", "1 = 1"), 1);
}

/// The forms were shown when the session had ended, which still has a cookie.
#[actix_web::test]
async fn second_tab_goes_on_after_the_end_of_a_session() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    test.clock.advance(15 * 24 * 3600);
    browser.get("/login?return_to=%2Faccount").await;
    let mut tab = browser.clone();
    let first = submit(&mut browser, EMAIL, PASSWORD, "/account").await;
    assert_eq!((first.status, first.location()), (303, "/account"));
    tab.cookies = browser.cookies.clone();
    let second = submit(&mut tab, EMAIL, PASSWORD, "/o").await;
    assert_eq!((second.status, second.location()), (303, "/o"));
    assert_eq!(test.count("session", "1 = 1"), 1);
}

/// A second tab can sign in as another user, with the right password only.
#[actix_web::test]
async fn second_tab_signs_in_as_another_user() {
    let test = TestApp::start().await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut browser = test.browser();
    browser.get("/login").await;
    let mut tab = browser.clone();
    submit(&mut browser, EMAIL, PASSWORD, "/account").await;
    tab.cookies = browser.cookies.clone();
    let refused = submit(&mut tab.clone(), "bob@example.com", WRONG, "/o").await;
    assert_eq!(refused.status, 401);
    assert!(browser.get("/account").await.contains(EMAIL));
    let second = submit(&mut tab, "bob@example.com", PASSWORD, "/o").await;
    assert_eq!((second.status, second.location()), (303, "/o"));
    assert!(tab.get("/account").await.contains("bob@example.com"));
    assert_eq!(test.count("session", "1 = 1"), 1, "the first session ended");
}

/// Two tabs opened at once in a new browser get different visitors, of which one stays. The other
/// form cannot sign in, and the user gets a fresh one.
#[actix_web::test]
async fn form_without_proof_leads_to_a_fresh_form() {
    let test = TestApp::start().await;
    let (mut browser, mut tab) = (test.browser(), test.browser());
    browser.get("/login").await;
    tab.get("/login").await;
    tab.cookies = browser.cookies.clone();
    let stale = submit(&mut tab, EMAIL, PASSWORD, "/device?user_code=WDJB-MJHT").await;
    assert_eq!(stale.status, 303);
    assert_eq!(test.count("session", "1 = 1"), 0);
    test.settle().await;
    assert_eq!(test.events("form.refused"), 1);
    let page = tab.get(stale.location()).await;
    assert!(page.contains("This sign-in form was out of date."));
    assert_eq!(
        page.field("return_to").unwrap().replace("&#38;", "&"),
        "/device?user_code=WDJB-MJHT"
    );
    let signed_in = submit(&mut tab, EMAIL, PASSWORD, "/account").await;
    assert_eq!((signed_in.status, signed_in.location()), (303, "/account"));
    // After the sign-in, such a form belongs to no session.
    browser.cookies = tab.cookies.clone();
    browser.csrf = test.browser().csrf;
    let led_on = submit(&mut browser, EMAIL, PASSWORD, "/o").await;
    assert_eq!((led_on.status, led_on.location()), (303, "/o"));
    assert_eq!(test.count("session", "1 = 1"), 1);
}

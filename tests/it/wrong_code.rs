//! Guessing user codes.

use crate::support::database::AUDIT;
use crate::support::{PASSWORD, TestApp};
use crate::throttle::{BEHIND_PROXY, retry_after};

/// An unassigned code in the correct format.
fn wrong_code(mut number: usize) -> String {
    let alphabet = b"BCDFGHJKLMNPQRSTVWXZ";
    let mut code = String::from("ZZZZ");
    for _ in 0..4 {
        code.push(char::from(alphabet[number % 20]));
        number /= 20;
    }
    code
}

/// T-09: of a thousand wrong codes from one user, five are looked up, also across a correct one.
#[actix_web::test]
async fn thousand_wrong_codes_of_one_user_are_five_guesses() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    browser.get("/device").await;
    let mut looked_up = 0;
    for i in 0..1000 {
        if i == 3 {
            assert_eq!(browser.type_code(&device.user_code).await.status, 200);
        }
        let code = wrong_code(i);
        let fields = [("user_code", code.as_str()), ("via", "keyboard")];
        match browser.post("/device", &fields).await {
            page if page.status == 400 => looked_up += 1,
            page => assert_eq!(retry_after(&page), 600),
        }
    }
    assert_eq!(looked_up, 5);
    assert_eq!(test.count(AUDIT, "action = 'device.wrong_code'"), 5);
    // The correct code is throttled too, but stays valid.
    assert_eq!(browser.type_code(&device.user_code).await.status, 429);
    test.clock.advance(599);
    assert_eq!(browser.type_code(&device.user_code).await.status, 429);
}

/// T-09: the other two limits: many users share one source, and all sources share a total.
#[actix_web::test]
async fn wrong_codes_are_limited_by_source_and_in_total() {
    let test = TestApp::with(BEHIND_PROXY).await;
    let mut codes = (0..).map(wrong_code);
    let mut browsers = Vec::new();
    for i in 0..5 {
        let email = format!("user{i}@example.com");
        test.add_user(&email, PASSWORD, None).await;
        let mut browser = test.browser();
        browser.set_header("x-forwarded-for", "198.51.100.7");
        browser.sign_in(&email, PASSWORD).await;
        browsers.push(browser);
    }
    for browser in &mut browsers[..4] {
        for _ in 0..5 {
            assert_eq!(browser.type_code(&codes.next().unwrap()).await.status, 400);
        }
    }
    let fresh = &mut browsers[4];
    assert_eq!(
        retry_after(&fresh.type_code(&codes.next().unwrap()).await),
        600
    );
    fresh.set_header("x-forwarded-for", "198.51.100.8");
    assert_eq!(fresh.type_code(&codes.next().unwrap()).await.status, 400);

    test.database
        .execute("UPDATE throttle SET attempts = 5000 WHERE key = 'user_code'");
    fresh.set_header("x-forwarded-for", "198.51.100.9");
    assert_eq!(
        retry_after(&fresh.type_code(&codes.next().unwrap()).await),
        600
    );
    test.clock.advance(600);
    assert_eq!(fresh.type_code(&codes.next().unwrap()).await.status, 400);
}

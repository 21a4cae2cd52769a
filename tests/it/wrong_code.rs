//! Guessing user codes.

use crate::innocent::metrics;
use crate::support::database::AUDIT;
use crate::support::{PASSWORD, TestApp};
use crate::throttle::{BEHIND_PROXY, retry_after};

/// An unassigned code in the correct format.
pub fn wrong_code(mut number: usize) -> String {
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

/// T-09, security finding 5: many users share one source, and all sources share a total. Beyond
/// either limit each user has one wrong code in ten minutes, and right codes always work.
#[actix_web::test]
async fn wrong_codes_of_others_leave_every_user_one() {
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
    let device = test.device("tokens:read").await;
    let fresh = &mut browsers[4];
    for _ in 0..30 {
        assert_eq!(fresh.type_code(&device.user_code).await.status, 200);
    }
    assert_eq!(fresh.type_code(&codes.next().unwrap()).await.status, 400);
    for code in [&codes.next().unwrap(), &device.user_code] {
        assert_eq!(retry_after(&fresh.type_code(code).await), 600);
    }
    fresh.set_header("x-forwarded-for", "198.51.100.8");
    assert_eq!(fresh.type_code(&codes.next().unwrap()).await.status, 400);

    test.database
        .execute("UPDATE throttle SET attempts = 5000 WHERE key = 'user_code'");
    fresh.set_header("x-forwarded-for", "198.51.100.9");
    assert_eq!(
        retry_after(&fresh.type_code(&codes.next().unwrap()).await),
        600
    );
    let mut innocent = test.user().await;
    innocent.set_header("x-forwarded-for", "198.51.100.9");
    let consent = innocent.type_code(&device.user_code).await;
    assert_eq!(consent.status, 200, "{}", consent.body);
    let ticket = consent.field("ticket").unwrap();
    let fields = [
        ("ticket", ticket.as_str()),
        ("decision", "approve"),
        ("scope", "tokens:read"),
        ("confirm", "yes"),
    ];
    let result = innocent.post("/device/decide", &fields).await;
    assert_eq!(result.status, 200, "{}", result.body);
    assert_eq!(test.poll(&device).await.status, 200);
    test.clock.advance(600);
    assert_eq!(fresh.type_code(&codes.next().unwrap()).await.status, 400);
    let metrics = metrics(&test).await;
    for limit in ["user_code", "user_code_source"] {
        let name = format!("doorcode_limit_reached_total{{limit=\"{limit}\"}}");
        assert!(!metrics.contains(&format!("{name} 0")), "{metrics}");
        assert!(metrics.contains(&name), "{metrics}");
    }
}

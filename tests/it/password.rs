//! Passwords: which are accepted, and that every character counts.

use crate::support::{EMAIL, PASSWORD, TestApp};

/// A sentence of this length that is in no password list.
fn phrase(length: usize) -> String {
    "the quick onyx goblin jumps over a lazy dwarf; "
        .chars()
        .cycle()
        .take(length)
        .collect()
}

/// PWD-03.
#[actix_web::test]
async fn whole_password_counts_with_its_case_and_spaces() {
    let test = TestApp::start().await;
    let trailing_space = "violet kettle marches ";
    let cases: [(&str, String, Vec<String>); 4] = [
        // Lengths at which bcrypt and faulty code truncate.
        ("a@example.com", phrase(73), vec![phrase(72), phrase(74)]),
        ("b@example.com", phrase(129), vec![phrase(128), phrase(130)]),
        (
            "c@example.com",
            trailing_space.into(),
            vec![trailing_space.trim().into(), format!(" {trailing_space}")],
        ),
        (
            "d@example.com",
            PASSWORD.into(),
            vec![PASSWORD.to_uppercase(), format!("{PASSWORD} ")],
        ),
    ];
    for (email, password, others) in cases {
        test.add_user(email, &password, None).await;
        for other in others {
            let page = test.browser().try_sign_in(email, &other).await;
            assert_eq!(page.status, 401, "{other:?} for {password:?}");
        }
        test.browser().sign_in(email, &password).await;
    }
}

/// PWD-03: keyboards send accents composed or decomposed.
#[actix_web::test]
async fn both_encodings_of_an_accent_sign_in() {
    let test = TestApp::start().await;
    test.add_user("e@example.com", "caf\u{e9} kettle marches", None)
        .await;
    for password in ["caf\u{e9} kettle marches", "cafe\u{301} kettle marches"] {
        test.browser().sign_in("e@example.com", password).await;
    }
    let plain = test
        .browser()
        .try_sign_in("e@example.com", "cafe kettle marches")
        .await;
    assert_eq!(plain.status, 401);
}

/// PWD-01, PWD-02, PWD-04: each is rejected with the reason, and is not stored.
#[actix_web::test]
async fn new_password_must_be_long_and_not_common() {
    let test = TestApp::with("[branding]\nname = \"Lighthouse\"").await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    for (new, reason) in [
        ("fourteen chars", "Use at least 15 characters."),
        (&phrase(257), "Use at most 256 characters."),
        ("aaaaaaaaaaaaaaaaaa", "repeats itself"),
        ("123456789012345", "runs along the keyboard"),
        ("Correct Horse Battery Staple", "a well-known password"),
        ("passwordpassword123", "a well-known password"),
        ("ada@example.com1", "your email address"),
        ("Lighthouse-2026-!", "the name of this service"),
        ("doorcode-doorcode", "Choose something else."),
        ("", "Use at least 15 characters."),
    ] {
        let fields = [("current_password", PASSWORD), ("new_password", new)];
        let page = browser.post("/account/password", &fields).await;
        assert_eq!(page.status, 422, "{new}");
        assert!(page.contains(reason), "{new}: {}", page.body);
        assert!(page.contains(r#"aria-describedby="new_password-hint new_password-error""#));
        if !new.is_empty() {
            assert!(!page.contains(&format!("value=\"{new}\"")));
        }
    }
    test.user().await;

    let mut current = PASSWORD.to_owned();
    for new in [
        "fifteen letters".to_owned(),
        phrase(64),
        phrase(128),
        phrase(256),
    ] {
        let fields = [
            ("current_password", current.as_str()),
            ("new_password", new.as_str()),
        ];
        browser.get("/account").await;
        let page = browser.post("/account/password", &fields).await;
        assert_eq!(page.status, 303, "{new}: {}", page.body);
        current = new;
    }
    test.browser().sign_in(EMAIL, &current).await;
}

/// PWD-02: passwords do not expire.
#[actix_web::test]
async fn old_password_need_not_be_changed() {
    let test = TestApp::start().await;
    test.clock.advance(2 * 365 * 24 * 3600);
    let mut browser = test.browser();
    let page = browser.try_sign_in(EMAIL, PASSWORD).await;
    assert_eq!((page.status, page.location()), (303, "/tokens"));
    assert_eq!(browser.get("/tokens").await.status, 200);
}

/// PWD-05, A11-01, A11-07: password managers recognise the fields, pasting is possible, and the
/// input can be shown.
#[actix_web::test]
async fn password_managers_can_fill_every_password_field() {
    let test = TestApp::start().await;
    let login = test.browser().get("/login").await;
    assert!(login.contains(r#"type="email" value="" autocomplete="username""#));
    assert!(login.contains(r#"type="password" autocomplete="current-password""#));
    let user = test.user().await.get("/account/security").await;
    assert!(user.contains(r#"autocomplete="username" readonly hidden"#));
    assert!(
        user.contains(r#"name="current_password" type="password" autocomplete="current-password""#)
    );
    assert!(user.contains(r#"name="new_password" type="password" autocomplete="new-password""#));
    for page in [&login, &user] {
        assert!(
            page.contains(r#"<span data-reveal-word>Show</span><span class="sr"> password</span>"#)
        );
        assert!(!page.contains("onpaste"));
    }
    let script = include_str!("../../static/app.js");
    assert!(
        !script.contains("paste"),
        "no script stands between a person and pasting"
    );
}

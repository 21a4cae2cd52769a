//! Attacks on the new sign-in.

use super::{HIGH, OLD, asked_again, decision, reviewed, sign_in_again};
use crate::support::{EMAIL, PASSWORD, TestApp};

const SESSION: &str = "doorcode_session";

/// The ticket of a consent page is of its session, and a stale session approves nothing with it,
/// neither before nor after the user signs in again in another one.
#[actix_web::test]
async fn stale_session_replays_a_ticket_from_before() {
    let test = TestApp::start().await;
    let mut thief = test.user().await;
    let mut user = test.user().await;
    let device = test.device(HIGH).await;
    let consent = thief.type_code(&device.user_code).await;
    let [ticket, code] = reviewed(&consent);
    let csrf = thief.csrf.clone();
    test.clock.advance(OLD - 1);
    // The code is still open a second later; the sign-in is too old.
    let fields = decision([&ticket, &code], "approve", &[HIGH]);
    test.clock.advance(1);
    let second = test.device(HIGH).await;
    let consent = thief.type_code(&second.user_code).await;
    let [later, code_of_later] = reviewed(&consent);
    let replay = decision([&later, &code_of_later], "approve", &[HIGH]);
    for _ in 0..2 {
        let page = thief.post_only("/device/decide", &replay).await;
        asked_again(&mut thief, &page).await;
    }
    // The user signs in again in their own browser, and reviews the same code.
    user.get("/account").await;
    let page = user.post_only("/account/password", &[]).await;
    sign_in_again(&mut user, &page).await;
    let own = user.type_code(&second.user_code).await;
    let [of_user, _] = reviewed(&own);
    for ticket in [&later, &of_user] {
        let replay = decision([ticket, &code_of_later], "approve", &[HIGH]);
        thief.csrf.clone_from(&csrf);
        let page = thief.post_only("/device/decide", &replay).await;
        assert_ne!(page.status, 200);
        assert!(!page.location().starts_with("/device/result"));
    }
    thief.post_only("/device/decide", &fields).await;
    assert_eq!(test.events("device.approved"), 0);
    assert_eq!(test.poll(&second).await.error(), "authorization_pending");
}

/// A form of another site cannot make a session recent, nor one without the token of this browser.
#[actix_web::test]
async fn new_sign_in_is_not_sent_by_another_site() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    test.clock.advance(OLD);
    browser.get("/account").await;
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("return_to", "/account"),
    ];
    let before = browser.cookies[SESSION].clone();
    let mut foreign = browser.clone();
    foreign.set_header("origin", "https://evil.example");
    assert_eq!(foreign.post_only("/login", &fields).await.status, 403);
    let bare = browser.post_bare("/login", &fields).await;
    assert_eq!((bare.status, bare.location()), (303, "/account"));
    assert_eq!(browser.cookies[SESSION], before, "no new session");
    let page = browser
        .post_only("/account/password", &[("new_password", PASSWORD)])
        .await;
    asked_again(&mut browser, &page).await;
}

/// The detour returns to pages of this site alone.
#[actix_web::test]
async fn detour_is_no_open_redirect() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    test.clock.advance(OLD);
    for (asked, target) in [
        ("https://evil.example", "/tokens"),
        ("//evil.example", "/tokens"),
        ("/account/security//evil.example", "/tokens"),
        ("/account/security?form=0af3", "/account/security?form=0af3"),
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(asked.as_bytes()).collect();
        let path = format!("/login?return_to={encoded}&notice=again");
        let login = browser.get(&path).await;
        assert_eq!(login.field("return_to").as_deref(), Some(target));
        let fields = [
            ("email", EMAIL),
            ("password", PASSWORD),
            ("return_to", asked),
        ];
        let page = browser.post_only("/login", &fields).await;
        assert_eq!((page.status, page.location()), (303, target));
    }
}

/// The new sign-in begins a session of its own: one that an attacker planted or copied before does
/// not become recent, and ends.
#[actix_web::test]
async fn session_from_before_is_not_fixed() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let thief = browser.clone();
    test.clock.advance(OLD);
    browser.get("/account").await;
    let page = browser.post_only("/account/password", &[]).await;
    sign_in_again(&mut browser, &page).await;
    assert_ne!(browser.cookies[SESSION], thief.cookies[SESSION]);
    let mut thief = thief;
    let account = thief.get("/account").await;
    assert_eq!(account.status, 303, "the old session has ended");
    assert!(account.location().starts_with("/login"));
    assert_eq!(browser.get("/account").await.status, 200);
}

/// Another user who signs in at the detour sees nothing of the form.
#[actix_web::test]
async fn form_is_not_shown_to_another_user() {
    let test = TestApp::start().await;
    test.add_user("eve@example.com", PASSWORD, None).await;
    let mut browser = test.user().await;
    test.clock.advance(OLD);
    browser.get("/tokens/new").await;
    let fields = [
        ("name", "secret of Ada"),
        ("scope", HIGH),
        ("expires", "30d"),
    ];
    let page = browser.post_only("/tokens/new", &fields).await;
    let return_to = asked_again(&mut browser, &page).await;
    let fields = [
        ("email", "eve@example.com"),
        ("password", PASSWORD),
        ("return_to", &*return_to),
    ];
    let done = browser.post_only("/login", &fields).await;
    assert_eq!(done.status, 303);
    let form = browser.get(&return_to).await;
    assert!(!form.contains("secret of Ada"));
}

/// A wrong password leaves the session as it was, and its guesses are limited as at any sign-in.
#[actix_web::test]
async fn wrong_password_makes_nothing_recent() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    test.clock.advance(OLD);
    browser.get("/account").await;
    let page = browser.post_only("/account/password", &[]).await;
    let return_to = asked_again(&mut browser, &page).await;
    let fields = [
        ("email", EMAIL),
        ("password", "wrong horse battery"),
        ("return_to", &*return_to),
    ];
    let page = browser.post("/login", &fields).await;
    assert_eq!(page.status, 401);
    let page = browser.post_only("/account/password", &[]).await;
    asked_again(&mut browser, &page).await;
}

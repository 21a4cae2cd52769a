//! Sessions: their start and, above all, their end.

use crate::support::browser::Browser;
use crate::support::database::AUDIT;
use crate::support::{EMAIL, PASSWORD, TestApp};

const HOUR: i64 = 3600;

/// Whether a browser is signed in, according to the server rather than its cookies.
async fn is_signed_in(browser: &mut Browser) -> bool {
    let page = browser.get("/account").await;
    match page.status {
        200 => true,
        303 => {
            assert_eq!(page.location(), "/login?return_to=%2Faccount");
            false
        }
        status => panic!("{status}: {}", page.body),
    }
}

/// SES-03.
#[actix_web::test]
async fn idle_session_ends_and_its_cookie_cannot_extend_it() {
    let test = TestApp::with("[sign_in]\nidle_timeout = \"1h\"\nabsolute_timeout = \"3h\"").await;
    let mut browser = test.user().await;
    test.clock.advance(HOUR - 1);
    assert!(is_signed_in(&mut browser).await);
    test.clock.advance(HOUR - 1);
    assert!(is_signed_in(&mut browser).await, "use prolongs it");
    let cookies = browser.cookies.clone();
    test.clock.advance(HOUR);
    assert!(!is_signed_in(&mut browser).await);
    browser.cookies = cookies;
    assert!(
        !is_signed_in(&mut browser).await,
        "a kept cookie does not help"
    );
    let login = browser.get("/login?return_to=%2Faccount").await;
    assert!(login.contains("Your session has ended."));
}

/// SES-03: regardless of use.
#[actix_web::test]
async fn session_ends_a_fixed_time_after_the_sign_in() {
    let test = TestApp::with("[sign_in]\nidle_timeout = \"1h\"\nabsolute_timeout = \"3h\"").await;
    let mut browser = test.user().await;
    for _ in 0..5 {
        test.clock.advance(HOUR / 2);
        assert!(is_signed_in(&mut browser).await);
    }
    test.clock.advance(HOUR / 2 - 1);
    assert!(is_signed_in(&mut browser).await);
    test.clock.advance(1);
    assert!(!is_signed_in(&mut browser).await);
}

/// SES-03: the defaults.
#[actix_web::test]
async fn sessions_last_one_day_unused_and_two_weeks_at_most() {
    let test = TestApp::start().await;
    let mut idle = test.user().await;
    test.clock.advance(24 * HOUR - 1);
    assert!(is_signed_in(&mut idle.clone()).await);
    test.clock.advance(24 * HOUR);
    assert!(!is_signed_in(&mut idle).await);

    let mut busy = test.user().await;
    for _ in 0..27 {
        test.clock.advance(12 * HOUR);
        assert!(is_signed_in(&mut busy).await);
    }
    test.clock.advance(12 * HOUR);
    assert!(!is_signed_in(&mut busy).await);
}

/// T-13: an hour forward, two back: an ended session stays ended, an active one stays active.
#[actix_web::test]
async fn clock_set_back_reactivates_no_session() {
    let test = TestApp::with("[sign_in]\nidle_timeout = \"1h\"").await;
    let mut browser = test.user().await;
    test.clock.advance(HOUR);
    assert!(!is_signed_in(&mut browser).await);
    test.clock.advance(-2 * HOUR);
    assert!(!is_signed_in(&mut browser).await);

    let mut other = test.user().await;
    test.clock.advance(-2 * HOUR);
    assert!(is_signed_in(&mut other).await);
}

/// T-13: sessions and open forms survive a restart.
#[actix_web::test]
async fn restart_ends_no_session() {
    let mut test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    let mut waiting = test.browser();
    waiting.get("/login").await;

    test.restart().await;
    let result = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(result.status, 200, "{}", result.body);
    let token = test.poll(&device).await.token();
    assert_eq!(test.me(&token).await.status(), 200);
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    assert_eq!(waiting.post("/login", &fields).await.status, 303);
}

/// SES-04, HDR-03.
#[actix_web::test]
async fn sign_out_ends_the_session_on_the_server() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let page = browser.get("/account").await;
    assert!(page.contains("Sign out"));
    assert_eq!(
        page.headers["cache-control"], "no-store",
        "Back shows nothing"
    );
    let cookies = browser.cookies.clone();

    let link = browser.get("/logout").await;
    assert_eq!((link.status, link.location()), (303, "/tokens"));
    assert!(is_signed_in(&mut browser).await, "a link signs nobody out");
    let out = browser.post("/logout", &[]).await;
    assert_eq!(out.status, 303);
    assert!(out.headers.contains_key("clear-site-data"));
    assert!(!browser.cookies.contains_key("doorcode_session"));
    assert_eq!(test.count("session", "1 = 1"), 0);
    browser.cookies = cookies;
    assert!(!is_signed_in(&mut browser).await, "the old cookie is dead");
    // Repeating it is no error; the form still belongs to this browser.
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
}

/// SES-04: a form that was open in a second tab when the first one signed out.
#[actix_web::test]
async fn second_tab_that_signs_out_is_signed_out() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    let mut tab = browser.clone();
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
    let before = test.unread();
    // The tabs share their cookies. The second may even outlive the cookie of its visitor.
    tab.cookies = browser.cookies.clone();
    let mut cookieless = tab.clone();
    cookieless.cookies.clear();
    for tab in [&mut tab, &mut cookieless] {
        let out = tab.post("/logout", &[]).await;
        assert_eq!(
            (out.status, out.location()),
            (303, "/login?notice=signed-out")
        );
        assert!(!tab.cookies.contains_key("doorcode_session"));
        let out = tab.post("/logout", &[("return_to", "/device")]).await;
        assert_eq!(
            (out.status, out.location()),
            (303, "/login?return_to=%2Fdevice")
        );
        let link = tab.get("/logout").await;
        assert_eq!(
            (link.status, link.location()),
            (303, "/login?return_to=%2Ftokens")
        );
        assert_eq!(tab.head("/logout").await.status, 303);
    }
    assert!(before == test.unread(), "something was written");
    let mut foreign = tab.clone();
    foreign.set_header("sec-fetch-site", "cross-site");
    assert_eq!(foreign.post("/logout", &[]).await.status, 403);
}

/// SES-04: the tab is older than the session. Its button still works.
#[actix_web::test]
async fn tab_of_an_earlier_session_signs_out() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    let mut tab = browser.clone();
    browser.post("/logout", &[]).await;
    browser.sign_in(EMAIL, PASSWORD).await;
    tab.cookies = browser.cookies.clone();
    let mut stranger = test.browser();
    stranger.get("/login").await;
    let own = std::mem::replace(&mut tab.csrf, stranger.csrf);
    assert_eq!(tab.post("/logout", &[]).await.status, 403);
    assert!(is_signed_in(&mut browser).await);
    tab.csrf = own;
    assert_eq!(tab.post("/logout", &[]).await.status, 303);
    assert!(!is_signed_in(&mut browser).await);
}

/// SES-05, SES-06: one session per browser; each is listed and can be ended.
#[actix_web::test]
async fn user_signs_out_other_browsers_individually() {
    let test = TestApp::start().await;
    let mut here = test.browser();
    here.set_header("user-agent", "Here/1.0");
    here.sign_in(EMAIL, PASSWORD).await;
    let mut there = test.browser();
    there.set_header("user-agent", "There/2.0");
    there.sign_in(EMAIL, PASSWORD).await;
    let mut elsewhere = test.user().await;

    let page = here.get("/account/security").await;
    assert!(page.contains("Here/1.0") && page.contains("There/2.0"));
    assert!(page.contains("Unknown browser"));
    assert_eq!(page.body.matches("This browser").count(), 1);
    let (_, row) = page.body.split_once("There/2.0").unwrap();
    let (_, action) = row.split_once(r#"action=""#).unwrap();
    let (action, _) = action.split_once('"').unwrap();
    let done = here.post(action, &[]).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/account/security?done=session")
    );
    assert!(
        here.get("/account/security?done=session")
            .await
            .contains("That session is signed out.")
    );
    assert!(!is_signed_in(&mut there).await);
    assert!(is_signed_in(&mut elsewhere).await);
    assert_eq!(here.post(action, &[]).await.status, 404, "it is gone");

    // The row of the current session signs this browser out, like the button in the header.
    let page = here.get("/account/security").await;
    let (_, row) = page.body.split_once("Here/1.0").unwrap();
    let (_, action) = row.split_once(r#"action=""#).unwrap();
    let (action, _) = action.split_once('"').unwrap();
    let out = here.post(action, &[]).await;
    assert_eq!(out.location(), "/login?notice=signed-out");
    assert!(out.headers.contains_key("clear-site-data"));
    assert!(!is_signed_in(&mut here).await);
}

/// SES-05: another user's session looks like one that does not exist.
#[actix_web::test]
async fn user_cannot_end_the_session_of_another_user() {
    let test = TestApp::start().await;
    test.add_user("eve@example.com", PASSWORD, None).await;
    let mut ada = test.user().await;
    let page = ada.get("/account/security").await;
    let (_, id) = page.body.split_once("/account/sessions/").unwrap();
    let (id, _) = id.split_once('/').unwrap();

    let mut eve = test.browser();
    eve.sign_in("eve@example.com", PASSWORD).await;
    eve.get("/account").await;
    let absent = format!("{}0000", &id[..id.len() - 4]);
    for id in [id, &absent, "ses_x", "%00", "..%2F..%2Flogout"] {
        let page = eve
            .post(&format!("/account/sessions/{id}/sign-out"), &[])
            .await;
        assert_eq!(page.status, 404, "{id}");
        assert!(page.contains("It no longer exists"));
    }
    assert!(is_signed_in(&mut ada).await);
}

/// SES-05, T-19: on every instance, from the next request on.
#[actix_web::test]
async fn deactivation_ends_sessions_and_tokens_immediately() {
    let test = TestApp::start().await;
    let other = test.second_server("").await;
    let token = test.token(&["tokens:read"]).await;
    let mut here = test.user().await;
    let mut there = other.user().await;
    test.deactivate(EMAIL).await;

    assert!(!is_signed_in(&mut here).await);
    assert!(!is_signed_in(&mut there).await);
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(other.me(&token).await.status(), 401);
    assert_eq!(
        other.introspect(&token).await,
        serde_json::json!({"active": false})
    );
    assert_eq!(
        test.browser().try_sign_in(EMAIL, PASSWORD).await.status,
        401
    );
    test.deactivate(EMAIL).await;
    assert_eq!(test.count(AUDIT, "action = 'user.deactivated'"), 1);
}

/// SES-05: the state of the user is checked on each request, even if it was changed in the
/// database directly.
#[actix_web::test]
async fn session_of_a_deactivated_user_is_rejected() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    test.database
        .execute("UPDATE users SET state = 'deactivated'");
    assert!(!is_signed_in(&mut browser).await);
}

/// OAU-27: a page accepts no token, an endpoint no cookie.
#[actix_web::test]
async fn pages_accept_only_cookies_and_the_api_only_tokens() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read", "orgs:read"]).await;
    let session = test.user().await.cookies["doorcode_session"].clone();
    for path in [
        "/",
        "/device",
        "/tokens",
        "/tokens/new",
        "/tokens/revoke-all",
        "/account",
    ] {
        let page = test
            .anon()
            .get(test.at(path))
            .bearer_auth(&token)
            .send()
            .await
            .unwrap();
        assert_eq!(page.status(), 303, "{path}");
    }
    for path in ["/v1/me", "/v1/scopes"] {
        let cookie = format!("doorcode_session={session}");
        let answer = test
            .anon()
            .get(test.at(path))
            .header("cookie", &cookie)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401, "{path}");
        let answer = test
            .anon()
            .get(test.at(path))
            .bearer_auth(&session)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401, "{path}");
    }
    let answer = test
        .anon()
        .post(test.at("/auth/introspect"))
        .header("cookie", format!("doorcode_session={session}"))
        .form(&[("token", &token)])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(
        test.introspect(&session).await,
        serde_json::json!({"active": false})
    );
}

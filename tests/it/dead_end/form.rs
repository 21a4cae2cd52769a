//! What was typed survives errors, a new sign-in and a wait.

use crate::support::browser::{Browser, Page};
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::app::sweep;
use doorcode::domain::role::Role;
use futures_util::future::join_all;

const BOB: &str = "bob@example.com";
const WRONG: &str = "yellow anvil sleeps under";
const SIGNED_IN_AGAIN: &str = "You signed in again. Check the form and send it once more.";

/// The fields of a form for a token, with an error: the date is missing.
const WITHOUT_DATE: [(&str, &str); 3] = [
    ("name", "build server"),
    ("scope", "orgs:read"),
    ("expires", "custom"),
];

/// Signs in on the page to which a redirect leads, and opens the page that follows.
async fn sign_in_at(browser: &mut Browser, login: &Page, email: &str) -> Page {
    let page = browser.get(login.location()).await;
    let return_to = page.field("return_to").unwrap();
    let return_to = return_to.replace("&amp;", "&").replace("&#38;", "&");
    let fields = [
        ("email", email),
        ("password", PASSWORD),
        ("return_to", &return_to),
    ];
    let back = browser.post_only("/login", &fields).await;
    assert_eq!(back.status, 303, "{}", back.body);
    browser.get(back.location()).await
}

/// Asserts that a page has the form with what was typed.
#[track_caller]
fn assert_kept(page: &Page) {
    assert_eq!(
        page.field("name").as_deref(),
        Some("build server"),
        "{}",
        page.body
    );
    assert!(page.is_ticked("orgs:read"));
    assert!(page.contains(r#"name="expires" value="custom" checked"#));
}

/// An error in a form: reload and Back open the page with GET, and passwords are never stored.
#[actix_web::test]
async fn form_with_an_error_is_shown_again_after_a_redirect() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    let mut browser = test.user().await;
    browser.get("/tokens/new").await;
    let redirect = browser.post_only("/tokens/new", &WITHOUT_DATE).await;
    assert_eq!(redirect.status, 303);
    let path = redirect.location().to_owned();
    for _ in 0..2 {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 422);
        assert_kept(&page);
        assert!(page.contains(r#"aria-invalid="true""#));
        assert_kept(&browser.at(&second.url).get(&path).await);
    }
    let mut stranger = test.user().await;
    let page = stranger.get(&path).await;
    assert_eq!(
        (page.status, page.field("name").unwrap().as_str()),
        (200, "")
    );
    // The id is only for this page.
    let elsewhere = path.replace("/tokens/new", "/account");
    assert!(!browser.get(&elsewhere).await.contains("build server"));

    test.clock.advance(600);
    let page = browser.get(&path).await;
    assert_eq!(
        (page.status, page.field("name").unwrap().as_str()),
        (200, "")
    );

    // The sign-in is too old for a change of the password.
    browser.sign_in(EMAIL, PASSWORD).await;
    browser.get("/account/security").await;
    let fields = [
        ("current_password", "not the password at all"),
        ("new_password", "short"),
    ];
    let page = browser.post("/account/password", &fields).await;
    assert_eq!(page.status, 422);
    assert!(!page.contains("not the password at all"));
    assert!(test.leaks().is_empty());
}

/// A visitor sends many forms: the number of stored forms is limited, and the last ones work.
#[actix_web::test]
async fn browser_has_at_most_eight_saved_forms() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/tokens/new").await;
    let mut paths = Vec::new();
    for _ in 0..20 {
        test.clock.advance(1);
        let redirect = browser.post_only("/tokens/new", &WITHOUT_DATE).await;
        paths.push(redirect.location().to_owned());
    }
    assert_eq!(test.count("sealed_text", "1 = 1"), 8);
    let mut statuses = Vec::new();
    for path in &paths {
        statuses.push(browser.get(path).await.status);
    }
    assert_eq!(statuses, [vec![200; 12], vec![422; 8]].concat());

    let posts = (0..20).map(|_| {
        let mut browser = browser.clone();
        async move { browser.post("/tokens/new", &WITHOUT_DATE).await.status }
    });
    let statuses = join_all(posts).await;
    assert!(
        statuses.iter().all(|status| [200, 422].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(test.count("sealed_text", "1 = 1"), 8);

    test.clock.advance(600);
    sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("sealed_text", "1 = 1"), 0);
}

/// Two tabs: the form was opened before the user signed in again in the other one.
#[actix_web::test]
async fn form_of_an_earlier_session_keeps_what_was_typed() {
    let test = TestApp::start().await;
    let mut tab = test.user().await;
    tab.get("/tokens/new").await;
    let csrf = tab.csrf.clone();
    tab.post("/logout", &[]).await;
    tab.sign_in(EMAIL, PASSWORD).await;

    let stale = [("csrf", csrf.as_str())];
    let page = tab
        .post_bare("/tokens/new", &[&stale[..], &WITHOUT_DATE].concat())
        .await;
    assert_eq!(page.status, 303);
    let page = tab.get(page.location()).await;
    assert_eq!(page.status, 403);
    assert!(page.contains(SIGNED_IN_AGAIN));
    assert_kept(&page);
    assert_eq!(test.count("token", "1 = 1"), 0);

    let fields = [("name", "build server"), ("expires", "30d")];
    let page = tab.post("/tokens/new", &fields).await;
    assert!(page.attribute("data-token").is_some(), "{}", page.body);
}

/// The session ended while the user typed, by timeout or in another tab.
#[actix_web::test]
async fn form_of_an_ended_session_continues_after_the_sign_in() {
    let test = TestApp::start().await;
    for drops_cookie in [false, true] {
        let mut tab = test.user().await;
        tab.get("/tokens/new").await;
        let csrf = tab.csrf.clone();
        match drops_cookie {
            true => drop(tab.post("/logout", &[]).await),
            false => test.database.execute("DELETE FROM session"),
        }
        let fields = [&[("csrf", csrf.as_str())][..], &WITHOUT_DATE].concat();
        let login = tab.post_bare("/tokens/new", &fields).await;
        assert!(
            login
                .location()
                .starts_with("/login?return_to=%2Ftokens%2Fnew")
        );
        let page = sign_in_at(&mut tab, &login, EMAIL).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.contains(SIGNED_IN_AGAIN));
        assert_kept(&page);
    }
}

/// A stranger signs in after the session of another user ended in the same browser.
#[actix_web::test]
async fn form_of_an_ended_session_is_not_shown_to_another_user() {
    let test = TestApp::start().await;
    test.add_user(BOB, PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let mut tab = test.user().await;
    tab.get("/tokens/new").await;
    test.database.execute("DELETE FROM session");
    let login = tab.post("/tokens/new", &WITHOUT_DATE).await;
    let page = sign_in_at(&mut tab, &login, BOB).await;
    assert_eq!(page.status, 200);
    assert!(page.contains(BOB));
    assert_eq!(page.field("name").as_deref(), Some(""));
    assert!(!page.contains(SIGNED_IN_AGAIN));
}

/// Too many attempts: the form stays, with the email and the time when it works again.
#[actix_web::test]
async fn throttled_sign_in_keeps_the_email_and_names_the_time() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    let fields = [
        ("email", EMAIL),
        ("password", WRONG),
        ("return_to", "/account"),
    ];
    browser.get("/login").await;
    for _ in 0..5 {
        let page = browser.post("/login", &fields).await;
        assert_eq!(page.status, 401);
        assert_eq!(page.field("email").as_deref(), Some(EMAIL));
    }
    let page = browser.post("/login", &fields).await;
    assert_eq!(page.status, 429);
    assert_eq!(page.headers["retry-after"], "30");
    assert!(page.contains("Too many attempts") && page.contains("Try again in 30 seconds."));
    assert_eq!(page.field("email").as_deref(), Some(EMAIL));
    assert_eq!(page.field("return_to").as_deref(), Some("/account"));
    test.clock.advance(30);
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("return_to", "/account"),
    ];
    assert_eq!(browser.post("/login", &fields).await.location(), "/account");
}

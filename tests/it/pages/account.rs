//! `/account`: name and password.

use crate::support::browser::{Browser, Page};
use crate::support::database::AUDIT;
use crate::support::{EMAIL, PASSWORD, TestApp};

const NEW: &str = "yellow anvil sleeps under";

async fn change(browser: &mut Browser, current: &str, new: &str, end_others: bool) -> Page {
    let mut fields = vec![("current_password", current), ("new_password", new)];
    if end_others {
        fields.push(("end_others", "yes"));
    }
    browser.post("/account/password", &fields).await
}

/// CONTRACT 4.
#[actix_web::test]
async fn name_is_changed_and_shown() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    let saved = browser
        .post("/account/name", &[("name", "  Ada King  ")])
        .await;
    assert_eq!(
        (saved.status, saved.location()),
        (303, "/account?done=name")
    );
    let page = browser.get(saved.location()).await;
    assert!(page.contains("Your name is saved."));
    assert_eq!(page.field("name").as_deref(), Some("Ada King"));
    let long = "x".repeat(101);
    for (name, message) in [
        ("  ", "Enter a name."),
        (&long, "Use at most 100 characters."),
    ] {
        let page = browser.post("/account/name", &[("name", name)]).await;
        assert_eq!(page.status, 422);
        assert!(page.contains(message));
    }
    assert_eq!(test.count("users", "name = 'Ada King'"), 1);
    assert_eq!(test.count(AUDIT, "action = 'user.renamed'"), 1);
}

/// PWD-06, SES-05: other sessions end if the user leaves the box ticked.
#[actix_web::test]
async fn password_change_can_end_the_other_sessions() {
    let test = TestApp::start().await;
    let mut here = test.user().await;
    let mut other = test.user().await;
    let page = here.get("/account/security").await;
    assert!(
        page.contains(r#"name="end_others" value="yes" checked"#),
        "it is offered"
    );

    let kept = change(&mut here, PASSWORD, NEW, false).await;
    assert_eq!(
        (kept.status, kept.location()),
        (303, "/account/security?done=password")
    );
    assert!(
        here.get(kept.location())
            .await
            .contains("Your password is changed.")
    );
    assert_eq!(other.get("/account").await.status, 200);

    let ended = change(&mut here, NEW, PASSWORD, true).await;
    assert_eq!(
        ended.location(),
        "/account/security?done=password-and-sessions"
    );
    assert!(
        here.get(ended.location())
            .await
            .contains("your other sessions are signed out")
    );
    assert_eq!(other.get("/account").await.status, 303);
    assert_eq!(here.get("/account").await.status, 200);
    assert_eq!(test.browser().try_sign_in(EMAIL, NEW).await.status, 401);
    test.browser().sign_in(EMAIL, PASSWORD).await;
    assert_eq!(test.count(AUDIT, "action = 'user.password_changed'"), 2);
}

/// PWD-06, BRT-01: a session has five wrong current passwords, and then growing waits.
#[actix_web::test]
async fn guesses_at_the_current_password_are_counted_by_session() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    for _ in 0..5 {
        let page = change(&mut browser, "wrong", NEW, true).await;
        assert_eq!(page.status, 422);
        assert!(page.contains("This is not your current password."));
        assert!(page.contains(r#"id="current_password-error""#));
    }
    let blocked = change(&mut browser, PASSWORD, NEW, true).await;
    assert_eq!(blocked.status, 429);
    assert_eq!(blocked.headers["retry-after"], "30");
    // Another session has its own count, and this one continues.
    test.browser().sign_in(EMAIL, PASSWORD).await;
    assert_eq!(browser.get("/account").await.status, 200);
    test.clock.advance(30);
    assert_eq!(change(&mut browser, PASSWORD, NEW, true).await.status, 303);
    test.browser().sign_in(EMAIL, NEW).await;
}

/// Security finding 10: strangers who guess at the user's address, from the same network too, do not
/// keep the signed-in user from a change of the password.
#[actix_web::test]
async fn strangers_do_not_block_a_password_change() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    let mut stranger = test.browser();
    for i in 0..50 {
        let email = match i {
            0..5 => EMAIL.to_owned(),
            _ => format!("user{i}@example.com"),
        };
        assert_eq!(stranger.try_sign_in(&email, "wrong").await.status, 401);
    }
    assert_eq!(stranger.try_sign_in(EMAIL, PASSWORD).await.status, 429);
    assert_eq!(change(&mut browser, PASSWORD, NEW, true).await.status, 303);
    assert_eq!(test.count(AUDIT, "action = 'user.password_changed'"), 1);
}

/// PWD-06: of two concurrent changes, the second gets an error.
#[actix_web::test]
async fn one_of_two_concurrent_changes_succeeds() {
    // Hashing is slow, so both changes are sent before the first is done: the first replaces the
    // cookie that both were sent with.
    let test = TestApp::with("[sign_in]\nargon2_iterations = 10").await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    let passwords = ["first anvil sleeps under", "second anvil sleeps under"];
    let changes = passwords.map(|new| {
        let mut browser = browser.clone();
        actix_web::rt::spawn(async move { change(&mut browser, PASSWORD, new, false).await })
    });
    let mut pages = Vec::new();
    for change in changes {
        pages.push(change.await.unwrap());
    }
    let is_done = |page: &Page| page.location() == "/account/security?done=password";
    let winner = pages.iter().position(is_done).unwrap();
    // A late request fails on the current password; an earlier one gets a conflict. Its session
    // may have ended before it sees the page.
    let loser = &pages[1 - winner];
    let is_signed_out = loser.location().starts_with("/login?return_to=");
    assert!(loser.status == 422 || is_signed_out, "{loser:?}");
    test.browser().sign_in(EMAIL, passwords[winner]).await;
    assert_eq!(
        test.browser()
            .try_sign_in(EMAIL, passwords[1 - winner])
            .await
            .status,
        401
    );
}

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
async fn a_name_is_changed_and_shown() {
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

/// PWD-06, SES-05: other sessions end, if the person leaves the box ticked.
#[actix_web::test]
async fn changing_the_password_can_end_the_other_sessions() {
    let test = TestApp::start().await;
    let mut here = test.user().await;
    let mut other = test.user().await;
    let page = here.get("/account").await;
    assert!(
        page.contains(r#"name="end_others" value="yes" checked"#),
        "it is offered"
    );

    let kept = change(&mut here, PASSWORD, NEW, false).await;
    assert_eq!(
        (kept.status, kept.location()),
        (303, "/account?done=password")
    );
    assert!(
        here.get(kept.location())
            .await
            .contains("Your password is changed.")
    );
    assert_eq!(other.get("/account").await.status, 200);

    let ended = change(&mut here, NEW, PASSWORD, true).await;
    assert_eq!(ended.location(), "/account?done=password-and-sessions");
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

/// PWD-06, BRT-01: wrong present passwords count like wrong sign-ins, in one row with them.
#[actix_web::test]
async fn the_present_password_can_be_guessed_no_better_than_at_the_sign_in() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    for _ in 0..3 {
        let page = change(&mut browser, "wrong", NEW, true).await;
        assert_eq!(page.status, 422);
        assert!(page.contains("This is not your current password."));
        assert!(page.contains(r#"id="current_password-error""#));
    }
    for _ in 0..2 {
        assert_eq!(test.browser().try_sign_in(EMAIL, "wrong").await.status, 401);
    }
    let blocked = change(&mut browser, PASSWORD, NEW, true).await;
    assert_eq!(blocked.status, 429);
    assert_eq!(blocked.headers["retry-after"], "30");
    assert_eq!(
        test.browser().try_sign_in(EMAIL, PASSWORD).await.status,
        429
    );
    // The session itself goes on.
    assert_eq!(browser.get("/account").await.status, 200);
    test.clock.advance(30);
    assert_eq!(change(&mut browser, PASSWORD, NEW, true).await.status, 303);
    test.browser().sign_in(EMAIL, NEW).await;
}

/// PWD-06: two changes at the same moment: the one that comes second is told so.
#[actix_web::test]
async fn one_of_two_changes_at_once_wins() {
    // Hashing takes so long that both changes have been sent when the first is done: that one
    // replaces the cookie which both were sent with.
    let test = TestApp::with("[sign_in]\nargon2_iterations = 10").await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    let passwords = ["first anvil sleeps under", "second anvil sleeps under"];
    let changes = passwords.map(|new| {
        let mut browser = browser.clone();
        actix_web::rt::spawn(async move { change(&mut browser, PASSWORD, new, false).await.status })
    });
    let mut statuses = Vec::new();
    for change in changes {
        statuses.push(change.await.unwrap());
    }
    let winner = statuses.iter().position(|status| *status == 303).unwrap();
    // Late enough, it no longer knows the present password; earlier, it was overtaken.
    assert_eq!(statuses[1 - winner], 422, "{statuses:?}");
    test.browser().sign_in(EMAIL, passwords[winner]).await;
    assert_eq!(
        test.browser()
            .try_sign_in(EMAIL, passwords[1 - winner])
            .await
            .status,
        401
    );
}

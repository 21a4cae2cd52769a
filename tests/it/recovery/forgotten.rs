//! The pages for forgotten passwords, with and without a mail server.

use super::{
    DONE, NEW, assert_closed, forget, operator_link, reset_link, set_with, text, with_mail,
};
use crate::support::smtp::Sink;
use crate::support::{EMAIL, PASSWORD, TestApp, log};
use futures_util::future::join_all;

/// Number of concurrent uses of one link.
const USES: usize = 50;

/// CONTRACT 4: a link by mail sets a new password and ends all sessions; tokens stay.
#[actix_web::test]
async fn forgotten_password_is_replaced_with_a_link_by_mail() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let mut elsewhere = test.user().await;
    let token = elsewhere.new_token("laptop", &["orgs:read"], "90d").await;

    let mut browser = test.browser();
    let login = browser.get("/login").await;
    assert!(login.contains(r#"href="/forgot">Forgot password?</a>"#));
    let page = browser.get("/forgot").await;
    assert!(
        page.contains(r#"<label for="email">Email</label>"#) && page.contains("Send reset link")
    );
    let asked = forget(&test, &mut browser, " Ada@Example.com ").await;
    assert_eq!((asked.status, asked.location()), (303, "/forgot?done=sent"));
    assert!(
        browser
            .get(asked.location())
            .await
            .contains("we sent a link to it")
    );

    let letter = sink.next();
    assert_eq!(letter.header("To"), EMAIL);
    let words = text(&letter);
    assert!(words.contains("A new password was requested") && words.contains("works once, until"));
    let link = reset_link(&words);

    let (_, secret) = link.split_once('=').unwrap();
    assert!(
        !test.database.dump().contains(secret),
        "only the digest is kept"
    );

    // Programs that open links do not use them.
    for _ in 0..2 {
        let page = browser.get(&link).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        assert!(page.contains(">New password</label>") && page.contains(">Set password</button>"));
        assert!(
            !page.contains("/reset?link="),
            "the link is in a field alone"
        );
    }
    assert_eq!(browser.head(&link).await.status, 200);
    let weak = set_with(&mut browser, &link, "too short").await;
    assert_eq!(weak.status, 422);
    assert!(weak.contains("Use at least 15 characters.") && weak.field("link").is_some());
    assert_eq!(elsewhere.get("/tokens").await.status, 200);

    let set = set_with(&mut browser, &link, NEW).await;
    assert_eq!((set.status, set.location()), (303, DONE), "{}", set.body);
    let done = browser.get(DONE).await;
    assert!(done.contains("1 token still works"), "{}", done.body);
    assert_eq!(elsewhere.get("/tokens").await.status, 303);
    assert_eq!(test.me(&token).await.status(), 200);
    assert_eq!(
        test.browser().try_sign_in(EMAIL, PASSWORD).await.status,
        401
    );
    test.browser().sign_in(EMAIL, NEW).await;

    let told = sink.next();
    assert_eq!(
        told.header("Subject"),
        "Your password for Doorcode was changed"
    );
    assert!(text(&told).contains("22 November 2026, 12:00 UTC"));

    let revoked = browser.post("/tokens/revoke-all", &[]).await;
    assert_eq!(revoked.status, 303, "{}", revoked.body);
    assert_eq!(test.me(&token).await.status(), 401);
    assert!(
        browser
            .get(DONE)
            .await
            .contains("You have no active tokens.")
    );

    assert_closed(&browser.get(&link).await);
    assert_closed(&set_with(&mut browser, &link, NEW).await);
    assert_eq!(test.events("user.password_reset_requested"), 1);
    assert_eq!(test.events("user.password_reset"), 1);
    assert_eq!(test.count("account_link", "1 = 1"), 0);
    assert!(!log::text().contains(&link), "the link is in the log");
    let activity = browser.get("/account/activity").await;
    assert!(activity.contains("set a new password with a reset link"));
}

/// The user of a browser ends there when another sets a password in it.
#[actix_web::test]
async fn link_signs_its_user_in_and_another_user_out() {
    let test = TestApp::start().await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut browser = test.browser();
    browser.sign_in("bob@example.com", PASSWORD).await;
    let link = operator_link(&test).await;
    let page = browser.get(&link).await;
    let fields = [
        ("link", page.field("link").unwrap()),
        ("new_password", NEW.to_owned()),
    ];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let set = browser.post("/reset", &fields).await;
    assert_eq!(set.status, 303, "{}", set.body);
    assert!(browser.get("/account").await.contains(EMAIL));
    let bob = "user_id = (SELECT id FROM users WHERE email = 'bob@example.com')";
    assert_eq!(test.count("session", bob), 0);
}

/// Without a mail server the page names the people who can help.
#[actix_web::test]
async fn page_without_a_mail_server_names_the_support() {
    for (settings, help) in [
        ("[branding]\nname = \"Acme\"", "the people who run Acme"),
        (
            "[branding]\nsupport = \"help@example.com\"",
            r#"<a href="mailto:help@example.com">help@example.com</a>"#,
        ),
        (
            "[branding]\nsupport = \"https://example.com/help?a=1\"",
            r#"<a href="https://example.com/help?a=1">"#,
        ),
    ] {
        let test = TestApp::with(settings).await;
        let mut browser = test.browser();
        browser.get("/login").await;
        let page = browser.get("/forgot").await;
        assert_eq!(page.status, 200);
        assert!(
            page.contains("This server sends no mail.") && page.contains(help),
            "{}",
            page.body
        );
        assert!(!page.contains("<form"));
        let sent = browser.post("/forgot", &[("email", EMAIL)]).await;
        assert_eq!((sent.status, &sent.body), (200, &page.body));
        assert_eq!(test.events("user.password_reset_requested"), 0);
    }
}

/// PWD-09: a link works for 30 minutes, once, until a newer one, a change or a deactivation.
#[actix_web::test]
async fn dead_link_leads_to_a_new_one() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    let wrong = format!("/reset?link={}", "0".repeat(64));
    for path in ["/reset", "/reset?link=", "/reset?link=x", &wrong] {
        assert_closed(&browser.get(path).await);
    }
    assert_closed(&set_with(&mut browser, &wrong, NEW).await);

    let old = operator_link(&test).await;
    let newer = operator_link(&test).await;
    assert_closed(&browser.get(&old).await);
    test.clock.advance(30 * 60 - 1);
    assert_eq!(browser.get(&newer).await.status, 200);
    test.clock.advance(1);
    assert_closed(&browser.get(&newer).await);
    assert_closed(&set_with(&mut browser, &newer, NEW).await);

    let changed = operator_link(&test).await;
    let mut user = test.user().await;
    user.get("/account").await;
    let fields = [("current_password", PASSWORD), ("new_password", NEW)];
    assert_eq!(user.post("/account/password", &fields).await.status, 303);
    assert_closed(&browser.get(&changed).await);

    let deactivated = operator_link(&test).await;
    test.deactivate(EMAIL).await;
    assert_closed(&set_with(&mut browser, &deactivated, PASSWORD).await);
    assert_eq!(test.events("user.password_reset"), 0);
}

/// PWD-09: exactly one of many concurrent uses, on two servers, sets a password.
#[actix_web::test]
async fn link_is_used_once_by_concurrent_requests() {
    let settings = "[sign_in]\nhash_queue = 100";
    let test = TestApp::with(settings).await;
    let second = test.second_server(settings).await;
    let link = operator_link(&test).await;
    let mut browsers = Vec::new();
    for number in 0..USES {
        let mut browser = [&test, &second][number % 2].browser();
        browser.get("/login").await;
        browsers.push(browser);
    }
    let (_, secret) = link.split_once('=').unwrap();
    let uses = browsers.iter_mut().enumerate().map(|(number, browser)| {
        let password = format!("{NEW} {number}");
        async move {
            let fields = [("link", secret), ("new_password", &password)];
            (browser.post("/reset", &fields).await, password)
        }
    });
    let (done, refused): (Vec<_>, Vec<_>) = join_all(uses)
        .await
        .into_iter()
        .partition(|(page, _)| page.status == 303);
    assert_eq!((done.len(), refused.len()), (1, USES - 1));
    // A user has two hashes at a time on each server.
    for (page, _) in refused.iter().filter(|(page, _)| page.status != 503) {
        assert_closed(page);
    }
    assert_eq!(test.count("session", "1 = 1"), 1);
    assert_eq!(test.events("user.password_reset"), 1);
    test.browser().sign_in(EMAIL, &done[0].1).await;
}

/// A change on the account page tells the user by mail, and offers to revoke tokens.
#[actix_web::test]
async fn changed_password_is_told_and_tokens_are_offered_for_revocation() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "[branding]\nsupport = \"help@example.com\"").await;
    let mut browser = test.user().await;
    for name in ["laptop", "build"] {
        browser.new_token(name, &["orgs:read"], "90d").await;
    }
    browser.get("/account").await;
    let fields = [("current_password", PASSWORD), ("new_password", NEW)];
    let changed = browser.post("/account/password", &fields).await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    let page = browser.get(changed.location()).await;
    assert!(page.contains("2 tokens still work"), "{}", page.body);
    assert!(page.contains(r#"<a href="/tokens/revoke-all">revoke all</a>"#));
    let told = text(&sink.next());
    assert!(told.contains("contact help@example.com"), "{told}");

    // An unverified address may be that of a stranger.
    test.database
        .execute("UPDATE users SET email_verified_at = NULL");
    browser.get("/account").await;
    let fields = [("current_password", NEW), ("new_password", PASSWORD)];
    assert_eq!(browser.post("/account/password", &fields).await.status, 303);
    test.app.stop().await;
    assert!(sink.is_empty());
}

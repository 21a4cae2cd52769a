//! Change of a user's own email address.

use super::{is_proven, link_of, path_in, with_mail};
use crate::support::browser::{Browser, Page};
use crate::support::smtp::Sink;
use crate::support::{EMAIL, PASSWORD, TestApp};
use futures_util::future::join_all;
use serde_json::json;

/// The new address of [`EMAIL`].
const NEW: &str = "ada.king@example.org";

/// Requests a change to the new address.
pub async fn request_change(browser: &mut Browser, new: &str, password: &str) -> Page {
    let fields = [("new_email", new), ("email_password", password)];
    browser.post("/account/email", &fields).await
}

/// Field report 12.
#[actix_web::test]
async fn address_changes_when_the_new_one_is_confirmed() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let (mut browser, mut other) = (test.user().await, test.user().await);
    browser.get("/account").await;
    let token = browser.new_token("kept", &["tokens:read"], "30d").await;
    let sub = test.introspect(&token).await["sub"].clone();
    let reset = format!(
        "INSERT INTO account_link \
         SELECT 'digest', id, 'reset', email, 'operator', created_at, '2030-01-01' FROM users \
         WHERE email = '{EMAIL}'"
    );
    test.database.execute(&reset);

    for (new, password, field) in [
        ("ada", PASSWORD, "new_email"),
        (EMAIL, PASSWORD, "new_email"),
        (NEW, "wrong", "email_password"),
    ] {
        let page = request_change(&mut browser, new, password).await;
        assert_eq!(page.status, 422, "{new}");
        assert!(
            page.contains(&format!(r#"id="{field}-error""#)),
            "{}",
            page.body
        );
        assert_eq!(page.field("new_email").as_deref(), Some(new));
    }
    assert_eq!(test.events("user.password_refused"), 1);
    let sent = request_change(&mut browser, NEW, PASSWORD).await;
    assert_eq!(
        (sent.status, sent.location()),
        (303, "/account?done=email-link")
    );
    assert!(
        browser
            .get(sent.location())
            .await
            .contains("We sent a link to the new address.")
    );
    let letter = sink.next();
    assert_eq!(letter.header("To"), NEW);
    let link = path_in(&test, &letter, "/account/email/confirm");

    assert_eq!(test.browser().get(&link).await.status, 303);
    let page = browser.get(&link).await;
    assert!(page.contains(">Confirm address</button>") && page.contains(NEW));
    assert_eq!(test.count("users", &format!("email = '{EMAIL}'")), 1);
    let field = [("link", link_of(&link))];
    let (changed, repeated) = (
        browser.post("/account/email/confirm", &field).await,
        browser.post("/account/email/confirm", &field).await,
    );
    assert_eq!(
        (changed.status, changed.location()),
        (303, "/account?done=email")
    );
    assert_eq!(repeated.status, 404);
    let told = sink.next();
    assert_eq!(told.header("To"), EMAIL);
    assert!(told.body().contains("tell the operator of Doorcode"));
    assert!(!told.body().contains(NEW));

    assert!(is_proven(&test, &mut browser, NEW).await);
    assert_eq!(other.get("/account").await.status, 200, "sessions stay");
    let introspected = test.introspect(&token).await;
    assert_eq!(
        (&introspected["sub"], &introspected["username"]),
        (&sub, &json!(NEW))
    );
    assert_eq!(
        test.count("account_link", "1 = 1"),
        0,
        "links to the old address end"
    );
    assert_eq!(
        test.browser().try_sign_in(EMAIL, PASSWORD).await.status,
        401
    );
    test.browser().sign_in(NEW, PASSWORD).await;
    assert_eq!(test.events("user.email_changed"), 1);
}

#[actix_web::test]
async fn taken_address_is_told_only_to_its_owner() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    let mut answers = Vec::new();
    for new in ["Bob@Example.com", NEW] {
        let sent = request_change(&mut browser, new, PASSWORD).await;
        answers.push((sent.status, sent.location().to_owned()));
        let letter = sink.next();
        assert_eq!(letter.header("To"), new.to_lowercase());
        let is_taken = letter.header("Subject").contains("You have an account");
        assert_eq!(is_taken, new != NEW, "{letter:?}");
        assert_eq!(letter.body().contains("link"), new == NEW);
    }
    assert_eq!(answers[0], answers[1]);

    // Another user may take the address before it is confirmed.
    let sent = request_change(&mut browser, NEW, PASSWORD).await;
    assert_eq!(sent.status, 303);
    let link = path_in(&test, &sink.next(), "/account/email/confirm");
    test.add_user(NEW, PASSWORD, None).await;
    browser.get(&link).await;
    let field = [("link", link_of(&link))];
    let late = browser.post("/account/email/confirm", &field).await;
    assert_eq!(late.status, 422);
    assert!(late.contains("This address cannot be used any more."));
    assert_eq!(test.events("user.email_changed"), 0);
}

#[actix_web::test]
async fn without_mail_the_operator_changes_addresses() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let page = browser.get("/account").await;
    assert!(
        page.contains("Ask its operator to verify or change the address.")
            && page.field("new_email").is_none()
    );
    let page = request_change(&mut browser, NEW, PASSWORD).await;
    assert_eq!(page.status, 422);
    assert!(page.contains("This server sends no mail."));
}

/// Another user who has the link changes no address, whether signed in or not.
#[actix_web::test]
async fn link_of_a_change_works_only_for_its_user() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    request_change(&mut browser, NEW, PASSWORD).await;
    let link = path_in(&test, &sink.next(), "/account/email/confirm");
    assert!(
        !test.database.dump().contains(link_of(&link)),
        "only the digest is kept"
    );
    let field = [("link", link_of(&link))];
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    bob.get("/account").await;
    assert_eq!(bob.get(&link).await.status, 404);
    assert_eq!(bob.post("/account/email/confirm", &field).await.status, 404);
    let mut visitor = test.browser();
    visitor.get("/login").await;
    let asked = visitor.post("/account/email/confirm", &field).await;
    assert!(asked.location().starts_with("/login"), "{}", asked.status);
    assert_eq!(test.events("user.email_changed"), 0);
    browser.get(&link).await;
    assert_eq!(
        browser.post("/account/email/confirm", &field).await.status,
        303
    );
}

#[actix_web::test]
async fn one_of_fifty_uses_of_a_link_changes_the_address() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    request_change(&mut browser, NEW, PASSWORD).await;
    let link = path_in(&test, &sink.next(), "/account/email/confirm");
    browser.get(&link).await;
    let uses = (0..50).map(|_| {
        let (mut browser, link) = (browser.clone(), link_of(&link));
        async move {
            let field = [("link", link)];
            browser.post("/account/email/confirm", &field).await.status
        }
    });
    let mut statuses = join_all(uses).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![303], vec![404; 49]].concat());
    assert_eq!(test.events("user.email_changed"), 1);
    assert_eq!(sink.next().header("To"), EMAIL);
    test.app.stop().await;
    assert!(sink.is_empty(), "one message");
}

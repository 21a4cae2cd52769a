//! Messages under the brand of the operator.

use super::change::request_change;
use super::{GUEST, invite, with_mail};
use crate::support::smtp::{Received, Sink};
use crate::support::{EMAIL, PASSWORD};
use doorcode::domain::role::Role;

const BRAND: &str = "[branding]\nname = \"Acme Cloud\"\nsupport = \"help@acme.example\"\n\
    home = \"https://acme.example/\"\nterms = \"https://acme.example/terms\"\n\
    privacy = \"https://acme.example/privacy\"\n";

const FOOTER: &str = "\n\nIf you need help, contact help@acme.example.\n\n\
    Acme Cloud: https://acme.example/\n\
    Terms: https://acme.example/terms\n\
    Privacy: https://acme.example/privacy";

fn assert_branded(letter: &Received, subject: &str) {
    let sent = letter.header("Subject");
    assert!(sent.ends_with(subject), "{sent}");
    assert!(letter.header("From").contains("Acme Cloud"), "{letter:?}");
    let whole = letter.data.to_lowercase();
    assert!(!whole.contains("doorcode"), "{whole}");
    let text = letter.text();
    assert!(text.trim_end().ends_with(FOOTER), "{text}");
    assert!(text.contains("Acme Cloud"), "{text}");
}

/// Users know the brand alone: each message names it, its support and its pages, and nothing names
/// the program behind it.
#[actix_web::test]
async fn every_message_carries_the_brand() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, BRAND).await;
    test.add_user("bob@example.com", PASSWORD, Some(("Acme", Role::Member)))
        .await;
    test.database
        .execute("UPDATE users SET email_verified_at = created_at");
    invite(&test, Some(GUEST)).await;
    assert_branded(&sink.next(), " invites you to Acme");

    let mut visitor = test.browser();
    visitor.get("/forgot").await;
    visitor.post("/forgot", &[("email", EMAIL)]).await;
    test.app.finish_background().await;
    assert_branded(&sink.next(), "Set a new password for Acme Cloud");

    let mut owner = test.user().await;
    owner.get("/account").await;
    request_change(&mut owner, "new@example.com", PASSWORD).await;
    assert_branded(&sink.next(), "Confirm your email address for Acme Cloud");
    request_change(&mut owner, "bob@example.com", PASSWORD).await;
    assert_branded(&sink.next(), "You have an account on Acme Cloud");

    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    bob.new_token("laptop", &["orgs:read"], "never").await;
    let id = test
        .database
        .text("SELECT id FROM token WHERE name = 'laptop'");
    owner.get("/o/acme/tokens").await;
    owner
        .post(&format!("/o/acme/tokens/{id}/ask-to-rotate"), &[])
        .await;
    assert_branded(&sink.next(), "Rotate a token that has access to Acme");

    bob.get("/account").await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "yellow anvil sleeps under"),
    ];
    let changed = bob.post("/account/password", &fields).await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    assert_branded(&sink.next(), "Your password for Acme Cloud was changed");
}

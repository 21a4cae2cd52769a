//! Changes of accounts and organizations.

use super::{OLD, asked_again, sign_in_again};
use crate::email::with_mail;
use crate::support::smtp::Sink;
use crate::support::{PASSWORD, TestApp};
use doorcode::domain::role::Role;

const NEW: &str = "another correct horse battery";

/// Every sensitive form is refused without an effect, and has it after a new sign-in.
#[actix_web::test]
async fn sensitive_changes_ask_for_a_new_sign_in() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let other = test
        .add_user("grace@example.com", PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let owner = test
        .add_user("linus@example.com", PASSWORD, Some(("Acme", Role::Owner)))
        .await;
    let role = |user| format!("/o/acme/members/{user}/role");
    let remove = format!("/o/acme/members/{owner}/remove");
    let (promote, demote) = (role(other), role(owner.clone()));
    let forms: [(&str, &[(&str, &str)]); 7] = [
        (
            "/account/email",
            &[
                ("new_email", "new@example.com"),
                ("email_password", PASSWORD),
            ],
        ),
        (
            "/o/acme/settings/policy",
            &[("personal_tokens", "admins"), ("max_lifetime", "90d")],
        ),
        (&promote, &[("role", "owner")]),
        (&demote, &[("role", "admin")]),
        (&demote, &[("role", "owner")]),
        (&remove, &[]),
        ("/o/acme/invitations", &[("role", "owner")]),
    ];
    let mut browser = test.user().await;
    for (path, fields) in forms {
        test.clock.advance(OLD);
        browser.get("/account").await;
        let before = test.unread();
        let page = browser.post_only(path, fields).await;
        sign_in_again(&mut browser, &page).await;
        let after = test.unread();
        let changed = |(content, _): &(Vec<String>, i64)| {
            let mut rows = content.clone();
            rows.retain(|row| !row.starts_with("session "));
            rows
        };
        assert_eq!(changed(&before), changed(&after), "{path}");
        browser.get("/account").await;
        browser.post_only(path, fields).await;
        assert_ne!(changed(&test.unread()), changed(&before), "{path}");
    }
}

#[actix_web::test]
async fn password_changes_soon_after_a_sign_in_alone() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    test.clock.advance(OLD);
    browser.get("/account").await;
    let fields = [("current_password", PASSWORD), ("new_password", NEW)];
    let page = browser.post_only("/account/password", &fields).await;
    sign_in_again(&mut browser, &page).await;
    assert_eq!(test.events("user.password_changed"), 0);
    let page = browser.post_only("/account/password", &fields).await;
    assert_eq!(page.status, 303);
    assert_eq!(test.events("user.password_changed"), 1);
}

/// Names, roles below an owner and plain invitations are no reason to ask.
#[actix_web::test]
async fn other_changes_are_not_asked() {
    let test = TestApp::start().await;
    let other = test
        .add_user("grace@example.com", PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let mut browser = test.user().await;
    test.clock.advance(OLD);
    browser.get("/account").await;
    let role = format!("/o/acme/members/{other}/role");
    for (path, fields) in [
        ("/account/name", &[("name", "Ada King")][..]),
        (&role, &[("role", "admin")]),
        ("/o/acme/invitations", &[("role", "member")]),
        ("/tokens/revoke-all", &[]),
    ] {
        let page = browser.post_only(path, fields).await;
        assert!(!page.location().starts_with("/login"), "{path}");
    }
}

#[actix_web::test]
async fn setting_says_how_long_a_sign_in_suffices() {
    let fields = [("current_password", PASSWORD), ("new_password", NEW)];
    for (setting, seconds, is_asked) in [
        ("1m", 59, false),
        ("1m", 60, true),
        ("1h", 3_599, false),
        ("session", 80_000, false),
    ] {
        let test = TestApp::with(&format!("[sign_in]\nfresh_for = \"{setting}\"")).await;
        let mut browser = test.user().await;
        test.clock.advance(seconds);
        browser.get("/account").await;
        let page = browser.post_only("/account/password", &fields).await;
        match is_asked {
            true => drop(asked_again(&mut browser, &page).await),
            false => assert!(page.location().contains("done="), "{}", page.location()),
        }
    }
}

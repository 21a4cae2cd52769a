//! Connecting an identity to an existing account, which is proven first.

use super::address_in;
use crate::support::browser::Browser;
use crate::support::provider::{ID, Provider};
use crate::support::{EMAIL, PASSWORD, TestApp};
use serde_json::json;

#[actix_web::test]
async fn password_of_the_account_connects_it() {
    let provider = Provider::start();
    let test = provider.server("").await;
    provider.is_asked_by("ada-at-acme", EMAIL);
    let mut browser = test.browser();
    let begin = format!("/login/with/{ID}?return_to=%2Fdevice");
    let page = provider.sign_in_at(&mut browser, &begin).await;
    let connect = browser.get(page.location()).await;
    assert!(connect.contains("Sign in and connect"));
    let link = connect.field("link").unwrap();
    let wrong = browser
        .post(
            "/login/connect",
            &[("link", &link), ("password", "wrong horse battery")],
        )
        .await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.contains("This is not the password of the account."));
    let page = browser
        .post("/login/connect", &[("link", &link), ("password", PASSWORD)])
        .await;
    assert_eq!((page.status, page.location()), (303, "/device"));
    assert_eq!(address_in(&mut browser).await, EMAIL);

    let mut other = test.browser();
    assert_eq!(provider.sign_in(&mut other).await.location(), "/tokens");
    assert_eq!(address_in(&mut other).await, EMAIL);
    assert_eq!(test.count("users", "1 = 1"), 1);
    assert_eq!(test.events("identity.linked"), 1);
}

#[actix_web::test]
async fn session_of_the_account_connects_it_after_a_confirmation() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut browser = test.user().await;
    let account = browser.get("/account/security").await;
    assert!(account.contains("Not connected"));
    let begin =
        format!("/login/with/{ID}?connect=yes&return_to=%2Faccount%2Fsecurity%3Fdone%3Dconnected");
    assert!(
        account.contains(&begin.replace('&', "&#38;")),
        "{}",
        account.body
    );
    let page = provider.sign_in_at(&mut browser, &begin).await;
    let connect = browser.get(page.location()).await;
    assert!(
        connect.contains("ada@acme.example at Acme"),
        "{}",
        connect.body
    );
    assert_eq!(
        test.count("identity", "1 = 1"),
        0,
        "a GET changed something"
    );
    let link = connect.field("link").unwrap();
    let page = browser
        .post_only("/login/connect", &[("link", &link)])
        .await;
    assert_eq!(
        (page.status, page.location()),
        (303, "/account/security?done=connected")
    );

    // Signing in with it leads to the account, though its address is another.
    let mut other = test.browser();
    provider.sign_in(&mut other).await;
    assert_eq!(address_in(&mut other).await, EMAIL);

    // Another user cannot connect the same identity.
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    let page = provider.sign_in_at(&mut bob, &begin).await;
    let connect = bob.get(page.location()).await;
    let link = connect.field("link").unwrap();
    let page = bob.post("/login/connect", &[("link", &link)]).await;
    assert!(
        page.contains("This identity is connected to another account here."),
        "{}",
        page.body
    );
    assert_eq!(address_in(&mut bob).await, "bob@example.com");

    let account = other.get("/account/security").await;
    let issuer = account.field("issuer").unwrap();
    assert_eq!(issuer, provider.url);
    let page = other
        .post_only("/account/identities/disconnect", &[("issuer", &issuer)])
        .await;
    assert_eq!(page.location(), "/account/security?done=disconnected");
    assert_eq!(test.count("identity", "1 = 1"), 0);
    assert_eq!(test.events("identity.unlinked"), 1);
}

#[actix_web::test]
async fn only_way_to_sign_in_stays() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    let account = browser.get("/account/security").await;
    assert!(
        account.field("current_password").is_none(),
        "there is no password to change"
    );
    let issuer = account.field("issuer").unwrap();
    let page = browser
        .post("/account/identities/disconnect", &[("issuer", &issuer)])
        .await;
    assert!(
        page.contains("This is your only way to sign in."),
        "{}",
        page.body
    );
    assert_eq!(test.count("identity", "1 = 1"), 1);
}

/// The session of another person who has Ada's address unverified.
async fn squatter(test: &TestApp) -> Browser {
    test.add_user("eve@example.com", PASSWORD, None).await;
    test.database.execute(
        "UPDATE users SET email = 'ada@acme.example', email_verified_at = NULL WHERE email = 'eve@example.com'",
    );
    let mut eve = test.browser();
    eve.sign_in("ada@acme.example", PASSWORD).await;
    eve
}

/// An account that someone registered with the address of another does not stop its owner.
#[actix_web::test]
async fn unverified_account_yields_the_address_to_a_user_who_has_it_verified() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut eve = squatter(&test).await;

    provider.state("email_verified", json!(false));
    let mut browser = test.browser();
    let page = provider.sign_in(&mut browser).await;
    let connect = browser.get(page.location()).await;
    assert!(
        !connect.contains("Create a new account"),
        "the address is not verified"
    );

    provider.state("email_verified", json!(true));
    let page = provider.sign_in(&mut browser).await;
    let connect = browser.get(page.location()).await;
    assert!(connect.contains("Create a new account"));
    let link = connect.field("link").unwrap();
    let page = browser
        .post_only("/login/connect", &[("link", &link), ("decision", "new")])
        .await;
    assert_eq!(page.location(), "/tokens");
    assert_eq!(address_in(&mut browser).await, "ada@acme.example");
    assert_eq!(
        eve.get("/tokens").await.status,
        303,
        "the other session has ended"
    );
    assert_eq!(test.events("user.email_changed"), 1);
}

#[actix_web::test]
async fn server_that_creates_no_users_does_not_take_the_address_from_an_account() {
    let provider = Provider::start();
    let test = provider.server("create_users = false").await;
    let mut eve = squatter(&test).await;
    let mut browser = test.browser();
    let page = provider.sign_in(&mut browser).await;
    let connect = browser.get(page.location()).await;
    assert!(!connect.contains("Create a new account"));
    let link = connect.field("link").unwrap();
    let fields = [("link", link.as_str()), ("decision", "new")];
    let page = browser.post_only("/login/connect", &fields).await;
    assert!(
        page.location().ends_with("provider-not-admitted"),
        "{}",
        page.location()
    );
    assert_eq!(address_in(&mut eve).await, "ada@acme.example");
    assert_eq!(test.events("user.email_changed"), 0);
}

/// The link creates a user once: it is no way to sign in again without the provider.
#[actix_web::test]
async fn link_that_created_a_user_does_not_sign_in_again() {
    let provider = Provider::start();
    let test = provider.server("").await;
    squatter(&test).await;
    let mut browser = test.browser();
    let page = provider.sign_in(&mut browser).await;
    let link = browser.get(page.location()).await.field("link").unwrap();
    let fields = [("link", link.as_str()), ("decision", "new")];
    let page = browser.post_only("/login/connect", &fields).await;
    assert_eq!(page.location(), "/tokens");
    browser.get("/account").await;
    let page = browser.post_only("/login/connect", &fields).await;
    assert!(
        page.location().ends_with("provider-stale"),
        "{}",
        page.location()
    );
    assert_eq!(test.count("session", "issuer IS NOT NULL"), 1);
}

//! Verification and change of email addresses, and users that invitations create.

mod brand;
mod change;
mod invited_user;
mod lost_invitation;
mod parallel;
mod takeover;
mod verification;

use crate::support::browser::{Browser, Page};
use crate::support::smtp::{Received, Sink};
use crate::support::{PASSWORD, TestApp};
use doorcode::domain::role::Role;
use serde_json::Value;

/// Address of the user whom the tests invite.
const GUEST: &str = "charles@example.com";

/// A server with the user [`EMAIL`] that sends its mail to the sink.
pub async fn with_mail(sink: &Sink, settings: &str) -> TestApp {
    let address = sink.address;
    let mail = format!("[mail]\nfrom = \"login@example.com\"\nsmtp_url = \"smtp://{address}\"");
    TestApp::with(&format!("{mail}\n{settings}")).await
}

/// The path with the link in a message below this one.
pub fn path_in(test: &TestApp, received: &Received, path: &str) -> String {
    let text = received.text();
    let (_, rest) = text
        .split_once(&format!("{path}?link="))
        .unwrap_or_else(|| panic!("{text}"));
    let link = &rest[..64];
    test.canaries.add(link);
    format!("{path}?link={link}")
}

/// The secret of the link in a path.
pub fn link_of(path: &str) -> &str {
    path.split_once("?link=").unwrap().1
}

/// The invitation of an address, or of none, by the owner.
pub async fn invite(test: &TestApp, email: Option<&str>) -> String {
    let mut owner = test.user().await;
    owner.get("/o/acme/members").await;
    let fields = [("role", "member"), ("email", email.unwrap_or_default())];
    let page = owner.post("/o/acme/invitations", &fields).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let (_, rest) = page.body.split_once("/invite?link=").unwrap();
    format!("/invite?link={}", &rest[..64])
}

/// Enters an organization as a new user, with an invitation. Without a mailed link, the user signs
/// in and then accepts it.
pub async fn try_join(test: &TestApp, invitation: &str, email: &str) -> (Browser, Page) {
    let mut browser = test.browser();
    // The page of an invitation may have no form, and so no CSRF token.
    browser.get("/login").await;
    browser.get(invitation).await;
    let fields = [
        ("link", link_of(invitation)),
        ("name", "Charles"),
        ("email", email),
        ("password", PASSWORD),
    ];
    let page = browser.post("/invite/account", &fields).await;
    if !(page.status == 303 && page.location().starts_with("/login")) {
        return (browser, page);
    }
    browser.get(page.location()).await;
    let page = browser.try_sign_in(email, PASSWORD).await;
    assert_eq!(page.status, 303, "{}", page.body);
    browser.get(invitation).await;
    let field = [("link", link_of(invitation))];
    let page = browser.post("/invite", &field).await;
    (browser, page)
}

/// The same, which succeeds.
async fn join(test: &TestApp, invitation: &str, email: &str) -> Browser {
    let (mut browser, page) = try_join(test, invitation, email).await;
    assert_eq!(page.status, 303, "{}", page.body);
    browser.get("/account").await;
    browser
}

/// A member of `Acme` who has not verified the address, as from the time before the server sent mail.
async fn unverified(test: &TestApp, email: &str) -> Browser {
    test.add_user(email, PASSWORD, Some(("Acme", Role::Member)))
        .await;
    test.database.execute(&format!(
        "UPDATE users SET email_verified_at = NULL WHERE email = '{email}'"
    ));
    let mut browser = test.browser();
    browser.sign_in(email, PASSWORD).await;
    browser.get("/account").await;
    browser
}

/// Whether the address of the browser's user is verified, according to every answer.
async fn is_proven(test: &TestApp, browser: &mut Browser, email: &str) -> bool {
    let token = browser.new_token("probe", &["tokens:read"], "30d").await;
    let introspected = test.introspect(&token).await;
    let proven = introspected["email_verified"].as_bool().unwrap();
    let username = proven.then_some(email);
    assert_eq!(
        introspected["username"].as_str(),
        username,
        "{introspected}"
    );
    let me: Value = test.me(&token).await.json().await.unwrap();
    assert_eq!(me["user"]["email_verified"], proven, "{me}");
    assert_eq!(me["user"]["email"], email);
    let page = browser.get("/account").await;
    assert_eq!(page.contains(">Verified</span>"), proven);
    assert_eq!(page.contains(">Not verified</span>"), !proven);
    let condition = format!("email = '{email}' AND email_verified_at IS NOT NULL");
    assert_eq!(test.count("users", &condition) == 1, proven);
    proven
}

//! Lost passwords: links by mail, by an admin and by the operator, and users who come back.

mod approval;
mod forgotten;
mod limits;
mod member;
mod operator;
mod temporary;
mod unverified;
mod update;

use crate::support::browser::{Browser, Page};
use crate::support::device::Answer;
use crate::support::smtp::{Received, Sink};
use crate::support::{EMAIL, OPERATOR, TestApp};
use reqwest::Method;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};

/// The password that users set here.
pub const NEW: &str = "marble ocean bicycle seven";

/// Path of the page after a link was used.
const DONE: &str = "/account/password/done";

/// The server of most tests with a mail server, and further settings.
async fn with_mail(sink: &Sink, settings: &str) -> TestApp {
    let smtp = sink.address;
    TestApp::with(&format!(
        "{settings}\n[mail]\nfrom = \"login@example.com\"\nsmtp_url = \"smtp://{smtp}\"\n"
    ))
    .await
}

/// Text of a message.
fn text(letter: &Received) -> String {
    letter.text()
}

/// The path of the link to reset a password in a text.
pub fn reset_link(text: &str) -> String {
    let (_, rest) = text
        .split_once("/reset?link=")
        .unwrap_or_else(|| panic!("{text}"));
    let secret: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    assert_eq!(secret.len(), 64, "{text}");
    format!("/reset?link={secret}")
}

/// Requests a link on the page for forgotten passwords, and waits until it is sent.
async fn forget(test: &TestApp, browser: &mut Browser, email: &str) -> Page {
    browser.get("/forgot").await;
    let page = browser.post("/forgot", &[("email", email)]).await;
    test.app.finish_background().await;
    page
}

/// Sets a password with a link.
pub async fn set_with(browser: &mut Browser, link: &str, password: &str) -> Page {
    browser.get("/login").await;
    let (_, secret) = link.split_once('=').unwrap();
    let fields = [("link", secret), ("new_password", password)];
    browser.post("/reset", &fields).await
}

/// Asserts that a link does not work, and that the page leads to a new one.
#[track_caller]
fn assert_closed(page: &Page) {
    assert_eq!(page.status, 404, "{}", page.body);
    assert!(page.contains("This reset link does not work"));
    assert!(page.contains(r#"href="/forgot""#));
}

/// Sends a request to the management API as the operator.
pub async fn operate(test: &TestApp, method: Method, path: &str, body: &Value) -> Answer {
    static KEY: AtomicU64 = AtomicU64::new(0);
    let key = format!("recovery-{}", KEY.fetch_add(1, Ordering::Relaxed));
    let request = test.anon().request(method, test.at(path));
    let request = request
        .bearer_auth(OPERATOR)
        .header("idempotency-key", key)
        .json(body);
    Answer::of(request.send().await.unwrap()).await
}

/// Id of the user with this email address.
pub fn id_of(test: &TestApp, email: &str) -> String {
    let sql = format!("SELECT id FROM users WHERE email = '{email}'");
    test.database.text(&sql)
}

/// A link for [`EMAIL`], created by the operator.
async fn operator_link(test: &TestApp) -> String {
    let path = format!("/v1/users/{}/password-reset", id_of(test, EMAIL));
    let made = operate(test, Method::POST, &path, &serde_json::json!({})).await;
    assert_eq!(made.status, 201, "{made:?}");
    reset_link(made.body["url"].as_str().unwrap())
}

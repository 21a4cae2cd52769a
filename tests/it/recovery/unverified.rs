//! Recovery of an account whose address was unverified: another person may have registered it.

use super::{NEW, id_of, operate, reset_link, set_with};
use crate::email::{invite, try_join};
use crate::support::browser::Browser;
use crate::support::device::Device;
use crate::support::{EMAIL, TestApp};
use reqwest::Method;
use serde_json::json;

const VICTIM: &str = "victim@example.com";

/// The credentials of a user.
struct Kept {
    browser: Browser,
    token: String,
    child: String,
    device: Device,
}

/// Credentials of the browser's user: a token, one created with it, and an approved device grant.
async fn keep(test: &TestApp, mut browser: Browser) -> Kept {
    browser.get("/account").await;
    let scopes = ["tokens:read", "tokens:write"];
    let token = browser.new_token("kept", &scopes, "30d").await;
    let child = test.anon().post(test.at("/v1/tokens")).bearer_auth(&token);
    let child = child
        .header("idempotency-key", "child")
        .json(&json!({"name": "child", "scopes": ["tokens:read"]}));
    let child: serde_json::Value = child.send().await.unwrap().json().await.unwrap();
    let child = child["token"].as_str().unwrap_or_else(|| panic!("{child}"));
    test.canaries.add(child);
    let device = test.device("orgs:read").await;
    browser.approve(&device.user_code, &["orgs:read"]).await;
    Kept {
        browser,
        token,
        child: child.to_owned(),
        device,
    }
}

impl Kept {
    /// Asserts which of the tokens still work. Sessions and approved grants never do.
    async fn assert_tokens(mut self, test: &TestApp, active: bool) {
        assert_eq!(self.browser.get("/account").await.status, 303);
        let polled = test.poll(&self.device).await;
        assert_eq!(polled.error(), "access_denied", "{polled:?}");
        for token in [&self.token, &self.child] {
            assert_eq!(test.introspect(token).await["active"], active);
        }
    }
}

/// A user who registered the address of another, and the user's credentials.
async fn squatter(test: &TestApp) -> Kept {
    let invitation = invite(test, None).await;
    let (browser, page) = try_join(test, &invitation, VICTIM).await;
    assert_eq!(page.status, 303, "{}", page.body);
    keep(test, browser).await
}

/// Recovers an account with a link of the operator.
async fn reset(test: &TestApp, email: &str) {
    let path = format!("/v1/users/{}/password-reset", id_of(test, email));
    let made = operate(test, Method::POST, &path, &json!({})).await;
    let link = reset_link(made.body["url"].as_str().unwrap());
    let page = test.browser().get(&link).await;
    let verified = format!("email = '{email}' AND email_verified_at IS NOT NULL");
    let says_end = page.contains("Its tokens end too, since its email is not verified.");
    assert_eq!(says_end, test.count("users", &verified) == 0);
    let set = set_with(&mut test.browser(), &link, NEW).await;
    assert_eq!(set.status, 303, "{}", set.body);
}

/// Sets a password that must be changed.
async fn set_temporary(test: &TestApp, email: &str) {
    use doorcode::app::user::{Named, set_temporary_password};
    let named = Named::Email(email.to_owned());
    let password = doorcode::domain::secret::Secret::new(NEW);
    let req = test.req(&crate::support::tenant::OPERATOR);
    set_temporary_password(&req, named, &password)
        .await
        .unwrap();
}

#[actix_web::test]
async fn reset_ends_the_tokens_of_an_unverified_user() {
    let test = TestApp::start().await;
    let kept = squatter(&test).await;
    reset(&test, VICTIM).await;
    kept.assert_tokens(&test, false).await;
}

#[actix_web::test]
async fn temporary_password_ends_the_tokens_of_an_unverified_user() {
    let test = TestApp::start().await;
    let kept = squatter(&test).await;
    set_temporary(&test, VICTIM).await;
    kept.assert_tokens(&test, false).await;
}

#[actix_web::test]
async fn recovery_keeps_the_tokens_of_a_verified_user_but_no_approval() {
    let test = TestApp::start().await;
    let kept = keep(&test, test.user().await).await;
    reset(&test, EMAIL).await;
    kept.assert_tokens(&test, true).await;

    let test = TestApp::start().await;
    let kept = keep(&test, test.user().await).await;
    set_temporary(&test, EMAIL).await;
    kept.assert_tokens(&test, true).await;
}

/// The operator vouches for the user as it is.
#[actix_web::test]
async fn address_that_the_operator_verifies_ends_nothing() {
    let test = TestApp::start().await;
    let mut kept = squatter(&test).await;
    let path = format!("/v1/users/{}", id_of(&test, VICTIM));
    let body = json!({"email_verified": true});
    let updated = operate(&test, Method::PATCH, &path, &body).await;
    assert_eq!(updated.status, 200, "{updated:?}");
    assert_eq!(test.introspect(&kept.child).await["active"], true);
    assert_eq!(kept.browser.get("/account").await.status, 200);
    assert_eq!(test.poll(&kept.device).await.status, 200);
}

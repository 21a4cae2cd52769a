//! Users of identity providers sign in again there.

use super::{HIGH, OLD, decision, reviewed};
use crate::support::TestApp;
use crate::support::browser::{Browser, Page};
use crate::support::provider::{ID, Provider};
use serde_json::json;
use url::Url;

/// The parameters of a redirect to the provider.
fn parameter(page: &Page, name: &str) -> Option<String> {
    let url = Url::parse(page.location()).unwrap();
    let mut pairs = url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// A browser in which the user of the provider is signed in.
async fn signed_in(provider: &Provider) -> (TestApp, Browser) {
    let test = provider.server("").await;
    let mut browser = test.browser();
    let page = provider.sign_in(&mut browser).await;
    assert_eq!(page.location(), "/tokens", "{}", page.body);
    (test, browser)
}

/// The address at which the user signs in again with the provider, for a page that asks for it.
async fn again(browser: &mut Browser, page: &Page) -> String {
    assert!(page.location().ends_with("&notice=again"), "{page:?}");
    let login = browser.get(page.location()).await;
    assert!(!login.contains(r#"name="password""#), "the user has none");
    let begin = format!(r#"href="/login/with/{ID}?again=yes"#);
    let (_, rest) = login.body.split_once(&begin).unwrap();
    let rest = rest.split('"').next().unwrap().replace("&#38;", "&");
    format!("/login/with/{ID}?again=yes{rest}")
}

/// Disconnects the provider, which needs a recent sign-in.
async fn disconnect(browser: &mut Browser, provider: &Provider) -> Page {
    let issuer = [("issuer", provider.url.as_str())];
    let path = "/account/identities/disconnect";
    browser.post_only(path, &issuer).await
}

#[actix_web::test]
async fn provider_asks_its_user_again() {
    let provider = Provider::start();
    let (test, mut browser) = signed_in(&provider).await;
    test.clock.advance(OLD);
    let device = test.device(HIGH).await;
    let consent = browser.type_code(&device.user_code).await;
    let [ticket, code] = reviewed(&consent);
    let fields = decision([&ticket, &code], "approve", &[HIGH]);
    let page = browser.post_only("/device/decide", &fields).await;
    let begin = again(&mut browser, &page).await;
    let leave = browser.get(&begin).await;
    assert_eq!(parameter(&leave, "prompt").as_deref(), Some("login"));
    assert_eq!(parameter(&leave, "max_age").as_deref(), Some("0"));
    let back = provider.approve(leave.location());
    let page = browser.get(&back).await;
    assert!(
        page.location().starts_with("/device?user_code="),
        "{page:?}"
    );
    let consent = browser.get(page.location()).await;
    assert!(consent.is_ticked(HIGH), "{}", consent.body);
    browser.decide(&consent, "approve", &[HIGH]).await;
    assert_eq!(test.poll(&device).await.body["scope"], HIGH);
}

/// The provider sends the user back without asking: the session there may be a thief's.
#[actix_web::test]
async fn old_sign_in_at_the_provider_does_not_suffice() {
    let provider = Provider::start();
    let (test, mut browser) = signed_in(&provider).await;
    let signed_in_at = test.app.now().timestamp();
    test.clock.advance(OLD);
    for (claim, value) in [
        ("an old sign-in", json!(signed_in_at)),
        ("no statement", json!(null)),
        ("no time", json!("today")),
    ] {
        provider.state("auth_time", value);
        browser.get("/account").await;
        let page = disconnect(&mut browser, &provider).await;
        let begin = again(&mut browser, &page).await;
        let page = provider.sign_in_at(&mut browser, &begin).await;
        let location = page.location().to_owned();
        assert!(
            location.ends_with("notice=provider-not-recent"),
            "{claim}: {location}"
        );
    }
    assert_eq!(test.count("identity", "1 = 1"), 1);
}

/// A usual sign-in begins a session, which is only as recent as the sign-in at the provider.
#[actix_web::test]
async fn silent_sign_in_is_not_recent() {
    let provider = Provider::start();
    let (test, mut browser) = signed_in(&provider).await;
    provider.state("auth_time", json!(test.app.now().timestamp() - OLD));
    for value in [json!(test.app.now().timestamp() - OLD), json!(null)] {
        provider.state("auth_time", value);
        let page = provider.sign_in(&mut browser).await;
        assert_eq!(page.location(), "/tokens");
        browser.get("/account").await;
        let page = disconnect(&mut browser, &provider).await;
        again(&mut browser, &page).await;
    }
    // A time in the future counts as now.
    provider.state("auth_time", json!(test.app.now().timestamp() + 10_000));
    provider.sign_in(&mut browser).await;
    test.clock.advance(OLD);
    browser.get("/account").await;
    let page = disconnect(&mut browser, &provider).await;
    again(&mut browser, &page).await;
}

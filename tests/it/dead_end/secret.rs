//! Secrets are shown once, after a redirect.

use crate::support::TestApp;
use crate::support::browser::{Browser, Page};
use doorcode::app::sweep;
use futures_util::future::join_all;

const SHOWN: &str = "was shown, and cannot be shown again.";

/// Creates a token, without opening the page that shows it.
async fn create_only(browser: &mut Browser) -> Page {
    browser.get("/tokens/new").await;
    let fields = [("name", "ci"), ("scope", "tokens:read"), ("expires", "30d")];
    let page = browser.post_only("/tokens/new", &fields).await;
    assert_eq!(page.status, 303, "{}", page.body);
    page
}

/// A stranger reads the database, the URL or another browser; a reload says that it was shown, and
/// offers a new token. The user has the token.
#[actix_web::test]
async fn new_token_is_shown_once_after_a_redirect() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let redirect = create_only(&mut browser).await;
    let path = redirect.location().to_owned();
    assert!(
        path.starts_with("/tokens/tok_") && path.ends_with("/secret"),
        "{path}"
    );
    let cookie = redirect.headers["set-cookie"].to_str().unwrap().to_owned();
    for attribute in [
        "HttpOnly",
        "SameSite=Strict",
        "Max-Age=600",
        &format!("Path={path}"),
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(test.count("sealed_text", "1 = 1"), 1);

    // Neither another browser of the user, nor one with another key, nor HEAD uses the secret up.
    let mut other = test.user().await;
    assert!(other.get(&path).await.contains(SHOWN));
    let mut wrong = browser.clone();
    wrong
        .cookies
        .insert("doorcode_secret".to_owned(), "0".repeat(64));
    assert!(wrong.get(&path).await.contains(SHOWN));
    assert_eq!(browser.head(&path).await.status, 200);
    assert_eq!(test.count("sealed_text", "1 = 1"), 1);

    let page = browser.get(&path).await;
    let token = page.attribute("data-token").unwrap();
    assert_eq!(test.count("sealed_text", "1 = 1"), 0);
    assert_eq!(test.me(&token).await.status(), 200);
    assert!(!browser.cookies.contains_key("doorcode_secret"));
    for _ in 0..2 {
        let again = browser.get(&path).await;
        assert_eq!(again.status, 200);
        assert!(again.contains(SHOWN) && !again.contains(&token));
        let rotate = path.replace("/secret", "/rotate");
        assert!(again.contains(&format!(r#"href="{rotate}""#)));
        assert_eq!(browser.get(&rotate).await.status, 200);
    }
    assert_eq!(test.count("token", "1 = 1"), 1);
    assert!(test.leaks().is_empty());
}

/// The answer to the first of two clicks is lost: the second one leads to the token.
#[actix_web::test]
async fn double_click_leads_to_the_token() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let form = browser.get("/tokens/new").await;
    let nonce = form.field("form_nonce").unwrap();
    let fields = [
        ("name", "ci"),
        ("expires", "30d"),
        ("form_nonce", nonce.as_str()),
    ];
    let mut lost = browser.clone();
    let first = lost.post_only("/tokens/new", &fields).await;
    let second = browser.post_only("/tokens/new", &fields).await;
    assert_eq!(second.location(), first.location());
    let page = browser.get(second.location()).await;
    assert!(page.attribute("data-token").is_some(), "{}", page.body);
    assert_eq!(test.count("token", "1 = 1"), 1);

    let rotate = second.location().replace("/secret", "/rotate");
    let first = lost.post_only(&rotate, &[("overlap", "1h")]).await;
    let second = browser.post_only(&rotate, &[("overlap", "1h")]).await;
    assert_eq!(second.location(), first.location());
    let page = browser.get(second.location()).await;
    assert!(page.attribute("data-token").is_some(), "{}", page.body);
    assert!(page.contains("still works and ends"));
    assert_eq!(test.count("token", "1 = 1"), 2);
}

/// Twenty tabs open the page of one secret on two servers.
#[actix_web::test]
async fn one_of_twenty_tabs_shows_the_token() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    let mut browser = test.user().await;
    for _ in 0..5 {
        let redirect = create_only(&mut browser).await;
        let tabs = (0..20).map(|tab| {
            let mut tab_browser = match tab % 2 {
                0 => browser.clone(),
                _ => browser.at(&second.url),
            };
            let path = redirect.location().to_owned();
            async move { tab_browser.get(&path).await }
        });
        let pages = join_all(tabs).await;
        assert!(pages.iter().all(|page| page.status == 200));
        let shown = pages.iter().filter(|page| page.contains("data-token"));
        assert_eq!(shown.count(), 1);
        assert_eq!(test.count("sealed_text", "1 = 1"), 0);
    }
}

/// The user comes back too late, and rotates the token.
#[actix_web::test]
async fn secret_is_deleted_after_ten_minutes() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let redirect = create_only(&mut browser).await;
    test.clock.advance(600);
    sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("sealed_text", "1 = 1"), 0);
    let page = browser.get(redirect.location()).await;
    assert!(page.contains(SHOWN) && page.contains(">Rotate</a>"));
}

/// The link of an invitation, and the way to another one.
#[actix_web::test]
async fn invitation_link_is_shown_once_after_a_redirect() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/o/acme/members").await;
    let redirect = browser
        .post_only("/o/acme/invitations", &[("role", "member")])
        .await;
    let path = redirect.location().to_owned();
    let page = browser.get(&path).await;
    assert!(page.contains("/invite?link="), "{}", page.body);
    let again = browser.get(&path).await;
    assert!(again.contains("The link was shown") && !again.contains("/invite?link="));
    let withdraw = path.replace("/link", "/withdraw");
    assert!(again.contains(&format!(r#"href="{withdraw}""#)));
    assert_eq!(browser.post(&withdraw, &[]).await.status, 303);
    assert_eq!(browser.get(&path).await.location(), "/o/acme/members");
    assert!(test.leaks().is_empty());
}

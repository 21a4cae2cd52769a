//! The consent page and the page after the decision.

use super::{ASK, BEHIND_PROXY};
use crate::support::device::{Answer, Device};
use crate::support::{CLI, EMAIL, TestApp};

async fn named_device(test: &TestApp, name: &str) -> Device {
    let form = [
        ("client_id", CLI),
        ("scope", "tokens:read"),
        ("device_name", name),
    ];
    Device::of(&test.oauth(ASK, &form).await)
}

/// DEV-32, DEV-33, DEV-35, DEV-57, XD-16: client, origin, time, scopes, user and expiry.
#[actix_web::test]
async fn consent_page_shows_the_device_grant() {
    let test = TestApp::with(BEHIND_PROXY).await;
    let request = test
        .anon()
        .post(test.at(ASK))
        .header("x-forwarded-for", "198.51.100.7");
    let form = [
        ("client_id", CLI),
        ("scope", "tokens:read"),
        ("device_name", "Build box"),
    ];
    let device = Device::of(&Answer::of(request.form(&form).send().await.unwrap()).await);
    test.clock.advance(180);
    let mut browser = test.user().await;
    browser.set_header("x-forwarded-for", "198.51.100.99");
    let page = browser.type_code(&device.user_code).await;
    let spoken: Vec<String> = device.user_code[..4].chars().map(String::from).collect();
    for told in [
        "The cli",
        "any program can use this name",
        "Build box",
        "Name not checked",
        "Name chosen by the device",
        "198.51.100.7",
        "3 minutes ago",
        "tokens:read",
        "See your tokens: names, scopes and last use",
        "90 days",
        EMAIL,
        "Use another account",
        "Compare this code with the one on your device",
        "If you did not start this, deny it.",
        &device.user_code,
        &spoken.join(" "),
    ] {
        assert!(page.contains(told), "{told} is not in {}", page.body);
    }
    assert!(
        !page
            .body
            .to_lowercase()
            .replace("unverified", "")
            .contains("verified")
    );
}

/// XD-15, A11-02.
#[actix_web::test]
async fn code_page_warns_of_codes_received_by_mail() {
    let test = TestApp::start().await;
    let page = test.user().await.get("/device").await;
    assert!(
        page.contains("Doorcode never asks for a code, a password or a token by email or chat.")
    );
    assert!(page.contains("never one from a message"));
    assert!(page.contains(r#"<label for="user_code">Code</label>"#));
}

/// XD-17. Enter presses the first button of a form, so that must be Deny.
#[actix_web::test]
async fn deny_is_the_first_button_and_approve_takes_no_focus() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let page = test.user().await.type_code(&device.user_code).await;
    let (_, form) = page.body.split_once(r#"action="/device/decide""#).unwrap();
    let (form, _) = form.split_once("</form>").unwrap();
    let buttons: Vec<_> = form
        .match_indices("<button")
        .map(|(at, _)| form[at..].split_once("</button>").unwrap().0)
        .collect();
    assert_eq!(buttons.len(), 2);
    assert!(buttons[0].ends_with(">Deny") && buttons[0].contains(r#"value="deny""#));
    assert!(buttons[1].ends_with(">Approve") && buttons[1].contains(r#"value="approve""#));
    assert!(!form.contains("autofocus"));
}

/// DEV-35, INJ. A device name cannot break the page. `names` has those that disguise it.
#[actix_web::test]
async fn hostile_device_name_is_shown_as_text() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    for (name, shown) in [
        (
            "<script>alert(1)</script>",
            "&#60;script&#62;alert(1)&#60;/script&#62;",
        ),
        (
            "\"><img src=x onerror=y>",
            "&#34;&#62;&#60;img src=x onerror=y&#62;",
        ),
        ("  two   words\t", "two words"),
        ("{{ csrf }}{% raw %}", "{{ csrf }}{% raw %}"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ] {
        let device = named_device(&test, name).await;
        let page = browser.type_code(&device.user_code).await;
        assert_eq!(page.status, 200);
        assert!(
            page.contains(&format!("<span class=\"name\">{shown}</span> <span")),
            "{name:?}: {}",
            page.body
        );
        browser.decide(&page, "approve", &["tokens:read"]).await;
        let token = test.poll(&device).await.token();
        assert_eq!(test.me(&token).await.status(), 200);
        let list = browser.get("/tokens").await;
        assert!(!list.contains("<script>alert") && !list.contains("<img src=x"));
    }
}

/// DEV-35. CONTRACT 3 sets the limit of 100 characters.
#[actix_web::test]
async fn long_device_name_is_rejected() {
    let test = TestApp::start().await;
    let device = named_device(&test, &"é".repeat(100)).await;
    test.user()
        .await
        .approve(&device.user_code, &["tokens:read"])
        .await;
    assert_eq!(test.poll(&device).await.status, 200);
    let long = "é".repeat(101);
    let form = [("client_id", CLI), ("device_name", long.as_str())];
    super::assert_refused(&test.oauth(ASK, &form).await, 400, "invalid_request");

    for empty in ["", " ", " \r\n\t"] {
        let device = named_device(&test, empty).await;
        let page = test.user().await.type_code(&device.user_code).await;
        assert!(!page.contains("Name chosen by the device"));
    }
}

/// DEV-33. A device grant without scopes gives access only to the name of the user.
#[actix_web::test]
async fn consent_page_states_that_no_scopes_are_requested() {
    let test = TestApp::start().await;
    test.database
        .execute("UPDATE client SET default_scopes = '' WHERE id = 'cli'");
    let device = test.device("").await;
    let mut browser = test.user().await;
    let page = browser.type_code(&device.user_code).await;
    assert!(page.contains("It will only see your identity."));
    browser.decide(&page, "approve", &[]).await;
    let token = test.poll(&device).await.token();
    let me: serde_json::Value = test.me(&token).await.json().await.unwrap();
    assert_eq!(me["scopes"], serde_json::json!([]));
}

/// DEV-37, A11-08.
#[actix_web::test]
async fn result_page_sends_the_user_back_to_the_device() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    for (decision, title, next) in [
        (
            "approve",
            "The cli is signed in",
            "Return to your terminal or device",
        ),
        ("deny", "Denied", "has no access"),
    ] {
        let device = test.device("tokens:read").await;
        let consent = browser.type_code(&device.user_code).await;
        let page = browser.decide(&consent, decision, &["tokens:read"]).await;
        assert_eq!(page.status, 200);
        assert!(page.location().is_empty());
        assert!(page.contains(&format!(">{title}</h1>")));
        assert!(page.contains(next), "{}", page.body);
    }
}

//! Errors lead back, and results are pages of their own.

use crate::support::{PASSWORD, TestApp};
use doorcode::domain::role::Role;

const BOB: &str = "bob@example.com";

/// Errors keep the navigation, and lead to the nearest page that works.
#[actix_web::test]
async fn error_pages_keep_the_navigation_and_lead_back() {
    let test = TestApp::start().await;
    test.add_user(BOB, PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let mut bob = test.browser();
    bob.sign_in(BOB, PASSWORD).await;
    for (path, status, back) in [
        ("/nowhere", 404, "/"),
        ("/tokens/tok_x/rotate", 404, "/tokens"),
        ("/o/acme/projects/prj_x", 404, "/o/acme"),
        ("/o/acme/nowhere", 404, "/o/acme"),
        ("/o/acme/projects/new", 403, "/o/acme"),
        ("/o/nobody", 404, "/o"),
        ("/o/new", 403, "/o"),
    ] {
        let page = bob.get(path).await;
        assert!(
            page.status == status || (status == 404 && page.status == 403),
            "{path}: {}",
            page.status
        );
        assert!(
            page.contains(">Sign out</button>") && page.contains(BOB),
            "{path}"
        );
        let back = format!(r#"class="button primary" href="{back}""#);
        let (_, rest) = page
            .body
            .split_once(&back)
            .unwrap_or_else(|| panic!("{path}"));
        assert!(rest.contains("include this request ID"), "{path}");
    }
    let page = test.browser().get("/nowhere").await;
    assert!(page.status == 404 && !page.contains(">Sign out</button>"));
}

/// A form for something that another tab has deleted leads back, with the reason.
#[actix_web::test]
async fn form_for_a_deleted_object_leads_to_its_page() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    let page = browser.post("/account/sessions/ses_x/sign-out", &[]).await;
    assert_eq!(page.status, 404);
    assert!(page.contains("no longer exists") && page.contains("<h1>Security</h1>"));
    let page = browser.post("/tokens/tok_x/revoke", &[]).await;
    assert!(page.status == 404 && page.contains(r#"href="/tokens""#));
}

/// Reload of the consent page and of its result, and Back from the result.
#[actix_web::test]
async fn consent_page_and_result_are_reloaded_without_a_form() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let device = test.device("tokens:read").await;
    browser.get("/device").await;
    let fields = [
        ("user_code", device.user_code.as_str()),
        ("via", "keyboard"),
    ];
    let consent = browser.post_only("/device", &fields).await;
    let events = test.events("device.shown");
    let page = browser.get(consent.location()).await;
    assert!(page.contains(">Approve</button>") && page.contains(&device.user_code));
    let again = browser.get(consent.location()).await;
    assert_eq!(again.field("ticket"), page.field("ticket"));
    assert_eq!(test.events("device.shown"), events);
    // Only this session has the page; another one enters the code.
    let mut other = test.user().await;
    let elsewhere = other.get(consent.location()).await;
    assert!(elsewhere.location().starts_with("/device?user_code="));

    let decided = browser.decide(&page, "approve", &["tokens:read"]).await;
    assert!(decided.contains(">The cli is signed in</h1>"));
    let ticket = page.field("ticket").unwrap();
    let fields = [
        ("ticket", ticket.as_str()),
        ("user_code", &device.user_code),
        ("decision", "approve"),
        ("scope", "tokens:read"),
    ];
    let result = browser.post_only("/device/decide", &fields).await;
    for _ in 0..2 {
        let page = browser.get(result.location()).await;
        assert_eq!((page.status, &page.body), (200, &decided.body));
    }
    assert_eq!(other.get(result.location()).await.location(), "/device");
    // Back: the grant is decided, so the code page opens.
    let back = browser.get(consent.location()).await;
    assert!(back.location().starts_with("/device?user_code="));
    assert_eq!(test.events("device.approved"), 1);
}

/// The review of a policy is a page of its own, with the policy in its URL.
#[actix_web::test]
async fn policy_review_is_reloaded_without_a_form() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.new_token("forever", &[], "never").await;
    browser.get("/o/acme/settings/policy").await;
    let terms = [("personal_tokens", "members"), ("max_lifetime", "7d")];
    let redirect = browser.post_only("/o/acme/settings/policy", &terms).await;
    assert!(
        redirect
            .location()
            .starts_with("/o/acme/settings/policy/apply?")
    );
    for _ in 0..2 {
        let page = browser.get(redirect.location()).await;
        assert!(
            page.status == 200 && page.contains("forever"),
            "{}",
            page.body
        );
    }
    let page = browser.get("/o/acme/settings/policy/apply").await;
    assert_eq!(page.location(), "/o/acme/settings/policy");
}

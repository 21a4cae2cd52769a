//! The box `I started this sign-in myself`: when it is shown, and that the server enforces it.

use super::{ASK, BEHIND_PROXY};
use crate::support::browser::{Browser, Page};
use crate::support::device::{Answer, Device};
use crate::support::{CLI, TestApp};

const BOX: &str = "I started this sign-in</label>";

async fn device_at(test: &TestApp, address: &str) -> Device {
    let request = test
        .anon()
        .post(test.at(ASK))
        .header("x-forwarded-for", address);
    let form = [("client_id", CLI), ("scope", "tokens:read")];
    Device::of(&Answer::of(request.form(&form).send().await.unwrap()).await)
}

/// Opens a link.
async fn follow(browser: &mut Browser, test: &TestApp, device: &Device) -> Page {
    browser
        .get(device.link.strip_prefix(&test.url).unwrap())
        .await
}

/// Approves with the given value of the box.
async fn approve(browser: &mut Browser, consent: &Page, confirm: Option<&str>) -> Page {
    let ticket = consent.field("ticket").unwrap();
    let code = consent.field("user_code").unwrap();
    let mut fields = vec![
        ("ticket", ticket.as_str()),
        ("user_code", &code),
        ("scope", "tokens:read"),
        ("decision", "approve"),
    ];
    fields.extend(confirm.map(|value| ("confirm", value)));
    browser.post("/device/decide", &fields).await
}

/// The box is shown, and an approval requires that it is ticked.
async fn assert_insists(test: &TestApp, browser: &mut Browser, device: &Device, consent: &Page) {
    assert_eq!(consent.status, 200);
    assert!(consent.contains(BOX) && consent.contains(&device.user_code));
    let mut page = consent.clone();
    for confirm in [None, Some(""), Some("no"), Some("on")] {
        page = approve(browser, &page, confirm).await;
        assert_eq!(page.status, 400, "{confirm:?}");
        assert!(page.contains("Tick this box") && page.contains(BOX));
        // The page returns with its state preserved.
        assert!(page.contains(r#"aria-describedby="grants-tokens:read" checked"#));
    }
    assert_eq!(test.poll(device).await.error(), "authorization_pending");
    let done = approve(browser, &page, Some("yes")).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(test.poll(device).await.status, 200);
}

/// DEV-34, CONTRACT 4.
#[actix_web::test]
async fn code_from_a_link_must_be_confirmed() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = follow(&mut browser, &test, &device).await;
    assert!(consent.contains("You opened this page from a link; anyone can send one."));
    assert_insists(&test, &mut browser, &device, &consent).await;
}

/// DEV-34, XD-16, CONTRACT 4.
#[actix_web::test]
async fn device_from_another_network_must_be_confirmed() {
    let test = TestApp::with(BEHIND_PROXY).await;
    for (there, here) in [
        ("203.0.113.9", "198.51.100.1"),
        ("203.0.113.9", "203.0.112.9"),
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        ("203.0.113.9", "2001:db8::1"),
        ("203.0.113.9", "127.0.0.1"),
    ] {
        let device = device_at(&test, there).await;
        let mut browser = test.user().await;
        browser.set_header("x-forwarded-for", here);
        let consent = browser.type_code(&device.user_code).await;
        let both = format!("{here}, another address");
        assert!(consent.contains("This request comes from another network."));
        assert!(
            consent.contains(there) && consent.contains(&both),
            "{}",
            consent.body
        );
        assert_insists(&test, &mut browser, &device, &consent).await;

        let device = device_at(&test, there).await;
        let consent = follow(&mut browser, &test, &device).await;
        for words in [
            "an attacker can send you a link like this one",
            "from a link",
        ] {
            assert!(consent.contains(words), "{words}");
        }
        assert_insists(&test, &mut browser, &device, &consent).await;
    }
}

/// CONTRACT 4: if it always appeared, users would tick it without reading.
#[actix_web::test]
async fn typed_code_from_the_same_network_needs_no_box() {
    let test = TestApp::with(BEHIND_PROXY).await;
    for (there, here) in [
        ("203.0.113.9", "203.0.113.200"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("::ffff:203.0.113.9", "203.0.113.10"),
    ] {
        let device = device_at(&test, there).await;
        let mut browser = test.user().await;
        browser.set_header("x-forwarded-for", here);
        let consent = browser.type_code(&device.user_code).await;
        assert_eq!(consent.status, 200);
        assert!(!consent.contains(BOX));
        let done = approve(&mut browser, &consent, None).await;
        assert_eq!(done.status, 200, "{}", done.body);
    }
}

/// DEV-17, T-17: only a trusted proxy can set the client address.
#[actix_web::test]
async fn forwarded_address_counts_only_from_a_trusted_proxy() {
    let test = TestApp::start().await;
    let device = device_at(&test, "203.0.113.9").await;
    assert_eq!(test.count("device_grant", "address = '127.0.0.1'"), 1);
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    assert!(!consent.contains(BOX) && !consent.contains("203.0.113.9"));
}

/// DEV-34. Form fields cannot waive the box, and a denial does not need it.
#[actix_web::test]
async fn ticket_cannot_be_changed_to_need_no_box() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = follow(&mut browser, &test, &device).await;
    let ticket = consent.field("ticket").unwrap();
    assert!(ticket.contains(".link."));
    let forged = consent
        .body
        .replace(&ticket, &ticket.replace(".link.", ".typed."));
    let forged = Page {
        body: forged,
        ..consent.clone()
    };
    for confirm in [None, Some("yes")] {
        let page = approve(&mut browser, &forged, confirm).await;
        assert_eq!(page.status, 400);
        assert!(page.contains("Review the request once more") && page.contains(BOX));
    }
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
    let denied = browser.decide(&consent, "deny", &[]).await;
    assert_eq!(denied.status, 200);
    assert_eq!(test.poll(&device).await.error(), "access_denied");
}

const SAME: &str = "Same network as this browser";

/// The page says that both are in one network only if that is certain.
#[actix_web::test]
async fn same_network_is_said_of_equal_client_addresses_alone() {
    let behind_two = "[server]\ntrusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\n";
    let test = TestApp::with(behind_two).await;
    for (there, here, is_said) in [
        ("203.0.113.9", "203.0.113.9", true),
        ("203.0.113.9", "203.0.113.10", false),
        ("203.0.113.9", "198.51.100.1", false),
        ("2001:db8:1:2::1", "2001:db8:1:2::2", true),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        // The address of a proxy, which all of its clients share.
        ("10.1.2.3", "10.1.2.3", false),
        ("nonsense", "nonsense", false),
    ] {
        let device = device_at(&test, there).await;
        let mut browser = test.user().await;
        browser.set_header("x-forwarded-for", here);
        let consent = browser.type_code(&device.user_code).await;
        assert_eq!(consent.status, 200);
        assert_eq!(consent.contains(SAME), is_said, "{there} {here}");
    }
}

/// A loopback address counts where the server is used on one machine. Behind a proxy that is not
/// configured, everybody has it.
#[actix_web::test]
async fn loopback_is_the_same_network_on_one_machine_alone() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    assert!(browser.type_code(&device.user_code).await.contains(SAME));
    browser.set_header("x-forwarded-for", "203.0.113.9");
    assert!(!browser.type_code(&device.user_code).await.contains(SAME));

    let test =
        TestApp::with("[server]\npublic_url = \"http://auth.example.com\"\nallow_http = true\n")
            .await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    assert!(consent.contains(&device.user_code) && !consent.contains(SAME));
}

//! Places where codes and tokens must never appear.

use super::{ASK, POLL};
use crate::support::device::Device;
use crate::support::{CLI, TestApp, log};

/// DEV-20, DEV-37, T-23 (device part).
#[actix_web::test]
async fn codes_and_tokens_are_in_no_table_log_page_or_cookie() {
    let test = TestApp::start().await;
    let form = [
        ("client_id", CLI),
        ("scope", "tokens:read"),
        ("device_name", "Build box"),
    ];
    let devices = [
        Device::of(&test.oauth(ASK, &form).await),
        Device::of(&test.oauth(ASK, &form).await),
        Device::of(&test.oauth(ASK, &form).await),
    ];
    let [approved, denied, _pending] = &devices;
    let mut browser = test.user().await;
    let mut pages = vec![
        browser
            .get(approved.link.strip_prefix(&test.url).unwrap())
            .await,
    ];
    let first = browser.type_code(&approved.user_code).await;
    pages.push(browser.decide(&first, "approve", &["tokens:read"]).await);
    let second = browser.type_code(&denied.user_code).await;
    pages.push(browser.decide(&second, "deny", &[]).await);
    pages.extend([first, second, browser.type_code("BBBB-BBBC").await]);
    let token = test.poll(approved).await.token();
    test.poll(approved).await;
    test.poll(denied).await;
    test.oauth(POLL, &denied.poll_form("nobody")).await;
    pages.push(browser.get("/tokens").await);
    let [prefix, secret] = ["dc_", &token[3..]];
    assert!(token.starts_with(prefix));

    let dump = test.database.dump();
    // The dump can be searched: it contains public values.
    assert!(dump.contains("Build box") && dump.contains("tokens:read"));
    let mut cookies = browser.cookies.values().cloned().collect::<String>();
    cookies.extend(pages.iter().map(|page| format!("{:?}", page.headers)));
    let pages: String = pages.into_iter().map(|page| page.body).collect();
    let log = log::text();
    assert!(log.contains("/device/decide"));
    for device in &devices {
        for (place, text) in [
            ("dump", &dump),
            ("log", &log),
            ("cookies", &cookies),
            ("pages", &pages),
        ] {
            assert!(
                !text.contains(&device.device_code),
                "device code in {place}"
            );
        }
        let bare = device.user_code.replace('-', "");
        for (place, text) in [("dump", &dump), ("log", &log), ("cookies", &cookies)] {
            for code in [&device.user_code, &bare] {
                assert!(!text.contains(code.as_str()), "user code in {place}");
            }
        }
    }
    for (place, text) in [
        ("dump", &dump),
        ("log", &log),
        ("cookies", &cookies),
        ("pages", &pages),
    ] {
        assert!(!text.contains(secret), "token in {place}");
    }
}

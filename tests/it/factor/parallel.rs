//! Races for one value and one recovery code.

use super::phone::{codes, enrol, first_step};
use crate::support::browser::Browser;
use crate::support::{EMAIL, PASSWORD, TestApp};
use futures_util::future::join_all;

const USES: usize = 50;

/// Browsers in which the user has signed in, so that their guesses count apart.
async fn known_browsers(test: &TestApp) -> Vec<Browser> {
    let mut browsers = Vec::new();
    for _ in 0..USES {
        let mut browser = test.user().await;
        browser.cookies.remove("doorcode_session");
        browsers.push(browser);
    }
    browsers
}

/// Sends one code in all browsers at once. Returns how many signed in; all others are refused.
async fn use_at_once(browsers: Vec<Browser>, code: &str) -> usize {
    let mut waiting = Vec::new();
    for mut browser in browsers {
        let link = first_step(&mut browser, EMAIL, PASSWORD).await;
        browser.get(&format!("/login/factor?link={link}")).await;
        waiting.push((browser, link));
    }
    let uses = waiting.into_iter().map(async |(mut browser, link)| {
        let fields = [("link", link.as_str()), ("code", code)];
        browser.post("/login/factor", &fields).await
    });
    let pages = join_all(uses).await;
    let entered = pages.iter().filter(|page| page.location() == "/tokens");
    let refused = pages.iter().filter(|page| page.status == 401);
    let entered = entered.count();
    assert_eq!(entered + refused.count(), USES);
    entered
}

#[actix_web::test]
async fn one_value_signs_in_once_also_50_at_once() {
    let test = TestApp::start().await;
    let browsers = known_browsers(&test).await;
    let (phone, _) = enrol(&test, &mut test.user().await).await;
    let sessions = test.count("session", "1 = 1");
    assert_eq!(use_at_once(browsers, &phone.next_value()).await, 1);
    assert_eq!(test.count("session", "1 = 1"), sessions + 1);
}

#[actix_web::test]
async fn one_recovery_code_signs_in_once_also_50_at_once() {
    let test = TestApp::start().await;
    let browsers = known_browsers(&test).await;
    let (_, page) = enrol(&test, &mut test.user().await).await;
    let code = codes(&page).swap_remove(0);
    let sessions = test.count("session", "1 = 1");
    assert_eq!(use_at_once(browsers, &code).await, 1);
    assert_eq!(test.count("session", "1 = 1"), sessions + 1);
    assert_eq!(test.count("recovery_code", "1 = 1"), 9);
}

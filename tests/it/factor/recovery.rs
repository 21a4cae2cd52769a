//! Recovery codes, and users who have lost all factors.

use super::phone::{CODES, TOTP, codes, enrol, first_step, second_step};
use super::{assert_signed_in, assert_wrong};
use crate::support::device::Answer;
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp};
use serde_json::json;

#[actix_web::test]
async fn codes_are_shown_once_and_work_once() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let page = browser.get(CODES).await;
    assert!(page.contains("You have no second factor yet"));
    let refused = browser.post(CODES, &[]).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let (_, page) = enrol(&test, &mut browser).await;
    let shown = codes(&page);
    assert_eq!(shown.len(), 10);
    let again = browser.get(&format!("{CODES}/secret")).await;
    assert!(codes(&again).is_empty() && again.contains("cannot be shown again"));

    for (code, left) in [(shown[3].clone(), 9), (shown[4].to_uppercase(), 8)] {
        let mut other = test.browser();
        let link = first_step(&mut other, EMAIL, PASSWORD).await;
        assert_signed_in(&second_step(&mut other, &link, &code).await);
        let link = first_step(&mut test.browser(), EMAIL, PASSWORD).await;
        let mut third = test.browser();
        third.cookies.clear();
        let own = first_step(&mut third, EMAIL, PASSWORD).await;
        assert_ne!(link, own);
        assert_wrong(&second_step(&mut third, &own, &code).await);
        let page = browser.get(CODES).await;
        assert!(page.contains(&format!("You have {left} codes left.")));
    }
    test.settle().await;
    let used = "action = 'session.started' AND detail LIKE '%\"factor\":\"recovery_code\"%'";
    assert_eq!(test.count("audit_record", used), 2);
}

#[actix_web::test]
async fn new_codes_replace_the_earlier_ones() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let (_, page) = enrol(&test, &mut browser).await;
    let old = codes(&page);
    browser.get(CODES).await;
    let new = codes(&browser.post(CODES, &[]).await);
    assert_eq!(new.len(), 10);
    for code in &new {
        test.canaries.add(code);
    }
    assert!(new.iter().all(|code| !old.contains(code)));
    let mut other = test.browser();
    let link = first_step(&mut other, EMAIL, PASSWORD).await;
    assert_wrong(&second_step(&mut other, &link, &old[0]).await);
    assert_signed_in(&second_step(&mut other, &link, &new[0]).await);
    assert_eq!(test.count("recovery_code", "1 = 1"), 9);
}

/// The operator removes the factors of a user who has lost them.
#[actix_web::test]
async fn operator_resets_the_factors() {
    let test = TestApp::start().await;
    let token = test.token(&["orgs:read", "orgs:write"]).await;
    let mut browser = test.user().await;
    enrol(&test, &mut browser).await;
    let sql = format!("SELECT id FROM users WHERE email = '{EMAIL}'");
    let path = format!("/v1/users/{}/reset-factors", test.database.text(&sql));
    let call = async |token: &str| {
        let request = test.anon().post(test.at(&path)).bearer_auth(token);
        let request = request.header("idempotency-key", test.app.draw_request_id().as_ref());
        Answer::of(request.json(&json!({})).send().await.unwrap()).await
    };
    assert_eq!(call(&token).await.status, 403);
    assert_eq!(test.count("authenticator", "1 = 1"), 1);
    let answer = call(OPERATOR).await;
    assert_eq!((answer.status, &answer.body["email"]), (200, &json!(EMAIL)));
    assert_eq!(test.count("authenticator", "1 = 1"), 0);
    assert_eq!(test.count("recovery_code", "1 = 1"), 0);
    assert_eq!(test.events("factor.reset"), 1);
    test.browser().sign_in(EMAIL, PASSWORD).await;
    assert!(browser.get(TOTP).await.contains("Turn on"));
}

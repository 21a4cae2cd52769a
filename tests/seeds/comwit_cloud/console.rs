//! Tokens that are created in the console.

use super::comwit;

/// A scoped PAT can be created in the console at `/tokens`.
#[actix_web::test]
async fn b_28_token_is_created_in_the_console() {
    let comwit = comwit().await;
    let mut user = comwit.member("creator").await;
    let list = user.browser.get("/tokens").await;
    assert!(list.contains(r#"href="/tokens/new""#), "{}", list.body);
    let token = user.browser.new_token("reader", &["app:read"], "90d").await;
    let list = user.browser.get("/tokens").await;
    assert!(list.contains("reader") && list.contains("app:read"));
    assert!(!list.contains(&token));
    let apps = comwit.web("GET", "/apps");
    let delete = comwit.web("DELETE", "/apps/api");
    let found = comwit.system.statuses(&[&apps, &delete], &token).await;
    assert_eq!(found, [200, 403]);
}

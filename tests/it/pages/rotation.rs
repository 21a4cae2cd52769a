//! `/tokens/…/rotate`: replacing a token with a new one.

use super::after;
use crate::support::TestApp;

/// CONTRACT 2: the overlap, and the new token shown once.
#[actix_web::test]
async fn token_is_rotated_with_an_overlap() {
    let test = TestApp::start().await;
    for (overlap, seconds) in [("1h", 3_600), ("24h", 86_400), ("7d", 7 * 86_400)] {
        let mut browser = test.user().await;
        let old = browser.new_token("laptop", &["orgs:read"], "30d").await;
        let list = browser.get("/tokens?sort=newest").await;
        let id = after(&list.body, r#"href="/tokens/tok_"#, '"');
        let path = format!("/tokens/tok_{id}/rotate");
        let ask = browser.get(&path).await;
        assert!(ask.contains("Rotate “laptop”?"), "{}", ask.body);
        assert!(ask.contains(r#"value="24h" checked"#));
        let page = browser.post(&path, &[("overlap", overlap)]).await;
        assert_eq!(page.status, 200);
        let new = page.attribute("data-token").unwrap();
        assert!(page.contains("still works and ends"), "{}", page.body);
        let list = browser.get("/tokens").await;
        assert!(list.contains(">Replaced</span>") && !list.contains(&new));
        test.clock.advance(seconds - 1);
        for token in [&old, &new] {
            assert_eq!(test.me(token).await.status(), 200, "{overlap}");
        }
        test.clock.advance(1);
        assert_eq!(test.me(&old).await.status(), 401, "{overlap}");
        assert_eq!(test.me(&new).await.status(), 200, "{overlap}");
    }
}

/// Reloading the page shows no token and creates none.
#[actix_web::test]
async fn token_has_one_successor() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let old = browser.new_token("laptop", &[], "never").await;
    let list = browser.get("/tokens").await;
    let id = after(&list.body, r#"href="/tokens/tok_"#, '"');
    let path = format!("/tokens/tok_{id}/rotate");
    browser.get(&path).await;
    for overlap in ["", "1y", "-1h"] {
        let page = browser.post(&path, &[("overlap", overlap)]).await;
        assert_eq!(page.status, 422, "{overlap}");
        assert!(page.contains(r#"id="overlap-error""#));
    }
    let page = browser.post(&path, &[("overlap", "none")]).await;
    assert!(page.contains("no longer works."));
    assert_eq!(test.me(&old).await.status(), 401, "no overlap");
    let repeated = browser.post(&path, &[("overlap", "24h")]).await;
    assert!(repeated.contains("was shown, and cannot") && !repeated.contains("data-token"));
    assert_eq!(test.count("token", "1 = 1"), 2);
    let away = browser.get(&path).await;
    assert_eq!((away.status, away.location()), (303, "/tokens"));
    let absent = "/tokens/tok_00000000000000000000000000000000/rotate";
    assert_eq!(browser.get(absent).await.status, 404);
    assert_eq!(
        browser.post(absent, &[("overlap", "none")]).await.status,
        404
    );
}

//! Lines 7, 8, 19 and 26: the plaintext is shown once, and ends at once.

use super::{Dashboard, LIST, PAGE, issue};
use sha2::{Digest as _, Sha256};

/// The plaintext is shown once in the response of the issue, and never again.
#[actix_web::test]
async fn e_07_the_plaintext_is_in_the_response_of_the_issue_alone() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["databases:read"]).await;
    let secret = token.strip_prefix("wal_").unwrap();
    let id = dashboard.id(&token).await;
    // Another admin looks everywhere.
    let mut owner = dashboard.browser("owner").await;
    for path in [
        PAGE.to_owned(),
        format!("{PAGE}/{id}"),
        format!("{PAGE}/{id}/secret"),
        "/o/acme/tokens".to_owned(),
        "/o/acme/audit".to_owned(),
    ] {
        assert!(!owner.get(&path).await.contains(secret), "{path}");
    }
    let path = format!("GET /v1/orgs/acme/tokens/{id}");
    let (_, answer) = dashboard.operator(&path, serde_json::json!({})).await;
    assert_eq!(answer["id"], id, "{answer}");
    assert!(!answer.to_string().contains(secret));
}

/// Only a SHA-256 fingerprint is stored.
#[actix_web::test]
async fn e_08_only_a_fingerprint_is_stored() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["databases:read"]).await;
    let content = dashboard.system.test.database.dump().to_lowercase();
    let fingerprint = hex::encode(Sha256::digest(&token));
    assert!(content.contains(&fingerprint));
    assert!(!content.contains(token.strip_prefix("wal_").unwrap()));
}

/// The reveal can be copied before it is dismissed; afterwards it is gone; lost: revoke and
/// issue a new one.
#[actix_web::test]
async fn e_19_the_reveal_is_copied_before_it_is_dismissed() {
    let dashboard = Dashboard::start().await;
    let mut admin = dashboard.browser("admin").await;
    let page = issue(&mut admin, "ci", &["databases:read"]).await;
    let token = page.attribute("data-token").unwrap();
    assert!(page.contains(r#"data-copy="token""#), "{}", page.body);
    assert!(page.contains("I have stored it</a>"));
    // Dismissed: neither reloading nor going back shows it again.
    assert!(!admin.get(PAGE).await.contains(&token));
    let id = dashboard.id(&token).await;
    let again = admin.get(&format!("{PAGE}/{id}/secret")).await;
    assert!(!again.contains(&token));
    assert!(again.contains("cannot be shown again"), "{}", again.body);
    // Lost: revoked and issued anew.
    dashboard.revoke(&mut admin, &token).await;
    let new = dashboard.token("ci", &["databases:read"]).await;
    assert_eq!(dashboard.status(LIST, &token).await, 401);
    assert_eq!(dashboard.status(LIST, &new).await, 200);
}

/// Immediate: the next request gets 401 `unauthorized`.
#[actix_web::test]
async fn e_26_the_next_request_is_unauthorized() {
    let dashboard = Dashboard::start().await;
    let token = dashboard.token("ci", &["databases:read"]).await;
    assert_eq!(dashboard.status(LIST, &token).await, 200);
    let mut admin = dashboard.browser("admin").await;
    dashboard.revoke(&mut admin, &token).await;
    let answer = dashboard.system.api(LIST, &token).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body["code"], "unauthorized", "{answer:?}");
}

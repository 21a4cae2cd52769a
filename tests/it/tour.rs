//! The complete flow, from an empty database to a working token.

use crate::support::TestApp;

#[actix_web::test]
async fn device_gets_a_token_that_works_until_it_is_revoked() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read orgs:read").await;
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");

    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    assert_eq!(consent.status, 200, "{}", consent.body);
    assert!(consent.contains("The cli"));
    assert!(!consent.contains("I started this sign-in myself"));
    let result = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(result.status, 200, "{}", result.body);

    let answer = test.poll(&device).await;
    assert_eq!(answer.body["scope"], "tokens:read");
    assert_eq!(answer.body["expires_in"], 90 * 24 * 3600);
    let token = answer.token();
    // The same answer, should the first one be lost on the way.
    assert_eq!(test.poll(&device).await.body, answer.body);

    let me = test.me(&token).await;
    assert_eq!(me.status(), 200);
    assert_eq!(test.poll(&device).await.error(), "invalid_grant");
    let me: serde_json::Value = me.json().await.unwrap();
    assert_eq!(me["user"]["email"], "ada@example.com");
    assert_eq!(me["scopes"], serde_json::json!(["tokens:read"]));
    assert_eq!(test.introspect(&token).await["active"], true);

    let gone = test
        .oauth("/auth/revoke", &[("client_id", "cli"), ("token", &token)])
        .await;
    assert_eq!(gone.status, 200);
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(
        test.introspect(&token).await,
        serde_json::json!({"active": false})
    );
}

#[actix_web::test]
async fn first_user_is_created_by_the_setup_link_once() {
    let test = TestApp::empty("").await;
    let link = doorcode::app::user::offer_setup(&test.app)
        .await
        .unwrap()
        .unwrap();
    let mut browser = test.browser();
    let page = browser.get(&doorcode::web::setup_path(link.expose())).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let fields = [
        ("link", link.expose()),
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("password", "violet kettle marches north"),
        ("organization", "Acme"),
    ];
    let done = browser.post("/setup", &fields).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(browser.get("/tokens").await.status, 200);
    assert_eq!(test.count("membership", "role = 'owner'"), 1);

    let mut other = test.browser();
    assert_eq!(
        other
            .get(&doorcode::web::setup_path(link.expose()))
            .await
            .status,
        404
    );
    other.get("/login").await;
    assert_eq!(other.post("/setup", &fields).await.status, 404);
    assert_eq!(test.count("users", "1 = 1"), 1);
    assert!(
        doorcode::app::user::offer_setup(&test.app)
            .await
            .unwrap()
            .is_none()
    );
}

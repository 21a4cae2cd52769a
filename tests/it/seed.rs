//! The database of the benchmarks: seeded rows work like those created by the server.

use crate::support::TestApp;
use crate::support::seed::{self, Size};
use doorcode::store::Store;
use serde_json::Value;

const SIZE: Size = Size {
    tokens: 120,
    users: 30,
    organizations: 4,
    of_first: 60,
};

/// A server on a seeded database.
async fn seeded() -> TestApp {
    let test = TestApp::empty("").await;
    let store = Store::open(&test.app.config().database.url).unwrap();
    let mut heard = (0, 0);
    SIZE.seed(&store, test.app.now(), |done, all| heard = (done, all))
        .await;
    assert_eq!(heard, (214, 214));
    test
}

#[actix_web::test]
async fn every_seeded_token_has_the_expected_state() {
    let test = seeded().await;
    let mut live = 0;
    for n in 0..SIZE.tokens + SIZE.of_first {
        let token = seed::token(n);
        let response = test
            .anon()
            .post(test.at("/auth/introspect"))
            .basic_auth(seed::API, Some(seed::api_secret().expose()))
            .form(&[("token", token.expose())])
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let found: Value = response.json().await.unwrap();
        assert_eq!(found["active"], seed::is_live(n), "{n}: {found}");
        let me = test.me(token.expose()).await;
        if seed::is_live(n) {
            live += 1;
            assert!(found["scope"].as_str().unwrap().contains("tokens:read"));
            assert_eq!(me.status(), 200, "{n}");
            let me: Value = me.json().await.unwrap();
            assert_eq!(me["token"]["name"], format!("Token {n}"), "{me}");
        } else {
            assert_eq!(me.status(), 401, "{n}");
        }
    }
    assert!((100..180).contains(&live), "{live}");
    for kind in ["user_id", "organization_id", "revoked_at", "replaces"] {
        let found = test.database.count("token", &format!("{kind} IS NOT NULL"));
        assert!(found > 0, "{kind}");
    }
}

#[actix_web::test]
async fn seeded_users_are_signed_in_and_have_their_tokens() {
    let test = seeded().await;
    let mut browser = test.browser();
    for (n, tokens) in [(0, 50), (1, 4), (19, 0)] {
        assert_eq!(SIZE.has_tokens(n), tokens > 0);
        let cookie = seed::cookie(n).expose().to_owned();
        browser.cookies.insert("doorcode_session".into(), cookie);
        let page = browser.get("/tokens").await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(page.body.matches("dc_…").count(), tokens, "{}", page.body);
    }
    let mut browser = test.browser();
    browser
        .sign_in("person-2@example.com", "violet kettle marches north")
        .await;
}

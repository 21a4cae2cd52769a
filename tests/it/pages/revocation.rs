//! `/tokens/…/revoke` and `/tokens/revoke-all`: revoking personal tokens.

use super::audit::said;
use super::token::{create, listed};
use crate::support::database::AUDIT;
use crate::support::{PASSWORD, TestApp};

/// CONTRACT 2 and 4: effective for the very next request; a repetition is no error and no event.
#[actix_web::test]
async fn revocation_needs_confirmation_is_immediate_and_repeatable() {
    let test = TestApp::start().await;
    let other = test.second_server("").await;
    let mut browser = test.user().await;
    let page = create(
        &mut browser,
        &[("name", "old laptop"), ("expires", "never")],
    )
    .await;
    let token = page.attribute("data-token").unwrap();
    let id = listed(&mut browser).await.remove(0);
    let path = format!("/tokens/{id}/revoke");
    let confirm = browser.get(&path).await;
    assert!(confirm.contains("old laptop") && confirm.contains(">Revoke</button>"));
    assert_eq!(test.me(&token).await.status(), 200, "nothing happened yet");
    for _ in 0..2 {
        let done = browser.post(&path, &[]).await;
        assert_eq!(
            (done.status, done.location()),
            (303, format!("/tokens?revoked={id}").as_str())
        );
        assert_eq!(test.me(&token).await.status(), 401);
        assert_eq!(other.me(&token).await.status(), 401);
    }
    let page = browser.get(&format!("/tokens?revoked={id}")).await;
    assert!(page.contains("<b>old laptop</b> is revoked."));
    assert!(
        !page.contains(&format!("/tokens/{id}\"")),
        "it is not active"
    );
    let page = browser.get("/tokens?show=ended").await;
    assert!(page.contains(">Revoked</span>"), "it stays listed");
    assert_eq!(test.count(AUDIT, "action = 'token.revoked'"), 1);
}

/// CONTRACT 4.
#[actix_web::test]
async fn revoke_all_ends_only_the_tokens_of_this_user() {
    let test = TestApp::start().await;
    test.add_user("eve@example.com", PASSWORD, None).await;
    let mut eve = test.browser();
    eve.sign_in("eve@example.com", PASSWORD).await;
    let of_eve = create(&mut eve, &[("name", "x"), ("expires", "never")]).await;
    let of_eve = of_eve.attribute("data-token").unwrap();
    let mut ada = test.user().await;
    let mut tokens = vec![test.token(&["tokens:read"]).await];
    for _ in 0..2 {
        let page = create(&mut ada, &[("name", "x"), ("expires", "never")]).await;
        tokens.push(page.attribute("data-token").unwrap());
    }
    let confirm = ada.get("/tokens/revoke-all").await;
    assert!(
        confirm.contains("Revoke all 3 active tokens?") && confirm.contains(">Revoke all</button>")
    );
    for expected in ["/tokens?revoked-all=3", "/tokens?revoked-all=0"] {
        let done = ada.post("/tokens/revoke-all", &[]).await;
        assert_eq!((done.status, done.location()), (303, expected));
        for token in &tokens {
            assert_eq!(test.me(token).await.status(), 401);
        }
    }
    assert!(
        ada.get("/tokens?revoked-all=3")
            .await
            .contains("3 tokens revoked.")
    );
    assert!(
        ada.get("/tokens/revoke-all")
            .await
            .contains("Nothing to revoke")
    );
    assert!(!ada.get("/tokens").await.contains("/tokens/revoke-all\""));
    assert_eq!(test.me(&of_eve).await.status(), 200);
    assert_eq!(
        ada.get("/account").await.status,
        200,
        "the person stays signed in"
    );
}

/// API-06: another user's token, an absent one, and a malformed id.
#[actix_web::test]
async fn token_of_another_user_looks_like_one_that_does_not_exist() {
    let test = TestApp::start().await;
    test.add_user("eve@example.com", PASSWORD, None).await;
    let mut ada = test.user().await;
    let page = create(&mut ada, &[("name", "secret name"), ("expires", "never")]).await;
    let token = page.attribute("data-token").unwrap();
    let id = listed(&mut ada).await.remove(0);
    let mut eve = test.browser();
    eve.sign_in("eve@example.com", PASSWORD).await;
    eve.get("/account").await;
    let mut answers = Vec::new();
    for id in [
        id.as_str(),
        &format!("{}0000", &id[..id.len() - 4]),
        "tok_x",
        "usr_x",
    ] {
        let path = format!("/tokens/{id}/revoke");
        for page in [eve.get(&path).await, eve.post(&path, &[]).await] {
            assert_eq!(page.status, 404, "{id}");
            answers.push(page.without_request_id());
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert!(
        !eve.get(&format!("/tokens?revoked={id}"))
            .await
            .contains("secret name")
    );
    assert_eq!(test.me(&token).await.status(), 200);
}

/// The confirmation names the addresses from which the token was used in the last 24 hours.
#[actix_web::test]
async fn confirmation_says_from_where_the_token_was_used() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let token = browser.new_token("laptop", &[], "never").await;
    let id = listed(&mut browser).await.remove(0);
    let path = format!("/tokens/{id}/revoke");
    let unused = "No program used this token in the last 24 hours.";
    assert!(said(&browser.get(&path).await).contains(unused));
    for _ in 0..3 {
        assert_eq!(test.me(&token).await.status(), 200);
    }
    test.settle().await;
    let text = said(&browser.get(&path).await);
    let used = "this token was used 3 times from 1 address : 127.0.0.1 3 uses";
    assert!(text.contains(used), "{text}");
    assert_eq!(test.events("audit.read"), 2, "looking is recorded");

    test.clock.advance(86_401);
    let mut browser = test.user().await;
    assert!(said(&browser.get(&path).await).contains(unused));
}

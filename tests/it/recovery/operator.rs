//! Links of the operator, and users who come back after a deactivation.

use super::{
    NEW, assert_closed, forget, id_of, operate, operator_link, reset_link, set_with, text,
    with_mail,
};
use crate::support::device::Answer;
use crate::support::smtp::Sink;
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp};
use doorcode::domain::role::Role;
use reqwest::Method;
use serde_json::json;

const BOB: &str = "bob@example.com";

/// CONTRACT 7: a link without mail, for the only owner too; a repetition gets the same one.
#[actix_web::test]
async fn operator_creates_a_link_for_a_locked_out_owner() {
    let test = TestApp::start().await;
    let path = format!("/v1/users/{}/password-reset", id_of(&test, EMAIL));
    let call = async |path: &str, token: &str| {
        let request = test.anon().post(test.at(path)).bearer_auth(token);
        let request = request.header("idempotency-key", "one").json(&json!({}));
        Answer::of(request.send().await.unwrap()).await
    };
    let made = call(&path, OPERATOR).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body["expires_at"], "2026-11-22T12:30:00Z");
    let url = made.body["url"].as_str().unwrap();
    assert!(url.starts_with(&test.at("/reset?link=")), "{url}");
    assert_eq!(call(&path, OPERATOR).await.body, made.body);
    let token = test.token(&["orgs:read", "orgs:write"]).await;
    let refused = call(&path, &token).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (403, &json!("operator_required"))
    );
    assert_eq!(test.events("user.password_reset_requested"), 1);

    let mut browser = test.browser();
    let set = set_with(&mut browser, &reset_link(url), NEW).await;
    assert_eq!(set.status, 303, "{}", set.body);
    assert_eq!(browser.get("/o/acme/members").await.status, 200);
    let nobody = "/v1/users/usr_00000000000000000000000000000000/password-reset";
    assert_eq!(
        operate(&test, Method::POST, nobody, &json!({}))
            .await
            .status,
        404
    );
}

/// A link that others may have does not open the operator console: it is void when its user is marked
/// as an operator, as is one by mail. The next link of the operator works.
#[actix_web::test]
async fn mark_as_operator_voids_earlier_links() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let printed = operator_link(&test).await;
    let mut browser = test.browser();
    forget(&test, &mut browser, EMAIL).await;
    let mailed = reset_link(&text(&sink.next()));
    test.mark_operator(EMAIL, true).await;
    for link in [&printed, &mailed] {
        assert_closed(&browser.get(link).await);
        assert_closed(&set_with(&mut browser, link, NEW).await);
    }
    let next = operator_link(&test).await;
    assert_eq!(set_with(&mut browser, &next, NEW).await.status, 303);
    assert_eq!(browser.get("/admin").await.status, 200);
}

/// A deactivated user comes back with the old password; what ended stays ended.
#[actix_web::test]
async fn reactivated_user_signs_in_again_without_old_tokens_and_sessions() {
    let test = TestApp::start().await;
    let mut elsewhere = test.user().await;
    let token = elsewhere.new_token("laptop", &["orgs:read"], "90d").await;
    let link = operator_link(&test).await;
    test.deactivate(EMAIL).await;
    let user = format!("/v1/users/{}", id_of(&test, EMAIL));
    let reset = format!("{user}/password-reset");
    let refused = operate(&test, Method::POST, &reset, &json!({})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("user reactivate")
    );
    for _ in 0..2 {
        let path = format!("{user}/reactivate");
        let back = operate(&test, Method::POST, &path, &json!({})).await;
        assert_eq!(back.status, 200, "{back:?}");
        assert_eq!(back.body["state"], "active");
    }
    assert_eq!(test.events("user.reactivated"), 1);
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(elsewhere.get("/tokens").await.status, 303);
    assert_closed(&test.browser().get(&link).await);
    let mut browser = test.user().await;
    assert_eq!(browser.get("/o/acme/members").await.status, 200);
    browser.new_token("again", &["orgs:read"], "90d").await;
}

/// The operator is told how a deactivated user comes back; others learn that the address is taken.
#[actix_web::test]
async fn taken_address_of_a_deactivated_user_names_the_way_back() {
    let test = TestApp::start().await;
    test.add_user(BOB, PASSWORD, None).await;
    let add = async || {
        let body = json!({"name": "Bob", "email": BOB, "password": PASSWORD});
        let added = operate(&test, Method::POST, "/v1/users", &body).await;
        assert_eq!(added.status, 422, "{added:?}");
        added.body["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(add().await, "There is a user with this email address.");
    test.deactivate(BOB).await;
    assert!(add().await.contains("`doorcode user reactivate`"));

    let mut owner = test.user().await;
    owner.get("/o/acme/members").await;
    let fields = [("role", Role::Member.as_str()), ("email", BOB)];
    let invited = owner.post("/o/acme/invitations", &fields).await;
    let (_, rest) = invited.body.split_once("/invite?link=").unwrap();
    let link = rest.split('<').next().unwrap();
    let mut visitor = test.browser();
    visitor.get("/login").await;
    let fields = [
        ("link", link),
        ("name", "Bob"),
        ("email", BOB),
        ("password", NEW),
    ];
    let page = visitor.post("/invite/account", &fields).await;
    // The answer is the same as for an address without a user.
    assert_eq!(page.status, 303);
    let login = visitor.get(page.location()).await;
    assert!(!login.contains("reactivate") && !login.contains("deactivated"));
}

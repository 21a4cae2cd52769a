//! Names and email addresses that the operator changes.

use super::{NEW, assert_closed, id_of, operate, operator_link, text, with_mail};
use crate::support::database::AUDIT;
use crate::support::smtp::Sink;
use crate::support::{EMAIL, PASSWORD, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

const MOVED: &str = "countess@example.com";

async fn patch(test: &TestApp, id: &str, body: &Value) -> (u16, Value) {
    let path = format!("/v1/users/{id}");
    let answer = operate(test, Method::PATCH, &path, body).await;
    (answer.status, answer.body)
}

/// CONTRACT 3: a changed address stays the same user, and is unverified unless the operator marks
/// it as verified.
#[actix_web::test]
async fn changed_address_keeps_the_user_and_its_tokens() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let token = test
        .user()
        .await
        .new_token("x", &["orgs:read"], "90d")
        .await;
    let link = operator_link(&test).await;
    let id = id_of(&test, EMAIL);
    let path = format!("/v1/users/{id}");
    let shown = operate(&test, Method::GET, &path, &Value::Null).await.body;
    assert_eq!(shown["email_verified"], true, "{shown}");

    let (status, body) = patch(&test, &id, &json!({"email": " Countess@Example.com"})).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!((&body["id"], &body["email"]), (&json!(id), &json!(MOVED)));
    assert_eq!(
        (&body["email_verified"], &body["name"]),
        (&json!(false), &json!("Ada"))
    );
    let mut told = [sink.next(), sink.next()].map(|letter| {
        assert!(text(&letter).contains(MOVED));
        letter.header("To")
    });
    told.sort();
    assert_eq!(told, [EMAIL, MOVED]);
    assert_closed(&test.browser().get(&link).await);
    assert_eq!(test.introspect(&token).await["sub"], id.as_str());
    assert_eq!(
        test.browser().try_sign_in(EMAIL, PASSWORD).await.status,
        401
    );
    test.browser().sign_in(MOVED, PASSWORD).await;

    for (input, verified) in [
        (json!({"email_verified": true}), true),
        (json!({"name": "Countess"}), true),
        (json!({"email": MOVED}), true),
        (json!({"email_verified": false}), false),
        (json!({"email": EMAIL, "email_verified": true}), true),
        (json!({}), true),
    ] {
        let (status, body) = patch(&test, &id, &input).await;
        assert_eq!(status, 200, "{input}: {body}");
        assert_eq!(body["email_verified"], verified, "{input}: {body}");
    }
    assert_eq!(test.events("user.updated"), 5, "two changed nothing");
    let of_address = "action = 'user.updated' AND detail LIKE '%@%'";
    assert_eq!(test.count(AUDIT, of_address), 0, "no address in the log");
    let list = operate(&test, Method::GET, "/v1/users", &Value::Null)
        .await
        .body;
    assert_eq!(list["items"][0]["name"], "Countess");
    assert_eq!(list["items"][0]["email_verified"], true);
}

#[actix_web::test]
async fn invalid_or_taken_values_change_nothing() {
    let test = TestApp::start().await;
    test.add_user("bob@example.com", NEW, None).await;
    let id = id_of(&test, EMAIL);
    let before = test.unread();
    for (input, pointers) in [
        (
            json!({"name": " ", "email": "x"}),
            &["#/name", "#/email"][..],
        ),
        (json!({"email": "Bob@example.com"}), &["#/email"]),
        (json!({"email_verified": "yes"}), &["#/email_verified"]),
        (json!({"state": "active"}), &["#/state"]),
    ] {
        let (status, body) = patch(&test, &id, &input).await;
        assert_eq!(status, 422, "{input}: {body}");
        let errors = body["errors"].as_array().unwrap();
        let found: Vec<_> = errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap())
            .collect();
        assert_eq!(found, pointers, "{body}");
    }
    test.deactivate("bob@example.com").await;
    let (_, body) = patch(&test, &id, &json!({"email": "bob@example.com"})).await;
    assert!(
        body["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("user reactivate")
    );
    let changed = "email = 'ada@example.com' AND name = 'Ada'";
    assert_eq!(test.count("users", changed), 1);
    assert_eq!(test.events("user.updated"), 0);
    assert_ne!(before.1, 0);
}

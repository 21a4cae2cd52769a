//! Client authentication (RFC 6749 section 2.3).

use super::{assert_error, borrowed, endpoints};
use crate::support::device::{Answer, GRANT};
use crate::support::{API, CLI, TestApp};
use doorcode::app::client::Kind;
use doorcode::domain::secret::Secret;
use futures_util::future::join_all;

async fn introspect_as(test: &TestApp, id: &str, secret: &str, fields: &[(&str, &str)]) -> Answer {
    let request = test
        .anon()
        .post(test.at("/auth/introspect"))
        .basic_auth(id, Some(secret))
        .form(fields);
    Answer::of(request.send().await.unwrap()).await
}

const ANY_TOKEN: [(&str, &str); 1] = [("token", "any")];

/// OAU-01.
#[actix_web::test]
async fn form_encoded_secret_of_any_characters_authenticates() {
    let test = TestApp::start().await;
    let digest = Secret::new("p%:+é z").digest();
    test.database.execute(&format!(
        "UPDATE client SET secret_digest = '{}' WHERE id = '{API}'",
        digest.as_str()
    ));
    let right = introspect_as(&test, API, "p%25%3A%2B%C3%A9+z", &ANY_TOKEN).await;
    assert_eq!(right.status, 200, "{right:?}");
    let escaped_id = introspect_as(&test, "%61pi", "p%25%3A%2B%C3%A9%20z", &ANY_TOKEN).await;
    assert_eq!(escaped_id.status, 200, "{escaped_id:?}");
    let raw = introspect_as(&test, API, "p%:+é z", &ANY_TOKEN).await;
    assert_error(&raw, 401, "invalid_client", "not encoded");
}

/// OAU-02, OAU-03.
#[actix_web::test]
async fn secret_is_accepted_in_the_header_or_the_body_but_not_in_the_url() {
    let test = TestApp::start().await;
    let secret = test.api_secret.as_str();
    let in_body = [
        ("client_id", API),
        ("client_secret", secret),
        ("token", "any"),
    ];
    let post = test.oauth("/auth/introspect", &in_body).await;
    assert_eq!(post.status, 200, "{post:?}");

    let path = format!("/auth/introspect?client_id={API}&client_secret={secret}");
    let query = test.oauth(&path, &ANY_TOKEN).await;
    assert_error(&query, 400, "invalid_request", "a secret in the query");

    let both = introspect_as(&test, API, secret, &in_body).await;
    assert_error(&both, 400, "invalid_request", "two methods");
    let same_id = [("client_id", API), ("token", "any")];
    assert_eq!(
        introspect_as(&test, API, secret, &same_id).await.status,
        200
    );
    let other_id = [("client_id", CLI), ("token", "any")];
    let other = introspect_as(&test, API, secret, &other_id).await;
    assert_error(&other, 400, "invalid_request", "two ids");
}

/// OAU-03.
#[actix_web::test]
async fn operator_token_and_client_secret_are_two_methods() {
    let test = TestApp::start().await;
    let request = test
        .anon()
        .post(test.at("/auth/introspect"))
        .bearer_auth(crate::support::OPERATOR)
        .form(&[("token", "any"), ("client_secret", &test.api_secret)]);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_error(&answer, 400, "invalid_request", "bearer and secret");
}

/// OAU-04, INT-03.
#[actix_web::test]
async fn failed_authentication_names_the_method() {
    let test = TestApp::start().await;
    let challenge = |answer: &Answer| {
        let value = answer.headers.get("www-authenticate").unwrap();
        value.to_str().unwrap().to_owned()
    };
    for (id, secret) in [
        (API, "wrong"),
        (API, ""),
        ("nobody", "wrong"),
        ("", "wrong"),
        (CLI, "wrong"),
        (CLI, ""),
    ] {
        let answer = introspect_as(&test, id, secret, &ANY_TOKEN).await;
        assert_error(&answer, 401, "invalid_client", id);
        assert_eq!(
            challenge(&answer),
            r#"Basic realm="Doorcode", charset="UTF-8""#
        );
    }
    for scheme in [
        "Basic",
        "Basic !",
        "Basic bm8tY29sb24=",
        "Basic /w==",
        "Negotiate x",
    ] {
        let request = test
            .anon()
            .post(test.at("/auth/introspect"))
            .header("authorization", scheme)
            .form(&ANY_TOKEN);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_error(&answer, 401, "invalid_client", scheme);
        assert!(challenge(&answer).starts_with("Basic "), "{scheme}");
    }
}

/// OAU-06, DEV-02, DEV-03, T-05: each endpoint accepts a client only by the method that it is
/// registered for.
#[actix_web::test]
async fn id_alone_does_not_authenticate_and_public_client_has_no_secret() {
    let test = TestApp::start().await;
    test.add_client("robot", Kind::Confidential, &["tokens:read"])
        .await;
    for (path, fields) in endpoints(&test).await {
        let with = |id: &'static str, secret: Option<&'static str>| {
            let mut fields: Vec<_> = borrowed(&fields)
                .into_iter()
                .filter(|(name, _)| !name.starts_with("client_"))
                .map(|(name, value)| (name, value.to_owned()))
                .collect();
            fields.push(("client_id", id.to_owned()));
            fields.extend(secret.map(|secret| ("client_secret", secret.to_owned())));
            let test = &test;
            async move {
                let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
                test.oauth(path, &fields).await
            }
        };
        for (id, secret) in [
            ("robot", None),
            ("robot", Some("wrong")),
            (CLI, Some("sent anyway")),
            ("nobody", None),
            ("nobody", Some("x")),
        ] {
            let answer = with(id, secret).await;
            assert_error(&answer, 401, "invalid_client", &format!("{path} {id}"));
        }
    }
}

/// T-05, DEV-44: a code of one client is useless to another, and the attempt does not harm it.
#[actix_web::test]
async fn device_code_of_another_client_is_rejected_and_stays_valid() {
    let test = TestApp::start().await;
    let secret = test
        .add_client("robot", Kind::Confidential, &["tokens:read"])
        .await;
    let device = test.device("tokens:read").await;
    test.user()
        .await
        .approve(&device.user_code, &["tokens:read"])
        .await;
    let stolen = [
        ("grant_type", GRANT),
        ("device_code", device.device_code.as_str()),
        ("client_id", "robot"),
        ("client_secret", &secret),
    ];
    let answer = test.oauth("/auth/device/token", &stolen).await;
    assert_error(&answer, 400, "invalid_grant", "another client");
    let own = test.poll(&device).await;
    assert_eq!(own.status, 200, "{own:?}");

    // The reverse: the confidential client's code needs its secret.
    let form = [("client_id", "robot"), ("client_secret", &secret)];
    let code = test.oauth("/auth/device", &form).await;
    let code = code.body["device_code"].as_str().unwrap().to_owned();
    let without = [
        ("grant_type", GRANT),
        ("device_code", &code),
        ("client_id", "robot"),
    ];
    let answer = test.oauth("/auth/device/token", &without).await;
    assert_error(&answer, 401, "invalid_client", "without its secret");
    let with = [
        ("grant_type", GRANT),
        ("device_code", &code),
        ("client_id", "robot"),
        ("client_secret", &secret),
    ];
    let answer = test.oauth("/auth/device/token", &with).await;
    assert_eq!(answer.error(), "authorization_pending");
}

/// OAU-05.
#[actix_web::test]
async fn wrong_secrets_are_throttled_for_each_client_and_source() {
    let test = TestApp::with("[server]\ntrusted_proxies = [\"127.0.0.1\"]\n").await;
    let other = test.add_client("other", Kind::Confidential, &[]).await;
    let try_from = |source: &'static str, id: &'static str, secret: String| {
        let request = test
            .anon()
            .post(test.at("/auth/introspect"))
            .header("x-forwarded-for", source)
            .basic_auth(id, Some(secret))
            .form(&ANY_TOKEN);
        async move { Answer::of(request.send().await.unwrap()).await }
    };
    for _ in 0..20 {
        let answer = try_from("192.0.2.1", API, "wrong".into()).await;
        assert_error(&answer, 401, "invalid_client", "a wrong secret");
    }
    let blocked = try_from("192.0.2.1", API, "wrong".into()).await;
    assert_error(&blocked, 429, "temporarily_unavailable", "too many");
    assert_eq!(blocked.headers["retry-after"], "600");
    // An attacker cannot lock out the API, which may send from the same address.
    let right = try_from("192.0.2.1", API, test.api_secret.clone()).await;
    assert_eq!(right.status, 200, "{right:?}");
    let elsewhere = try_from("192.0.2.2", API, test.api_secret.clone()).await;
    assert_eq!(elsewhere.status, 200, "{elsewhere:?}");
    let other = try_from("192.0.2.1", "other", other).await;
    assert_eq!(other.status, 200, "{other:?}");
    test.clock.advance(600);
    let later = try_from("192.0.2.1", API, "wrong".into()).await;
    assert_error(&later, 401, "invalid_client", "ten minutes later");
}

/// OAU-05: correct secrets do not count as guesses, even many concurrent ones, and write nothing.
#[actix_web::test]
async fn busy_resource_server_is_never_throttled() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let calls = (0..100).map(|_| test.introspect(&token));
    for answer in join_all(calls).await {
        assert_eq!(answer["active"], true);
    }
    assert_eq!(test.count("throttle", "key LIKE 'client:%'"), 0);
}

/// OAU-05: unregistered ids are counted together and fill no table.
#[actix_web::test]
async fn unknown_clients_are_counted_as_one() {
    let test = TestApp::start().await;
    for i in 0..25 {
        let id = format!("nobody-{i}");
        let answer = introspect_as(&test, &id, "x", &ANY_TOKEN).await;
        match i {
            0..20 => assert_error(&answer, 401, "invalid_client", &id),
            _ => assert_error(&answer, 429, "temporarily_unavailable", &id),
        }
    }
    assert_eq!(test.count("throttle", "key LIKE 'client:%'"), 1);
}

/// OAU-05, OAU-14: 256 bits, generated by the server, stored as a digest.
#[actix_web::test]
async fn secret_is_generated_by_the_server_and_not_stored() {
    let test = TestApp::start().await;
    assert_eq!(test.api_secret.len(), 64);
    assert!(hex::decode(&test.api_secret).is_ok());
    assert!(!test.database.dump().contains(&test.api_secret));
    let digest = Secret::new(test.api_secret.as_str()).digest();
    let stored = format!("id = '{API}' AND secret_digest = '{}'", digest.as_str());
    assert_eq!(test.count("client", &stored), 1);
}

/// OAU-14.
#[test]
fn client_id_cannot_look_like_a_user_or_an_organization() {
    for id in ["usr_1", "org_1", "", "a b", "é", "a\"b", &"x".repeat(101)] {
        assert!(doorcode::domain::client::id(id).is_err(), "{id}");
    }
}

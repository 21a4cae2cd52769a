//! The common rules of parameters (RFC 6749 sections 3.1 and 3.2).

use super::{FORM, Fields, assert_error, assert_is_error, borrowed, endpoints, send};
use crate::support::device::{Answer, GRANT};
use crate::support::{CLI, TestApp};

fn written(fields: &Fields) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// OAU-07, DEV-04, T-14.
#[actix_web::test]
async fn repeated_parameter_is_rejected() {
    let test = TestApp::start().await;
    for (path, fields) in endpoints(&test).await {
        let form = written(&fields);
        let (first, value) = &fields[0];
        let escaped = format!("%{:02X}{}", first.as_bytes()[0], &first[1..]);
        for twice in [
            format!("{form}&{first}={value}"),
            format!("{form}&{first}=other"),
            format!("{form}&{first}="),
            format!("{form}&{escaped}={value}"),
            format!("{form}&unknown=1&unknown=2"),
        ] {
            let answer = send(&test, path, FORM, twice.clone()).await;
            assert_error(&answer, 400, "invalid_request", &format!("{path} {twice}"));
            let says = answer.body["error_description"].as_str().unwrap();
            let expected = match twice.contains("unknown=") {
                true => "A parameter is repeated. Send each once.".to_owned(),
                false => format!("The parameter {first} is repeated. Send it once."),
            };
            assert_eq!(says, expected);
        }
        for (name, value) in &fields {
            let query = format!("{path}?{name}={value}");
            let answer = test.oauth(&query, &borrowed(&fields)).await;
            assert_error(&answer, 400, "invalid_request", &query);
        }
    }
}

/// OAU-07, DEV-05, T-14: an empty value counts as missing, and the error says so.
#[actix_web::test]
async fn empty_parameter_counts_as_absent() {
    let test = TestApp::start().await;
    for (path, fields) in endpoints(&test).await {
        for i in 0..fields.len() {
            let mut absent = fields.clone();
            let (name, _) = absent.remove(i);
            let mut empty = fields.clone();
            empty[i].1.clear();
            let absent = test.oauth(path, &borrowed(&absent)).await;
            let empty = test.oauth(path, &borrowed(&empty)).await;
            assert_eq!(absent.body, empty.body, "{path} {name}");
            assert_is_error(&empty, &format!("{path} {name}"));
            let expected = match (path, name) {
                // A confidential client with only its id, or no client at all.
                ("/auth/introspect", "client_secret" | "client_id") => 401,
                _ => 400,
            };
            assert_eq!((absent.status, empty.status), (expected, expected));
        }
        let nothing = send(&test, path, FORM, "").await;
        assert_is_error(&nothing, path);
    }
    let empty = [("client_id", CLI), ("scope", "")];
    let answer = test.oauth("/auth/device", &empty).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// OAU-07, DEV-06, DEV-07, T-14, REV-06.
#[actix_web::test]
async fn unknown_parameters_change_nothing() {
    let test = TestApp::start().await;
    for (path, mut fields) in endpoints(&test).await {
        fields.push(("audience", "x".into()));
        fields.push(("foo", "bar".into()));
        fields.push(("callback", "alert".into()));
        fields.push(("resource", "https://a.example".into()));
        fields.push(("resource", "https://b.example".into()));
        let answer = test.oauth(path, &borrowed(&fields)).await;
        if path.ends_with("/token") {
            // The second endpoint polls the same code, and too early.
            assert!(
                matches!(answer.error(), "authorization_pending" | "slow_down"),
                "{answer:?}"
            );
        } else {
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
        }
        let in_query = format!("{path}?callback=alert&foo=bar");
        let fields: Vec<_> = borrowed(&fields)
            .into_iter()
            .filter(|(name, _)| *name != "resource")
            .collect();
        let answer = test.oauth(&in_query, &fields).await;
        assert!(!answer.body.to_string().contains("alert"), "{answer:?}");
    }
}

/// OAU-34, DEV-01.
#[actix_web::test]
async fn form_is_recognised_by_its_media_type() {
    let test = TestApp::start().await;
    let form = format!("client_id={CLI}");
    for accepted in [
        "application/x-www-form-urlencoded",
        "APPLICATION/X-WWW-Form-Urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=utf-8",
        "application/x-www-form-urlencoded ; charset=\"utf-8\"",
    ] {
        let answer = send(&test, "/auth/device", accepted, form.clone()).await;
        assert_eq!(answer.status, 200, "{accepted}: {answer:?}");
    }
    for (path, fields) in endpoints(&test).await {
        for refused in [
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/x-www-form-urlencoded2",
            "garbage",
            "",
        ] {
            let answer = send(&test, path, refused, written(&fields)).await;
            assert_error(
                &answer,
                400,
                "invalid_request",
                &format!("{path} {refused}"),
            );
        }
        let none = test
            .anon()
            .post(test.at(path))
            .body(written(&fields))
            .send()
            .await;
        let none = Answer::of(none.unwrap()).await;
        assert_error(&none, 400, "invalid_request", &format!("{path} untyped"));
        if !path.contains("/device") {
            let json = send(&test, path, "application/json", "{}").await;
            assert_error(&json, 400, "invalid_request", path);
        }
    }
}

/// DEV-01: the two device endpoints accept a JSON object by the same rules.
#[actix_web::test]
async fn device_endpoints_accept_json_by_the_same_rules() {
    let test = TestApp::start().await;
    let json = "application/json; charset=utf-8";
    let accepted = r#"{"client_id":"cli","scope":"tokens:read","device_name":null,"x":"y"}"#;
    let answer = send(&test, "/auth/device", json, accepted).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let code = answer.body["device_code"].as_str().unwrap();
    let poll = serde_json::json!({"client_id": CLI, "grant_type": GRANT, "device_code": code});
    let answer = send(&test, "/auth/device/token", json, poll.to_string()).await;
    assert_eq!(answer.error(), "authorization_pending");
    let deep = "[".repeat(8_000);
    for path in ["/auth/device", "/auth/device/token"] {
        for body in [
            "",
            "null",
            "[]",
            "{",
            r#"{"client_id":1}"#,
            r#"{"client_id":"cli","client_id":"cli"}"#,
            r#"{"client_id":"cli","client\u005fid":"x"}"#,
            r#"{"client_id":"\u0000"}"#,
            r#"{"client_id":"\ud800"}"#,
            r#"{"client_id":["cli"]}"#,
            &deep,
            &format!(r#"{{"client_id":{deep}"#),
        ] {
            let answer = send(&test, path, json, body).await;
            assert_error(
                &answer,
                400,
                "invalid_request",
                &format!("{path} {body:.40}"),
            );
        }
        let answer = send(&test, path, json, b"{\"client_id\":\"\xff\"}".to_vec()).await;
        assert_error(&answer, 400, "invalid_request", path);
    }
}

/// OAU-08, OAU-28, DEV-50.
#[actix_web::test]
async fn token_response_has_numbers_the_scope_and_no_refresh_token() {
    let test = TestApp::with("[tokens]\ndefault_expiry = \"never\"\n").await;
    let device = test.device("tokens:read").await;
    let mut user = test.user().await;
    user.approve(&device.user_code, &["tokens:read"]).await;
    let answer = test.poll(&device).await;
    let members = answer.body.as_object().unwrap();
    let names: Vec<_> = members.keys().map(String::as_str).collect();
    assert_eq!(names, ["access_token", "scope", "token_type"]);
    assert_eq!(members["scope"], "tokens:read");
    assert_eq!(members["token_type"], "Bearer");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["pragma"], "no-cache");
    assert_eq!(answer.headers["content-type"], "application/json");
}

/// OAU-12, OAU-28, T-20: there is one grant type, with one spelling.
#[actix_web::test]
async fn no_other_grant_type_is_supported() {
    let test = TestApp::start().await;
    let upper = GRANT.to_uppercase();
    for grant_type in [
        "password",
        "refresh_token",
        "authorization_code",
        "client_credentials",
        "implicit",
        "device_code",
        &upper,
    ] {
        let form = [
            ("grant_type", grant_type),
            ("client_id", CLI),
            ("username", "ada@example.com"),
            ("password", "x"),
            ("refresh_token", "x"),
            ("code", "x"),
        ];
        let answer = test.oauth("/auth/device/token", &form).await;
        assert_error(&answer, 400, "unsupported_grant_type", grant_type);
    }
}

/// OAU-09: an error never repeats input.
#[actix_web::test]
async fn errors_never_repeat_input() {
    let test = TestApp::start().await;
    for (path, fields) in endpoints(&test).await {
        for canary in [
            "<script>canary</script>",
            "canary\"\\",
            "canary\r\nX-Evil: 1",
            "canaryé\u{202e}",
        ] {
            for i in 0..fields.len() {
                let mut fields = fields.clone();
                fields[i].1 = canary.to_owned();
                fields.push(("scope", canary.to_owned()));
                let answer = test.oauth(path, &borrowed(&fields)).await;
                let text = format!("{:?} {}", answer.headers, answer.body);
                assert!(!text.contains("canary"), "{path}: {text}");
                assert!(!text.to_lowercase().contains("x-evil"), "{path}: {text}");
                if answer.status != 200 {
                    assert_is_error(&answer, path);
                }
            }
        }
    }
}

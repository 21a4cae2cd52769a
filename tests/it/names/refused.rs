//! Names that are refused: invisible or disguising ones, and those that contain a token.

use super::{FORMS, api, ask, call_all, prepare, start, submit};
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp};
use reqwest::Method;
use serde_json::json;

/// Invisible, blank, stacking, or a change of direction; each with a part of its message.
const REFUSED: [(&str, &str); 24] = [
    ("\u{3164}", "invisible character U+3164"),
    ("\u{3164}\u{3164}\u{3164}", "invisible character U+3164"),
    ("\u{2800}", "invisible character U+2800"),
    ("\u{115f}", "invisible character U+115F"),
    ("\u{1160}", "invisible character U+1160"),
    ("\u{ffa0}", "invisible character U+FFA0"),
    ("a\u{ad}b", "invisible character U+00AD"),
    ("a\u{34f}b", "invisible character U+034F"),
    ("a\u{180e}b", "invisible character U+180E"),
    ("a\u{fff9}b", "invisible character U+FFF9"),
    ("a\u{fffb}b", "invisible character U+FFFB"),
    ("\u{e0041}", "invisible character U+E0041"),
    ("a\u{200b}b", "invisible character U+200B"),
    ("a\u{feff}b", "invisible character U+FEFF"),
    ("a\u{fe0f}", "invisible character U+FE0F"),
    ("a\u{200d}b", "invisible joiner U+200D"),
    ("کار\u{200c}خانه", "invisible joiner U+200C"),
    ("a\u{202e}b", "U+202E, which changes the direction"),
    ("a\u{200f}b", "U+200F, which changes the direction"),
    ("a\u{1b}[31mb", "control character U+001B"),
    ("a\u{ffff}b", "U+FFFF, which is not a character"),
    ("\u{301}a", "before the accent or mark U+0301"),
    ("a\u{e000}b", "U+E000, which looks different"),
    ("क्क्क्क्क्क्क्क", "Join at most 6 letters to one"),
];

/// Field report 11, INJ-01: a name that cannot be seen or that disguises others is refused on
/// every surface, with what to leave out, and nothing is stored.
#[actix_web::test]
async fn invisible_and_disguising_names_are_refused() {
    let test = start().await;
    let (token, project) = prepare(&test).await;
    let mut browser = test.user().await;
    let stacked = format!("Z{}", "\u{335}".repeat(90));
    let mut refused = REFUSED.to_vec();
    refused.push((&stacked, "at most 4 accents or marks"));
    let before = test.unread();
    for (name, message) in refused {
        for (path, field) in FORMS {
            let page = submit(&mut browser, path, name).await;
            assert_eq!(page.status, 422, "{path} {name:?}");
            assert!(page.contains(message), "{path} {name:?}: {}", page.body);
            assert!(page.contains(&format!(r#"id="{field}-error""#)), "{path}");
        }
        for (call, answer) in call_all(&test, &token, &project, name).await {
            assert_eq!(answer.status, 422, "{call} {name:?}: {answer:?}");
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            assert_eq!(answer.body["code"], "invalid");
            let error = &answer.body["errors"][0];
            assert!(
                call.ends_with(&error["pointer"].as_str().unwrap()[1..]),
                "{answer:?}"
            );
            assert!(
                error["detail"].as_str().unwrap().contains(message),
                "{answer:?}"
            );
        }
        let answer = ask(&test, name).await;
        assert_eq!(
            (answer.status, answer.error()),
            (400, "invalid_request"),
            "{name:?}"
        );
        let description = answer.body["error_description"].as_str().unwrap();
        assert!(
            description.starts_with("The device_name must contain only visible characters."),
            "{answer:?}"
        );
    }
    assert!(before == test.unread(), "something was stored");
}

/// Field report 11, for a visitor: the forms of setup and of an invitation.
#[actix_web::test]
async fn invisible_name_is_refused_at_setup() {
    let test = TestApp::empty("").await;
    let link = doorcode::app::user::offer_setup(&test.app)
        .await
        .unwrap()
        .unwrap();
    let mut browser = test.browser();
    browser.get("/login").await;
    let fields = [
        ("link", link.expose()),
        ("name", "\u{3164}"),
        ("email", EMAIL),
        ("password", PASSWORD),
        ("organization", "\u{2800}"),
    ];
    let page = browser.post("/setup", &fields).await;
    assert_eq!(page.status, 422);
    for error in ["name-error", "organization-error", "U+3164", "U+2800"] {
        assert!(page.contains(error), "{error}: {}", page.body);
    }
    assert_eq!(test.count("users", "1 = 1"), 0);
}

/// A token that is pasted as a name is refused with the advice to revoke it. It is neither shown
/// again nor in the database or the log, which are searched after every test too.
#[actix_web::test]
async fn token_as_a_name_is_refused_and_not_recorded() {
    let test = start().await;
    let (token, project) = prepare(&test).await;
    let mut browser = test.user().await;
    assert!(test.canaries.secrets().contains(&token));
    let before = test.unread();
    for name in [
        token.clone(),
        format!("CI ({token})"),
        format!("Bearer {token} "),
    ] {
        for (path, _) in FORMS {
            let page = submit(&mut browser, path, &name).await;
            assert_eq!(page.status, 422, "{path}");
            assert!(page.contains("Revoke that token"), "{path}: {}", page.body);
            assert!(!page.contains(&token), "{path}: {}", page.body);
        }
        for (call, answer) in call_all(&test, &token, &project, &name).await {
            assert_eq!(
                (answer.status, &answer.body["code"]),
                (422, &json!("invalid")),
                "{call}"
            );
            let text = answer.body.to_string();
            assert!(
                text.contains("Revoke that token") && !text.contains(&token),
                "{call}: {text}"
            );
        }
        let answer = ask(&test, &name).await;
        assert_eq!((answer.status, answer.error()), (400, "invalid_request"));
        let text = answer.body.to_string();
        assert!(
            text.contains("Revoke that token") && !text.contains(&token),
            "{text}"
        );
    }
    assert!(before == test.unread(), "something was stored");
    assert_eq!(test.leaks(), []);
    assert_eq!(test.me(&token).await.status(), 200);

    // A token of another server is no secret of this one.
    let other = TestApp::with("[tokens]\nprefix = \"acme\"").await;
    let mut browser = other.user().await;
    assert_eq!(
        submit(&mut browser, "/account/name", &token).await.status,
        303
    );
    test.canaries
        .spare(&token, "another server has it as a name");
    let own = browser.new_token("x", &["tokens:read"], "never").await;
    let page = submit(&mut browser, "/account/name", &own).await;
    assert!(page.status == 422 && page.contains("Revoke that token") && !page.contains(&own));
}

/// A token in a field that names something else is not recorded either.
#[actix_web::test]
async fn token_in_a_wrong_field_is_not_recorded() {
    let test = start().await;
    let (token, _) = prepare(&test).await;
    let mut browser = test.user().await;
    let client = json!({"id": token, "name": "x"});
    let made = api(&test, Method::POST, "/v1/clients", OPERATOR, &client).await;
    assert_eq!((made.status, &made.body["code"]), (422, &json!("invalid")));
    assert_eq!(made.body["errors"][0]["pointer"], "#/id");
    let text = made.body.to_string();
    assert!(
        text.contains("Revoke that token") && !text.contains(&token),
        "{text}"
    );

    for (path, name) in [
        ("/auth/device", "client_id"),
        ("/auth/device/token", "client_id"),
        ("/auth/revoke", "client_id"),
        ("/auth/introspect", "client_id"),
    ] {
        let form = [
            (name, token.as_str()),
            ("token", "x"),
            ("client_secret", "x"),
        ];
        let answer = test.oauth(path, &form).await;
        assert!(answer.status >= 400, "{path}: {answer:?}");
    }
    let user = json!({"name": "Bob", "email": token, "password": PASSWORD});
    let made = api(&test, Method::POST, "/v1/users", OPERATOR, &user).await;
    assert_eq!(made.status, 422, "{made:?}");
    for (path, field) in [
        ("/o/acme/invitations", "email"),
        ("/account/email", "new_email"),
        ("/device", "user_code"),
    ] {
        browser.get("/account").await;
        let page = browser
            .post(path, &[(field, token.as_str()), ("role", "member")])
            .await;
        assert!(page.status >= 400, "{path}: {}", page.body);
    }
    for email in [token.clone(), format!("{token}@example.com")] {
        assert_eq!(
            test.browser().try_sign_in(&email, PASSWORD).await.status,
            401
        );
    }
    for path in [format!("/v1/tokens/{token}"), format!("/v1/orgs/{token}")] {
        let answer = api(&test, Method::GET, &path, &token, &json!({})).await;
        assert!([403, 404].contains(&answer.status), "{answer:?}");
    }
    test.settle().await;
    assert_eq!(test.leaks(), []);
}

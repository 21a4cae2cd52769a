//! `/tokens` and `/tokens/new`: creating and listing personal tokens.

use crate::support::browser::{Browser, Page};
use crate::support::{PASSWORD, TestApp};

/// Submits the form of `/tokens/new`.
pub async fn create(browser: &mut Browser, fields: &[(&str, &str)]) -> Page {
    browser.get("/tokens/new").await;
    browser.post("/tokens/new", fields).await
}

/// The ids of the tokens that the list offers to revoke.
pub async fn listed(browser: &mut Browser) -> Vec<String> {
    let page = browser.get("/tokens").await;
    assert_eq!(page.status, 200);
    let links = page.body.split(r#"href="/tokens/tok_"#).skip(1);
    links
        .filter_map(|link| link.split_once('/'))
        .filter(|(_, rest)| rest.starts_with("revoke\""))
        .map(|(id, _)| format!("tok_{id}"))
        .collect()
}

/// CONTRACT 4, A11-06, OAU-13: scopes must be selected explicitly.
#[actix_web::test]
async fn form_has_its_labels_and_nothing_ticked() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    assert!(
        browser
            .get("/tokens")
            .await
            .contains(r#"href="/tokens/new">"#)
    );
    let page = browser.get("/tokens/new").await;
    for label in [
        r#"<label for="name">Name</label>"#,
        "<legend>Expires</legend>",
        ">Create token</button>",
    ] {
        assert!(page.contains(label), "{label}");
    }
    for scope in [
        "tokens:read",
        "tokens:write",
        "orgs:read",
        "orgs:write",
        "projects:read",
        "projects:write",
        "audit:read",
    ] {
        assert!(
            page.contains(&format!(
                r#"value="{scope}" aria-describedby="grants-{scope}">"#
            )),
            "{scope}"
        );
    }
    let checked: Vec<_> = page
        .body
        .split("<input")
        .filter(|input| input.contains(" checked>"))
        .collect();
    assert!(
        checked
            .iter()
            .all(|input| input.contains(r#"value="none""#) || input.contains(r#"value="90d""#))
    );
    assert_eq!(checked.len(), 5, "four resources and the expiry");
}

/// CONTRACT 2 and 4: shown once, next to a button, and never again.
#[actix_web::test]
async fn token_is_shown_once() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let page = create(
        &mut browser,
        &[
            ("name", "build server"),
            ("scope", "tokens:read"),
            ("scope", "orgs:read"),
            ("expires", "30d"),
        ],
    )
    .await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["cache-control"], "no-store");
    let token = page.attribute("data-token").unwrap();
    assert!(page.contains(r#"data-copy="token">"#));
    let me: serde_json::Value = test.me(&token).await.json().await.unwrap();
    assert_eq!(me["token"]["name"], "build server");
    assert_eq!(
        me["scopes"],
        serde_json::json!(["orgs:read", "tokens:read"])
    );
    assert_eq!(me["token"]["expires_at"], "2026-12-22T12:00:00Z");

    let hint = format!("dc_…{}", &token[token.len() - 4..]);
    assert!(browser.get("/tokens").await.contains(&hint));
    let id = listed(&mut browser).await.remove(0);
    for path in [
        "/tokens",
        "/tokens/new",
        "/account",
        "/tokens/revoke-all",
        &format!("/tokens/{id}/revoke"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200);
        assert!(
            !page.contains(&token) && !page.contains("data-token"),
            "{path}"
        );
    }
    assert!(!test.database.dump().contains(&token));
    assert!(!crate::support::log::text().contains(&token));
}

/// Bad input, A11-05: the input is kept, and each error is next to its field.
#[actix_web::test]
async fn errors_keep_the_input() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let long = "x".repeat(101);
    for (name, scope, expires, on, field, message) in [
        ("", "tokens:read", "1y", "", "name", "Enter a name."),
        (
            &long,
            "tokens:read",
            "never",
            "",
            "name",
            "Use at most 100 characters.",
        ),
        (
            "x",
            "tokens:admin",
            "30d",
            "",
            "scope",
            "There is no scope tokens:admin. Choose from the list.",
        ),
        (
            "x",
            "TOKENS:READ",
            "30d",
            "",
            "scope",
            "There is no scope TOKENS:READ. Choose from the list.",
        ),
        (
            "x",
            "*",
            "30d",
            "",
            "scope",
            "One of the scopes does not exist.",
        ),
        (
            "x",
            "tokens:read orgs:read",
            "30d",
            "",
            "scope",
            "One of the scopes does not exist.",
        ),
        (
            "x",
            "tokens:read",
            "",
            "",
            "expires",
            "Choose when the token ends.",
        ),
        (
            "x",
            "tokens:read",
            "2d",
            "",
            "expires",
            "Choose when the token ends.",
        ),
        (
            "x",
            "tokens:read",
            "custom",
            "",
            "expires_on",
            "Enter a date as year-month-day",
        ),
        (
            "x",
            "tokens:read",
            "custom",
            "2026-13-01",
            "expires_on",
            "Enter a date as year-month-day",
        ),
        (
            "x",
            "tokens:read",
            "custom",
            "22.11.2026",
            "expires_on",
            "Enter a date as year-month-day",
        ),
        (
            "x",
            "tokens:read",
            "custom",
            "2026-11-21",
            "expires_on",
            "not in the past",
        ),
        (
            "x",
            "tokens:read",
            "custom",
            "9999-12-31",
            "expires_on",
            "before the year 10000",
        ),
        (
            "x",
            "tokens:read",
            "custom",
            "99999-01-01",
            "expires_on",
            "year",
        ),
    ] {
        let fields = [
            ("name", name),
            ("scope", scope),
            ("scope", "audit:read"),
            ("expires", expires),
            ("expires_on", on),
        ];
        let page = create(&mut browser, &fields).await;
        assert_eq!(page.status, 422, "{name} {scope} {expires} {on}");
        assert!(page.contains(message), "{message}: {}", page.body);
        assert!(page.contains(&format!(r#"id="{field}-error""#)), "{field}");
        assert_eq!(page.field("name").as_deref(), Some(name));
        assert!(page.contains(r#"aria-describedby="grants-audit:read" checked"#));
        if scope == "tokens:read" {
            assert!(page.contains(r#"aria-describedby="grants-tokens:read" checked"#));
        }
        if ["1y", "never", "30d", "custom"].contains(&expires) {
            assert!(
                page.contains(&format!(r#"name="expires" value="{expires}" checked"#)),
                "{expires}"
            );
        }
        if !on.is_empty() {
            assert_eq!(page.field("expires_on").as_deref(), Some(on));
        }
    }
    assert_eq!(test.count("token", "1 = 1"), 0);
}

/// CONTRACT 2.
#[actix_web::test]
async fn tokens_end_at_the_chosen_time() {
    let test = TestApp::start().await;
    for (expires, on, seconds) in [
        ("30d", "", Some(30 * 86_400)),
        ("90d", "", Some(90 * 86_400)),
        ("1y", "", Some(365 * 86_400)),
        // At the end of that day: it is noon.
        ("custom", "2026-11-22", Some(43_200)),
        ("custom", "2026-12-01", Some(43_200 + 9 * 86_400)),
        ("never", "", None),
        // A date is ignored with another choice.
        ("never", "2026-12-01", None),
    ] {
        let test = test.second_server("").await;
        let mut browser = test.user().await;
        let page = create(
            &mut browser,
            &[("name", "x"), ("expires", expires), ("expires_on", on)],
        )
        .await;
        let token = page.attribute("data-token").unwrap();
        let Some(seconds) = seconds else {
            test.clock.advance(4000 * 86_400);
            assert_eq!(test.me(&token).await.status(), 200, "{expires}");
            test.clock.advance(-4000 * 86_400);
            continue;
        };
        test.clock.advance(seconds - 1);
        assert_eq!(test.me(&token).await.status(), 200, "{expires} {on}");
        test.clock.advance(1);
        assert_eq!(test.me(&token).await.status(), 401, "{expires} {on}");
        test.clock.advance(-seconds);
    }
}

/// CONTRACT 2: a scope may require a higher role.
#[actix_web::test]
async fn user_cannot_grant_what_their_role_does_not_allow() {
    use doorcode::domain::role::Role;
    let test = TestApp::with(
        "[[scopes]]\nname = \"app:deploy\"\ndescription = \"Deploy\"\nmin_role = \"admin\"",
    )
    .await;
    test.add_user("eve@example.com", PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let mut eve = test.browser();
    eve.sign_in("eve@example.com", PASSWORD).await;
    assert!(!eve.get("/tokens/new").await.contains("app:deploy"));
    let page = create(
        &mut eve,
        &[("name", "x"), ("scope", "app:deploy"), ("expires", "30d")],
    )
    .await;
    assert_eq!(page.status, 422);
    assert!(page.contains("Your role does not allow one of these scopes."));
    assert_eq!(test.count("token", "1 = 1"), 0);
    let mut ada = test.user().await;
    let page = create(
        &mut ada,
        &[("name", "x"), ("scope", "app:deploy"), ("expires", "30d")],
    )
    .await;
    assert_eq!(page.status, 200);
}

/// PAT-06: reloading the page that showed a token creates no other one.
#[actix_web::test]
async fn form_sent_repeatedly_creates_one_token() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let form = browser.get("/tokens/new").await;
    let form_nonce = form.field("form_nonce").unwrap();
    let fields = [
        ("name", "build server"),
        ("expires", "30d"),
        ("form_nonce", form_nonce.as_str()),
    ];
    let first = browser.post("/tokens/new", &fields).await;
    assert!(first.attribute("data-token").is_some());
    let repeated = browser.post("/tokens/new", &fields).await;
    assert!(repeated.contains("was shown, and cannot") && !repeated.contains("data-token"));
    assert_eq!(test.count("token", "1 = 1"), 1);

    // In another session the form nonce is unknown and has no effect.
    let mut other = test.user().await;
    other.get("/tokens/new").await;
    let page = other.post("/tokens/new", &fields).await;
    assert!(page.attribute("data-token").is_some());
    assert_eq!(test.count("token", "1 = 1"), 2);
}

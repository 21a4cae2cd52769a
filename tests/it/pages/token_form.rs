//! `/tokens/new` with presets, resources and copies; the name of a token.

use super::token::create;
use super::{Company, after};
use crate::support::browser::Page;
use crate::support::{PASSWORD, TestApp};
use doorcode::domain::role::Role;

const SCOPES: &str = r#"
    [[scopes]]
    name = "app:read"
    description = "See apps"
    [[scopes]]
    name = "app:deploy"
    description = "Deploy builds"
    [[scopes]]
    name = "dns:write"
    description = "Change DNS records"
    [[scopes]]
    name = "secret:read"
    description = "Read secrets"
    risk = "high"
"#;

/// The values of the checked inputs of scopes.
fn selected(page: &Page) -> Vec<String> {
    assert_eq!(page.status, 200, "{}", page.body);
    let inputs = page
        .body
        .split("<input")
        .filter_map(|input| input.split_once('>'));
    let of_scopes = inputs
        .map(|(input, _)| input)
        .filter(|input| input.contains("name=\"access.") || input.contains("name=\"scope\""))
        .filter(|input| input.contains(" checked") && !input.contains("value=\"none\""));
    of_scopes
        .map(|input| after(input, "value=\"", '"'))
        .collect()
}

/// A resource has one choice, in which writing includes reading; other scopes have a checkbox.
#[actix_web::test]
async fn resource_is_chosen_as_a_row() {
    let test = TestApp::with(SCOPES).await;
    let mut browser = test.user().await;
    let form = browser.get("/tokens/new").await;
    for input in [
        r#"type="radio" name="access.orgs" value="orgs:write""#,
        r#"type="radio" name="access.audit" value="audit:read""#,
        r#"type="checkbox" name="scope" value="app:deploy""#,
        r#"type="checkbox" name="scope" value="dns:write""#,
    ] {
        assert!(form.contains(input), "{input}");
    }
    for (choices, expected) in [
        (&[("access.orgs", "orgs:read")][..], &["orgs:read"][..]),
        (
            &[("access.orgs", "orgs:write")],
            &["orgs:read", "orgs:write"],
        ),
        (
            &[
                ("access.orgs", "none"),
                ("access.app", "app:read"),
                ("scope", "dns:write"),
            ],
            &["app:read", "dns:write"],
        ),
        // A checkbox is taken as it is, also from a program that sends no other field.
        (&[("scope", "orgs:write")], &["orgs:write"]),
    ] {
        browser.get("/tokens/new").await;
        let fields = [&[("name", "x"), ("expires", "30d")][..], choices].concat();
        let page = browser.post("/tokens/new", &fields).await;
        let token = page.attribute("data-token").unwrap();
        let me: serde_json::Value = test.me(&token).await.json().await.unwrap();
        assert_eq!(
            me["token"]["scopes"],
            serde_json::json!(expected),
            "{choices:?}"
        );
    }

    // An error in another field keeps the choices.
    let fields = [
        ("name", ""),
        ("access.orgs", "orgs:write"),
        ("scope", "app:deploy"),
    ];
    let page = browser.post("/tokens/new", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.contains(r#"value="orgs:write" aria-describedby="grants-orgs:write" checked"#));
    assert!(page.contains(r#"aria-describedby="grants-app:deploy" checked"#));
    let unknown = [("name", "x"), ("expires", "30d"), ("access.x", "x:write")];
    let page = browser.post("/tokens/new", &unknown).await;
    assert_eq!(page.status, 422);
    assert!(page.contains(r#"id="scope-error""#));
}

/// Presets are links that select scopes within the user's role, none of them with a high risk.
#[actix_web::test]
async fn preset_selects_scopes_without_a_script() {
    let settings = format!(
        "{SCOPES}\n[[scopes]]\nname = \"vault:read\"\ndescription = \"See\"\nmin_role = \"owner\""
    );
    let test = TestApp::with(&settings).await;
    test.add_user("eve@example.com", PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let mut eve = test.browser();
    eve.sign_in("eve@example.com", PASSWORD).await;
    let reading = [
        "app:read",
        "audit:read",
        "orgs:read",
        "projects:read",
        "tokens:read",
    ];
    let form = eve.get("/tokens/new?preset=read-only").await;
    assert_eq!(selected(&form), reading);
    let current = form.body.split(r#"aria-current="true">"#);
    assert!(
        current.clone().any(|link| link.starts_with("Read only<")),
        "{}",
        form.body
    );
    assert_eq!(
        selected(&eve.get("/tokens/new?preset=read-write").await),
        [
            "app:read",
            "app:deploy",
            "dns:write",
            "audit:read",
            "orgs:read",
            "projects:write",
            "tokens:write"
        ]
    );
    for none in ["", "?preset=none", "?preset=bogus"] {
        let page = eve.get(&format!("/tokens/new{none}")).await;
        assert!(selected(&page).is_empty(), "{none}");
    }
    let mut owner = test.user().await;
    let form = owner.get("/tokens/new?preset=read-only").await;
    assert!(selected(&form).contains(&"vault:read".to_owned()));
    let org = owner
        .get("/o/acme/settings/api-tokens/new?preset=read-only")
        .await;
    assert_eq!(
        selected(&org),
        reading,
        "an organization's token acts as an admin"
    );
    assert!(org.contains("/o/acme/settings/api-tokens/new?preset=none\""));
}

/// A copy has the same attributes. What the user cannot give any more is named.
#[actix_web::test]
async fn form_opens_with_the_attributes_of_another_token() {
    let Company {
        test,
        mut owner,
        mut member,
        ..
    } = Company::new().await;
    let made = owner
        .post("/o/acme/projects/new", &[("name", "Website")])
        .await;
    let project = after(made.location(), "/projects/", '?');
    owner.post("/o/new", &[("name", "Second")]).await;
    owner.get("/tokens/new").await;
    let fields = [
        ("name", "Nightly"),
        ("expires", "30d"),
        ("scope", "orgs:read"),
        ("access.projects", "projects:write"),
        ("project", project.as_str()),
    ];
    owner.post("/tokens/new", &fields).await;
    let list = owner.get("/tokens").await;
    let id = after(&list.body, "/tokens/new?from=", '"');
    test.clock.advance(3600);
    let copy = owner.get(&format!("/tokens/new?from={id}")).await;
    assert_eq!(copy.field("name").as_deref(), Some("Nightly"));
    assert_eq!(selected(&copy), ["orgs:read", "projects:write"]);
    assert!(copy.contains(r#"name="expires" value="30d" checked"#));
    assert!(copy.contains(&format!(r#"name="project" value="{project}" checked"#)));
    assert!(!copy.contains("Not copied"));
    let cleared = owner
        .get(&format!("/tokens/new?preset=none&from={id}"))
        .await;
    assert_eq!(cleared.field("name").as_deref(), Some("Nightly"));
    assert!(selected(&cleared).is_empty());
    assert_eq!(
        member.get(&format!("/tokens/new?from={id}")).await.status,
        404
    );

    owner
        .post(
            &format!("/o/acme/projects/{project}/delete"),
            &[("name", "Website")],
        )
        .await;
    let copy = owner.get(&format!("/tokens/new?from={id}")).await;
    assert!(copy.contains("Not copied") && copy.contains("a project that you cannot choose"));
}

/// A custom lifetime is copied as a day that is not later than the lifetime allows.
#[actix_web::test]
async fn copy_lives_no_longer_than_its_original() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/tokens/new").await;
    let fields = [
        ("name", "x"),
        ("expires", "custom"),
        ("expires_on", "2026-12-01"),
    ];
    browser.post("/tokens/new", &fields).await;
    let id = after(&browser.get("/tokens").await.body, "/tokens/new?from=", '"');
    for (seconds, day) in [
        (0, "2026-12-01"),
        (3600, "2026-12-01"),
        (86_400, "2026-12-02"),
    ] {
        test.clock.advance(seconds);
        let copy = browser.get(&format!("/tokens/new?from={id}")).await;
        assert!(copy.contains(r#"name="expires" value="custom" checked"#));
        assert_eq!(copy.field("expires_on").as_deref(), Some(day));
        test.clock.advance(-seconds);
    }
}

/// The page of a token has a form for its name, which also the history shows.
#[actix_web::test]
async fn token_is_renamed_on_its_page() {
    let Company {
        test,
        mut owner,
        mut admin,
        mut member,
        ..
    } = Company::new().await;
    owner.new_token("old name", &["orgs:read"], "30d").await;
    let id = after(&owner.get("/tokens").await.body, "/tokens/new?from=", '"');
    let (page, form) = (format!("/tokens/{id}"), format!("/tokens/{id}/name"));
    assert_eq!(
        owner.get(&page).await.field("name").as_deref(),
        Some("old name")
    );
    let wrong = owner.post(&form, &[("name", " ")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.contains("Enter a name.") && wrong.contains(r#"<details class="more" open>"#));
    let done = owner.post(&form, &[("name", "Build <b>server</b>")]).await;
    assert_eq!(done.location(), format!("{page}?done=renamed"));
    let shown = owner.get(done.location()).await;
    assert!(shown.contains("The token is named “Build &#60;b&#62;server&#60;/b&#62;”."));
    assert!(shown.contains("renamed a token to"));
    assert_eq!(test.events("token.renamed"), 1);
    assert_eq!(member.post(&form, &[("name", "x")]).await.status, 404);

    owner.get("/o/acme/settings/api-tokens/new").await;
    let fields = [("name", "nightly"), ("expires", "30d")];
    owner.post("/o/acme/settings/api-tokens/new", &fields).await;
    let list = owner.get("/o/acme/settings/api-tokens").await;
    let id = after(&list.body, "/api-tokens/new?from=", '"');
    let form = format!("/o/acme/settings/api-tokens/{id}/name");
    assert_eq!(member.post(&form, &[("name", "x")]).await.status, 403);
    let done = admin.post(&form, &[("name", "hourly")]).await;
    assert!(
        admin
            .get(done.location())
            .await
            .contains("The token is named “hourly”.")
    );
    assert_eq!(test.events("token.renamed"), 2);
}

/// CONTRACT 8: a lifetime above the maximum is neither offered nor accepted.
#[actix_web::test]
async fn maximum_lifetime_is_enforced() {
    let test = TestApp::with("[tokens]\nmax_expiry = \"60d\"\ndefault_expiry = \"30d\"").await;
    let mut browser = test.user().await;
    let page = browser.get("/tokens/new").await;
    for (choice, offered) in [
        ("30d", true),
        ("90d", false),
        ("1y", false),
        ("never", false),
        ("custom", true),
    ] {
        let (_, input) = page
            .body
            .split_once(&format!(r#"name="expires" value="{choice}""#))
            .unwrap();
        let (input, label) = input.split_once('>').unwrap();
        assert_eq!(!input.contains("disabled"), offered, "{choice}");
        assert_eq!(
            !label
                .split_once("</label>")
                .unwrap()
                .0
                .contains("Over the limit"),
            offered,
            "{choice}"
        );
    }
    for expires in ["90d", "1y", "never"] {
        assert_eq!(
            create(&mut browser, &[("name", "x"), ("expires", expires)])
                .await
                .status,
            422
        );
    }
    for (on, status) in [
        ("2027-01-19", 200),
        ("2027-01-20", 200),
        ("2027-01-21", 422),
        ("2030-01-01", 422),
    ] {
        let page = create(
            &mut browser,
            &[("name", "x"), ("expires", "custom"), ("expires_on", on)],
        )
        .await;
        assert_eq!(page.status, status, "{on}: {}", page.body);
    }
}

/// The longest lifetime itself is offered, and what is beyond it says so.
#[actix_web::test]
async fn default_expiry_is_the_longest_lifetime() {
    let test = TestApp::with("[tokens]\nmax_expiry = \"90d\"\ndefault_expiry = \"90d\"").await;
    let form = test.user().await.get("/tokens/new").await;
    assert!(form.contains(r#"name="expires" value="90d" checked>"#));
    assert!(form.contains(r#"name="expires" value="1y" disabled>"#));
    assert!(form.contains("Over the limit"));
}

//! Tokens limited to an organization or to projects, and the hints in the token list.

use super::{Company, after};
use crate::support::TestApp;

/// CONTRACT 2: limits are chosen in the form and shown in the list.
#[actix_web::test]
async fn token_is_limited_to_projects_and_organizations() {
    let Company {
        test, mut owner, ..
    } = Company::new().await;
    owner.post("/o/new", &[("name", "Second")]).await;
    let mut projects = Vec::new();
    for (organization, name) in [("acme", "Website"), ("acme", "App"), ("second", "Other")] {
        let path = format!("/o/{organization}/projects/new");
        let made = owner.post(&path, &[("name", name)]).await;
        projects.push(after(made.location(), "/projects/", '?'));
    }
    let form = owner.get("/tokens/new").await;
    for words in [
        "All of mine",
        ">Acme</option>",
        ">Second</option>",
        ">Website</label>",
    ] {
        assert!(form.contains(words), "{words}");
    }
    let second = after(&form.body, r#"data-organization="org_"#, '"');
    assert!(!second.is_empty());
    let fields = [
        ("name", "two projects"),
        ("scope", "projects:read"),
        ("expires", "30d"),
        ("project", projects[0].as_str()),
        ("project", projects[1].as_str()),
    ];
    let page = owner.post("/tokens/new", &fields).await;
    let token = page.attribute("data-token").unwrap();
    assert_eq!(test.me(&token).await.status(), 200);
    let list = owner.get("/tokens").await;
    assert!(
        list.contains("Limited to Website, App") || list.contains("Limited to App, Website"),
        "{}",
        list.body
    );

    let mixed = [
        ("name", "mixed"),
        ("expires", "30d"),
        ("project", projects[0].as_str()),
        ("project", projects[2].as_str()),
    ];
    let page = owner.post("/tokens/new", &mixed).await;
    assert_eq!(page.status, 422);
    assert!(page.contains(r#"id="project-error""#));
    assert!(page.contains(&format!(r#"value="{}" checked"#, projects[0])));
    for (field, value) in [
        ("project", "prj_00000000000000000000000000000000"),
        ("organization", "rival"),
        ("organization", "none"),
    ] {
        let fields = [("name", "x"), ("expires", "30d"), (field, value)];
        let page = owner.post("/tokens/new", &fields).await;
        assert_eq!(page.status, 422, "{value}");
        assert!(page.contains(&format!(r#"id="{field}-error""#)), "{value}");
    }
    let fields = [
        ("name", "one"),
        ("expires", "30d"),
        ("organization", "second"),
    ];
    let page = owner.post("/tokens/new", &fields).await;
    let token = page.attribute("data-token").unwrap();
    assert!(owner.get("/tokens").await.contains("Limited to Second"));
    owner.post("/o/second/delete", &[("name", "Second")]).await;
    assert_eq!(test.me(&token).await.status(), 401);
}

/// Issue 3.8: the list marks unused, expiring and over-broad tokens, and has pages.
#[actix_web::test]
async fn list_marks_tokens_that_need_attention() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser
        .new_token("forgotten", &["orgs:read"], "never")
        .await;
    let list = browser.get("/tokens").await;
    assert!(list.contains("Never expires") && !list.contains("Never used"));
    test.clock.advance(31 * 86_400);
    let mut browser = test.user().await;
    assert!(browser.get("/tokens").await.contains("Never used"));
    for number in 0..50 {
        browser.new_token(&format!("t{number}"), &[], "30d").await;
    }
    let first = browser.get("/tokens").await;
    assert!(!first.contains("forgotten"));
    let after = after(&first.body, r#"href="/tokens?after="#, '"');
    let second = browser.get(&format!("/tokens?after={after}")).await;
    assert!(second.contains("forgotten") && !second.contains("?after="));
    let confirm = browser.get("/tokens/revoke-all").await;
    assert!(confirm.contains("Revoke all 51 active tokens?"));
}

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
        "All organizations that you belong to",
        ">Acme</span>",
        ">Second</span>",
        ">Website</span></label>",
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
        list.contains("Website · App") || list.contains("App · Website"),
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
    assert!(owner.get("/tokens").await.contains(" · Second</span>"));
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
    assert!(list.contains(">Never</span>") && !list.contains(r#"<span class="tag">"#));
    test.clock.advance(31 * 86_400);
    let mut browser = test.user().await;
    let mark = r#"<span class="tag">Never used</span>"#;
    assert!(browser.get("/tokens").await.contains(mark));
    for number in 0..50 {
        browser.new_token(&format!("t{number}"), &[], "30d").await;
    }
    let first = browser.get("/tokens").await;
    assert!(!first.contains("forgotten"));
    assert!(first.contains("1–50 of 51") && first.contains(r#"href="/tokens?page=2""#));
    let second = browser.get("/tokens?page=2").await;
    assert!(second.contains("forgotten") && second.contains("51–51 of 51"));
    assert!(second.contains(r#"href="/tokens" rel="prev""#) && !second.contains("page=3"));
    let confirm = browser.get("/tokens/revoke-all").await;
    assert!(confirm.contains("Revoke all 51 active tokens?"));
}

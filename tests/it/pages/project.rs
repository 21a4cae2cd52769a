//! `/o/{org}/projects`: projects and their members.

use super::{Company, after, assert_no_access, assert_role};
use crate::support::browser::Browser;

async fn make(browser: &mut Browser, name: &str) -> String {
    let made = browser
        .post("/o/acme/projects/new", &[("name", name)])
        .await;
    assert_eq!(made.status, 303, "{}", made.body);
    after(made.location(), "/projects/", '?')
}

/// CONTRACT 1: members reach the projects that they were added to.
#[actix_web::test]
async fn member_reaches_a_project_while_they_are_added_to_it() {
    let Company {
        test: _running,
        mut admin,
        mut member,
        member_id,
        ..
    } = Company::new().await;
    let page = admin.get("/o/acme/projects").await;
    assert!(page.contains("No projects yet") && page.contains("New project"));
    let id = make(&mut admin, "Website").await;
    let path = format!("/o/acme/projects/{id}");
    assert!(
        member
            .get("/o/acme/projects")
            .await
            .contains("You have access to no project.")
    );
    assert_eq!(member.get(&path).await.status, 403);

    let page = admin.get(&path).await;
    assert!(page.contains("bob@example.com") && !page.contains("grace@example.com)"));
    let added = admin
        .post(
            &format!("{path}/members"),
            &[("member", member_id.as_str())],
        )
        .await;
    assert_eq!(added.status, 303);
    let page = admin.get(added.location()).await;
    assert!(page.contains("</b> was added to the project."));
    assert!(page.contains("Every member has access."), "{}", page.body);
    let page = member.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(!page.contains(">Save name</button>") && !page.contains("/remove"));
    assert!(member.get("/o/acme/projects").await.contains("Website"));

    let remove = format!("{path}/members/{member_id}/remove");
    assert_role(&member.get(&remove).await, "admin");
    assert!(admin.get(&remove).await.contains("from Website?"));
    for _ in 0..2 {
        assert_eq!(admin.post(&remove, &[]).await.status, 303);
    }
    assert_eq!(admin.get(&remove).await.status, 404);
    assert_eq!(member.get(&path).await.status, 403);
}

/// AUZ: actions denied to members and outsiders.
#[actix_web::test]
async fn only_admins_and_owners_manage_projects() {
    let Company {
        test,
        mut owner,
        mut member,
        member_id,
        mut stranger,
        ..
    } = Company::new().await;
    let id = make(&mut owner, "Website").await;
    let path = format!("/o/acme/projects/{id}");
    let fields = [("member", member_id.as_str())];
    owner.post(&format!("{path}/members"), &fields).await;
    assert_role(&member.get("/o/acme/projects/new").await, "admin");
    let before = test.unread();
    for (rest, fields) in [
        ("/name", vec![("name", "Mine")]),
        ("/members", vec![("member", member_id.as_str())]),
        ("/delete", vec![]),
    ] {
        let path = format!("{path}{rest}");
        assert_role(&member.post(&path, &fields).await, "admin");
        assert_eq!(stranger.post(&path, &fields).await.status, 403, "{rest}");
    }
    assert_role(
        &member
            .post("/o/acme/projects/new", &[("name", "Mine")])
            .await,
        "admin",
    );
    assert!(before == test.unread());
    let absent = "/o/acme/projects/prj_00000000000000000000000000000000";
    assert_no_access(&mut stranger, &path, absent).await;
    // Another organization's project does not exist in the user's own organization either.
    let through = path.replace("/o/acme/", "/o/rival/");
    assert_no_access(&mut stranger, &through, "/o/rival/projects/x").await;
}

/// Bad input and deletion of a project.
#[actix_web::test]
async fn names_are_checked_and_the_deletion_page_lists_the_effects() {
    let Company {
        test: _running,
        mut owner,
        mut stranger,
        ..
    } = Company::new().await;
    let id = make(&mut owner, "Website").await;
    make(&mut owner, "App").await;
    let path = format!("/o/acme/projects/{id}");
    for name in ["", "App", &"x".repeat(101)] {
        for path in ["/o/acme/projects/new", &format!("{path}/name")] {
            let page = owner.post(path, &[("name", name)]).await;
            assert_eq!(page.status, 422, "{path} {name}");
            assert!(page.contains(r#"id="name-error""#), "{path} {name}");
        }
    }
    let renamed = owner
        .post(&format!("{path}/name"), &[("name", "Site")])
        .await;
    assert!(
        owner
            .get(renamed.location())
            .await
            .contains("<h1>Site</h1>")
    );
    stranger.get("/o/rival").await;
    for member in ["", "x", "usr_00000000000000000000000000000000"] {
        let page = owner
            .post(&format!("{path}/members"), &[("member", member)])
            .await;
        assert_eq!(page.status, 422, "{member}");
    }
    owner.get("/tokens/new").await;
    let fields = [
        ("name", "x"),
        ("expires", "never"),
        ("project", id.as_str()),
    ];
    owner.post("/tokens/new", &fields).await;
    let confirm = owner.get(&format!("{path}/delete")).await;
    assert!(
        confirm.contains("1 token is limited to it"),
        "{}",
        confirm.body
    );
    let done = owner.post(&format!("{path}/delete"), &[]).await;
    assert_eq!(done.location(), "/o/acme/projects?done=deleted");
    let list = owner.get(done.location()).await;
    assert!(list.contains("The project is deleted.") && !list.contains(">Site<"));
    assert_eq!(owner.post(&format!("{path}/delete"), &[]).await.status, 403);
    assert!(
        owner
            .get("/tokens")
            .await
            .contains("a deleted project</span>")
    );
}

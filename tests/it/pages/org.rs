//! `/o` and `/o/{org}`: organizations, from creation to deletion.

use super::{Company, assert_no_access, assert_role};
use crate::support::TestApp;

/// Lets users create organizations.
const USERS: &str = "[organizations]\nmade_by = \"users\"";

/// CONTRACT 1: the creator of an organization is its owner.
#[actix_web::test]
async fn user_creates_an_organization_and_owns_it() {
    let test = TestApp::with(USERS).await;
    let mut browser = test.user().await;
    let list = browser.get("/o").await;
    assert!(list.contains(r#"href="/o/acme""#) && list.contains(r#"href="/o/new""#));
    let form = browser.get("/o/new").await;
    assert!(form.contains(">Create organization</button>"));
    let made = browser
        .post("/o/new", &[("name", "Analytical Engines")])
        .await;
    assert_eq!(
        (made.status, made.location()),
        (303, "/o/analytical-engines?done=created")
    );
    let page = browser.get(made.location()).await;
    assert!(page.contains("The organization is created."));
    assert!(page.contains("your role is owner"));
    assert!(page.contains("1 member<"), "{}", page.body);
    assert!(page.contains("0 projects<"));
    assert!(page.contains(r#"href="/o/analytical-engines/audit""#));

    let twice = browser
        .post("/o/new", &[("name", "analytical engines")])
        .await;
    assert_eq!(twice.status, 422);
    assert!(twice.contains(r#"id="name-error""#));
    assert_eq!(test.count("organization", "1 = 1"), 2);
}

/// Bad input: nothing is created, and reserved slugs are not available.
#[actix_web::test]
async fn invalid_name_is_rejected() {
    let test = TestApp::with(USERS).await;
    let mut browser = test.user().await;
    browser.get("/o/new").await;
    for name in [
        "",
        "   ",
        &"x".repeat(101),
        "\u{3164}",
        "New",
        "new!",
        "Settings",
    ] {
        let page = browser.post("/o/new", &[("name", name)]).await;
        assert_eq!(page.status, 422, "{name}");
        assert!(page.contains(r#"id="name-error""#), "{name}");
    }
    assert_eq!(test.count("organization", "1 = 1"), 1);
    assert_eq!(browser.get("/o/new").await.status, 200);
}

/// API-06, AUZ: a user without access learns nothing.
#[actix_web::test]
async fn foreign_organization_looks_like_one_that_does_not_exist() {
    let mut company = Company::new().await;
    for page in [
        "",
        "/members",
        "/projects",
        "/projects/new",
        "/settings/api-tokens",
        "/settings/policy",
        "/leave",
        "/delete",
    ] {
        let (acme, none) = (format!("/o/acme{page}"), format!("/o/none{page}"));
        assert_no_access(&mut company.stranger, &acme, &none).await;
    }
    let before = company.test.unread();
    for path in ["/o/acme/name", "/o/acme/delete", "/o/none/name"] {
        let page = company.stranger.post(path, &[("name", "Acme")]).await;
        assert_eq!(page.status, 403, "{path}");
    }
    assert!(before == company.test.unread());
    let mut anonymous = company.test.browser();
    let away = anonymous.get("/o/acme/members").await;
    assert_eq!(away.location(), "/login?return_to=%2Fo%2Facme%2Fmembers");
}

/// CONTRACT 1: admins rename, owners delete.
#[actix_web::test]
async fn each_role_has_its_own_actions() {
    let Company {
        test,
        mut owner,
        mut admin,
        mut member,
        ..
    } = Company::new().await;
    let page = member.get("/o/acme").await;
    assert_eq!(page.status, 200);
    assert!(!page.contains(">Save name</button>") && !page.contains("/delete"));
    assert_role(
        &member.post("/o/acme/name", &[("name", "Mine")]).await,
        "admin",
    );
    for browser in [&mut member, &mut admin] {
        assert_role(&browser.get("/o/acme/delete").await, "owner");
        let page = browser.post("/o/acme/delete", &[("name", "Acme")]).await;
        assert_role(&page, "owner");
    }
    let renamed = admin.post("/o/acme/name", &[("name", "Acme Inc.")]).await;
    assert_eq!(
        (renamed.status, renamed.location()),
        (303, "/o/acme?done=renamed")
    );
    assert!(member.get("/o/acme").await.contains("<h1>Acme Inc.</h1>"));
    let page = admin.post("/o/acme/name", &[("name", "")]).await;
    assert_eq!(page.status, 422);

    let confirm = owner.get("/o/acme/delete").await;
    assert!(confirm.contains("<b>3 members</b>"), "{}", confirm.body);
    let wrong = owner.post("/o/acme/delete", &[("name", "acme inc.")]).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(test.count("organization", "deleted_at IS NULL"), 2);
    let done = owner.post("/o/acme/delete", &[("name", "Acme Inc.")]).await;
    assert_eq!((done.status, done.location()), (303, "/o?done=deleted"));
    assert_eq!(member.get("/o/acme").await.status, 403);
    assert!(owner.get("/o").await.contains("No organizations yet"));
}

/// CONTRACT 2: leaving ends access immediately, and the last owner cannot leave.
#[actix_web::test]
async fn leaving_ends_tokens_immediately_and_the_last_owner_cannot_leave() {
    let Company {
        test,
        mut owner,
        mut member,
        ..
    } = Company::new().await;
    let page = owner.get("/o/acme/leave").await;
    assert!(page.contains("You are the last owner"));
    let page = owner.post("/o/acme/leave", &[]).await;
    assert_eq!(page.status, 409);
    assert!(page.contains("You are the last owner"));

    let token = member.new_token("laptop", &["orgs:read"], "never").await;
    let confirm = member.get("/o/acme/leave").await;
    assert!(confirm.contains("It is your only organization.") && confirm.contains("laptop"));
    assert_eq!(test.me(&token).await.status(), 200);
    let done = member.post("/o/acme/leave", &[]).await;
    assert_eq!((done.status, done.location()), (303, "/o?done=left"));
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(member.get("/o/acme").await.status, 403);
    assert_eq!(
        member.post("/o/acme/leave", &[]).await.status,
        403,
        "once more"
    );
}

/// INJ: names are text everywhere.
#[actix_web::test]
async fn hostile_names_stay_text() {
    let Company {
        test: _running,
        mut owner,
        admin_id,
        ..
    } = Company::new().await;
    let hostile = "\"><script>alert(1)</script>";
    let renamed = owner.post("/o/acme/name", &[("name", hostile)]).await;
    assert_eq!(renamed.status, 303);
    let made = owner
        .post("/o/acme/projects/new", &[("name", hostile)])
        .await;
    let project = made.location().split('?').next().unwrap().to_owned();
    owner.get("/o/acme/settings/api-tokens/new").await;
    let fields = [("name", hostile), ("expires", "never")];
    owner.post("/o/acme/settings/api-tokens/new", &fields).await;
    for path in [
        "/o",
        "/o/acme",
        "/o/acme/members",
        &format!("/o/acme/members/{admin_id}/remove"),
        "/o/acme/projects",
        &project,
        &format!("{project}/delete"),
        "/o/acme/settings/api-tokens",
        "/o/acme/settings/api-tokens/new",
        "/o/acme/settings/api-tokens/revoke-all",
        "/o/acme/settings/policy",
        "/o/acme/leave",
        "/o/acme/delete",
        "/tokens/new",
    ] {
        let page = owner.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.contains("<script>alert"), "{path}");
        assert_eq!(page.body.matches("<script").count(), 1, "{path}");
    }
    let confirm = owner.get("/o/acme/delete").await;
    assert!(
        confirm.contains("&#60;script&#62;alert(1)"),
        "{}",
        confirm.body
    );
}

/// `[organizations] made_by`: users are not offered what only the operator may do.
#[actix_web::test]
async fn operator_only_creation_of_organizations_is_shown_on_the_pages() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    assert!(!browser.get("/o").await.contains("/o/new"));
    for page in [
        browser.get("/o/new").await,
        browser.post("/o/new", &[("name", "Mine")]).await,
    ] {
        assert_eq!(page.status, 403);
        assert!(page.contains("Only the operator of this server"));
    }
    assert_eq!(test.count("organization", "1 = 1"), 1);
}

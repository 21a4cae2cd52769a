//! `/o/{org}/settings/api-tokens`: tokens owned by an organization.

use super::{Company, after, assert_role};
use crate::support::browser::{Browser, Page};

const PATH: &str = "/o/acme/settings/api-tokens";

async fn create(browser: &mut Browser, name: &str) -> Page {
    browser.get(&format!("{PATH}/new")).await;
    let fields = [("name", name), ("scope", "orgs:read"), ("expires", "90d")];
    browser.post(&format!("{PATH}/new"), &fields).await
}

/// CONTRACT 2 and 4: shown once, and still active after its creator has left.
#[actix_web::test]
async fn organization_token_survives_its_creator() {
    let Company {
        test,
        mut owner,
        mut admin,
        admin_id,
        ..
    } = Company::new().await;
    assert!(admin.get(PATH).await.contains("No tokens yet"));
    let form = admin.get(&format!("{PATH}/new")).await;
    assert!(form.contains("It acts for Acme") && !form.contains(r#":read" checked"#));
    let page = create(&mut admin, "nightly build").await;
    let token = page.attribute("data-token").unwrap();
    let list = owner.get(PATH).await;
    assert!(list.contains("nightly build") && list.contains("Created by Ada"));
    assert!(!list.contains(&token));
    assert!(!owner.get("/tokens").await.contains("nightly build"));
    let me: serde_json::Value = test.me(&token).await.json().await.unwrap();
    assert_eq!(me["organization"]["slug"], "acme", "{me}");

    let remove = format!("/o/acme/members/{admin_id}/remove");
    assert_eq!(owner.post(&remove, &[]).await.status, 303);
    assert_eq!(test.me(&token).await.status(), 200);
    assert_eq!(admin.get(PATH).await.status, 403);

    let id = after(&owner.get(PATH).await.body, "/api-tokens/tok_", '"');
    let revoke = format!("{PATH}/tok_{id}/revoke");
    assert!(owner.get(&revoke).await.contains("Revoke “nightly build”?"));
    let done = owner.post(&revoke, &[]).await;
    assert_eq!(done.location(), format!("{PATH}?revoked=tok_{id}"));
    assert!(owner.get(done.location()).await.contains("is revoked."));
    assert_eq!(test.me(&token).await.status(), 401);
}

/// AUZ: members see who may use this page; other users get no access.
#[actix_web::test]
async fn members_and_outsiders_have_no_access_to_organization_tokens() {
    let Company {
        test,
        mut owner,
        mut member,
        mut stranger,
        ..
    } = Company::new().await;
    let token = create(&mut owner, "secret name").await;
    let token = token.attribute("data-token").unwrap();
    let id = after(&owner.get(PATH).await.body, "/api-tokens/tok_", '"');
    let page = member.get(PATH).await;
    assert_eq!(page.status, 200);
    assert!(page.contains("For admins and owners") && !page.contains("secret name"));
    let before = test.unread();
    for rest in [
        "/new".to_owned(),
        "/revoke-all".to_owned(),
        format!("/tok_{id}/revoke"),
        format!("/tok_{id}/rotate"),
    ] {
        let path = format!("{PATH}{rest}");
        let fields = [("name", "x"), ("expires", "never"), ("overlap", "none")];
        assert_role(&member.get(&path).await, "admin");
        assert_role(&member.post(&path, &fields).await, "admin");
        for page in [
            stranger.get(&path).await,
            stranger.post(&path, &fields).await,
        ] {
            assert_eq!(page.status, 403, "{path}");
            assert!(!page.contains("secret name"));
        }
        // It is neither among the user's own tokens nor in another organization.
        if rest.contains("tok_") {
            for path in [format!("/tokens{rest}"), path.replace("acme", "rival")] {
                assert_eq!(stranger.get(&path).await.status, 404, "{path}");
                assert_eq!(stranger.post(&path, &fields).await.status, 404, "{path}");
            }
        }
    }
    assert!(before == test.unread());
    assert_eq!(test.me(&token).await.status(), 200);
}

/// CONTRACT 1: the plan.
#[actix_web::test]
async fn free_plan_cannot_create_but_can_still_revoke() {
    let Company {
        test, mut owner, ..
    } = Company::new().await;
    create(&mut owner, "one").await;
    create(&mut owner, "two").await;
    test.database
        .execute("UPDATE organization SET plan = 'free'");
    let page = owner.get(PATH).await;
    assert!(page.contains("The plan “free” has no organization tokens."));
    assert!(page.contains("/revoke-all\"") && !page.contains("api-tokens/new\""));
    for page in [
        owner.get(&format!("{PATH}/new")).await,
        owner
            .post(&format!("{PATH}/new"), &[("name", "x"), ("expires", "90d")])
            .await,
    ] {
        assert_eq!(page.status, 403);
        assert!(
            page.contains("plan does not include this token"),
            "{}",
            page.body
        );
    }
    let confirm = owner.get(&format!("{PATH}/revoke-all")).await;
    assert!(confirm.contains("Revoke all 2 active tokens?"));
    let done = owner.post(&format!("{PATH}/revoke-all"), &[]).await;
    assert_eq!(done.location(), format!("{PATH}?revoked-all=2"));
}

//! `/o/{org}/members`: the members of an organization and their roles.

use super::{Company, assert_role};
use crate::support::PASSWORD;
use crate::support::browser::Page;
use doorcode::domain::role::Role;

/// CONTRACT 1 and 4.
#[actix_web::test]
async fn every_member_sees_the_members_and_admins_manage_them() {
    let mut company = Company::new().await;
    let page = company.member.get("/o/acme/members").await;
    for email in ["ada@", "grace@", "bob@"] {
        assert!(page.contains(&format!("{email}example.com")), "{email}");
    }
    assert!(!page.contains("eve@example.com"));
    assert!(!page.contains(r#"id="role-"#) && !page.contains("/remove"));
    assert!(
        page.contains(r#"href="/o/acme/leave""#),
        "members can leave"
    );
    assert!(
        page.contains("Not known"),
        "members do not watch each other"
    );
    let page = company.owner.get("/o/acme/members").await;
    assert!(page.contains("The last owner."), "{}", page.body);
    assert!(page.contains(&format!("/members/{}/remove", company.member_id)));
    assert!(page.contains("just now"), "{}", page.body);
}

/// AUZ: only owners appoint owners, and a user cannot change a higher role.
#[actix_web::test]
async fn only_permitted_users_change_roles() {
    let Company {
        test,
        mut owner,
        mut admin,
        admin_id,
        mut member,
        member_id,
        mut stranger,
    } = Company::new().await;
    let of = |id: &dyn std::fmt::Display| format!("/o/acme/members/{id}/role");
    let (of_admin, of_member) = (of(&admin_id), of(&member_id));
    for role in ["admin", "member", "owner"] {
        assert_eq!(member.post(&of_member, &[("role", role)]).await.status, 403);
        assert_eq!(
            stranger.post(&of_member, &[("role", role)]).await.status,
            403
        );
    }
    assert_role(&admin.post(&of_member, &[("role", "owner")]).await, "owner");
    let page = admin.post(&of_member, &[("role", "boss")]).await;
    assert_eq!(page.status, 422);
    assert!(page.contains("Choose a role from the list."));
    let changed = admin.post(&of_member, &[("role", "admin")]).await;
    assert_eq!(changed.status, 303);
    let page = admin.get(changed.location()).await;
    assert!(
        page.contains("</b> now has the role admin."),
        "{}",
        page.body
    );
    assert_eq!(
        member.get("/o/acme/projects/new").await.status,
        200,
        "at once"
    );
    assert_eq!(
        owner.post(&of_admin, &[("role", "owner")]).await.status,
        303
    );
    assert_role(
        &member.post(&of_admin, &[("role", "member")]).await,
        "owner",
    );

    // Of two owners one can step down, the last cannot.
    assert_eq!(
        admin.post(&of_admin, &[("role", "member")]).await.status,
        303
    );
    let user = test.count("membership", "role = 'owner'");
    assert_eq!(user, 2, "Acme's and the rival's");
    let nobody = of(&"usr_00000000000000000000000000000000");
    assert_eq!(owner.post(&nobody, &[("role", "admin")]).await.status, 404);
    assert_eq!(
        owner.post(&of(&"x"), &[("role", "admin")]).await.status,
        404
    );
}

/// CONTRACT 2: the last owner stays an owner.
#[actix_web::test]
async fn last_owner_cannot_be_demoted() {
    let Company {
        test, mut owner, ..
    } = Company::new().await;
    let page = owner.get("/o/acme/leave").await;
    assert!(page.contains("You are the last owner"));
    let token = owner.new_token("x", &[], "never").await;
    let me: serde_json::Value = test.me(&token).await.json().await.unwrap();
    let id = me["user"]["id"].as_str().unwrap();
    for (path, fields) in [
        (
            format!("/o/acme/members/{id}/role"),
            vec![("role", "admin")],
        ),
        (format!("/o/acme/members/{id}/remove"), vec![]),
    ] {
        let page = owner.post(&path, &fields).await;
        assert_eq!(page.status, 422, "{path}");
        assert!(page.contains("An organization needs an owner"), "{path}");
    }
    assert_eq!(test.me(&token).await.status(), 200);
}

/// CONTRACT 2: a removal takes effect for the next request, on each server.
#[actix_web::test]
async fn removing_a_member_needs_confirmation_and_ends_their_tokens_immediately() {
    let Company {
        test,
        mut owner,
        mut admin,
        admin_id,
        mut member,
        member_id,
        ..
    } = Company::new().await;
    let other = test.second_server("").await;
    let token = member
        .new_token("their laptop", &["orgs:read"], "never")
        .await;
    let path = format!("/o/acme/members/{member_id}/remove");
    let of_admin = format!("/o/acme/members/{admin_id}/remove");
    assert_role(&member.get(&of_admin).await, "admin");
    assert_role(&member.post(&of_admin, &[]).await, "admin");
    let confirm = admin.get(&path).await;
    assert!(confirm.contains("It is their only organization."));
    assert!(confirm.contains("their laptop") && confirm.contains(">Remove member</button>"));
    assert_eq!(test.me(&token).await.status(), 200);
    let done = admin.post(&path, &[]).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/o/acme/members?done=removed")
    );
    for test in [&test, &other] {
        assert_eq!(test.me(&token).await.status(), 401);
    }
    assert_eq!(member.get("/o/acme").await.status, 403);
    assert_eq!(admin.post(&path, &[]).await.status, 404, "once more");
    assert_eq!(admin.get(&path).await.status, 404);
    assert_eq!(owner.post(&of_admin, &[]).await.status, 303);
}

/// Long lists have pages; no member is missing or repeated.
#[actix_web::test]
async fn many_members_are_listed_in_pages() {
    let Company {
        test, mut owner, ..
    } = Company::new().await;
    for number in 0..60 {
        let email = format!("many{number}@example.com");
        test.add_user(&email, PASSWORD, Some(("Acme", Role::Member)))
            .await;
    }
    let mut path = "/o/acme/members".to_owned();
    let mut seen = Vec::new();
    for shown in [50, 13] {
        let page = owner.get(&path).await;
        let emails = page.body.split("many").skip(1);
        seen.extend(emails.filter_map(|rest| rest.split('@').next()?.parse::<u32>().ok()));
        assert_eq!(
            page.body.matches("<span class=\"sub\">since ").count(),
            shown
        );
        path = page
            .body
            .split_once(r#"<a class="button small" href="/o/acme/members?after="#)
            .map(|(_, rest)| rest.split('"').next().unwrap())
            .map(|after| format!("/o/acme/members?after={after}"))
            .unwrap_or_default();
    }
    assert!(path.is_empty(), "the end");
    seen.sort_unstable();
    assert_eq!(seen, (0..60).collect::<Vec<_>>());
    for bad in ["x", "1.2.3", "-1.usr_x", "99999999999999999999.x"] {
        let page = owner.get(&format!("/o/acme/members?after={bad}")).await;
        assert_eq!(page.status, 200, "{bad}");
    }
}

/// A member is found by words of the name or the email, and by the role.
#[actix_web::test]
async fn members_are_searched_and_filtered() {
    let Company {
        test, mut owner, ..
    } = Company::new().await;
    for number in 0..60 {
        let email = format!("many{number}@example.com");
        test.add_user(&email, PASSWORD, Some(("Acme", Role::Member)))
            .await;
    }
    let emails = |page: &Page| {
        let rows = page.body.split("<span class=\"sub keep\">").skip(1);
        let emails = rows.filter_map(|row| row.split('<').next());
        let emails = emails.filter(|text| text.contains('@'));
        emails.map(str::to_owned).collect::<Vec<_>>()
    };
    let page = owner.get("/o/acme/members?q=MANY7%40").await;
    assert_eq!(emails(&page), ["many7@example.com"]);
    let page = owner.get("/o/acme/members?q=com+many59").await;
    assert_eq!(emails(&page), ["many59@example.com"]);
    assert!(page.contains(r#"value="com many59""#), "the text stays");
    let page = owner.get("/o/acme/members?role=owner").await;
    assert_eq!(emails(&page).len(), 1);
    assert!(page.contains(r#"<option value="owner" selected>Owners</option>"#));
    let page = owner.get("/o/acme/members?q=many&role=owner").await;
    assert!(page.contains("No member found") && page.contains(">All members</a>"));

    let page = owner.get("/o/acme/members?q=many").await;
    let mut seen = emails(&page);
    assert_eq!(seen.len(), 50);
    let next = "/o/acme/members?q=many&#38;role=&#38;skip=50";
    assert!(page.contains(next), "{}", page.body);
    let page = owner.get("/o/acme/members?q=many&role=&skip=50").await;
    seen.extend(emails(&page));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 60);
    let page = owner.get("/o/acme/members?q=many&skip=x").await;
    assert_eq!(emails(&page).len(), 50);
}

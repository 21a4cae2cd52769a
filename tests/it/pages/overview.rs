//! `/o/{org}` for admins: what needs attention, and the state of the audit log.

use super::Company;
use super::audit::said;
use crate::support::{EMAIL, PASSWORD};
use doorcode::domain::role::Role;

/// Each line leads to the list that it counts; members do not see it.
#[actix_web::test]
async fn overview_names_what_needs_attention() {
    let Company {
        test,
        mut owner,
        mut member,
        ..
    } = Company::new().await;
    let page = owner.get("/o/acme").await;
    assert!(
        page.contains("Nothing needs attention now"),
        "{}",
        page.body
    );
    member.new_token("monthly", &["orgs:read"], "30d").await;
    member.new_token("forever", &["orgs:read"], "never").await;
    owner
        .post("/o/acme/invitations", &[("role", "member")])
        .await;
    let page = owner.get("/o/acme").await;
    let text = said(&page);
    for words in [
        "1 token never expires forever by Ada Review",
        "1 invitation waits for its answer View",
        "Active tokens with access 2 2 personal, 0 of the organization View tokens",
        "Audit log Not verified",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!said(&member.get("/o/acme").await).contains("Needs attention"));
    let id = test
        .database
        .text("SELECT id FROM token WHERE name = 'forever'");
    let rotate = format!("/tokens/{id}/rotate");
    member.get(&rotate).await;
    member.post(&rotate, &[("overlap", "24h")]).await;
    let text = said(&owner.get("/o/acme").await);
    let words = "1 replaced token still works until its overlap ends forever by Ada on 23 Nov 2026";
    assert!(text.contains(words), "{text}");
    assert!(
        owner
            .get("/o/acme/tokens?show=replaced")
            .await
            .contains(">forever<")
    );
    test.clock.advance(24 * 86_400);
    owner.sign_in(EMAIL, PASSWORD).await;
    let page = owner.get("/o/acme").await;
    let text = said(&page);
    assert!(
        text.contains("1 token expires within 7 days monthly by Ada on 22 Dec 2026 Review"),
        "{text}"
    );
    assert!(!text.contains("invitation waits"), "it has expired");
    let list = owner.get("/o/acme/tokens?show=expiring").await;
    assert!(list.contains(">monthly<") && !list.contains(">forever<"));
    assert!(page.contains(r#"href="/o/acme/tokens?show=expiring""#));
}

/// A stricter policy leaves a grace period, which the overview names.
#[actix_web::test]
async fn overview_names_running_grace_periods() {
    let Company {
        test,
        mut owner,
        mut member,
        ..
    } = Company::new().await;
    member.new_token("forever", &["orgs:read"], "never").await;
    owner.get("/o/acme/settings/policy").await;
    let fields = [
        ("personal_tokens", "members"),
        ("max_lifetime", "90d"),
        ("grace", "7d"),
    ];
    let done = owner.post("/o/acme/settings/policy/apply", &fields).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(test.count("policy_grace", "1 = 1"), 1);
    let text = said(&owner.get("/o/acme").await);
    assert!(
        text.contains(
            "1 token loses access when its grace period ends forever by Ada on 29 Nov 2026"
        ),
        "{text}"
    );
    let list = owner.get("/o/acme/tokens?show=grace").await;
    assert!(list.contains(">forever<"));
}

/// The badge of the log shows the result of the last verification, also a bad one.
#[actix_web::test]
async fn badge_shows_whether_the_log_was_verified_or_contradicted() {
    let Company {
        test,
        mut owner,
        mut member,
        ..
    } = Company::new().await;
    assert!(
        owner
            .get("/o/acme/audit")
            .await
            .contains("Not verified yet.")
    );
    let path = "/o/acme/audit/verify";
    super::assert_role(&member.post(path, &[]).await, "admin");
    let done = owner.post_only(path, &[]).await;
    assert_eq!((done.status, done.location()), (303, "/o/acme/audit"));
    let page = owner.get("/o/acme/audit").await;
    let text = said(&page);
    assert!(text.contains("Verified just now : "), "{text}");
    assert!(text.contains("none changed or missing"), "{text}");
    assert!(said(&owner.get("/o/acme").await).contains("Audit log Verified"));

    test.database.disarm();
    test.database
        .execute("UPDATE audit_record SET outcome = 'refused' WHERE sequence = 2");
    test.clock.advance(60);
    owner.post_only(path, &[]).await;
    let text = said(&owner.get("/o/acme/audit").await);
    assert!(
        text.contains("Contradicted just now : record 2 was changed"),
        "{text}"
    );
    assert!(said(&owner.get("/o/acme").await).contains("Audit log Contradicted"));
    // Each verification reads the whole log.
    for _ in 0..9 {
        assert_eq!(owner.post_only(path, &[]).await.status, 303);
    }
    test.settle().await;
    assert_eq!(test.events("audit.verified"), 6, "the others were too many");
}

/// The last changes are sentences, without the reads of the log, and lead to the log.
#[actix_web::test]
async fn overview_shows_the_last_changes() {
    let Company {
        test: _test,
        mut owner,
        mut admin,
        mut member,
        member_id,
        ..
    } = Company::new().await;
    owner.get("/o/acme/projects/new").await;
    for name in ["one", "two", "three", "four", "five"] {
        let made = owner.post("/o/acme/projects/new", &[("name", name)]).await;
        assert_eq!(made.status, 303, "{}", made.body);
    }
    for _ in 0..3 {
        owner.get("/o/acme/audit").await;
    }
    let role = format!("/o/acme/members/{member_id}/role");
    let changed = owner.post(&role, &[("role", "admin")]).await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    for browser in [&mut owner, &mut admin] {
        let page = browser.get("/o/acme").await;
        let text = said(&page);
        let (_, changes) = text.split_once("Recent changes Audit log").unwrap();
        let (changes, _) = changes.split_once("Roles and permissions").unwrap();
        assert!(
            changes.contains("changed the role of Ada from member to admin just now"),
            "{changes}"
        );
        assert_eq!(
            changes.matches("created the project").count(),
            4,
            "{changes}"
        );
        assert!(!changes.contains("viewed"), "{changes}");
        assert!(page.contains(r#"href="/o/acme/audit?actor=usr_"#));
    }
    owner.post(&role, &[("role", "member")]).await;
    assert!(!member.get("/o/acme").await.contains("Recent changes"));
}

/// Each role has its members and the scopes that need it; members see it too.
#[actix_web::test]
async fn overview_names_what_each_role_allows() {
    let test = crate::support::TestApp::with(
        "[[scopes]]\nname = \"app:deploy\"\ndescription = \"Deploy\"\nmin_role = \"admin\"\n\
         [[scopes]]\nname = \"app:read\"\ndescription = \"Read\"\n",
    )
    .await;
    for (email, role) in [
        ("bob@example.com", Role::Member),
        ("eve@example.com", Role::Member),
    ] {
        test.add_user(email, PASSWORD, Some(("Acme", role))).await;
    }
    let mut owner = test.user().await;
    let mut member = test.browser();
    member.sign_in("bob@example.com", PASSWORD).await;
    for browser in [&mut owner, &mut member] {
        let text = said(&browser.get("/o/acme").await);
        let (_, roles) = text.split_once("Roles and permissions Members").unwrap();
        let (roles, _) = roles.split_once("About").unwrap();
        for words in [
            "Owner 1 member Everything",
            "Admin 0 members Members",
            "Member 2 members Own",
        ] {
            assert!(roles.contains(words), "{words}: {roles}");
        }
        assert!(
            roles.contains("Scopes from this role on: app:deploy"),
            "{roles}"
        );
        assert!(!roles.contains("app:read"), "{roles}");
    }
}

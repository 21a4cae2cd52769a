//! Invitations, from creation to acceptance.

use super::{Company, after, assert_role};
use crate::support::{PASSWORD, log};

const NEW: &str = "copper lantern sandwich";

async fn invite(browser: &mut crate::support::browser::Browser, fields: &[(&str, &str)]) -> String {
    let page = browser.post("/o/acme/invitations", fields).await;
    assert_eq!(page.status, 200, "{}", page.body);
    after(&page.body, "/invite?link=", '<')
}

/// Issue 3.7: a link, shown once, lets one user join.
#[actix_web::test]
async fn new_user_accepts_an_invitation_and_joins() {
    let Company {
        test, mut owner, ..
    } = Company::new().await;
    let link = invite(&mut owner, &[("role", "admin")]).await;
    assert_eq!(link.len(), 64);
    let members = owner.get("/o/acme/members").await;
    assert!(members.contains("Anyone with the link") && !members.contains(&link));
    assert!(!test.database.dump().contains(&link));

    let mut guest = test.browser();
    let path = format!("/invite?link={link}");
    let page = guest.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(page.contains("Join Acme as admin") && page.contains("Ada invites you."));
    let fields = |email, password| {
        [
            ("link", link.as_str()),
            ("name", "Charles"),
            ("email", email),
            ("password", password),
        ]
    };
    for (email, password, field) in [
        ("charles@example.com", "short", "password"),
        ("charles", NEW, "email"),
    ] {
        let page = guest
            .post("/invite/account", &fields(email, password))
            .await;
        assert_eq!(page.status, 422, "{email} {password}");
        assert!(page.contains(&format!(r#"id="{field}-error""#)));
        assert_eq!(page.field("name").as_deref(), Some("Charles"));
    }
    let created = guest
        .post("/invite/account", &fields("charles@example.com", NEW))
        .await;
    assert_eq!(created.status, 303);
    let login = guest.get(created.location()).await;
    assert!(login.contains("Sign in to accept the invitation."));
    let return_to = login.field("return_to").unwrap();
    assert_eq!(return_to, path);
    let fields = [
        ("email", "charles@example.com"),
        ("password", NEW),
        ("return_to", &return_to),
    ];
    let signed_in = guest.post("/login", &fields).await;
    assert_eq!(signed_in.location(), path);
    assert!(
        guest
            .get(&path)
            .await
            .contains(">Accept invitation</button>")
    );
    let joined = guest.post("/invite", &[("link", &link)]).await;
    assert_eq!(
        (joined.status, joined.location()),
        (303, "/o/acme?done=joined")
    );
    let page = guest.get(joined.location()).await;
    assert!(page.contains("You are now a member."));
    assert!(page.contains("your role is admin"));

    for mut browser in [guest, test.browser()] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 404);
        assert!(page.contains("This invitation link does not work"));
    }
    assert!(!log::text().contains(&link));
}

/// An existing user signs in on the way; the link is not logged.
#[actix_web::test]
async fn existing_user_signs_in_and_accepts_once() {
    let Company {
        test,
        mut owner,
        mut stranger,
        ..
    } = Company::new().await;
    let link = invite(&mut owner, &[("role", "member")]).await;
    let mut browser = test.browser();
    let page = browser.get(&format!("/invite?link={link}")).await;
    let login = after(&page.body, r#"class="button large full" href=""#, '"');
    let page = browser.get(&login.replace("&#38;", "&")).await;
    let return_to = page.field("return_to").unwrap();
    assert_eq!(return_to, format!("/invite?link={link}"));
    let fields = [
        ("email", "eve@example.com"),
        ("password", PASSWORD),
        ("return_to", return_to.as_str()),
    ];
    let signed_in = browser.post("/login", &fields).await;
    assert_eq!(signed_in.location(), return_to);
    let page = browser.get(signed_in.location()).await;
    assert!(page.contains("Join Acme as member") && page.contains(">Accept invitation</button>"));
    let joined = browser.post("/invite", &[("link", &link)]).await;
    assert_eq!(joined.location(), "/o/acme?done=joined");
    for link in [link.as_str(), "", "x"] {
        let repeated = browser.post("/invite", &[("link", link)]).await;
        assert_eq!(repeated.status, 404, "{link}");
    }
    assert_eq!(stranger.get("/o/acme").await.status, 200);
    assert!(!log::text().contains(&link));
}

/// An invitation for one address is only for that user, and a member needs none.
#[actix_web::test]
async fn invitation_for_an_address_is_only_for_that_user() {
    let Company {
        test,
        mut owner,
        mut member,
        mut stranger,
        ..
    } = Company::new().await;
    let fields = [("role", "member"), ("email", "Charles@Example.com")];
    let link = invite(&mut owner, &fields).await;
    let page = stranger.post("/invite", &[("link", &link)]).await;
    assert_eq!(page.status, 422);
    assert!(page.contains("The invitation is for another email address."));
    let mut guest = test.browser();
    let page = guest.get(&format!("/invite?link={link}")).await;
    assert_eq!(page.field("email").as_deref(), Some("charles@example.com"));
    let new = [
        ("link", link.as_str()),
        ("name", "Mallory"),
        ("email", "mallory@example.com"),
        ("password", NEW),
    ];
    let page = guest.post("/invite/account", &new).await;
    assert_eq!(page.status, 422);
    assert!(page.contains("The invitation is for another email address."));
    assert_eq!(test.count("users", "email = 'mallory@example.com'"), 0);

    let open = invite(&mut owner, &[("role", "member")]).await;
    let members = test.count("membership", "1 = 1");
    let page = member.get(&format!("/invite?link={open}")).await;
    assert!(page.contains("You are already a member of Acme"));
    let page = member.post("/invite", &[("link", &open)]).await;
    assert!(page.contains("You are already a member of Acme"));
    assert_eq!(test.count("membership", "1 = 1"), members);
    assert_eq!(
        stranger.get(&format!("/invite?link={open}")).await.status,
        200
    );
}

/// AUZ: roles that may invite; withdrawn or expired invitations are invalid.
#[actix_web::test]
async fn admins_invite_and_withdraw_and_links_expire() {
    let Company {
        test,
        mut owner,
        mut admin,
        mut member,
        mut stranger,
        ..
    } = Company::new().await;
    let path = "/o/acme/invitations";
    assert_role(&member.post(path, &[("role", "member")]).await, "admin");
    assert_eq!(stranger.post(path, &[("role", "member")]).await.status, 403);
    assert_role(&admin.post(path, &[("role", "owner")]).await, "owner");
    for (field, fields) in [
        ("role", [("role", "boss"), ("email", "")]),
        ("email", [("role", "member"), ("email", "nobody")]),
    ] {
        let page = admin.post(path, &fields).await;
        assert_eq!(page.status, 422, "{field}");
        assert!(page.contains(&format!(r#"id="{field}-error""#)), "{field}");
    }
    let link = invite(&mut admin, &[("role", "member")]).await;
    let members = owner.get("/o/acme/members").await;
    let id = after(&members.body, "/o/acme/invitations/", '/');
    let withdraw = format!("{path}/{id}/withdraw");
    assert_role(&member.get(&withdraw).await, "admin");
    assert_role(&member.post(&withdraw, &[]).await, "admin");
    assert!(
        owner
            .get(&withdraw)
            .await
            .contains("Withdraw the invitation?")
    );
    for _ in 0..2 {
        let done = owner.post(&withdraw, &[]).await;
        assert_eq!(done.location(), "/o/acme/members?done=withdrawn");
    }
    assert_eq!(owner.get(&withdraw).await.status, 404);
    assert_eq!(
        stranger.get(&format!("/invite?link={link}")).await.status,
        404
    );

    let link = invite(&mut admin, &[("role", "member")]).await;
    let mut guest = test.browser();
    assert_eq!(guest.get(&format!("/invite?link={link}")).await.status, 200);
    test.clock.advance(7 * 86_400);
    assert_eq!(guest.get(&format!("/invite?link={link}")).await.status, 404);
}

/// Reloading the page with the link creates no second invitation, even after the first is
/// accepted.
#[actix_web::test]
async fn form_sent_repeatedly_creates_one_invitation() {
    let Company {
        test, mut owner, ..
    } = Company::new().await;
    let page = owner.get("/o/acme/members").await;
    let form_nonce = page.field("form_nonce").unwrap();
    let fields = [("role", "member"), ("form_nonce", form_nonce.as_str())];
    let link = invite(&mut owner, &fields).await;
    let made = || test.events("invitation.created");
    let repeated = owner.post("/o/acme/invitations", &fields).await;
    assert!(repeated.contains("The link was shown") && !repeated.contains("/invite?link="));
    assert_eq!(made(), 1);
    let mut guest = test.browser();
    guest.get(&format!("/invite?link={link}")).await;
    let user = [
        ("link", link.as_str()),
        ("name", "Charles"),
        ("email", "charles@example.com"),
        ("password", NEW),
    ];
    assert_eq!(guest.post("/invite/account", &user).await.status, 303);
    guest.sign_in("charles@example.com", NEW).await;
    guest.get(&format!("/invite?link={link}")).await;
    let joined = guest.post("/invite", &[("link", &link)]).await;
    assert_eq!(joined.location(), "/o/acme?done=joined");
    let repeated = owner.post("/o/acme/invitations", &fields).await;
    assert_eq!((repeated.status, made()), (303, 1));
    // A reloaded form creates another, and so does one with an invalid nonce.
    let page = owner.get("/o/acme/members").await;
    let next = page.field("form_nonce").unwrap();
    invite(&mut owner, &[("role", "member"), ("form_nonce", &next)]).await;
    invite(&mut owner, &[("role", "member"), ("form_nonce", "x")]).await;
    assert_eq!(made(), 3);
}

/// The invitations next to the members have their own pages.
#[actix_web::test]
async fn open_invitations_are_listed_in_pages() {
    let Company {
        test, mut owner, ..
    } = Company::new().await;
    for i in 0..52 {
        let email = format!("guest{i}@example.com");
        invite(&mut owner, &[("role", "member"), ("email", &email)]).await;
        test.clock.advance_ms(1);
    }
    let page = owner.get("/o/acme/members").await;
    assert!(page.contains("guest51@") && page.contains("guest2@") && !page.contains("guest1@"));
    let next = after(&page.body, "/o/acme/members?invited=", '"');
    let page = owner.get(&format!("/o/acme/members?invited={next}")).await;
    assert!(page.contains("guest1@") && page.contains("guest0@") && !page.contains("guest2@"));
}

//! `/o/{org}/audit`: the audit log of an organization; `/account/activity`: that of a user.

use super::{Company, assert_no_access, assert_role};
use crate::support::browser::{Browser, Page};
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::domain::audit::export;
use doorcode::domain::role::Role;

const AUDIT: &str = "/o/acme/audit";

/// The text of a page without its markup.
pub fn said(page: &Page) -> String {
    let (_, main) = page.body.split_once("<main").unwrap();
    let mut text = String::new();
    for piece in main.split('<') {
        text += piece.split_once('>').map_or(piece, |(_, text)| text);
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sequence numbers of the records on a page, from the top.
fn places(page: &Page) -> Vec<u64> {
    let rows = page.body.split(r#"<p id="event-"#).skip(1);
    rows.map(|row| row.split('"').next().unwrap().parse().unwrap())
        .collect()
}

/// Follows the pager to its end; returns all pages.
async fn all_pages(browser: &mut Browser, path: &str) -> Vec<Page> {
    let mut pages = vec![browser.get(path).await];
    loop {
        let last = pages.last().unwrap();
        assert_eq!(last.status, 200, "{}", last.body);
        if !last.contains(r#"rel="next""#) {
            return pages;
        }
        let (before, _) = last.body.split_once(r#"" rel="next""#).unwrap();
        let (_, path) = before.rsplit_once('"').unwrap();
        let next = browser.get(&path.replace("&#38;", "&")).await;
        pages.push(next);
    }
}

/// CONTRACT 4 and 6: admins and owners read the log in plain words.
#[actix_web::test]
async fn only_admins_and_owners_read_the_log() {
    let Company {
        mut owner,
        mut admin,
        mut member,
        member_id,
        mut stranger,
        test,
        ..
    } = Company::new().await;
    let role = format!("/o/acme/members/{member_id}/role");
    owner.post(&role, &[("role", "admin")]).await;
    owner.post(&role, &[("role", "member")]).await;
    let fields = [("name", "Website")];
    admin.post("/o/acme/projects/new", &fields).await;
    let fields = [("name", "deploy"), ("expires", "never")];
    admin.post("/o/acme/settings/api-tokens/new", &fields).await;
    test.clock.advance(180);

    let page = admin.get(AUDIT).await;
    assert_eq!(page.status, 200);
    let text = said(&page);
    for sentence in [
        "Ada created the token deploy",
        "Ada created the project Website",
        "Ada changed the role of Ada from member to admin",
        "Ada changed the role of Ada from admin to member",
        "The operator added Ada as admin",
        "127.0.0.1",
        "Sunday, 22 November 2026",
        "12:00:00",
        "token.created",
    ] {
        assert!(text.contains(sentence), "{sentence}: {text}");
    }
    assert!(page.contains(r#"title="2026-11-22 12:00:00 UTC""#));
    assert!(text.find("created the token deploy") < text.find("created the project Website"));
    assert!(!text.contains("Rival"), "another organization's: {text}");
    assert_eq!(owner.get(AUDIT).await.status, 200);

    assert_role(&member.get(AUDIT).await, "admin");
    let export = "/audit/export?format=ndjson";
    assert_role(&member.get(&format!("/o/acme{export}")).await, "admin");
    for path in ["/audit", export] {
        let (here, nowhere) = (format!("/o/acme{path}"), format!("/o/nobody{path}"));
        assert_no_access(&mut stranger, &here, &nowhere).await;
    }
    assert_eq!(test.browser().get(AUDIT).await.status, 303);
}

/// AUD-15: reading the log is recorded too.
#[actix_web::test]
async fn reading_is_recorded() {
    let test = TestApp::start().await;
    let mut owner = test.user().await;
    owner.get(&format!("{AUDIT}?action=token")).await;
    owner.get(&format!("{AUDIT}/export?format=ndjson")).await;
    owner.get("/account/activity").await;
    assert_eq!(test.events("audit.read"), 2);
    assert_eq!(test.events("audit.exported"), 1);
    let text = said(&owner.get(AUDIT).await);
    assert!(text.contains("Ada exported the audit log"), "{text}");
    assert!(text.contains("Ada viewed the audit log"), "{text}");
}

/// Each filter keeps only matching records, and an empty page suggests the next step.
#[actix_web::test]
async fn log_can_be_filtered() {
    let Company {
        mut admin,
        admin_id,
        test,
        ..
    } = Company::new().await;
    admin
        .post("/o/acme/projects/new", &[("name", "Website")])
        .await;
    test.clock.advance(2 * 86_400);
    // The earlier session has expired.
    let mut owner = test.user().await;
    owner.get("/account").await;
    let fields = [("name", "deploy"), ("expires", "never")];
    owner.post("/o/acme/settings/api-tokens/new", &fields).await;
    let id = test.database.text("SELECT id FROM token");
    let (made, project) = ("created the token", "created the project");
    for (query, shown, hidden) in [
        ("action=token".to_owned(), made, project),
        ("action=project.created".to_owned(), project, made),
        (format!("actor={admin_id}"), project, made),
        ("actor=operator".to_owned(), "The operator added", made),
        (format!("token={id}"), made, project),
        ("from=2026-11-24".to_owned(), made, project),
        ("to=2026-11-23".to_owned(), project, made),
        ("from=2026-11-22&to=2026-11-22".to_owned(), project, made),
        (
            format!("action=token&actor={admin_id}"),
            "No records found",
            made,
        ),
        ("actor=%27+OR+1%3D1".to_owned(), "No records found", made),
    ] {
        let page = owner.get(&format!("{AUDIT}?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        let text = said(&page);
        assert!(text.contains(shown), "{query}: {text}");
        assert!(!text.contains(hidden), "{query}: {text}");
        assert!(page.contains("Clear filters"), "{query}");
    }
    let page = owner.get(&format!("{AUDIT}?from=yesterday")).await;
    assert_eq!(page.status, 422);
    assert!(page.contains(r#"id="from-error""#), "{}", page.body);
    let path = format!("{AUDIT}/export?format=ndjson&from=yesterday");
    assert_eq!(owner.get(&path).await.status, 400);
    let path = format!("{AUDIT}/export?format=pdf");
    assert_eq!(owner.get(&path).await.status, 400);
    // The export link keeps the whole filter.
    let page = owner.get(&format!("{AUDIT}?action=token")).await;
    assert!(page.contains("format=ndjson&action=token"), "{}", page.body);
}

/// The pager shows every record once, the latest first.
#[actix_web::test]
async fn pager_shows_every_record_once() {
    let test = TestApp::start().await;
    let mut owner = test.user().await;
    owner.get("/account").await;
    for n in 0..120 {
        let name = format!("Name {n}");
        owner.post("/o/acme/name", &[("name", &name)]).await;
    }
    let path = format!("{AUDIT}?action=organization.renamed&to=2026-11-22");
    let pages = all_pages(&mut owner, &path).await;
    assert_eq!(pages.len(), 3);
    let shown: Vec<_> = pages.iter().flat_map(places).collect();
    assert_eq!(shown.len(), 120);
    assert!(shown.windows(2).all(|two| two[0] > two[1]), "{shown:?}");
    assert!(said(&pages[0]).contains("from Name 118 to Name 119"));
    for nonsense in ["before=x", "before=-1", "before=99999999999999999999"] {
        let page = owner.get(&format!("{AUDIT}?{nonsense}")).await;
        assert_eq!(places(&page).len(), 50, "{nonsense}");
    }
}

/// AUD-09, AUD-16: an export can be verified on its own.
#[actix_web::test]
async fn export_can_be_verified() {
    let test = TestApp::start().await;
    let mut owner = test.user().await;
    owner.get("/account").await;
    for name in ["One", "Two"] {
        owner.post("/o/acme/projects/new", &[("name", name)]).await;
    }
    for (query, count) in [("", 4), ("&action=project", 2), ("&action=moon", 0)] {
        let path = format!("{AUDIT}/export?format=ndjson{query}");
        let file = owner.get(&path).await;
        assert_eq!(file.status, 200);
        assert_eq!(file.headers["content-type"], "application/x-ndjson");
        let disposition = &file.headers["content-disposition"];
        assert_eq!(disposition, r#"attachment; filename="acme-audit.ndjson""#);
        let report = export::verify(file.body.as_bytes(), std::iter::empty(), &[]).unwrap();
        assert!(
            report.first_discrepancy.is_none(),
            "{:?}",
            report.first_discrepancy
        );
        let readings = file.body.matches(r#""action":"audit."#).count();
        let lines = file.body.lines().count();
        assert_eq!(lines - 1 - readings, count, "{query}: {}", file.body);
        let edited = file.body.replacen("One", "Eve", 1);
        let report = export::verify(edited.as_bytes(), std::iter::empty(), &[]).unwrap();
        assert_eq!(report.first_discrepancy.is_some(), count > 0, "{query}");
    }
}

/// A user's own sign-ins, successful and failed, with their origin.
#[actix_web::test]
async fn users_see_their_own_activity() {
    let test = TestApp::start().await;
    let mut thief = test.browser();
    thief.set_header("user-agent", "curl/8.5.0");
    assert_eq!(thief.try_sign_in(EMAIL, "a wrong one").await.status, 401);
    test.settle().await;
    let mut browser = test.browser();
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    browser.set_header("user-agent", agent);
    browser.sign_in(EMAIL, PASSWORD).await;
    browser.new_token("laptop", &[], "never").await;
    let device = test.device("tokens:read").await;
    browser.approve(&device.user_code, &["tokens:read"]).await;
    browser.get("/account").await;
    assert!(
        browser
            .get("/account")
            .await
            .contains(r#"href="/account/activity""#)
    );
    let page = browser.get("/account/activity").await;
    assert_eq!(page.status, 200);
    let text = said(&page);
    for sentence in [
        "Anonymous tried to sign in as Ada Denied not signed in",
        "curl/8.5.0",
        "You signed in",
        "Firefox on Linux",
        "You created the token laptop",
        "You approved a device",
    ] {
        assert!(text.contains(sentence), "{sentence}: {text}");
    }
    let end = browser.get("/account/activity?before=1").await;
    assert!(end.contains("Back to the latest"), "{}", end.body);
    assert_eq!(test.browser().get("/account/activity").await.status, 303);
}

/// A user's own log has the same filters as that of an organization.
#[actix_web::test]
async fn own_activity_can_be_filtered() {
    let test = TestApp::start().await;
    let mut thief = test.browser();
    assert_eq!(thief.try_sign_in(EMAIL, "a wrong one").await.status, 401);
    test.settle().await;
    test.clock.advance(86_400);
    let mut browser = test.browser();
    browser.sign_in(EMAIL, PASSWORD).await;
    browser.new_token("laptop", &[], "never").await;
    let id = test.database.text("SELECT id FROM token");
    let own = test.database.text("SELECT user_id FROM token");
    let (made, tried) = ("You created the token laptop", "tried to sign in as");
    let path = "/account/activity";
    for (query, shown, hidden) in [
        ("action=token".to_owned(), made, tried),
        ("action=session".to_owned(), tried, made),
        (format!("token={id}"), made, tried),
        (format!("actor={own}"), made, tried),
        ("actor=anonymous".to_owned(), tried, made),
        ("from=2026-11-23".to_owned(), made, tried),
        ("to=2026-11-22".to_owned(), tried, made),
        (
            "actor=operator&action=token".to_owned(),
            "No records found",
            made,
        ),
    ] {
        let page = browser.get(&format!("{path}?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        let text = said(&page);
        assert!(text.contains(shown), "{query}: {text}");
        assert!(!text.contains(hidden), "{query}: {text}");
        assert!(page.contains("Clear filters"), "{query}");
    }
    let page = browser.get(&format!("{path}?to=tomorrow")).await;
    assert_eq!(page.status, 422);
    assert!(page.contains(r#"id="to-error""#), "{}", page.body);
    // A name links to its records, and the pager keeps the filter.
    let page = browser.get(path).await;
    assert!(page.contains(&format!(r#"href="{path}?token={id}">laptop</a>"#)));
    for n in 0..60 {
        let name = format!("Name {n}");
        browser.post("/o/acme/name", &[("name", &name)]).await;
    }
    let pages = all_pages(&mut browser, &format!("{path}?action=organization.renamed")).await;
    let shown: Vec<_> = pages.iter().flat_map(places).collect();
    assert_eq!((pages.len(), shown.len()), (2, 60));
}

/// Members do not see the network addresses of admins.
#[actix_web::test]
async fn network_address_of_other_users_is_hidden() {
    let Company {
        test: _test,
        mut owner,
        mut member,
        member_id,
        ..
    } = Company::new().await;
    owner.set_header("user-agent", "AdminBrowser/7");
    let role = format!("/o/acme/members/{member_id}/role");
    owner.post(&role, &[("role", "admin")]).await;
    let page = member.get("/account/activity").await;
    let text = said(&page);
    assert!(
        text.contains("Ada changed the role of Ada from member to admin"),
        "{text}"
    );
    assert!(text.contains("in Acme"), "{text}");
    assert!(!page.contains("AdminBrowser"), "{text}");
    let (_, row) = page.body.split_once("changed the role of").unwrap();
    let (row, _) = row.split_once("</tr>").unwrap();
    assert!(
        row.contains("Not known") && !row.contains("127.0.0.1"),
        "{row}"
    );
    // The log of the organization shows it.
    assert!(owner.get(AUDIT).await.contains("AdminBrowser/7"));
}

/// A chosen name is shown as it is, even if it is the id of a user that the reader cannot see.
#[actix_web::test]
async fn name_that_looks_like_an_id_reveals_no_name() {
    let test = TestApp::start().await;
    let away = Some(("Away", Role::Member));
    test.add_user("eve@example.com", PASSWORD, away).await;
    test.database
        .execute("UPDATE users SET name = 'Evelyn' WHERE email = 'eve@example.com'");
    let victim = test
        .database
        .text("SELECT id FROM users WHERE name = 'Evelyn'");
    let mut owner = test.user().await;
    owner.get("/account").await;
    let fields = [("name", victim.as_str()), ("expires", "never")];
    owner.post("/o/acme/settings/api-tokens/new", &fields).await;
    owner
        .post("/o/acme/projects/new", &[("name", &victim)])
        .await;
    owner.post("/o/acme/name", &[("name", &victim)]).await;
    let page = owner.get(AUDIT).await;
    let text = said(&page);
    for sentence in [
        format!("Ada created the token {victim}"),
        format!("Ada created the project {victim}"),
        format!("Ada renamed the organization from Acme to {victim}"),
    ] {
        assert!(text.contains(&sentence), "{sentence}: {text}");
    }
    assert!(!page.contains("Evelyn"), "{text}");
}

/// A name in the log links to all records about it.
#[actix_web::test]
async fn names_link_to_their_records() {
    let test = TestApp::start().await;
    let mut owner = test.user().await;
    owner.get("/account").await;
    let fields = [("name", "deploy"), ("expires", "never")];
    owner.post("/o/acme/settings/api-tokens/new", &fields).await;
    test.add_user("bob@example.com", PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let page = owner.get(AUDIT).await;
    let token = test.database.text("SELECT id FROM token");
    assert!(page.contains(&format!(r#"href="/o/acme/audit?token={token}">deploy</a>"#)));
    let bob = test
        .database
        .text("SELECT id FROM users WHERE email = 'bob@example.com'");
    assert!(page.contains(&format!(r#"href="/o/acme/audit?actor={bob}">Ada</a>"#)));
}

//! `/tokens`: the filter, the search and the order of the list.

use crate::support::browser::{Browser, Page};
use crate::support::{PASSWORD, TestApp};
use doorcode::domain::role::Role;

const DAY: i64 = 86_400;

/// The names in the list, from top to bottom.
fn names(page: &Page) -> Vec<&str> {
    assert_eq!(page.status, 200);
    let rows = page.body.split(r#"<a class="rowlink" href="/tokens/"#);
    rows.skip(1)
        .map(|row| row.split_once('>').unwrap().1.split_once('<').unwrap().0)
        .collect()
}

async fn listed(browser: &mut Browser, query: &str) -> Vec<String> {
    let page = browser.get(&format!("/tokens{query}")).await;
    names(&page).into_iter().map(str::to_owned).collect()
}

async fn use_once(test: &TestApp, token: &str) {
    assert_eq!(test.me(token).await.status(), 200);
    test.settle().await;
}

/// Chips count the parts, and each token is in its part.
#[actix_web::test]
async fn tokens_are_filtered_searched_and_sorted() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let backup = browser.new_token("Backup", &["orgs:read"], "30d").await;
    test.clock.advance(1);
    let deploy = browser.new_token("deploy", &["projects:read"], "90d").await;
    test.clock.advance(1);
    browser.new_token("Cron job", &[], "never").await;
    use_once(&test, &backup).await;
    test.clock.advance(60);
    use_once(&test, &deploy).await;

    assert_eq!(
        listed(&mut browser, "").await,
        ["deploy", "Backup", "Cron job"]
    );
    for (query, expected) in [
        ("?sort=name", ["Backup", "Cron job", "deploy"]),
        ("?sort=expires", ["Backup", "deploy", "Cron job"]),
        ("?sort=newest", ["Cron job", "deploy", "Backup"]),
        (
            "?sort=bogus&show=bogus&page=x",
            ["deploy", "Backup", "Cron job"],
        ),
        ("?page=99999999", ["deploy", "Backup", "Cron job"]),
    ] {
        assert_eq!(listed(&mut browser, query).await, expected, "{query}");
    }
    let hint = &deploy[deploy.len() - 4..];
    for (query, expected) in [
        ("?q=DEPLOY", vec!["deploy"]),
        ("?q=read+orgs", vec!["Backup"]),
        ("?q=%25", vec![]),
        (&format!("?q={hint}"), vec!["deploy"]),
    ] {
        assert_eq!(listed(&mut browser, query).await, expected, "{query}");
    }
    let page = browser.get("/tokens?q=%22%3E%3Cb%3E").await;
    assert!(page.contains("No token found") && !page.contains("\"><b>"));

    // Those that expire soon need attention; revoked ones have ended.
    test.clock.advance(24 * DAY);
    let mut browser = test.user().await;
    let page = browser.get("/tokens?show=attention").await;
    assert_eq!(names(&page), ["Backup"]);
    assert!(page.contains(r#"Active <span class="muted">3</span>"#));
    assert!(page.contains(r#"Needs attention <span class="muted">1</span>"#));
    assert!(page.contains(r#"Ended <span class="muted">0</span>"#));
    test.clock.advance(7 * DAY);
    let mut browser = test.user().await;
    assert_eq!(listed(&mut browser, "?show=ended").await, ["Backup"]);
    browser.post("/tokens/revoke-all", &[]).await;
    let page = browser.get("/tokens").await;
    assert!(page.contains("No active tokens") && !page.contains("/revoke-all\""));
    let ended = listed(&mut browser, "?show=ended&sort=name").await;
    assert_eq!(ended, ["Backup", "Cron job", "deploy"]);
}

/// The form is a plain GET: what is chosen stays chosen, also on the next page.
#[actix_web::test]
async fn pages_keep_the_filter() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    for number in 0..53 {
        browser
            .new_token(&format!("t {number:02}"), &[], "30d")
            .await;
    }
    browser.new_token("other", &[], "30d").await;
    let first = browser.get("/tokens?q=t+&sort=name").await;
    assert!(first.contains("1–50 of 54"), "{}", first.body);
    let first = browser.get("/tokens?q=dc_&sort=name").await;
    let next = "/tokens?q=dc_&#38;sort=name&#38;page=2";
    assert!(first.contains(&format!(r#"href="{next}" rel="next""#)));
    let second = browser.get(&next.replace("&#38;", "&")).await;
    assert_eq!(names(&second), ["t 49", "t 50", "t 51", "t 52"]);
    assert!(second.contains(r#"name="q" type="search" value="dc_""#));
    assert!(second.contains(r#"<option value="name" selected>"#));
    assert!(second.contains("51–54 of 54"));
    assert!(second.contains(r#"href="/tokens?q=dc_&#38;sort=name" rel="prev""#));
}

/// A user's list has no tokens of others, whatever is searched for.
#[actix_web::test]
async fn search_finds_only_tokens_of_the_owner() {
    let test = TestApp::start().await;
    let mut ada = test.user().await;
    ada.new_token("secret plan", &[], "30d").await;
    test.add_user("eve@example.com", PASSWORD, Some(("Rival", Role::Owner)))
        .await;
    let mut eve = test.browser();
    eve.sign_in("eve@example.com", PASSWORD).await;
    for query in ["?q=secret", "?q=plan&show=ended", "?show=attention"] {
        let page = eve.get(&format!("/tokens{query}")).await;
        assert!(names(&page).is_empty(), "{query}");
        assert!(!page.contains("secret plan"));
    }
}

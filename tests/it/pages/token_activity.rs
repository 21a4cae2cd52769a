//! `/tokens/{id}` and its counterpart for organization tokens: the uses of a token.

use super::audit::said;
use super::{Company, after, assert_no_access, assert_role};
use crate::support::TestApp;
use crate::support::browser::{Browser, Page};

/// The page of the only token, or of the newest.
async fn page(test: &TestApp, browser: &mut Browser) -> Page {
    test.settle().await;
    let id = newest(test);
    let page = browser.get(&format!("/tokens/{id}")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    page
}

fn newest(test: &TestApp) -> String {
    test.database.text("SELECT max(id) FROM token")
}

async fn ask(test: &TestApp, token: &str, path: &str) -> u16 {
    let request = test.anon().get(test.at(path)).bearer_auth(token);
    request.send().await.unwrap().status().as_u16()
}

/// Issue 4, item 5: time and origin of each use.
#[actix_web::test]
async fn every_use_is_shown_with_its_result() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let token = browser.new_token("laptop", &["orgs:read"], "never").await;
    let unused = page(&test, &mut browser).await;
    let text = said(&unused);
    assert!(text.contains("Never used"), "{text}");
    assert!(text.contains("No use in 30 days."), "{text}");
    assert!(text.contains("You created the token laptop"), "{text}");

    assert_eq!(ask(&test, &token, "/v1/me").await, 200);
    test.clock.advance(86_400);
    assert_eq!(ask(&test, &token, "/v1/orgs").await, 200);
    assert_eq!(ask(&test, &token, "/v1/projects").await, 403);
    // The earlier session has expired.
    let mut browser = test.user().await;
    let used = page(&test, &mut browser).await;
    let text = said(&used);
    for shown in [
        "GET /v1/me",
        "GET /v1/orgs",
        "GET /v1/orgs orgs:read 127.0.0.1",
        "GET /v1/projects Denied: insufficient_scope projects:read 127.0.0.1",
        "3 uses in 30 days, 2 on the busiest, 23 November 2026.",
        "22 November 2026: 1",
        "23 November 2026: 2",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    // The chart has a name, a description, and an equivalent table.
    assert!(used.contains(r#"<figure class="section chart" aria-label="3 uses in 30 days"#));
    assert_eq!(used.body.matches(r#""><title>"#).count(), 30);
    assert_eq!(used.body.matches(r#"<tr><th scope="row">"#).count(), 30);
    assert_eq!(test.events("audit.read"), 2, "looking is recorded");

    let list = browser.get("/tokens").await;
    let link = format!(
        r#"<a class="rowlink" href="/tokens/{}">laptop</a>"#,
        newest(&test)
    );
    assert!(list.contains(&link), "{}", list.body);
}

/// The pager shows every use once, the latest first.
#[actix_web::test]
async fn pager_shows_every_use_once() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let token = browser.new_token("busy", &[], "never").await;
    // Batches with many uses and with one; each request id contains the number of the use.
    for n in 0..120 {
        let request = test.anon().get(test.at("/v1/me")).bearer_auth(&token);
        assert_eq!(request.send().await.unwrap().status(), 200);
        test.clock.advance(60);
        if n % 40 == 39 || n > 115 {
            test.settle().await;
        }
    }
    let id = newest(&test);
    let (mut path, mut times, mut pages) = (format!("/tokens/{id}"), Vec::new(), 0);
    loop {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200);
        pages += 1;
        let rows = page
            .body
            .split(r#"<th role="rowheader" scope="row" class="when"><time datetime=""#);
        times.extend(
            rows.skip(1)
                .map(|row| row.split('"').next().unwrap().to_owned()),
        );
        if !page.contains(r#"rel="next""#) {
            break;
        }
        path = format!("/tokens/{id}?after={}", after(&page.body, "?after=", '"'));
    }
    assert_eq!((pages, times.len()), (3, 120));
    assert!(times.windows(2).all(|two| two[0] > two[1]), "{times:?}");
}

/// Issue 4, item 5: was the old token still used after the rollout?
#[actix_web::test]
async fn replaced_token_shows_whether_it_is_still_used() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let token = browser.new_token("laptop", &[], "never").await;
    let old = newest(&test);
    assert_eq!(ask(&test, &token, "/v1/me").await, 200);
    test.clock.advance(3600);
    let rotate = format!("/tokens/{old}/rotate");
    let made = browser.post(&rotate, &[("overlap", "24h")]).await;
    assert_eq!(made.status, 200);
    let new = newest(&test);
    test.settle().await;
    let quiet = browser.get(&format!("/tokens/{old}")).await;
    assert!(
        said(&quiet).contains("Not used since it was replaced"),
        "{}",
        quiet.body
    );
    assert!(quiet.contains(&format!("href=\"/tokens/{new}\"")));
    let text = said(&quiet);
    assert!(text.contains("You rotated the token laptop"), "{text}");

    test.clock.advance(60);
    assert_eq!(ask(&test, &token, "/v1/me").await, 200);
    test.clock.advance(3 * 3600);
    test.settle().await;
    let text = said(&browser.get(&format!("/tokens/{old}")).await);
    assert!(
        text.contains("Last used 3 hours ago , after it was replaced."),
        "{text}"
    );
    let page = browser.get(&format!("/tokens/{new}")).await;
    let text = said(&page);
    assert!(
        text.contains("The old token is still used: last 3 hours ago"),
        "{text}"
    );
    assert!(text.contains("to replace an older one"), "{text}");
    assert!(page.contains(&format!("href=\"/tokens/{old}\"")));
}

/// The end of a token and the user who ended it; later attempts with it are shown.
#[actix_web::test]
async fn ended_token_shows_its_end() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let token = browser.new_token("laptop", &[], "never").await;
    browser.post("/tokens/revoke-all", &[]).await;
    assert_eq!(ask(&test, &token, "/v1/me").await, 401);
    let page = page(&test, &mut browser).await;
    let text = said(&page);
    assert!(
        text.contains("Ended just now Revoked by Ada, with all others"),
        "{text}"
    );
    assert!(text.contains("Denied: revoked"), "{text}");
    assert!(!page.contains("/rotate\"") && !page.contains("/revoke\""));
}

/// The recording of uses can be disabled; the page says so and shows the rest.
#[actix_web::test]
async fn page_states_that_uses_are_not_recorded() {
    let test = TestApp::with("[audit]\ntoken_use = \"off\"").await;
    let mut browser = test.user().await;
    let token = browser.new_token("laptop", &[], "never").await;
    assert_eq!(ask(&test, &token, "/v1/me").await, 200);
    let page = page(&test, &mut browser).await;
    assert!(page.contains("Token uses are not recorded."));
    assert!(
        said(&page).contains("Last used just now 127.0.0.1"),
        "{}",
        said(&page)
    );
}

/// The page is only for users who may see the token, and reveals nothing to others.
#[actix_web::test]
async fn token_is_visible_only_to_its_owner() {
    let Company {
        test,
        mut owner,
        mut admin,
        mut member,
        mut stranger,
        ..
    } = Company::new().await;
    member.new_token("laptop", &[], "never").await;
    let personal = format!("/tokens/{}", newest(&test));
    test.clock.advance(1);
    let fields = [("name", "deploy"), ("expires", "never")];
    owner.post("/o/acme/settings/api-tokens/new", &fields).await;
    let id = newest(&test);
    let tokens_page = "/o/acme/settings/api-tokens";
    let of_org = format!("{tokens_page}/{id}");
    assert_eq!(member.get(&personal).await.status, 200);
    for other in [&mut owner, &mut admin, &mut stranger] {
        assert_eq!(other.get(&personal).await.status, 404);
        assert_eq!(other.get(&format!("/tokens/{id}")).await.status, 404);
        assert_eq!(other.get("/tokens/tok_x").await.status, 404);
    }
    assert_role(&member.get(&of_org).await, "admin");
    assert_no_access(&mut stranger, &of_org, &of_org.replace("acme", "nobody")).await;
    let page = admin.get(&of_org).await;
    let text = said(&page);
    assert!(text.contains("Ada created the token deploy"), "{text}");
    assert!(page.contains(&format!("href=\"/o/acme/audit?token={id}\"")));
    let list = admin.get(tokens_page).await;
    assert!(list.contains(&format!(r#"href="{of_org}">deploy</a>"#)));
    assert_eq!(test.browser().get(&of_org).await.status, 303);
}

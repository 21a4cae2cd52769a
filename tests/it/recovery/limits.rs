//! The page for forgotten passwords reveals no users, and sends few messages.

use super::{NEW, assert_closed, forget, operator_link, reset_link, set_with, text, with_mail};
use crate::support::browser::Page;
use crate::support::database::AUDIT;
use crate::support::smtp::Sink;
use crate::support::{EMAIL, PASSWORD};
use crate::throttle::{BEHIND_PROXY, retry_after};
use reqwest::header::HeaderMap;

/// What a visitor sees of a response.
fn seen(page: &Page) -> (u16, HeaderMap, String) {
    let mut headers = page.headers.clone();
    for own in ["x-request-id", "date"] {
        headers.remove(own);
    }
    (page.status, headers, page.body.clone())
}

/// BRT-03: known, unknown, deactivated and unverified addresses get the same response.
#[actix_web::test]
async fn response_is_the_same_for_every_address() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let (gone, unproven) = ("gone@example.com", "unproven@example.com");
    for email in [gone, unproven] {
        test.add_user(email, PASSWORD, None).await;
    }
    test.deactivate(gone).await;
    let sql = format!("UPDATE users SET email_verified_at = NULL WHERE email = '{unproven}'");
    test.database.execute(&sql);
    let mut browser = test.browser();
    browser.get("/forgot").await;
    let mut all = Vec::new();
    for email in [EMAIL, "nobody@example.com", gone, unproven] {
        let asked = browser.post("/forgot", &[("email", email)]).await;
        let shown = browser.get(asked.location()).await;
        assert!(!shown.contains(email), "{email}");
        all.push((seen(&asked), seen(&shown)));
    }
    for other in &all[1..] {
        assert!(*other == all[0], "{other:?} {:?}", all[0]);
    }
    test.app.finish_background().await;
    assert_eq!(sink.next().header("To"), EMAIL);
    assert_eq!(test.count("account_link", "1 = 1"), 1);
    // Each attempt is recorded, without the address.
    let asked = "action = 'user.password_reset_requested'";
    assert_eq!(test.count(AUDIT, asked), 4);
    let (made, refused) = ("detail LIKE '%created%'", "detail LIKE '%refused%'");
    assert_eq!(test.count(AUDIT, &format!("{asked} AND {made}")), 1);
    assert_eq!(test.count(AUDIT, &format!("{asked} AND {refused}")), 3);

    let invalid = browser.post("/forgot", &[("email", "ada")]).await;
    assert_eq!(invalid.status, 422);
    assert!(invalid.contains(r#"value="ada""#) && invalid.contains("Enter an email address"));
    test.app.stop().await;
    assert!(sink.is_empty());
}

/// BRT-03: the response does not wait for work that depends on the address, so that its time reveals
/// nothing. The stop of the server waits for that work.
#[actix_web::test]
async fn request_does_the_same_work_for_every_address() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let mut browser = test.browser();
    let page = browser.get("/forgot").await;
    let (csrf, cookies) = (
        page.field("csrf").unwrap_or_default(),
        browser.cookies.clone(),
    );
    let cookies: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let content = test.database.content();
    let mut attempts = Vec::new();
    for email in ["nobody%40example.com", "ada%40example.com"] {
        let form = format!("csrf={csrf}&email={email}");
        let request = format!(
            "POST /forgot HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            test.url.replace("http://", ""),
            cookies.join("; "),
            form.len()
        );
        // This blocks the thread of the background tasks until the response is here.
        let answer = test.raw(&request);
        assert_eq!(answer.status, 303, "{answer:?}");
        let sum = "SELECT CAST(sum(attempts) AS TEXT) FROM throttle";
        attempts.push(test.database.text(sum));
        assert_eq!(test.events("user.password_reset_requested"), 0);
    }
    // Both wrote the counters of the source alone.
    assert_eq!(attempts, ["2", "4"]);
    assert_eq!(test.database.content(), content);
    assert_eq!(test.count("account_link", "1 = 1"), 0);
    test.app.stop().await;
    assert_eq!(test.events("user.password_reset_requested"), 2);
    assert_eq!(test.count("account_link", "1 = 1"), 1);
    assert_eq!(sink.next().header("To"), EMAIL);
    assert!(sink.is_empty());
}

/// An address gets three messages a day; the visitor does not see the limit.
#[actix_web::test]
async fn address_gets_three_letters_a_day() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let mut browser = test.browser();
    for email in [EMAIL, "ADA@example.com", EMAIL, EMAIL, "Ada@Example.com"] {
        let asked = forget(&test, &mut browser, email).await;
        assert_eq!((asked.status, asked.location()), (303, "/forgot?done=sent"));
    }
    let links: Vec<_> = (0..3).map(|_| reset_link(&text(&sink.next()))).collect();
    for old in &links[..2] {
        assert_eq!(
            browser.get(old).await.status,
            404,
            "a newer one replaced it"
        );
    }
    assert_eq!(browser.get(&links[2]).await.status, 200);
    assert_eq!(test.count("account_link", "1 = 1"), 1);
    test.clock.advance(24 * 3600);
    forget(&test, &mut browser, EMAIL).await;
    reset_link(&text(&sink.next()));
    test.app.stop().await;
    assert!(sink.is_empty());
}

/// A request on the page ends no link of the operator, but the use of any link ends all.
#[actix_web::test]
async fn visitor_ends_no_link_of_the_operator() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let of_operator = operator_link(&test).await;
    let mut browser = test.browser();
    let mut mailed = Vec::new();
    for _ in 0..2 {
        assert_eq!(forget(&test, &mut browser, EMAIL).await.status, 303);
        mailed.push(reset_link(&text(&sink.next())));
        assert_eq!(browser.get(&of_operator).await.status, 200);
    }
    assert_closed(&browser.get(&mailed[0]).await);
    assert_eq!(browser.get(&mailed[1]).await.status, 200);
    let newer = operator_link(&test).await;
    assert_closed(&browser.get(&of_operator).await);
    assert_eq!(browser.get(&mailed[1]).await.status, 200);
    let set = set_with(&mut browser, &mailed[1], NEW).await;
    assert_eq!(set.status, 303, "{}", set.body);
    assert_closed(&browser.get(&newer).await);
    assert_eq!(test.count("account_link", "1 = 1"), 0);
}

/// Beyond 1,000 requests of all sources in ten minutes each source has four in an hour, so that
/// strangers do not keep a user from a new password.
#[actix_web::test]
async fn requests_of_strangers_do_not_block_a_user() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, BEHIND_PROXY).await;
    let mut browser = test.browser();
    browser.set_header("x-forwarded-for", "203.0.113.7");
    forget(&test, &mut browser, "nobody@example.com").await;
    test.database
        .execute("UPDATE throttle SET attempts = 1000 WHERE key = 'reset'");
    browser.set_header("x-forwarded-for", "198.51.100.2");
    for number in 0..3 {
        let email = format!("nobody{number}@example.com");
        assert_eq!(forget(&test, &mut browser, &email).await.status, 303);
    }
    assert_eq!(forget(&test, &mut browser, EMAIL).await.status, 303);
    assert_eq!(sink.next().header("To"), EMAIL);
    let limited = browser.post("/forgot", &[("email", EMAIL)]).await;
    assert_eq!(retry_after(&limited), 3600);
    assert_eq!(test.events("user.password_reset_requested"), 5);
    test.clock.advance(600);
    assert_eq!(forget(&test, &mut browser, EMAIL).await.status, 303);
    assert_eq!(sink.next().header("To"), EMAIL);
    test.app.stop().await;
    assert!(sink.is_empty());
}

/// A source may send 20 requests an hour, for whatever addresses.
#[actix_web::test]
async fn source_is_limited_to_twenty_requests_an_hour() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, BEHIND_PROXY).await;
    let mut browser = test.browser();
    browser.set_header("x-forwarded-for", "203.0.113.7");
    browser.get("/forgot").await;
    for number in 0..20 {
        let email = format!("nobody{number}@example.com");
        let asked = browser.post("/forgot", &[("email", &email)]).await;
        assert_eq!(asked.status, 303, "{}", asked.body);
    }
    let limited = browser.post("/forgot", &[("email", EMAIL)]).await;
    assert_eq!(retry_after(&limited), 3600);
    browser.set_header("x-forwarded-for", "198.51.100.2");
    assert_eq!(forget(&test, &mut browser, EMAIL).await.status, 303);
    assert_eq!(sink.next().header("To"), EMAIL);
    browser.set_header("x-forwarded-for", "203.0.113.7");
    test.clock.advance(3600);
    assert_eq!(
        forget(&test, &mut browser, "nobody@example.com")
            .await
            .status,
        303
    );
}

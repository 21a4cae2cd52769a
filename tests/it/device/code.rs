//! A user enters a user code.

use super::BEHIND_PROXY;
use crate::support::browser::{Browser, Page};
use crate::support::database::AUDIT;
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::domain::role::Role;

const WRONG: &str = "This code is wrong, has expired or was already used";

/// DEV-24, DEV-25, T-08.
#[actix_web::test]
async fn any_spelling_of_a_code_is_accepted() {
    let test = TestApp::start().await;
    let code = test.device("").await.user_code;
    let (left, right) = code.split_once('-').unwrap();
    let wide: String = code
        .chars()
        .map(|c| char::from_u32(c as u32 + 0xfee0).unwrap())
        .collect();
    let dotted: Vec<String> = code.replace('-', "").chars().map(String::from).collect();
    let mut browser = test.user().await;
    for typed in [
        code.clone(),
        code.to_lowercase(),
        code.replace('-', ""),
        code.replace('-', " "),
        format!("\r\n {code}\t\n"),
        format!("{left}\u{2013}{right}"),
        format!("{left}\u{2014}{right}"),
        format!("{left}\u{2212}{right}"),
        format!("{left}_{right}."),
        format!("«{code}»"),
        dotted.join("."),
        wide.clone(),
        wide.to_lowercase(),
    ] {
        let page = browser.type_code(&typed).await;
        assert_eq!(page.status, 200, "{typed:?}: {}", page.body);
        assert!(page.contains(&format!(">{code}<")), "{typed:?}");
    }
    assert_eq!(test.events("device.wrong_code"), 0);
}

/// DEV-25: malformed input costs neither a look-up nor an attempt.
#[actix_web::test]
async fn malformed_code_is_rejected_without_a_look_up() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let long = "W".repeat(10_000);
    for typed in [
        "WDJB",
        "WDJB-MJHTX",
        "WDJB-MJHA",
        "12345678",
        "🙂🙂🙂🙂🙂🙂🙂🙂",
        "W\u{301}D\u{301}J\u{301}",
        "ＷＤＪＢ－ＭＪＨ１",
        "\u{202e}THJMBJDW1",
        "<script>alert(1)</script>",
        &long,
    ] {
        let page = browser.type_code(typed).await;
        assert_eq!(page.status, 400, "{typed:?}");
        assert!(page.contains(WRONG), "{typed:?}");
        assert!(!page.contains("<script>alert"));
        assert!(page.body.len() < 10_000);
    }
    let page = browser.type_code(" ").await;
    assert_eq!(page.status, 422);
    assert!(page.contains("Enter the code that your device shows"));
    let page = browser.type_code("WDJB\0MJHT").await;
    assert_eq!(page.status, 400);
    assert_eq!(
        test.count("throttle", "key LIKE 'user_code%' AND attempts > 0"),
        0
    );
}

/// DEV-31, T-10: the response reveals nothing to an attacker who guesses codes.
#[actix_web::test]
async fn unknown_expired_used_and_denied_codes_get_the_same_response() {
    let test = TestApp::start().await;
    let expired = test.device("").await;
    test.clock.advance(601);
    let (used, denied, fetched) = (
        test.device("").await,
        test.device("").await,
        test.device("").await,
    );
    let mut owner = test.user().await;
    owner.approve(&used.user_code, &[]).await;
    owner.approve(&fetched.user_code, &[]).await;
    assert_eq!(test.poll(&fetched).await.status, 200);
    let consent = owner.type_code(&denied.user_code).await;
    owner.decide(&consent, "deny", &[]).await;

    // Another user, since the one who decided sees the result.
    test.add_user("eve@example.com", PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let mut browser = test.browser();
    browser.sign_in("eve@example.com", PASSWORD).await;
    let mut pages = Vec::new();
    let unknown = "BBBB-BBBB".to_owned();
    for code in [
        unknown,
        expired.user_code,
        used.user_code,
        denied.user_code,
        fetched.user_code,
    ] {
        let page = browser.type_code(&code).await;
        assert_eq!(page.status, 400);
        assert!(page.contains(WRONG));
        pages.push(page.body.replace(&code, "CODE"));
    }
    assert!(pages.iter().all(|page| *page == pages[0]));
    assert_eq!(test.events("device.wrong_code"), 5);
}

/// DEV-26, DEV-28, T-08: five wrong codes, in any spelling.
#[actix_web::test]
async fn user_has_five_wrong_codes_in_ten_minutes() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    let mut browser = test.user().await;
    for typed in [
        "BBBB-BBBB",
        "bbbbbbbb",
        "B.B.B.B.B.B.B.B",
        " bbbb bbbb ",
        "ＢＢＢＢＢＢＢＢ",
    ] {
        // A correct code in between is not counted and does not reset the count.
        assert_eq!(browser.type_code(&device.user_code).await.status, 200);
        assert_eq!(browser.type_code(typed).await.status, 400, "{typed}");
    }
    for typed in ["BBBB-BBBB", &device.user_code] {
        let page = browser.type_code(typed).await;
        assert_eq!(page.status, 429);
        assert_eq!(page.headers["retry-after"], "600");
    }
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
    test.clock.advance(599);
    let page = browser.type_code("BBBB-BBBB").await;
    assert_eq!(
        (page.status, &page.headers["retry-after"]),
        (429, &"1".parse().unwrap())
    );
    test.clock.advance(1);
    let device = test.device("").await;
    assert_eq!(browser.type_code(&device.user_code).await.status, 200);
}

/// DEV-28: after twenty wrong codes from one source, with any `X-Forwarded-For` that the attacker
/// sends, each of its users has one.
#[actix_web::test]
async fn users_of_a_source_with_twenty_wrong_codes_have_one_each() {
    let test = TestApp::with(BEHIND_PROXY).await;
    let mut browser = test.user().await;
    for i in 0..5 {
        let email = format!("user{i}@example.com");
        test.add_user(&email, PASSWORD, Some(("Acme", Role::Member)))
            .await;
        browser = test.browser();
        // The left part is sent by the attacker, the right one is added by the proxy.
        let forwarded = format!("192.0.2.{i}, 2001:db8::{i}");
        browser.set_header("x-forwarded-for", &forwarded);
        browser.sign_in(&email, PASSWORD).await;
        let wrong = if i < 4 { 5 } else { 0 };
        for _ in 0..wrong {
            assert_eq!(browser.type_code("BBBB-BBBB").await.status, 400);
        }
    }
    assert_eq!(browser.type_code("BBBB-BBBB").await.status, 400);
    assert_eq!(browser.type_code("BBBB-BBBB").await.status, 429);
    browser.set_header("x-forwarded-for", "2001:db8:0:1::1");
    assert_eq!(browser.type_code("BBBB-BBBB").await.status, 400);
}

/// Operations B18: a user whose browser lost the answer presses on with the code that they decided.
/// That is no guess, and shows the result again.
#[actix_web::test]
async fn code_that_the_user_decided_is_no_guess_and_shows_the_result() {
    let test = TestApp::start().await;
    let (approved, denied) = (test.device("").await, test.device("").await);
    let mut browser = test.user().await;
    browser.approve(&approved.user_code, &[]).await;
    let consent = browser.type_code(&denied.user_code).await;
    browser.decide(&consent, "deny", &[]).await;
    for _ in 0..6 {
        let page = browser.type_code(&approved.user_code).await;
        assert_eq!(page.status, 200);
        assert!(page.contains("can now act as you"), "{}", page.body);
        let page = browser.type_code(&denied.user_code).await;
        assert_eq!(page.status, 200);
        assert!(
            page.contains("has no access, and its code"),
            "{}",
            page.body
        );
    }
    assert_eq!(test.poll(&approved).await.status, 200);
    let page = browser.type_code(&approved.user_code).await;
    assert_eq!(page.status, 200, "also after the device has its token");
    let next = test.device("").await;
    assert_eq!(browser.type_code(&next.user_code).await.status, 200);
    assert_eq!(test.events("device.wrong_code"), 0);
    assert_eq!(test.events("device.approved"), 1);

    test.clock.advance(601);
    let expired = test.device("").await;
    browser.approve(&expired.user_code, &[]).await;
    test.clock.advance(601);
    assert_eq!(test.poll(&expired).await.error(), "expired_token");
    assert_eq!(browser.type_code(&expired.user_code).await.status, 410);
    assert_eq!(test.events("device.wrong_code"), 0);
}

/// Signs in on the page that a redirect leads to, and follows the next redirect.
async fn sign_in_at(browser: &mut Browser, redirect: &Page) -> Page {
    assert_eq!(redirect.status, 303);
    let login = browser.get(redirect.location()).await;
    let return_to = login
        .field("return_to")
        .unwrap()
        .replace("&amp;", "&")
        .replace("&#38;", "&");
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("return_to", &return_to),
    ];
    let back = browser.post("/login", &fields).await;
    assert_eq!(back.status, 303, "{}", back.body);
    browser.get(back.location()).await
}

/// DEV-18, DEV-30, DEV-32, A11-03.
#[actix_web::test]
async fn link_survives_the_sign_in_and_still_requires_the_button() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    let mut browser = test.browser();
    let link = device.link.strip_prefix(&test.url).unwrap();
    let redirect = browser.get(link).await;
    let page = sign_in_at(&mut browser, &redirect).await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.field("user_code").as_deref(),
        Some(device.user_code.as_str())
    );
    assert!(page.contains("I started this sign-in") && page.contains(">Approve</button>"));
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
}

/// DEV-30, A11-03. A typed code still counts as typed after the sign-in.
#[actix_web::test]
async fn code_typed_before_the_sign_in_is_not_requested_again() {
    let test = TestApp::start().await;
    let code = test.device("").await.user_code;
    let mut browser = test.browser();
    browser.get("/login").await;
    let redirect = browser
        .post("/device", &[("user_code", &code), ("via", "keyboard")])
        .await;
    assert!(redirect.location().starts_with("/login?return_to="));
    let page = sign_in_at(&mut browser, &redirect).await;
    assert_eq!(page.field("user_code").as_deref(), Some(code.as_str()));
    assert_eq!(page.field("via").as_deref(), Some("keyboard"));

    // The proof that the code was typed is bound to this browser and this code.
    let path = redirect.location().split_once("return_to=").unwrap().1;
    let path = path
        .replace("%2F", "/")
        .replace("%3F", "?")
        .replace("%3D", "=");
    let path = path
        .replace("%26", "&")
        .replace("%5F", "_")
        .replace("%2D", "-");
    assert_eq!(
        browser.get(&path).await.field("via").as_deref(),
        Some("keyboard")
    );
    let other_code = test.device("").await.user_code;
    let forged = browser.get(&path.replace(&code, &other_code)).await;
    assert!(forged.contains("I started this sign-in"), "it is a link");
    let elsewhere = test.user().await.get(&path).await;
    assert!(elsewhere.contains("I started this sign-in"), "it is a link");
}

/// DEV-36, T-12.
#[actix_web::test]
async fn opening_the_link_repeatedly_changes_nothing() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let path = device.link.strip_prefix(&test.url).unwrap();
    let mut browser = test.user().await;
    let mut prefetching = test.user().await;
    prefetching.set_header("sec-purpose", "prefetch");
    let events = test.count(AUDIT, "1 = 1");
    for _ in 0..20 {
        let page = browser.get(path).await;
        assert!(page.contains(">Approve</button>"), "{}", page.body);
        assert_eq!(browser.head(path).await.status, 200);
        let page = prefetching.get(path).await;
        assert!(page.status == 200 && !page.contains(">Approve</button>"));
        for decision in ["approve", "deny"] {
            let decide = format!(
                "/device/decide?user_code={}&decision={decision}",
                device.user_code
            );
            let page = browser.get(&decide).await;
            assert_eq!((page.status, page.location()), (303, "/device"));
        }
    }
    assert_eq!(test.count(AUDIT, "1 = 1"), events);
    assert_eq!(test.count("throttle", "key LIKE 'user_code%'"), 0);
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
}

/// A link of another site waits for the button, so that it cannot use up the user's guesses.
#[actix_web::test]
async fn link_of_another_site_uses_up_no_guess() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    browser.set_header("sec-fetch-site", "cross-site");
    for _ in 0..10 {
        let page = browser.get("/device?user_code=BBBB-BBBB").await;
        assert_eq!(page.field("via").as_deref(), Some("link"));
    }
    assert_eq!(test.count("throttle", "key LIKE 'user_code%'"), 0);
    let consent = test.user().await.type_code(&device.user_code).await;
    assert!(consent.contains(">Approve</button>"));
}

/// Wrong codes in links are guesses as typed ones are, and their end is the same for right ones.
#[actix_web::test]
async fn wrong_codes_in_links_are_counted() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let path = device.link.strip_prefix(&test.url).unwrap();
    let mut browser = test.user().await;
    for last in ["B", "C", "D", "F", "G"] {
        let page = browser
            .get(&format!("/device?user_code=BBBB-BBB{last}"))
            .await;
        assert!(page.contains("This code is wrong"), "{}", page.body);
    }
    assert_eq!(test.events("device.wrong_code"), 5);
    let page = browser.get(path).await;
    assert_eq!(page.status, 429);
    assert!(!page.contains(">Approve</button>"));
}

/// The log has the request of a device that was approved by link, before the approval.
#[actix_web::test]
async fn approval_by_link_is_recorded_with_its_request() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = browser
        .get(device.link.strip_prefix(&test.url).unwrap())
        .await;
    let (ticket, code) = (consent.field("ticket"), consent.field("user_code"));
    let fields = [
        ("ticket", ticket.as_deref().unwrap()),
        ("user_code", code.as_deref().unwrap()),
        ("scope", "tokens:read"),
        ("decision", "approve"),
        ("confirm", "yes"),
    ];
    let done = browser.post("/device/decide", &fields).await;
    assert!(done.contains("is signed in"), "{}", done.body);
    assert_eq!(test.poll(&device).await.status, 200);
    for (action, count) in [
        ("device.requested", 1),
        ("device.shown", 0),
        ("device.approved", 1),
    ] {
        assert_eq!(test.events(action), count, "{action}");
    }
    // The link now leads to the result.
    let again = browser
        .get(device.link.strip_prefix(&test.url).unwrap())
        .await;
    assert!(again.location().starts_with("/device/result?"));
}

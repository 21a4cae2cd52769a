//! One user or source that fills the queues of the hashing threads blocks no other.

use super::stranger;
use crate::support::browser::{Browser, Page};
use crate::support::{EMAIL, PASSWORD, TestApp};
use crate::throttle::{BEHIND_PROXY, WRONG, guess};
use doorcode::app::access::Caller;
use doorcode::app::user::{self, Named};
use doorcode::domain::secret::Secret;
use std::future::Future;
use tokio::sync::mpsc;

const EVE: &str = "eve@example.com";

/// One slow thread with a short queue.
async fn start() -> TestApp {
    let settings = "[sign_in]\nhash_threads = 1\nhash_queue = 4\nargon2_iterations = 10";
    let test = TestApp::with(&format!("{BEHIND_PROXY}\n{settings}")).await;
    test.add_user(EVE, PASSWORD, None).await;
    test
}

/// Sends all requests at the same time, and waits until one is answered that the server is busy.
async fn flood<F: Future<Output = Page> + 'static>(
    requests: impl IntoIterator<Item = F>,
) -> mpsc::UnboundedReceiver<Page> {
    let (sender, mut answers) = mpsc::unbounded_channel();
    for request in requests {
        let sender = sender.clone();
        actix_web::rt::spawn(async move {
            // The test may have ended.
            let _ = sender.send(request.await);
        });
    }
    while answers.recv().await.expect("the queue is full").status != 503 {}
    answers
}

/// A known browser of the innocent user, signed out.
async fn known_browser(test: &TestApp) -> Browser {
    let mut known = test.user().await;
    known.get("/account").await;
    known.post("/logout", &[]).await;
    known.get("/login").await;
    known
}

/// Browsers in which the user is signed in, each with its form open.
async fn signed_in(test: &TestApp, count: usize, form: &str) -> Vec<Browser> {
    let mut browsers = Vec::new();
    for _ in 0..count {
        let mut browser = test.browser();
        browser.sign_in(EVE, PASSWORD).await;
        assert_eq!(browser.get(form).await.status, 200);
        browsers.push(browser);
    }
    browsers
}

async fn post(
    mut browser: Browser,
    path: &'static str,
    fields: Vec<(&'static str, String)>,
) -> Page {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser.post(path, &fields).await
}

/// A user tries passwords in all their sessions.
#[actix_web::test]
async fn password_changes_of_one_user_do_not_fill_the_queue() {
    let test = start().await;
    let mut known = known_browser(&test).await;
    let own = signed_in(&test, 4, "/account").await;
    let requests = own.iter().cycle().take(20).map(|browser| {
        let fields = vec![
            ("current_password", WRONG.to_owned()),
            ("new_password", "copper lantern sandwich".to_owned()),
        ];
        post(browser.clone(), "/account/password", fields)
    });
    let _answers = flood(requests).await;
    assert_eq!(guess(&mut known, EMAIL, PASSWORD).await.status, 303);
}

/// A visitor sends one reset link many times.
#[actix_web::test]
async fn uses_of_one_reset_link_do_not_fill_the_queue() {
    let test = start().await;
    let mut known = known_browser(&test).await;
    let eve = Named::Email(EVE.to_owned());
    let link = user::create_reset(&test.req(&Caller::Operator(None)), eve)
        .await
        .unwrap()
        .link;
    let mut visitor = test.browser();
    visitor.get("/login").await;
    let requests = (0..20).map(|number| {
        let fields = vec![
            ("link", link.expose().to_owned()),
            ("new_password", format!("copper lantern sandwich {number}")),
        ];
        post(visitor.clone(), "/reset", fields)
    });
    let _answers = flood(requests).await;
    assert_eq!(guess(&mut known, EMAIL, PASSWORD).await.status, 303);
}

/// A user whose password the operator set sends it as the new one: at once, and then again and
/// again.
#[actix_web::test]
async fn replacements_of_a_temporary_password_do_not_fill_the_queue() {
    let test = start().await;
    let mut known = known_browser(&test).await;
    let eve = Named::Email(EVE.to_owned());
    let new = Secret::new(PASSWORD);
    user::set_temporary_password(&test.req(&Caller::Operator(None)), eve, &new)
        .await
        .unwrap();
    let own = signed_in(&test, 4, "/account/password/new").await;
    let fields = || vec![("new_password", PASSWORD.to_owned())];
    let requests = own.iter().cycle().take(20);
    let requests = requests.map(|browser| post(browser.clone(), "/account/password/new", fields()));
    let mut answers = flood(requests).await;
    assert_eq!(guess(&mut known, EMAIL, PASSWORD).await.status, 303);

    while answers.recv().await.is_some() {}
    let mut last = 0;
    for _ in 0..6 {
        last = post(own[0].clone(), "/account/password/new", fields())
            .await
            .status;
    }
    assert_eq!(last, 429, "the tries of a session are counted");
    // In another session the user chooses another one.
    let fields = vec![("new_password", "copper lantern sandwich".to_owned())];
    let mut other = signed_in(&test, 1, "/account/password/new").await;
    let page = post(other.remove(0), "/account/password/new", fields).await;
    assert_eq!(page.status, 303, "{}", page.body);
}

/// Guesses from one address leave places to strangers at other addresses.
#[actix_web::test]
async fn guesses_of_one_source_do_not_fill_the_queue() {
    let test = start().await;
    let mut attackers = Vec::new();
    for _ in 0..20 {
        attackers.push(stranger(&test, "198.51.100.1").await);
    }
    let requests = attackers
        .into_iter()
        .enumerate()
        .map(|(number, mut attacker)| async move {
            let email = format!("nobody{number}@example.com");
            guess(&mut attacker, &email, WRONG).await
        });
    let mut stranger = stranger(&test, "203.0.113.9").await;
    let _answers = flood(requests).await;
    assert_eq!(guess(&mut stranger, EMAIL, PASSWORD).await.status, 303);
}

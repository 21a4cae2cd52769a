//! Concurrent requests. Every response is checked.

use crate::support::TestApp;
use crate::support::device::Answer;
use futures_util::future::join_all;

/// Devices that poll concurrently, and their number of polls.
const POLLS: usize = 50;
const REDEMPTIONS: usize = 100;
/// Rounds in which polls race with a decision, or decisions with each other.
const DECISIONS: usize = 200;
const CLICKS: usize = 50;
/// Rounds in which a decision is sent several times.
const REPETITIONS: usize = 10;

/// Number of responses with a token; every other one must be an error of the RFCs.
fn tokens(answers: &[Answer]) -> usize {
    let refused = [
        "invalid_grant",
        "slow_down",
        "authorization_pending",
        "access_denied",
    ];
    for answer in answers {
        match answer.status {
            200 => drop(answer.token()),
            400 => assert!(refused.contains(&answer.error()), "{answer:?}"),
            _ => panic!("{answer:?}"),
        }
    }
    answers.iter().filter(|answer| answer.status == 200).count()
}

/// DEV-51, T-01.
#[actix_web::test]
async fn fifty_parallel_redemptions_get_one_token() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    for round in 1..=REDEMPTIONS {
        let device = test.device("tokens:read").await;
        browser.approve(&device.user_code, &["tokens:read"]).await;
        let http = test.anon();
        let form = device.poll_form("cli");
        let polls = (0..POLLS).map(|_| {
            let request = http.post(test.at(super::POLL)).form(&form);
            async { Answer::of(request.send().await.unwrap()).await }
        });
        let answers = join_all(polls).await;
        // They get it in turn, as if the answers before had been lost.
        assert_eq!(tokens(&answers), POLLS, "round {round}");
        let token = answers[0].token();
        assert!(answers.iter().all(|answer| answer.token() == token));
        assert_eq!(test.me(&token).await.status(), 200);
        assert_eq!(test.poll(&device).await.error(), "invalid_grant");
    }
    assert_eq!(test.count("token", "1 = 1"), REDEMPTIONS as i64);
    assert_eq!(
        test.count("device_grant", "state = 'redeemed'"),
        REDEMPTIONS as i64
    );
    assert_eq!(test.events("device.redeemed"), REDEMPTIONS as i64);
    assert_eq!(test.events("token.created"), REDEMPTIONS as i64);
}

/// DEV-52, T-02: no poll loses an approval or a denial, or reactivates a finished grant.
#[actix_web::test]
async fn polls_that_race_with_the_decision_never_undo_it() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    for round in 0..DECISIONS {
        let device = test.device("tokens:read").await;
        let consent = browser.type_code(&device.user_code).await;
        let decision = if round % 3 == 2 { "deny" } else { "approve" };
        let polls = async {
            let plain = join_all((0..3).map(|_| test.poll(&device)));
            let (mut answers, held) = tokio::join!(plain, test.poll_waiting(&device, 30));
            answers.push(held);
            answers
        };
        let decide = browser.decide(&consent, decision, &["tokens:read"]);
        let (mut answers, page) = tokio::join!(polls, decide);
        assert_eq!(page.status, 200, "{}", page.body);
        answers.push(test.poll(&device).await);
        answers.push(test.poll(&device).await);
        let last = answers[5].error();
        if decision == "approve" {
            assert!(tokens(&answers) > 0, "round {round}: {answers:?}");
            let token = answers[5].token();
            let issued = answers.iter().filter(|answer| answer.status == 200);
            assert!(issued.into_iter().all(|answer| answer.token() == token));
        } else {
            assert_eq!(tokens(&answers), 0, "round {round}: {answers:?}");
            assert_eq!(last, "access_denied");
            // The poll that waited got the decision as well.
            assert_eq!(answers[3].error(), "access_denied");
        }
    }
    let approved = test.events("device.approved");
    assert_eq!(approved + test.events("device.denied"), DECISIONS as i64);
    assert_eq!(test.count("token", "1 = 1"), approved);
}

/// DEV-40, T-03: both buttons, and other scopes, from three tabs.
#[actix_web::test]
async fn one_of_parallel_decisions_counts() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    for round in 0..CLICKS {
        let device = test.device("tokens:read").await;
        let consent = browser.type_code(&device.user_code).await;
        let mut tabs = [browser.clone(), browser.clone(), browser.clone()];
        let [a, b, c] = &mut tabs;
        let pages = tokio::join!(
            a.decide(&consent, "approve", &["tokens:read"]),
            b.decide(&consent, "deny", &["tokens:read"]),
            c.decide(&consent, "approve", &[]),
        );
        let mut statuses = [pages.0.status, pages.1.status, pages.2.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409], "round {round}");
        let answer = test.poll(&device).await;
        match (pages.0.status, pages.1.status) {
            (200, _) => assert_eq!(answer.body["scope"], "tokens:read"),
            (_, 200) => assert_eq!(answer.error(), "access_denied"),
            _ => assert_eq!(answer.body["scope"], ""),
        }
    }
    let decided = test.events("device.approved") + test.events("device.denied");
    assert_eq!(decided, CLICKS as i64);
}

/// DEV-40, T-03: a form that the browser sends several times. The device polls meanwhile.
#[actix_web::test]
async fn parallel_repetitions_of_a_decision_get_the_same_page() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    for round in 1..=REPETITIONS {
        let device = test.device("tokens:read").await;
        let consent = browser.type_code(&device.user_code).await;
        let count = if round % 2 == 0 { 2 } else { 20 };
        let mut tabs = vec![browser.clone(); count];
        let decisions = tabs
            .iter_mut()
            .map(|tab| tab.decide(&consent, "approve", &["tokens:read"]));
        let (pages, early) = tokio::join!(join_all(decisions), test.poll(&device));
        for page in &pages {
            assert_eq!(page.status, 200, "round {round}: {}", page.body);
            assert!(page.contains(">The cli is signed in</h1>"));
        }
        assert!(tokens(&[early, test.poll(&device).await]) > 0);
        assert_eq!(test.events("device.approved"), round as i64);
        assert_eq!(test.count("token", "1 = 1"), round as i64);
    }
}

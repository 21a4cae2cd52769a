//! Parallel uses of one invitation, on two servers.

use super::{GUEST, invite, link_of, path_in};
use crate::support::browser::Browser;
use crate::support::smtp::Sink;
use crate::support::{PASSWORD, TestApp};
use futures_util::future::join_all;

/// Number of uses.
const USES: usize = 50;

/// Browsers of the servers, by turns.
async fn browsers(servers: [&TestApp; 2]) -> Vec<Browser> {
    let mut browsers = Vec::new();
    for number in 0..USES {
        let mut browser = servers[number % 2].browser();
        browser.get("/login").await;
        browsers.push(browser);
    }
    browsers
}

/// The numbers of uses that led to the organization, and of others.
fn joined(locations: &[String]) -> (usize, usize) {
    let joined = locations
        .iter()
        .filter(|location| *location == "/o/acme?done=joined");
    let joined = joined.count();
    (joined, locations.len() - joined)
}

/// The mailed link creates one user, whatever names and passwords are sent with it.
#[actix_web::test]
async fn mailed_invitation_creates_one_user() {
    let sink = Sink::start(&[]);
    let settings = format!(
        "[mail]\nfrom = \"login@example.com\"\nsmtp_url = \"smtp://{}\"\n\
         [sign_in]\nhash_queue = 100\n",
        sink.address
    );
    let test = TestApp::with(&settings).await;
    let second = test.second_server(&settings).await;
    invite(&test, Some(GUEST)).await;
    let mailed = path_in(&test, &sink.next(), "/invite");
    // The attempts of one invitation and source are limited, too.
    let uses = browsers([&test, &second]).await.into_iter().enumerate();
    let uses = uses.map(|(number, mut browser)| {
        let link = link_of(&mailed);
        async move {
            let name = format!("Charles {number}");
            let fields = [
                ("link", link),
                ("name", &name),
                ("email", GUEST),
                ("password", PASSWORD),
            ];
            let page = browser.post("/invite/account", &fields).await;
            page.location().to_owned()
        }
    });
    let locations = join_all(uses).await;
    assert_eq!(joined(&locations), (1, USES - 1), "{locations:?}");
    assert_eq!(test.count("users", &format!("email = '{GUEST}'")), 1);
    assert_eq!(test.events("invitation.accepted"), 1);
}

/// Fifty users open one link: one of them joins.
#[actix_web::test]
async fn one_of_fifty_users_joins_with_a_link() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    let invitation = invite(&test, None).await;
    let mut browsers = browsers([&test, &second]).await;
    for (number, browser) in browsers.iter_mut().enumerate() {
        let email = format!("user{number}@example.com");
        test.add_user(&email, PASSWORD, None).await;
        browser.sign_in(&email, PASSWORD).await;
        assert_eq!(browser.get(&invitation).await.status, 200);
    }
    let uses = browsers.into_iter().map(|mut browser| {
        let link = link_of(&invitation);
        async move { browser.post("/invite", &[("link", link)]).await }
    });
    let pages = join_all(uses).await;
    let refused = pages.iter().filter(|page| page.status == 404).count();
    let locations: Vec<_> = pages
        .iter()
        .map(|page| page.location().to_owned())
        .collect();
    assert_eq!((joined(&locations), refused), ((1, USES - 1), USES - 1));
    let members = "organization_id = (SELECT id FROM organization WHERE slug = 'acme')";
    assert_eq!(test.count("membership", members), 2);
    assert_eq!(test.events("invitation.accepted"), 1);
}

//! Email addresses: every spelling of one address belongs to one user, on every way in.

use crate::support::tenant::OPERATOR as OPERATOR_CALLER;
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp};
use doorcode::app::user::{self, Named};
use doorcode::domain::role::Role;
use serde_json::{Value, json};

/// The form in which it is stored.
const STORED: &str = "zoë@xn--bcher-kva.example";

/// Spellings of [`STORED`]: of the domain, of the case, and of the normalization form.
const SPELLINGS: [&str; 6] = [
    STORED,
    "zoë@bücher.example",
    "Zoë@BÜCHER.Example",
    "zoe\u{308}@bu\u{308}cher.example",
    "ZOË@XN--BCHER-KVA.EXAMPLE",
    "zoë@ｂücher\u{3002}example",
];

const TAKEN: &str = "There is a user with this email address.";

async fn create(test: &TestApp, email: &str) -> (u16, Value) {
    let request = test
        .anon()
        .post(test.at("/v1/users"))
        .bearer_auth(OPERATOR)
        .header("idempotency-key", email.escape_unicode().to_string())
        .json(&json!({"name": "Zoë", "email": email, "password": PASSWORD}));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn signs_in(test: &TestApp, email: &str) -> u16 {
    let page = test.browser().try_sign_in(email, PASSWORD).await;
    page.status
}

/// AUZ: the API stores one form, refuses the others as taken, and all sign in.
#[actix_web::test]
async fn every_spelling_is_the_same_user() {
    for made_as in SPELLINGS {
        let test = TestApp::start().await;
        let (status, user) = create(&test, made_as).await;
        assert_eq!((status, &user["email"]), (201, &json!(STORED)), "{user}");
        assert_eq!(test.count("users", &format!("email = '{STORED}'")), 1);
        for spelling in SPELLINGS.into_iter().filter(|other| *other != made_as) {
            let (status, problem) = create(&test, spelling).await;
            assert_eq!(status, 422, "{spelling}: {problem}");
            assert_eq!(problem["errors"][0]["detail"], TAKEN, "{problem}");
        }
        for spelling in SPELLINGS {
            assert_eq!(
                signs_in(&test, &format!(" {spelling} ")).await,
                303,
                "{spelling}"
            );
            let named = Named::Email(spelling.to_owned());
            let found = user::find(&test.req(&OPERATOR_CALLER), named).await;
            assert_eq!(found.unwrap().id.as_str(), user["id"].as_str().unwrap());
        }
    }
}

/// The first user, by the form of `/setup`.
#[actix_web::test]
async fn first_user_signs_in_with_every_spelling() {
    let test = TestApp::empty("").await;
    let link = user::offer_setup(&test.app).await.unwrap().unwrap();
    let mut browser = test.browser();
    browser.get("/login").await;
    let fields = [
        ("link", link.expose()),
        ("name", "Zoë"),
        ("email", SPELLINGS[1]),
        ("password", PASSWORD),
        ("organization", "Acme"),
    ];
    assert_eq!(browser.post("/setup", &fields).await.status, 303);
    for page in ["/account", "/o/acme/members"] {
        let page = browser.get(page).await;
        assert!(
            page.contains(STORED) && !page.contains("bücher"),
            "{}",
            page.body
        );
    }
    for spelling in SPELLINGS {
        assert_eq!(signs_in(&test, spelling).await, 303, "{spelling}");
    }
}

/// An invitation for one spelling is accepted under another, by a new user and by one who exists.
#[actix_web::test]
async fn invitation_and_user_may_spell_the_address_differently() {
    for (invited, accepted) in [(SPELLINGS[0], SPELLINGS[2]), (SPELLINGS[3], SPELLINGS[4])] {
        for exists in [false, true] {
            let test = TestApp::start().await;
            let mut owner = test.user().await;
            owner.get("/o/acme/members").await;
            let fields = [("role", "member"), ("email", invited)];
            let made = owner.post("/o/acme/invitations", &fields).await;
            assert!(made.contains(STORED), "{}", made.body);
            let (_, link) = made.body.split_once("?link=").unwrap();
            let link = &link[..link.find(['"', '<']).unwrap()];

            let mut guest = test.browser();
            let joined = if exists {
                test.add_user(accepted, PASSWORD, None).await;
                guest.sign_in(invited, PASSWORD).await;
                guest.get(&format!("/invite?link={link}")).await;
                guest.post("/invite", &[("link", link)]).await
            } else {
                let page = guest.get(&format!("/invite?link={link}")).await;
                assert_eq!(page.field("email").as_deref(), Some(STORED));
                let fields = [
                    ("link", link),
                    ("name", "Zoë"),
                    ("email", accepted),
                    ("password", PASSWORD),
                ];
                guest.post("/invite/account", &fields).await
            };
            assert_eq!(
                joined.status, 303,
                "{invited} {accepted} {exists}: {}",
                joined.body
            );
            assert!(owner.get("/o/acme/members").await.contains(STORED));
        }
    }
}

/// Guesses at one user count together, whatever spelling each of them has.
#[actix_web::test]
async fn guesses_are_counted_across_spellings() {
    let test = TestApp::start().await;
    test.add_user(STORED, PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let mut statuses = Vec::new();
    for guess in 0..40 {
        let spelling = SPELLINGS[guess % SPELLINGS.len()];
        let mut browser = test.browser();
        statuses.push(
            browser
                .try_sign_in(spelling, "wrong guess number one")
                .await
                .status,
        );
        if statuses.last() == Some(&429) {
            break;
        }
    }
    assert_eq!(statuses.pop(), Some(429), "{statuses:?}");
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    for spelling in SPELLINGS {
        assert_eq!(signs_in(&test, spelling).await, 429, "{spelling}");
    }
    assert_eq!(signs_in(&test, EMAIL).await, 303);
}

/// An address that cannot be stored is refused with the reason, in the form of the surface.
#[actix_web::test]
async fn address_without_a_canonical_form_is_refused() {
    let test = TestApp::start().await;
    let mut owner = test.user().await;
    owner.get("/o/acme/members").await;
    let before = test.unread();
    for (email, reason) in [
        ("ada", "Enter an email address, such as ada@example.com."),
        (
            "ada@xn--a.example",
            "The part after the @ is not a domain name.",
        ),
        (
            "ada@exa_mple.com",
            "The part after the @ is not a domain name.",
        ),
        (
            "ada@[127.0.0.1]",
            "The part after the @ is not a domain name.",
        ),
        (
            "a\u{200b}da@example.com",
            "Leave out the invisible character U+200B.",
        ),
        ("a\u{202e}da@example.com", "Leave out U+202E"),
    ] {
        let (status, problem) = create(&test, email).await;
        assert_eq!(
            (status, &problem["code"]),
            (422, &json!("invalid")),
            "{email}"
        );
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], "#/email");
        assert!(
            error["detail"].as_str().unwrap().starts_with(reason),
            "{problem}"
        );
        let fields = [("role", "member"), ("email", email)];
        let page = owner.post("/o/acme/invitations", &fields).await;
        assert!(page.status == 422 && page.contains(reason), "{}", page.body);
    }
    assert!(before == test.unread(), "something was stored");
    // Sign-in does not reveal which addresses can exist.
    assert_eq!(signs_in(&test, "ada@xn--a.example").await, 401);
}

//! `/setup`: the first user.

use crate::support::browser::Page;
use crate::support::{PASSWORD, TestApp};
use doorcode::app::user;

const EMPTY: [(&str, &str); 4] = [
    ("name", ""),
    ("email", ""),
    ("password", ""),
    ("organization", ""),
];
const WHOLE: [(&str, &str); 4] = [
    ("name", "Ada"),
    ("email", "ada@example.com"),
    ("password", PASSWORD),
    ("organization", "Acme"),
];

async fn link(test: &TestApp) -> String {
    let link = user::offer_setup(&test.app).await.unwrap().unwrap();
    link.expose().to_owned()
}

async fn submit(test: &TestApp, link: &str, fields: &[(&str, &str)]) -> Page {
    let mut browser = test.browser();
    browser.get("/login").await;
    let mut all = vec![("link", link)];
    all.extend_from_slice(fields);
    browser.post("/setup", &all).await
}

/// CONTRACT 4, A11-06: the labels and the button; each label belongs to its field.
#[actix_web::test]
async fn page_has_its_labels() {
    let test = TestApp::empty("").await;
    let page = test
        .browser()
        .get(&doorcode::web::setup_path(&link(&test).await))
        .await;
    assert_eq!(page.status, 200);
    for (id, label) in [
        ("name", "Name"),
        ("email", "Email"),
        ("password", "Password"),
        ("organization", "Organization"),
    ] {
        assert!(
            page.contains(&format!(r#"<label for="{id}">{label}</label>"#)),
            "{label}"
        );
        assert!(
            page.contains(&format!(r#"<input id="{id}" name="{id}""#)),
            "{label}"
        );
    }
    assert!(page.contains(">Create account</button>"));
    assert!(page.contains(r#"autocomplete="new-password""#));
}

/// PWD-01, PWD-04, A11-05: all errors are shown together, and all input but the password is kept.
#[actix_web::test]
async fn errors_are_shown_next_to_their_fields_and_do_not_use_up_the_link() {
    let test = TestApp::empty("").await;
    let link = link(&test).await;
    let page = submit(&test, &link, &EMPTY).await;
    assert_eq!(page.status, 422);
    for id in ["name", "email", "password", "organization"] {
        assert!(page.contains(&format!(r#"id="{id}-error""#)), "{id}");
        assert!(page.contains(&format!(r##"<a href="#{id}">"##)), "{id}");
    }
    let typed = [
        ("name", "Ada"),
        ("email", "ada@"),
        ("password", "fourteen chars"),
        ("organization", "Acme"),
    ];
    let page = submit(&test, &link, &typed).await;
    assert_eq!(page.status, 422);
    assert_eq!(page.field("name").as_deref(), Some("Ada"));
    assert_eq!(page.field("email").as_deref(), Some("ada@"));
    assert_eq!(page.field("organization").as_deref(), Some("Acme"));
    assert_eq!(page.field("link").as_deref(), Some(link.as_str()));
    assert!(!page.contains("fourteen chars"));
    assert!(page.contains("Use at least 15 characters."));
    assert!(page.contains("<title>Error: "));
    assert_eq!(submit(&test, &link, &WHOLE).await.status, 303);
}

/// PWD-10: concurrent submissions create one user.
#[actix_web::test]
async fn one_of_many_concurrent_submissions_creates_the_user() {
    let test = TestApp::empty("[sign_in]\nhash_queue = 50").await;
    let link = link(&test).await;
    let mut browser = test.browser();
    browser.get("/login").await;
    let presses: Vec<_> = (0..10)
        .map(|i| {
            let (mut browser, link) = (browser.clone(), link.clone());
            actix_web::rt::spawn(async move {
                let email = format!("ada{i}@example.com");
                let organization = format!("Acme {i}");
                let fields = [
                    ("link", link.as_str()),
                    ("name", "Ada"),
                    ("email", &email),
                    ("password", PASSWORD),
                    ("organization", &organization),
                ];
                browser.post("/setup", &fields).await.status
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for press in presses {
        statuses.push(press.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![303], vec![404; 9]].concat());
    assert_eq!(test.count("users", "1 = 1"), 1);
    assert_eq!(test.count("organization", "made_by = 'operator'"), 1);
    assert_eq!(test.count("session", "1 = 1"), 1);
}

/// The log names the user who created their own account, not an anonymous visitor.
#[actix_web::test]
async fn log_names_the_first_user() {
    let test = TestApp::empty("").await;
    let link = link(&test).await;
    assert_eq!(submit(&test, &link, &WHOLE).await.status, 303);
    test.settle().await;
    let user = "actor_kind = 'user' AND actor_id = (SELECT id FROM users)";
    for action in [
        "user.created",
        "organization.created",
        "member.added",
        "session.started",
    ] {
        let found = format!("action = '{action}' AND {user}");
        assert_eq!(test.count("audit_record", &found), 1, "{action}");
    }
    assert_eq!(test.count("audit_record", "actor_kind = 'anonymous'"), 0);
}

/// PWD-10: only this link opens the page, and only until the first user exists.
#[actix_web::test]
async fn only_the_link_opens_the_page() {
    let test = TestApp::empty("").await;
    let link = link(&test).await;
    for wrong in ["", "x", &link[1..], &link.to_uppercase(), &"0".repeat(64)] {
        let mut browser = test.browser();
        let page = browser.get(&doorcode::web::setup_path(wrong)).await;
        assert_eq!(page.status, 404, "{wrong:?}");
        assert!(page.contains("This setup link does not work"));
        assert_eq!(submit(&test, wrong, &WHOLE).await.status, 404);
    }
    assert!(
        !test.database.dump().contains(&link),
        "it is stored as it is"
    );
    assert_eq!(submit(&test, &link, &WHOLE).await.status, 303);
    let page = test.browser().get(&doorcode::web::setup_path(&link)).await;
    assert_eq!(page.status, 404);
    assert!(page.contains("Setup is done"));
    assert_eq!(submit(&test, &link, &WHOLE).await.status, 404);
}

/// PWD-10: a user created on the command line closes the page too.
#[actix_web::test]
async fn user_created_otherwise_ends_the_link() {
    let test = TestApp::empty("").await;
    let link = link(&test).await;
    test.add_user("eve@example.com", PASSWORD, None).await;
    assert_eq!(submit(&test, &link, &WHOLE).await.status, 404);
    assert_eq!(test.count("users", "1 = 1"), 1);
}

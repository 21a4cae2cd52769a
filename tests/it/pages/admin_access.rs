//! Who can open the operator console: users whom the operator marked, soon after a sign-in.

use crate::csrf::{Scene, addresses, borrowed};
use crate::support::browser::Browser;
use crate::support::tenant::OPERATOR;
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::app::access::{Caller, Denial};
use doorcode::app::user::{self, Named, UpdateUser};
use doorcode::app::{self, Context, Request, session};
use doorcode::domain::role::Role;
use doorcode::domain::secret::Secret;
use std::collections::BTreeSet;

/// The sign-in that returns to the console.
const AGAIN: &str = "/login?return_to=%2Fadmin&notice=again";

fn console(kind: &str) -> BTreeSet<String> {
    let mut all = addresses(kind);
    all.retain(|address| address.starts_with("/admin"));
    assert!(all.len() > 8, "{all:?}");
    all
}

async fn signed_in(test: &TestApp, email: &str, organization: Option<(&str, Role)>) -> Browser {
    test.add_user(email, PASSWORD, organization).await;
    let mut browser = test.browser();
    browser.sign_in(email, PASSWORD).await;
    browser.get("/account").await;
    browser
}

/// A server with an operator, and the browser in which the operator signed in.
async fn operator(settings: &str) -> (TestApp, Browser) {
    let test = TestApp::with(settings).await;
    test.mark_operator(EMAIL, true).await;
    let browser = test.user().await;
    (test, browser)
}

/// The answer to a form of the console, without following a redirect.
async fn send(
    browser: &mut Browser,
    scene: &[(String, Vec<(&'static str, String)>)],
    path: &str,
) -> u16 {
    let (_, fields) = scene.iter().find(|(at, _)| at == path).unwrap();
    browser.post(path, &borrowed(fields)).await.status
}

#[actix_web::test]
async fn console_exists_for_marked_users_alone() {
    let mut scene = Scene::new().await;
    let test = &scene.test;
    let mut others = vec![
        signed_in(
            test,
            "member@visitors.example",
            Some(("Acme", Role::Member)),
        )
        .await,
        signed_in(test, "owner@visitors.example", Some(("Acme", Role::Owner))).await,
        signed_in(
            test,
            "stranger@visitors.example",
            Some(("Rival", Role::Owner)),
        )
        .await,
    ];
    let mut anonymous = test.browser();
    anonymous.get("/login").await;
    let before = test.unread();
    for address in console("read") {
        let path = scene.names.fill(&address, &address);
        let status = scene.browser.get(&path).await.status;
        assert!(matches!(status, 200 | 303), "{path}: {status}");
        for browser in others.iter_mut().chain([&mut anonymous]) {
            for status in [
                browser.get(&path).await.status,
                browser.head(&path).await.status,
            ] {
                assert_eq!(status, 404, "{path}");
            }
        }
    }
    for address in console("post") {
        let path = scene.names.fill(&address, &address);
        for browser in others.iter_mut().chain([&mut anonymous]) {
            let status = send(browser, &scene.forms, &path).await;
            assert_eq!(status, 404, "{path}");
        }
    }
    assert!(test.unread() == before, "a refusal changed something");
    for browser in &mut others {
        assert!(!browser.get("/account").await.contains("Operator console"));
    }
    assert!(
        scene
            .browser
            .get("/account")
            .await
            .contains(r#"href="/admin""#)
    );
    assert_eq!(scene.browser.get("/admin/nothing").await.status, 404);
}

#[actix_web::test]
async fn old_sign_in_leads_to_a_new_one_and_back() {
    let Scene {
        test,
        mut browser,
        forms,
        names,
    } = Scene::new().await;
    test.clock.advance(599);
    assert_eq!(browser.get("/admin").await.status, 200);
    test.clock.advance(1);
    let before = test.unread();
    for kind in ["read", "post"] {
        for address in console(kind) {
            let path = names.fill(&address, &address);
            let page = browser.get(&path).await;
            assert_eq!(page.status, 303, "{path}");
            assert!(
                page.location().starts_with("/login?return_to=%2Fadmin"),
                "{path}"
            );
            assert!(page.location().ends_with("&notice=again"), "{path}");
        }
    }
    // The console asks; the other pages of the user do not.
    assert_eq!(browser.get("/account").await.status, 200);
    for address in console("post") {
        let path = names.fill(&address, &address);
        let (_, fields) = forms.iter().find(|(at, _)| *at == path).unwrap();
        let page = browser.post_only(&path, &borrowed(fields)).await;
        assert_eq!(page.status, 303, "{path}");
        assert!(
            page.location().starts_with("/login?return_to=%2Fadmin"),
            "{path}"
        );
    }
    assert!(test.unread() == before, "a form had an effect");

    assert_eq!(browser.get("/admin").await.location(), AGAIN);
    let login = browser.get(AGAIN).await;
    assert_eq!(login.status, 200);
    assert!(login.contains("Sign in again to continue where you were."));
    assert_eq!(login.field("email").as_deref(), Some(EMAIL));
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("return_to", "/admin"),
    ];
    let page = browser.post("/login", &fields).await;
    assert_eq!((page.status, page.location()), (303, "/admin"));
    assert_eq!(browser.get("/admin").await.status, 200);
}

/// The form is not lost: it waits on its page after the sign-in.
#[actix_web::test]
async fn form_that_was_sent_too_late_is_shown_again_after_the_sign_in() {
    let (test, mut browser) = operator("").await;
    let path = "/admin/clients/cli/scopes";
    browser.get(path).await;
    test.clock.advance(600);
    let page = browser.post_only(path, &[("scope", "orgs:read")]).await;
    let (_, rest) = page.location().split_once("return_to=").unwrap();
    let back = rest.trim_end_matches("&notice=again").replace("%2F", "/");
    let back = back
        .replace("%3F", "?")
        .replace("%3D", "=")
        .replace("%5F", "_");
    browser.get(page.location()).await;
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("return_to", &*back),
    ];
    let page = browser.post_only("/login", &fields).await;
    assert_eq!(page.location(), back);
    let form = browser.get(&back).await;
    assert!(form.contains("You signed in again. Check the form and send it once more."));
    assert_eq!(form.body.matches(" checked").count(), 1, "{}", form.body);
    assert!(form.contains(r#"name="scope" value="orgs:read" checked"#));
}

#[actix_web::test]
async fn mark_counts_only_while_it_lasts() {
    let (test, mut browser) = operator("").await;
    assert_eq!(browser.get("/admin").await.status, 200);
    test.mark_operator(EMAIL, false).await;
    assert_eq!(browser.get("/admin").await.status, 404, "the next request");
    assert_eq!(browser.get("/account").await.status, 200, "still signed in");

    // An older session does not become one of an operator.
    test.mark_operator(EMAIL, true).await;
    assert_eq!(browser.get("/account").await.status, 303);
    let mut browser = test.user().await;
    assert_eq!(browser.get("/admin").await.status, 200);

    test.deactivate(EMAIL).await;
    let page = browser.get("/admin").await;
    assert_eq!(
        (page.status, page.location()),
        (303, "/login?return_to=%2Fadmin")
    );
    let named = || Named::Email(EMAIL.to_owned());
    let user = user::reactivate(&test.req(&OPERATOR), named())
        .await
        .unwrap();
    assert!(!user.is_operator, "ended with the deactivation");
    let mut browser = test.user().await;
    assert_eq!(browser.get("/admin").await.status, 404);
    let marked = "action = 'user.updated' AND detail LIKE '%\"operator\":true%'";
    assert_eq!(test.count(crate::support::database::AUDIT, marked), 2);
}

/// Another user can prove to have an unverified address, and take over the account.
#[actix_web::test]
async fn operator_needs_a_verified_address() {
    let (test, mut browser) = operator("").await;
    let named = || Named::Email(EMAIL.to_owned());
    let change = async |input| user::update(&test.req(&OPERATOR), named(), input).await;
    let verified = |is_verified| UpdateUser {
        email_verified: Some(is_verified),
        ..UpdateUser::default()
    };
    assert!(!change(verified(false)).await.unwrap().is_operator);
    assert_eq!(browser.get("/admin").await.status, 404);
    let mark = UpdateUser {
        is_operator: Some(true),
        ..UpdateUser::default()
    };
    let refused = change(mark.clone()).await;
    assert!(
        matches!(refused, Err(app::Error::Invalid(_))),
        "{refused:?}"
    );
    assert!(
        !change(verified(true)).await.unwrap().is_operator,
        "not by itself"
    );
    assert!(change(mark.clone()).await.unwrap().is_operator);
    let moved = UpdateUser {
        email: Some("eve@example.com".into()),
        email_verified: Some(true),
        ..UpdateUser::default()
    };
    let moved = change(moved).await.unwrap();
    assert!(
        !moved.is_operator,
        "the address may be that of another user"
    );
}

/// Only a command on the server marks users: no request, whoever sends it.
#[actix_web::test]
async fn no_request_marks_a_user() {
    let (test, browser) = operator("").await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let context = Context {
        address: Some([127, 0, 0, 1].into()),
        ..Context::local()
    };
    let cookie = Secret::new(&*browser.cookies["doorcode_session"]);
    let signed_in = session::resume(&test.app, &cookie).await.unwrap().unwrap();
    let console = Caller::Console(Box::new(signed_in.clone()));
    for caller in [OPERATOR, console, Caller::User(Box::new(signed_in))] {
        let req = Request::new(&test.app, context.clone(), caller);
        let input = UpdateUser {
            is_operator: Some(true),
            ..UpdateUser::default()
        };
        let refused = user::update(&req, Named::Email("bob@example.com".into()), input).await;
        let expected = matches!(
            refused,
            Err(app::Error::Forbidden(Denial::OperatorRequired))
        );
        assert!(expected, "{refused:?}");
    }
    assert_eq!(test.count("users", "is_operator = true"), 1);
}

/// The mark and the session are checked again in the transaction of a change.
#[actix_web::test]
async fn change_that_began_before_the_mark_was_removed_has_no_effect() {
    let (test, mut browser) = operator("").await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let cookie = Secret::new(&*browser.cookies["doorcode_session"]);
    let signed_in = session::resume(&test.app, &cookie).await.unwrap().unwrap();
    let req = test.req(&Caller::Console(Box::new(signed_in)));
    let deactivate = async || {
        let done = user::deactivate(&req, Named::Email("bob@example.com".into())).await;
        let listed = user::list(&req, &doorcode::domain::page::Page::first(10)).await;
        assert_eq!(done.is_ok(), listed.is_ok());
        matches!(done, Err(app::Error::Forbidden(Denial::OperatorRequired)))
    };
    test.mark_operator(EMAIL, false).await;
    assert!(deactivate().await, "without the mark");
    test.mark_operator(EMAIL, true).await;
    assert!(deactivate().await, "after the session");
    browser = test.user().await;
    assert_eq!(browser.get("/admin").await.status, 200);
    assert_eq!(test.count("users", "state = 'deactivated'"), 0);
}

#[actix_web::test]
async fn tokens_of_an_operator_have_no_part_in_it() {
    let (test, mut browser) = operator("").await;
    let token = browser
        .new_token("all", &["orgs:read", "orgs:write", "tokens:write"], "90d")
        .await;
    for path in ["/v1/users", "/v1/clients", "/v1/status"] {
        let answer = test.anon().get(test.at(path)).bearer_auth(&token).send();
        assert_eq!(answer.await.unwrap().status(), 403, "{path}");
    }
    for (name, value) in [
        ("authorization", format!("Bearer {token}")),
        (
            "authorization",
            format!("Bearer {}", crate::support::OPERATOR),
        ),
        ("x-actor-user-id", "operator".to_owned()),
    ] {
        let mut bare = test.browser();
        bare.set_header(name, &value);
        assert_eq!(bare.get("/admin").await.status, 404, "{name}");
    }
}

/// The console is as close as the operator token.
#[actix_web::test]
async fn console_is_closed_outside_the_networks_of_the_operator() {
    let (_test, mut browser) = operator("[operator]\nnetworks = [\"10.0.0.0/8\"]").await;
    assert_eq!(browser.get("/account").await.status, 200);
    assert_eq!(browser.get("/admin").await.status, 404);
    let (_test, mut browser) = operator("[operator]\nnetworks = [\"127.0.0.0/8\"]").await;
    assert_eq!(browser.get("/admin").await.status, 200);
}

//! GET of paths that only take a form.

use crate::csrf::{Scene, addresses};

/// A path that only takes a form redirects to the page with the form, since browsers open it when
/// they restore a tab.
#[actix_web::test]
async fn get_request_to_the_target_of_a_form_leads_to_its_page() {
    let Scene {
        test,
        mut browser,
        names,
        ..
    } = Scene::new().await;
    // The project page shows its form for a new member only while there is a candidate.
    let remove = names.fill("/o/{org}/projects/{project}/members/{user}/remove", "");
    browser.get("/account").await;
    assert_eq!(browser.post(&remove, &[]).await.status, 303);
    let mut anonymous = test.browser();
    let reads = addresses("read");
    let targets: Vec<_> = addresses("post").difference(&reads).cloned().collect();
    assert!(targets.len() > 8, "{targets:?}");
    let before = test.unread();
    for target in targets {
        let path = names.fill(&target, &target);
        let page = browser.get(&path).await;
        assert_eq!(page.status, 303, "{path}: {}", page.body);
        let head = browser.head(&path).await;
        assert_eq!((head.status, head.location()), (303, page.location()));
        let form = browser.get(page.location()).await;
        match target.as_str() {
            // The link of the invitation is in the form alone.
            "/invite/account" => assert_eq!(form.status, 404),
            // The user has no passkey.
            passkey if passkey.contains("{passkey}") => assert_eq!(form.status, 404),
            _ => {
                assert_eq!(form.status, 200, "{path}: {}", form.body);
                let action = format!(r#"action="{path}""#);
                let is_shown_later = [
                    "/account/email",
                    "/account/email/verification",
                    // This server has no providers.
                    "/account/identities/disconnect",
                    // There is no other session.
                    "/account/sessions/sign-out-others",
                    // The user has no second factor.
                    "/account/security/totp/remove",
                    "/device/decide",
                    "/o/acme/settings/policy/apply",
                    "/admin/clients/api/enable",
                ];
                let is_shown_later = is_shown_later.contains(&path.as_str())
                    // This server sends no mail, and the token is active and the organization's.
                    || [
                        "/ask-to-rotate",
                        "/password-reset",
                        "/reactivate",
                        "/send",
                        "/unblock",
                        "/verify-email",
                    ]
                    .iter()
                    .any(|end| path.ends_with(end));
                assert!(
                    form.contains(&action) || is_shown_later,
                    "{path}: {}",
                    form.body
                );
            }
        }

        // Users who are signed out, or may not open the page, get the answer of the page.
        for missing in [path.clone(), path.replacen("/o/acme", "/o/nobody", 1)] {
            let page = anonymous.get(&missing).await;
            let status = match missing.starts_with("/admin") {
                true => 404,
                false => 303,
            };
            assert_eq!(page.status, status, "{missing}");
        }
        if let Some(rest) = path.strip_prefix("/o/acme") {
            let page = browser.get(&format!("/o/nobody{rest}")).await;
            assert_eq!(page.status, browser.get("/o/nobody").await.status);
        }
        for method in [reqwest::Method::PUT, reqwest::Method::DELETE] {
            let request = browser.request(method, &path);
            let page = browser.send(request).await;
            assert_eq!(page.status, 405, "{path}");
            assert_eq!(page.headers["allow"], "GET, HEAD, POST");
        }
    }
    assert!(before == test.unread(), "something was written");
}

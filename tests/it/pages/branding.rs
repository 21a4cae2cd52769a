//! The brand of the operator on the pages.

use super::audit::said;
use crate::support::TestApp;

/// A server with a brand whose logos are in a folder, which has to be kept.
async fn branded(logo: &str) -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::copy("static/touch-icon.png", path("light.png")).unwrap();
    std::fs::copy("static/icon.svg", path("light.svg")).unwrap();
    std::fs::copy("static/icon.svg", path("dark.svg")).unwrap();
    let test = TestApp::with(&format!(
        "[branding]\nname = \"Walwarden\"\naccent = \"#b02a30\"\nlogo = {:?}\nlogo_dark = {:?}\n\
         home = \"https://walwarden.example/\"\nterms = \"https://walwarden.example/terms\"\n\
         privacy = \"https://walwarden.example/privacy\"\n\
         tokens_note = \"Machines use tokens of the organization.\"\n\
         new_token_note = \"Keep <it> short.\"\n",
        path(logo),
        path("dark.svg"),
    ))
    .await;
    (test, folder)
}

/// The first attribute of this name after a text.
fn attribute_after<'a>(page: &'a str, text: &str, name: &str) -> &'a str {
    let (_, rest) = page.split_once(text).unwrap_or_else(|| panic!("{text}"));
    let (_, rest) = rest.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap()
}

#[actix_web::test]
async fn pages_show_the_brand_alone() {
    let (test, _folder) = branded("light.png").await;
    let mut browser = test.user().await;
    let page = browser.get("/tokens").await;
    for text in [
        "<title>Tokens · Walwarden</title>",
        r#"<a href="https://walwarden.example/">Walwarden home</a>"#,
        r#"<a href="https://walwarden.example/terms">Terms</a>"#,
        r#"<a href="https://walwarden.example/privacy">Privacy</a>"#,
        "Machines use tokens of the organization.",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("Doorcode"));
    let form = browser.get("/tokens/new").await;
    assert!(form.contains("Keep &#60;it&#62; short."));

    let style = attribute_after(&page.body, r#"href="/assets/app."#, "href");
    let style = browser.get(style).await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    assert!(style.contains("--accent:#b02a30"));
    let light = attribute_after(&page.body, "<picture>", "src").to_owned();
    let dark = attribute_after(&page.body, "<picture>", "srcset").to_owned();
    assert!(light.starts_with("/assets/logo.") && dark.starts_with("/assets/logo-dark."));
    for (path, media_type) in [
        (&light, "image/png"),
        (&dark, "image/svg+xml; charset=utf-8"),
    ] {
        let answer = test.anon().get(test.at(path)).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], media_type);
        let cached = answer.headers()["cache-control"].to_str().unwrap();
        assert!(cached.contains("immutable"), "{cached}");
        assert!(!answer.bytes().await.unwrap().is_empty());
    }
    for icon in [r#"rel="icon""#, r#"rel="apple-touch-icon""#] {
        assert_eq!(attribute_after(&page.body, icon, "href"), light);
    }
    for fixed in ["/favicon.ico", "/apple-touch-icon.png"] {
        assert_eq!(browser.get(fixed).await.location(), light, "{fixed}");
    }
}

/// Users type the program of their company, and see no other name in texts and headers.
#[actix_web::test]
async fn pages_commands_and_challenges_name_the_program_of_the_company() {
    let settings = "[branding]\nname = \"Acme \\\"Tools\\\"\"\nprogram = \"acme\"\n\
                    [organizations]\nmade_by = \"users\"\n";
    let test = TestApp::with(settings).await;
    let mut browser = test.user().await;
    let first = browser.get("/tokens").await;
    assert!(first.contains(&format!("acme login --host {}", test.url)));
    assert!(first.contains("acme whoami"));
    for path in [
        "/tokens",
        "/tokens/new",
        "/device",
        "/devices",
        "/account",
        "/o",
        "/o/new",
        "/o/acme",
        "/o/acme/members",
        "/o/acme/projects",
        "/o/acme/audit",
        "/o/acme/settings/api-tokens",
        "/forgot",
        "/login",
        "/problems/unauthorized",
        "/problems/insufficient_scope",
    ] {
        let page = browser.get(path).await;
        assert_eq!(
            page.status,
            if path == "/login" { 303 } else { 200 },
            "{path}"
        );
        assert!(!page.body.to_lowercase().contains("doorcode"), "{path}");
    }
    let me = test.anon().get(test.at("/v1/me")).send().await.unwrap();
    let challenge = me.headers()["www-authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    let realm = r#"Bearer realm="Acme \"Tools\"", resource_metadata="#;
    assert!(challenge.starts_with(realm), "{challenge}");
    let body = me.text().await.unwrap();
    assert!(!body.to_lowercase().contains("doorcode"), "{body}");
    let refused = test.anon().post(test.at("/auth/introspect"));
    let refused = refused.form(&[("token", "dc_0")]).send().await.unwrap();
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert_eq!(
        challenge,
        r#"Basic realm="Acme \"Tools\"", charset="UTF-8""#
    );
}

/// A start screen that reads no SVG gets no icon, rather than that of another product.
#[actix_web::test]
async fn drawn_logo_is_no_icon_of_a_start_screen() {
    let (test, _folder) = branded("light.svg").await;
    let page = test.browser().get("/login").await;
    assert!(attribute_after(&page.body, r#"rel="icon""#, "href").ends_with(".svg"));
    assert!(!page.contains("apple-touch-icon"));
}

#[actix_web::test]
async fn pages_without_a_brand_have_the_icons_of_the_program() {
    let test = TestApp::start().await;
    let page = test.browser().get("/login").await;
    assert!(!page.contains("/assets/brand.") && !page.contains("<picture>"));
    let touch = attribute_after(&page.body, r#"rel="apple-touch-icon""#, "href");
    for (path, media_type, start) in [
        ("/favicon.ico", "image/x-icon", &b"\0\0\x01\0"[..]),
        ("/apple-touch-icon.png", "image/png", b"\x89PNG"),
        (touch, "image/png", b"\x89PNG"),
    ] {
        let answer = test.anon().get(test.at(path)).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], media_type, "{path}");
        assert!(answer.bytes().await.unwrap().starts_with(start), "{path}");
    }
}

/// The pages and the problems of the API call an organization and a project as the operator does.
/// Names of scopes, fields and addresses stay.
#[actix_web::test]
async fn texts_have_the_words_of_the_operator() {
    let test = TestApp::with(
        "[branding]\norganization_word = \"workspace\"\nproject_word = \"service\"\n\
         [organizations]\nmade_by = \"users\"\n",
    )
    .await;
    let mut browser = test.user().await;
    browser.get("/o/acme/projects/new").await;
    let made = browser
        .post("/o/acme/projects/new", &[("name", "Relay")])
        .await;
    let project = made.location().split('?').next().unwrap().to_owned();
    let taken = browser
        .post("/o/acme/projects/new", &[("name", "Relay")])
        .await;
    browser
        .new_token("deploy", &["projects:write"], "90d")
        .await;
    let paths = [
        "/account",
        "/account/activity",
        "/device",
        "/devices",
        "/o",
        "/o/acme",
        "/o/acme/audit",
        "/o/acme/delete",
        "/o/acme/leave",
        "/o/acme/members",
        "/o/acme/projects",
        "/o/acme/projects/new",
        "/o/acme/settings/api-tokens",
        "/o/acme/settings/api-tokens/new",
        "/o/acme/settings/policy",
        "/o/acme/tokens",
        "/o/new",
        "/o/rival",
        "/problems/policy",
        "/tokens",
        "/tokens/new",
        &project,
        &format!("{project}/delete"),
    ];
    for path in paths {
        let mut page = browser.get(path).await;
        // The form of a token names the resources of the scopes.
        page.body = page.body.replace(">projects<", "><");
        let shown = said(&page).to_lowercase();
        let shown = shown
            .replace("projects:read", "")
            .replace("projects:write", "")
            .replace("project.created", "")
            .replace("organization.created", "");
        for word in ["organization", "project"] {
            let at = shown.find(word).map(|at| &shown[at.saturating_sub(60)..]);
            assert!(at.is_none(), "{path}: {at:?}");
        }
    }
    let taken = said(&taken);
    assert!(
        taken.contains("The workspace has a service of this name."),
        "{taken}"
    );
    let list = said(&browser.get("/o").await);
    assert!(
        list.contains("Your role in a workspace determines"),
        "{list}"
    );
    let log = said(&browser.get("/o/acme/audit").await);
    assert!(log.contains("created the service Relay"), "{log}");

    let token = browser.new_token("api", &["projects:write"], "90d").await;
    let refused = test
        .anon()
        .post(test.at("/v1/orgs/acme/projects"))
        .bearer_auth(&token)
        .header("idempotency-key", "one")
        .json(&serde_json::json!({"name": "Relay"}))
        .send()
        .await
        .unwrap();
    let problem: serde_json::Value = refused.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert_eq!(
        detail,
        "The workspace has a service of this name. Choose another one."
    );
    let catalogue = test.anon().get(test.at("/v1/scopes")).bearer_auth(&token);
    let catalogue = catalogue.send().await.unwrap().text().await.unwrap();
    assert!(
        catalogue.contains("See the services you can reach"),
        "{catalogue}"
    );
}

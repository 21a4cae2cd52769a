//! `/admin`: the operator console.

use crate::support::browser::Browser;
use crate::support::database::AUDIT;
use crate::support::smtp::Sink;
use crate::support::{API, CLI, EMAIL, PASSWORD, TestApp};
use doorcode::domain::id::UserId;
use doorcode::domain::role::Role;

const BOB: &str = "bob@example.com";

/// A server with the operator Ada, signed in, and the member Bob.
struct Console {
    test: TestApp,
    ada: Browser,
    bob: Browser,
    bob_id: UserId,
}

impl Console {
    async fn with(settings: &str) -> Self {
        let test = TestApp::with(settings).await;
        let member = Some(("Acme", Role::Member));
        let bob_id = test.add_user(BOB, PASSWORD, member).await;
        let mut bob = test.browser();
        bob.sign_in(BOB, PASSWORD).await;
        test.mark_operator(EMAIL, true).await;
        let mut ada = test.user().await;
        ada.get("/admin").await;
        Self {
            test,
            ada,
            bob,
            bob_id,
        }
    }

    fn bob_path(&self, rest: &str) -> String {
        format!("/admin/users/{}{rest}", self.bob_id)
    }

    /// Sends a form and opens the page that it leads to.
    async fn done(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let page = self.ada.post_only(path, fields).await;
        assert_eq!(page.status, 303, "{path}: {}", page.body);
        self.ada.get(page.location()).await.body
    }

    /// Number of records of an action by Ada as the operator, in her session.
    fn records(&self, action: &str) -> i64 {
        let id = self
            .test
            .database
            .text(&format!("SELECT id FROM users WHERE email = '{EMAIL}'"));
        self.test.count(
            AUDIT,
            &format!(
                "action = '{action}' AND actor_kind = 'operator' AND actor_id = '{id}' \
                 AND method = 'session'"
            ),
        )
    }
}

#[actix_web::test]
async fn users_are_deactivated_after_a_question_and_reactivated() {
    let mut console = Console::with("").await;
    let token = console.bob.new_token("laptop", &["orgs:read"], "90d").await;
    let page = console.ada.get(&console.bob_path("")).await;
    assert!(page.contains("1 active") && page.contains("Acme"));
    let question = console.ada.get(&console.bob_path("/deactivate")).await;
    assert!(question.contains("1 active token ends permanently."));
    assert_eq!(console.test.me(&token).await.status(), 200);

    let path = console.bob_path("/deactivate");
    let page = console.done(&path, &[]).await;
    assert!(page.contains("The user is deactivated."), "{page}");
    assert!(page.contains(">Reactivate user</button>"));
    assert_eq!(console.test.me(&token).await.status(), 401);
    assert_eq!(console.bob.get("/account").await.status, 303);
    assert_eq!(console.ada.get(&path).await.status, 303, "nothing to ask");
    assert_eq!(console.records("user.deactivated"), 1);

    let path = console.bob_path("/reactivate");
    let page = console.done(&path, &[]).await;
    assert!(page.contains("The user can sign in again."));
    console.bob.sign_in(BOB, PASSWORD).await;
    assert_eq!(console.records("user.reactivated"), 1);
}

#[actix_web::test]
async fn operators_cannot_lock_themselves_out() {
    let mut console = Console::with("").await;
    let sql = format!("SELECT id FROM users WHERE email = '{EMAIL}'");
    let own = format!("/admin/users/{}", console.test.database.text(&sql));
    let page = console.ada.get(&own).await;
    assert!(page.contains("This is your own account."));
    assert!(!page.contains(">Send reset link<") && !page.contains(">Create reset link<"));
    let path = format!("{own}/deactivate");
    assert_eq!(console.ada.get(&path).await.status, 303);
    let page = console.done(&path, &[]).await;
    assert!(page.contains("Another operator can, or"), "{page}");
    assert_eq!(console.ada.get("/admin").await.status, 200);
}

#[actix_web::test]
async fn reset_link_is_mailed() {
    let sink = Sink::start(&[]);
    let mail = format!(
        "[mail]\nfrom = \"login@example.com\"\nsmtp_url = \"smtp://{}\"\n",
        sink.address
    );
    let mut console = Console::with(&mail).await;
    let path = console.bob_path("/password-reset");
    let page = console.done(&path, &[]).await;
    assert!(page.contains("The user gets a link to set a new password."));
    let letter = sink.next();
    assert_eq!(letter.header("To"), BOB);
    assert!(letter.body().contains("/reset?link"));
    assert_eq!(console.records("user.password_reset_requested"), 1);
    let health = console.ada.get("/admin").await;
    assert!(health.contains("Messages waiting") && health.contains("127.0.0.1"));
}

#[actix_web::test]
async fn without_mail_a_reset_link_is_shown_once_and_never_one_of_an_operator() {
    let mut console = Console::with("").await;
    let path = console.bob_path("/password-reset");
    let page = console.ada.post_only(&path, &[]).await;
    assert_eq!(page.location(), format!("{path}/link"));
    let mut other = console.test.user().await;
    assert!(!other.get(page.location()).await.contains("/reset?link="));
    let shown = console.ada.get(page.location()).await.body;
    let (_, rest) = shown
        .split_once("/reset?link=")
        .unwrap_or_else(|| panic!("{shown}"));
    let link = rest.split('<').next().unwrap();
    let again = console.ada.get(page.location()).await;
    assert!(again.contains("The link was shown") && !again.contains(link));
    let mut browser = console.test.browser();
    browser.get("/login").await;
    let fields = [
        ("link", link),
        ("new_password", "marble ocean bicycle seven"),
    ];
    assert_eq!(browser.post("/reset", &fields).await.status, 303);

    console.test.mark_operator(BOB, true).await;
    let page = console.done(&path, &[]).await;
    assert!(page.contains("gets reset links by mail only"), "{page}");
    assert_eq!(console.records("user.password_reset_requested"), 1);
}

#[actix_web::test]
async fn address_is_marked_as_verified() {
    let mut console = Console::with("").await;
    let sql = format!("UPDATE users SET email_verified_at = NULL WHERE email = '{BOB}'");
    console.test.database.execute(&sql);
    let page = console.ada.get(&console.bob_path("")).await;
    assert!(page.contains(">Mark as verified</button>"));
    let path = console.bob_path("/verify-email");
    let page = console.done(&path, &[]).await;
    assert!(page.contains("The email is marked as verified.") && !page.contains("Not verified"));
    assert_eq!(console.records("user.updated"), 1);
}

#[actix_web::test]
async fn users_are_found_by_address_and_listed_in_pages() {
    let mut console = Console::with("").await;
    for number in 0..60 {
        let email = format!("many{number}@example.com");
        console.test.add_user(&email, PASSWORD, None).await;
    }
    let mut path = "/admin/users".to_owned();
    let mut seen = Vec::new();
    for shown in [50, 12] {
        let page = console.ada.get(&path).await;
        let rows: Vec<_> = page.body.split("rowlink\" href=\"").skip(1).collect();
        assert_eq!(rows.len(), shown);
        seen.extend(
            rows.iter()
                .map(|row| row.split('"').next().unwrap().to_owned()),
        );
        let next = page.body.split_once("href=\"/admin/users?after=");
        path = next.map_or_else(String::new, |(_, rest)| {
            format!("/admin/users?after={}", rest.split('"').next().unwrap())
        });
    }
    assert!(path.is_empty(), "the end");
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 62);

    for text in ["many7@example.com", "%20Many7@EXAMPLE.com"] {
        let page = console.ada.get(&format!("/admin/users?q={text}")).await;
        assert_eq!(page.body.matches("class=\"rowlink\"").count(), 1, "{text}");
        assert!(page.contains("many7@example.com"));
    }
    let page = console
        .ada
        .get(&format!("/admin/users?q={}", console.bob_id))
        .await;
    assert!(page.contains(BOB));
    for text in ["many", "x@example.com", "%3Cb%3E"] {
        let page = console.ada.get(&format!("/admin/users?q={text}")).await;
        assert!(
            page.status == 200 && page.contains("No user found"),
            "{text}"
        );
    }
    let absent = "/admin/users/usr_00000000000000000000000000000000";
    assert_eq!(console.ada.get(absent).await.status, 404);
    assert_eq!(console.ada.get("/admin/users/x").await.status, 404);
}

#[actix_web::test]
async fn plan_is_changed_with_its_consequence_at_the_control() {
    let settings = "[organizations]\nmade_by = \"users\"";
    let mut console = Console::with(settings).await;
    console.bob.get("/o/new").await;
    console.bob.post("/o/new", &[("name", "Bobs")]).await;
    let list = console.ada.get("/admin/organizations").await;
    assert_eq!(list.body.matches("class=\"rowlink\"").count(), 2);
    assert_eq!(list.body.matches(">Operator</td>").count(), 1, "made Acme");

    console.ada.get("/o/acme/settings/api-tokens/new").await;
    let fields = [("name", "build"), ("expires", "never")];
    let made = console
        .ada
        .post("/o/acme/settings/api-tokens/new", &fields)
        .await;
    let token = made.attribute("data-token").unwrap();
    let page = console.ada.get("/admin/organizations/acme").await;
    assert!(
        page.contains("The plan “free” would block 1 active token after"),
        "{}",
        page.body
    );
    let path = "/admin/organizations/acme/plan";
    let wrong = console
        .ada
        .post(path, &[("plan", "gold"), ("grace", "none")])
        .await;
    assert_eq!(wrong.status, 422);
    assert_eq!(console.test.me(&token).await.status(), 200);
    let page = console
        .done(path, &[("plan", "free"), ("grace", "none")])
        .await;
    assert!(
        page.contains("The plan is saved.") && page.contains("Free plan"),
        "{page}"
    );
    assert_ne!(console.test.me(&token).await.status(), 200);
    assert_eq!(console.records("organization.policy_changed"), 1);
    assert_eq!(
        console.ada.get("/admin/organizations/nobody").await.status,
        404
    );
}

#[actix_web::test]
async fn client_secret_is_rotated_and_shown_once() {
    let mut console = Console::with("").await;
    let token = console.bob.new_token("laptop", &["orgs:read"], "90d").await;
    let introspect = async |secret: &str| {
        let form = [("token", token.as_str())];
        let request = console
            .test
            .anon()
            .post(console.test.at("/auth/introspect"));
        let request = request.basic_auth(API, Some(secret)).form(&form);
        request.send().await.unwrap().status().as_u16()
    };
    let path = format!("/admin/clients/{API}/rotate");
    let page = console.ada.post(&path, &[("overlap", "1 year")]).await;
    assert_eq!(page.status, 422);
    let page = console.ada.post_only(&path, &[("overlap", "none")]).await;
    let shown = console.ada.get(page.location()).await;
    let (_, rest) = shown
        .body
        .split_once("aria-label=\"Client secret\">")
        .unwrap();
    let secret = rest.split('<').next().unwrap();
    assert_eq!(introspect(secret).await, 200);
    assert_eq!(introspect(&console.test.api_secret).await, 401);
    let again = console.ada.get(page.location()).await;
    assert!(again.contains("The secret was shown") && !again.contains(secret));
    assert_eq!(console.records("client.secret_rotated"), 1);
    // A secret that no page showed does not keep the next one from being made.
    for _ in 0..2 {
        let page = console.ada.post_only(&path, &[("overlap", "none")]).await;
        assert_eq!(page.status, 303, "{}", page.body);
    }
    assert_eq!(console.records("client.secret_rotated"), 3);

    let public = format!("/admin/clients/{CLI}/rotate");
    assert_eq!(console.ada.get(&public).await.status, 303, "has no secret");
    let page = console.ada.post(&public, &[("overlap", "none")]).await;
    assert!(page.status == 303 || page.contains("A public client has no secret."));
    assert_eq!(console.records("client.secret_rotated"), 3);
}

#[actix_web::test]
async fn scopes_of_a_client_are_updated() {
    let mut console = Console::with("").await;
    let path = format!("/admin/clients/{CLI}/scopes");
    let fields = [("scope", "orgs:read"), ("default_scope", "tokens:read")];
    let wrong = console.ada.post(&path, &fields).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.contains("Each default scope must be one that the client may ask for."));
    assert!(wrong.contains("name=\"default_scope\" value=\"tokens:read\" checked"));
    let fields = [
        ("scope", "orgs:read"),
        ("scope", "tokens:read"),
        ("default_scope", "orgs:read"),
    ];
    let page = console.done(&path, &fields).await;
    assert!(
        page.contains("The scopes are saved.") && page.contains("2 scopes"),
        "{page}"
    );
    let form = [("client_id", CLI), ("scope", "projects:read")];
    let refused = console.test.oauth("/auth/device", &form).await;
    assert_eq!(refused.error(), "invalid_scope");
    assert_eq!(console.records("client.changed"), 1);
    assert_eq!(console.ada.get("/admin/clients/nobody").await.status, 404);
}

#[actix_web::test]
async fn client_is_disabled_after_a_question_and_enabled() {
    let mut console = Console::with("").await;
    let token = console.test.token(&["tokens:read"]).await;
    let path = format!("/admin/clients/{CLI}");
    let question = console.ada.get(&format!("{path}/disable")).await;
    assert!(question.contains("Its 1 active token is inactive until you enable it again."));
    let page = console.done(&format!("{path}/disable"), &[]).await;
    assert!(page.contains("The client is disabled.") && page.contains(">Enable</button>"));
    assert_eq!(console.test.me(&token).await.status(), 401);
    let page = console.done(&format!("{path}/enable"), &[]).await;
    assert!(page.contains("The client is enabled."));
    assert_eq!(console.test.me(&token).await.status(), 200);
    assert_eq!(console.records("client.changed"), 2);
    let list = console.ada.get("/admin/clients").await;
    for id in [API, CLI, "doorcode-cli"] {
        assert!(
            list.contains(&format!("href=\"/admin/clients/{id}\"")),
            "{id}"
        );
    }
}

#[actix_web::test]
async fn health_scopes_and_routes_are_those_in_force() {
    let settings = "[[scopes]]\nname = \"app:deploy\"\ndescription = \"Deploy builds\"\n\
                    risk = \"high\"\nmin_role = \"admin\"\n\
                    [[routes]]\nmatch = \"POST /v1/deploys\"\nscope = \"app:deploy\"\n\
                    [[routes]]\nmatch = \"* /v1/status\"\noperator = true\n";
    let mut console = Console::with(settings).await;
    let page = console.ada.get("/admin/scopes").await;
    for text in [
        "app:deploy",
        "Deploy builds",
        "High risk",
        "POST /v1/deploys",
        "* /v1/status",
    ] {
        assert!(page.contains(text), "{text}: {}", page.body);
    }
    console.test.device("tokens:read").await;
    let page = console.ada.get("/admin").await;
    assert!(
        page.contains("<dt>Codes waiting</dt><dd class=\"value\">1</dd>"),
        "{}",
        page.body
    );
    for text in [
        "Database",
        "Working",
        "Audit log: sealing",
        "Email",
        "Not configured",
    ] {
        assert!(page.contains(text), "{text}");
    }
    console.test.clock.advance(601);
    let mut ada = console.test.user().await;
    let page = ada.get("/admin").await;
    assert!(
        page.contains("<dt>Codes waiting</dt><dd class=\"value\">0</dd>"),
        "expired"
    );
}

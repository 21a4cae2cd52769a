//! Limits of a token that the user sets at approval, or that the device requests.

use super::{ASK, CLOSED, OPEN, assert_refused};
use crate::support::browser::{Browser, Page};
use crate::support::device::Device;
use crate::support::{CLI, PASSWORD, TestApp};
use doorcode::app::access::Caller;
use doorcode::domain::org::Organization;
use doorcode::domain::project::Project;
use doorcode::domain::role::Role;
use serde_json::{Value, json};

const BEN: &str = "ben@x.example";
const DAY: i64 = 86_400;

/// A user who owns the organizations Alpha and Beta, next to Acme, which the user is not in.
struct World {
    test: TestApp,
    ben: Caller,
    browser: Browser,
    alpha: Organization,
    beta: Organization,
    /// Two projects of Alpha.
    shop: Project,
    site: Project,
    /// A project of Beta.
    game: Project,
}

impl World {
    async fn new() -> Self {
        let test = TestApp::start().await;
        let ben = test.caller(BEN).await;
        let alpha = test.organization(&ben, "Alpha").await;
        let beta = test.organization(&ben, "Beta").await;
        let mut browser = test.browser();
        browser.sign_in(BEN, PASSWORD).await;
        let shop = test.project(&alpha, "Shop").await;
        // Ids, and with them limits, sort by their time.
        test.clock.advance(1);
        Self {
            shop,
            site: test.project(&alpha, "Site").await,
            game: test.project(&beta, "Game").await,
            test,
            ben,
            browser,
            alpha,
            beta,
        }
    }

    /// A device that sends these further parameters, and its consent page.
    async fn device(&mut self, further: &[(&str, &str)]) -> (Device, Page) {
        let mut form = vec![("client_id", CLI), ("scope", "orgs:read projects:read")];
        form.extend_from_slice(further);
        let device = Device::of(&self.test.oauth(ASK, &form).await);
        let consent = self.browser.type_code(&device.user_code).await;
        assert_eq!(consent.status, 200, "{}", consent.body);
        (device, consent)
    }

    /// Approves with these further fields.
    async fn approve(&mut self, consent: &Page, further: &[(&str, &str)]) -> Page {
        let ticket = consent.field("ticket").unwrap();
        let code = consent.field("user_code").unwrap();
        let mut fields = vec![
            ("ticket", ticket.as_str()),
            ("user_code", &code),
            ("decision", "approve"),
            ("scope", "orgs:read"),
        ];
        fields.extend_from_slice(further);
        self.browser.post("/device/decide", &fields).await
    }

    /// Approves a new device with these fields. Returns the result page and the introspected token.
    async fn approved(&mut self, fields: &[(&str, &str)]) -> (Page, Value) {
        let (device, consent) = self.device(&[]).await;
        let page = self.approve(&consent, fields).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let token = self.test.poll(&device).await.token();
        (page, self.test.introspect(&token).await)
    }

    /// Asserts that approving with these fields shows the form again with an error of a field, and
    /// decides nothing. Returns the form.
    async fn rejected(&mut self, fields: &[(&str, &str)], field: &str) -> Page {
        let (device, consent) = self.device(&[]).await;
        let page = self.approve(&consent, fields).await;
        assert_eq!(page.status, 400, "{fields:?}: {}", page.body);
        let link = format!("id=\"{field}-error\"");
        assert!(page.contains(&link), "{fields:?}: {}", page.body);
        assert!(page.contains(OPEN));
        assert!(page.contains(r#"aria-describedby="grants-orgs:read" checked"#));
        assert!(!page.contains(r#"aria-describedby="grants-projects:read" checked"#));
        let answer = self.test.poll(&device).await;
        assert_eq!(answer.error(), "authorization_pending");
        assert_eq!(self.test.events("device.approved"), 0);
        page
    }
}

/// Whether an option of a list is selected.
fn is_selected(page: &Page, value: &str) -> bool {
    page.contains(&format!(r#"<option value="{value}" selected>"#))
}

/// Whether the box of a project is selected; panics if there is none.
fn is_ticked(page: &Page, project: &Project) -> bool {
    let name = format!(r#"name="project" value="{}""#, project.id);
    let found = page.body.split_once(&name);
    let (_, rest) = found.unwrap_or_else(|| panic!("no {name}: {}", page.body));
    rest.starts_with(" checked")
}

#[actix_web::test]
async fn token_is_limited_to_an_organization() {
    let mut world = World::new().await;
    for named in [world.alpha.id.to_string(), world.alpha.slug.clone()] {
        let (page, token) = world.approved(&[("organization", &named)]).await;
        assert!(page.contains("<dt>Limited to</dt><dd>Alpha</dd>"));
        assert_eq!(token["organization"], world.alpha.id.as_str());
        assert_eq!(token["projects"], Value::Null);
    }
    let fields = [("organization", ""), ("expires", ""), ("expires_on", "")];
    let (page, token) = world.approved(&fields).await;
    assert!(!page.contains("Limited to"));
    assert_eq!(token["organization"], Value::Null);
    assert_eq!(token["exp"], token["iat"].as_i64().unwrap() + 90 * DAY);
}

#[actix_web::test]
async fn token_is_limited_to_projects_of_one_organization() {
    let mut world = World::new().await;
    let (shop, site) = (world.shop.id.to_string(), world.site.id.to_string());
    let organization = world.alpha.id.to_string();
    for organization in [organization.as_str(), ""] {
        let fields = [
            ("organization", organization),
            ("project", shop.as_str()),
            ("project", site.as_str()),
        ];
        let (page, token) = world.approved(&fields).await;
        assert!(page.contains("<dt>Limited to</dt><dd>Alpha, Shop, Site</dd>"));
        assert_eq!(token["organization"], world.alpha.id.as_str());
        assert_eq!(token["projects"], json!([shop, site]));
    }
    let (_, token) = world.approved(&[("project", &shop)]).await;
    assert_eq!(token["projects"], json!([shop]));
}

#[actix_web::test]
async fn limits_that_the_user_cannot_set_are_refused() {
    let mut world = World::new().await;
    let acme = world
        .test
        .database
        .text("SELECT id FROM organization WHERE slug = 'acme'");
    let others = world.test.caller("cleo@x.example").await;
    let others = world.test.organization(&others, "Gamma").await;
    let foreign = world.test.project(&others, "Foreign").await.id;
    let (shop, game) = (world.shop.id.to_string(), world.game.id.to_string());
    let beta = world.beta.id.to_string();

    let both = [
        ("project", shop.as_str()),
        ("project", game.as_str()),
        ("expires", "7d"),
        ("expires_on", "2027-01-15"),
    ];
    let page = world.rejected(&both, "project").await;
    assert!(page.contains("Choose projects of one organization."));
    assert!(is_ticked(&page, &world.shop) && is_ticked(&page, &world.game));
    assert!(!is_ticked(&page, &world.site));
    assert!(is_selected(&page, "7d") && page.contains(r#"value="2027-01-15""#));
    // The code was typed, so there is still nothing to confirm.
    assert!(!page.contains("You opened this page from a link."));

    let mixed = [("organization", beta.as_str()), ("project", shop.as_str())];
    let page = world.rejected(&mixed, "project").await;
    assert!(is_selected(&page, &beta) && is_ticked(&page, &world.shop));
    for (name, value) in [
        ("organization", acme.as_str()),
        ("organization", "acme"),
        ("organization", "no-such"),
        ("organization", "\""),
        ("project", foreign.as_str()),
        ("project", "prj_1"),
        ("project", ""),
    ] {
        world.rejected(&[(name, value)], name).await;
    }
}

#[actix_web::test]
async fn expiry_is_shortened() {
    let mut world = World::new().await;
    for (expires, days) in [("1d", 1), ("7d", 7), ("30d", 30)] {
        let (page, token) = world.approved(&[("expires", expires)]).await;
        let issued_at = token["iat"].as_i64().unwrap();
        assert_eq!(token["exp"], issued_at + days * DAY, "{expires}");
        let end = world.test.app.now() + chrono::Duration::days(days);
        let end = end.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        assert_eq!(page.attribute("datetime"), Some(end));
    }
    for fields in [
        [("expires", "custom"), ("expires_on", "2027-01-15")],
        [("expires", "2027-01-15"), ("expires_on", "")],
    ] {
        let (_, token) = world.approved(&fields).await;
        // 16 January 2027, 0:00: the end of that day.
        assert_eq!(token["exp"], 1_800_057_600);
    }
}

#[actix_web::test]
async fn expiry_beyond_the_default_is_refused() {
    let mut world = World::new().await;
    for expires in ["1y", "never", "soon", "2d", "2027-02-21", "2026-11-21"] {
        world.rejected(&[("expires", expires)], "expires").await;
    }
    for date in ["", "tomorrow", "2027-02-21", "2026-11-21", "2027-02-30"] {
        let fields = [("expires", "custom"), ("expires_on", date)];
        let page = world.rejected(&fields, "expires_on").await;
        assert!(is_selected(&page, "custom"), "{}", page.body);
    }
}

/// The page offers only what the server accepts.
#[actix_web::test]
async fn offered_limits_can_be_approved() {
    let mut world = World::new().await;
    let (_, consent) = world.device(&[]).await;
    assert!(consent.contains(CLOSED), "closed: {}", consent.body);
    assert!(consent.contains(r#"min="2026-11-22" max="2027-02-19""#));
    let option = r#"<option value=""#;
    let mut fields = Vec::new();
    for name in ["organization", "expires"] {
        let (_, list) = consent
            .body
            .split_once(&format!("name=\"{name}\""))
            .unwrap();
        let (list, _) = list.split_once("</select>").unwrap();
        let values = list.split(option).skip(1);
        fields.extend(values.map(|rest| (name, rest.split_once('"').unwrap().0)));
    }
    assert_eq!(fields.len(), 3 + 5, "{fields:?}");
    for (name, value) in fields {
        let date = ("expires_on", "2027-02-19");
        world.approved(&[(name, value), date]).await;
    }
}

/// A device names an organization by its slug or id, or a project.
#[actix_web::test]
async fn limits_that_the_device_asks_for_are_preselected() {
    let mut world = World::new().await;
    let (alpha, slug) = (world.alpha.id.to_string(), world.alpha.slug.clone());
    let shop = world.shop.id.to_string();
    for (further, has_project) in [
        (&[("organization", alpha.as_str())][..], false),
        (&[("organization", slug.as_str())], false),
        (&[("project", shop.as_str())], true),
        (&[("organization", &slug), ("project", &shop)], true),
    ] {
        let (device, consent) = world.device(further).await;
        assert!(consent.contains(OPEN), "{further:?}");
        assert!(is_selected(&consent, &alpha), "{}", consent.body);
        assert_eq!(is_ticked(&consent, &world.shop), has_project);
        assert!(!is_ticked(&consent, &world.site) && !is_ticked(&consent, &world.game));
        assert!(!consent.contains("Your account cannot approve that limit."));
        // The user decides otherwise.
        let page = world.approve(&consent, &[("organization", "")]).await;
        assert!(page.status == 200 && !page.contains("Limited to"));
        let token = world.test.poll(&device).await.token();
        let token = world.test.introspect(&token).await;
        assert_eq!(token["organization"], Value::Null);
    }
}

/// The page of a user in a single organization shows its name too.
#[actix_web::test]
async fn only_organization_is_preselected() {
    let mut world = World::new().await;
    let (beta, ben) = (world.beta.clone(), world.ben.clone());
    let cleo = world.test.caller("cleo@x.example").await;
    world.test.add_member(&beta, &cleo, Role::Owner).await;
    world.test.unseat(&beta, &ben).await;
    let (_, consent) = world.device(&[]).await;
    assert!(!consent.contains(r#"name="organization""#));
    let (_, consent) = world.device(&[("organization", "alpha")]).await;
    assert!(is_selected(&consent, world.alpha.id.as_str()));
}

#[actix_web::test]
async fn limits_out_of_reach_are_named_and_not_preselected() {
    let mut world = World::new().await;
    let cleo = world.test.caller("cleo@x.example").await;
    let gamma = world.test.organization(&cleo, "Gamma").await;
    let foreign = world.test.project(&gamma, "Foreign").await.id.to_string();
    let unknown = world.shop.id.as_str().replace("prj_0", "prj_1");
    for (name, value, kind) in [
        ("organization", "gamma", "organization"),
        ("organization", gamma.id.as_str(), "organization"),
        ("organization", "no-such", "organization"),
        ("project", &foreign, "project"),
        ("project", &unknown, "project"),
    ] {
        let (_, consent) = world.device(&[(name, value)]).await;
        assert!(consent.contains(OPEN));
        let sentence = format!("The device requested access limited to the {kind} {value}.");
        assert!(consent.contains(&sentence), "{value}: {}", consent.body);
        assert!(!consent.contains("Gamma") && !consent.contains("Foreign"));
        for id in [world.alpha.id.as_str(), world.beta.id.as_str()] {
            assert!(!is_selected(&consent, id));
        }
        assert!(!is_ticked(&consent, &world.shop));
    }
}

#[actix_web::test]
async fn malformed_limits_are_invalid_requests() {
    let test = TestApp::start().await;
    let long = "a".repeat(101);
    for (name, values) in [
        ("organization", ["Two words", "org_1", "<b>", &long]),
        ("project", ["prj_1", "website", "org_1", &long]),
    ] {
        for value in values {
            let form = [("client_id", CLI), (name, value)];
            let answer = test.oauth(ASK, &form).await;
            assert_refused(&answer, 400, "invalid_request");
            let description = answer.body["error_description"].as_str().unwrap();
            assert!(description.contains(name), "{description}");
        }
        let path = format!("{ASK}?{name}=acme");
        let answer = test.oauth(&path, &[("client_id", CLI)]).await;
        assert_refused(&answer, 400, "invalid_request");
    }
    assert_eq!(test.count("device_grant", "1 = 1"), 0);
}

/// DEV-40: the limits are a part of the decision.
#[actix_web::test]
async fn repeated_approval_with_other_limits_is_refused() {
    let mut world = World::new().await;
    let (alpha, shop) = (world.alpha.id.to_string(), world.shop.id.to_string());
    let limits = [
        ("organization", alpha.as_str()),
        ("project", shop.as_str()),
        ("expires", "7d"),
    ];
    let (device, consent) = world.device(&[]).await;
    let first = world.approve(&consent, &limits).await;
    assert!(first.contains("Alpha, Shop"), "{}", first.body);
    for _ in 0..2 {
        let again = world.approve(&consent, &limits).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
        for other in [&limits[..2], &limits[..1], &limits[1..], &[]] {
            let other = world.approve(&consent, other).await;
            assert_eq!(other.status, 409, "{}", other.body);
        }
        // The second round comes after the device has its token.
        if world.test.count("token", "1 = 1") == 0 {
            world.test.poll(&device).await.token();
        }
    }
    assert_eq!(world.test.events("device.approved"), 1);
}

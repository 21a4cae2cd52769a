//! Users of a system know its name alone: no page, document or text of the CLI names the program
//! behind it.

use super::in_process::InProcess;
use super::machine;
use super::system::example;
use crate::support::PASSWORD;
use crate::support::browser::Browser;
use crate::support::device::{Answer, Device};
use doorcode::app::client::Kind;
use doorcode::domain::role::Role;
use std::collections::{BTreeMap, BTreeSet};

/// The folders in `examples/`, and scopes that a sign-in may request there.
const SYSTEMS: [(&str, &[&str]); 5] = [
    ("cloud-waste-scanner", &[]),
    ("comwit-cloud", &["project:read", "app:read"]),
    ("cmdop", &["machines:read", "files:read"]),
    ("cloudaipilot", &[]),
    ("walwarden", &["databases:read", "audit:read"]),
];

/// Pages that no other page links to.
const UNLINKED: [&str; 14] = [
    "/",
    "/login",
    "/forgot",
    "/device",
    "/problems",
    "/setup?link=x",
    "/invite?link=x",
    "/reset?link=x",
    "/nowhere",
    "/admin",
    "/o/none",
    "/openapi.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
];

/// Pages with other queries that are read at most.
const QUERIES: usize = 6;

#[track_caller]
fn assert_branded(at: &str, text: &str) {
    let lower = text.to_lowercase();
    if let Some(found) = lower.find("doorcode") {
        let around = lower.get(found.saturating_sub(200)..).unwrap_or(&lower);
        panic!("{at}: {}", around.chars().take(400).collect::<String>());
    }
}

/// The addresses on this server that a page links to or loads.
fn links(body: &str) -> impl Iterator<Item = String> {
    let values = ["href=\"", "src=\""]
        .into_iter()
        .flat_map(|attribute| body.split(attribute).skip(1));
    let values = values.filter_map(|rest| rest.split(['"', '#']).next());
    let own = values.filter(|value| value.starts_with('/') && !value.starts_with("//"));
    // An export names its format, which verifiers read.
    let own = own.filter(|value| !value.contains("/audit/export"));
    own.map(|value| value.replace("&amp;", "&"))
}

/// Reads these pages and all that they lead to. Returns their number.
async fn read_pages(browser: &mut Browser, first: &[&str]) -> usize {
    let mut waiting: Vec<_> = first.iter().map(|path| (*path).to_owned()).collect();
    let (mut seen, mut queries) = (BTreeSet::new(), BTreeMap::new());
    while let Some(address) = waiting.pop() {
        if !seen.insert(address.clone()) {
            continue;
        }
        let path = address.split('?').next().unwrap_or_default().to_owned();
        let count: &mut usize = queries.entry(path).or_default();
        *count += 1;
        if *count > QUERIES {
            continue;
        }
        let page = browser.get(&address).await;
        assert!(page.status < 500, "{address}: {}", page.status);
        assert_branded(&address, &page.body);
        waiting.extend(links(&page.body));
        waiting.extend((page.status == 303).then(|| page.location().to_owned()));
    }
    seen.len()
}

/// The ID of the client that the CLI of a system has.
fn client_id(folder: &str) -> String {
    let branding: toml::Table = example(folder, "branding.toml").parse().unwrap();
    branding["client_id"].as_str().unwrap().to_owned()
}

/// A system with an owner and a member of Alpha, which has a project and the plan for tokens.
async fn start(folder: &'static str, scopes: &[&str]) -> InProcess {
    let system = InProcess::start(folder).await;
    let test = &system.test;
    test.add_client(&client_id(folder), Kind::Public, scopes)
        .await;
    let ada = test.caller("ada@example.com").await;
    let mia = test.caller("mia@example.com").await;
    let alpha = test.organization(&ada, "Alpha").await;
    test.add_member(&alpha, &mia, Role::Member).await;
    test.project(&alpha, "Web").await;
    test.database
        .execute("UPDATE organization SET plan = 'team'");
    system
}

async fn signed_in(system: &InProcess, email: &str) -> Browser {
    let mut browser = system.test.browser();
    browser.sign_in(email, PASSWORD).await;
    browser
}

/// Reads the pages of a sign-in with a code, and of a token from its form to its end.
async fn use_pages(system: &InProcess, folder: &str, scopes: &[&str]) {
    let test = &system.test;
    let mut ada = signed_in(system, "ada@example.com").await;
    let id = client_id(folder);
    let requested = scopes.join(" ");
    let mut form = vec![("client_id", id.as_str())];
    form.extend((!scopes.is_empty()).then_some(("scope", requested.as_str())));
    let asked: Answer = test.oauth("/auth/device", &form).await;
    let device = Device::of(&asked);
    let consent = ada.type_code(&device.user_code).await;
    assert_branded("consent", &consent.body);
    let result = ada.decide(&consent, "approve", scopes).await;
    assert_branded("result", &result.body);

    ada.get("/tokens/new").await;
    let mut fields = vec![("name", "laptop"), ("expires", "90d")];
    fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
    let created = ada.post("/tokens/new", &fields).await;
    assert!(created.contains("data-token"), "{}", created.body);
    assert_branded("created", &created.body);
    ada.get("/tokens").await;
    let ended = ada.post("/tokens/revoke-all", &[]).await;
    assert_eq!(ended.status, 303, "{}", ended.body);
    for (path, fields) in [
        ("/account/password", &[("new_password", "short")][..]),
        ("/tokens/new", &[("name", "")]),
        ("/device", &[("user_code", "BCDF-GHJK")]),
        ("/o/alpha/projects/new", &[("name", "")]),
    ] {
        let refused = ada.post(path, fields).await;
        assert_branded(path, &refused.body);
    }
}

#[actix_web::test]
async fn pages_and_documents_of_each_system_name_it_alone() {
    for (folder, scopes) in SYSTEMS {
        let system = start(folder, scopes).await;
        let mut visitor = system.test.browser();
        assert!(read_pages(&mut visitor, &UNLINKED).await > UNLINKED.len());
        use_pages(&system, folder, scopes).await;
        for email in ["ada@example.com", "mia@example.com"] {
            let mut browser = signed_in(&system, email).await;
            let count = read_pages(&mut browser, &UNLINKED).await;
            assert!(count > 40, "{folder} {email}: {count}");
        }
        // A user without an organization.
        system.test.caller("new@example.com").await;
        let mut browser = signed_in(&system, "new@example.com").await;
        read_pages(&mut browser, &["/o", "/tokens"]).await;
        for (route, token) in [("GET /v1/me", ""), ("GET /v1/other", "x_1")] {
            let refused = system.api(route, token).await;
            assert_branded(route, &format!("{refused:?}"));
        }
    }
}

#[actix_web::test]
async fn cli_of_each_system_names_it_alone() {
    for (folder, scopes) in SYSTEMS {
        let system = start(folder, scopes).await;
        let shipped = machine::as_shipped(folder);
        assert!(shipped.read_help(&[]) > 20, "{folder}");
        shipped.run(&["man", "."]).exited(0);
        for page in std::fs::read_dir(shipped.home()).unwrap() {
            let path = page.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_branded(&path.display().to_string(), &text);
        }
        for shell in ["bash", "zsh", "fish"] {
            shipped.run(&["completions", shell]).exited(0);
        }

        let machine = system.machine();
        machine.run(&["whoami"]).exited(3);
        let options: Vec<_> = scopes.iter().flat_map(|scope| ["--scope", scope]).collect();
        let (login, code) = machine.begin(&options);
        let mut ada = signed_in(&system, "ada@example.com").await;
        ada.approve(&code, scopes).await;
        machine.branded(login.finish()).exited(0);
        for command in [
            &["whoami"][..],
            &["whoami", "--json"],
            &["config", "show"],
            &["profile", "list"],
            &["token", "print"],
            &["token", "list"],
            &["token", "create", "ci"],
            &["token", "revoke", "tok_0"],
            &["project", "list"],
            &["project", "use", "prj_0"],
            &["audit", "list"],
            &["profile", "use", "none"],
            &["login", "--scope", "none:none", "--no-browser"],
            &["lgoin"],
            &["logout"],
            &["logout"],
        ] {
            machine.run(command);
        }
    }
}

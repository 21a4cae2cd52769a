//! `doorcode project list` and `doorcode project use`.

use super::{Machine, owner};
use crate::support::TestApp;
use serde_json::{Value, json};

async fn with_projects() -> (TestApp, Machine, [String; 2]) {
    let test = TestApp::start().await;
    let owner = owner(&test).await;
    let acme = test.organization(&owner, "Rockets").await;
    let [web, api] = [
        test.project(&acme, "Web").await,
        test.project(&acme, "Api").await,
    ];
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    let ids = [web.id.to_string(), api.id.to_string()];
    (test, machine, ids)
}

#[actix_web::test]
async fn projects_are_listed_with_their_organization_and_the_default_one() {
    let (test, machine, [web, api]) = with_projects().await;
    let list = |arguments: &[&str]| machine.command(&["project", "list"]).args(arguments).run();
    let shown = list(&[]).exited(0);
    for (name, id) in [("Web", &web), ("Api", &api)] {
        let mut lines = shown.stdout.lines();
        let line = lines.find(|line| line.starts_with(name)).unwrap();
        assert!(
            line.contains(id.as_str()) && line.contains("Rockets"),
            "{line}"
        );
    }
    machine.command(&["project", "use", "Api"]).run().exited(0);
    list(&["--org", "rockets"]).exited(0).says(&["Api *"]);
    let document = list(&["--json"]).exited(0).json();
    let answer = test
        .anon()
        .get(test.at("/v1/projects"))
        .bearer_auth(machine.token());
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    assert_eq!(document["items"], answer["items"]);
    assert_eq!(document["default_project"], api.as_str());
    list(&["--org", "acme"])
        .exited(0)
        .complains(&["There are no projects"]);
}

#[actix_web::test]
async fn default_project_is_stored_only_if_the_token_can_access_it() {
    let (test, machine, [web, _]) = with_projects().await;
    let choose = |arguments: &[&str]| machine.command(&["project", "use"]).args(arguments).run();
    let eve = test.caller("eve@example.com").await;
    let elsewhere = test.organization(&eve, "Elsewhere").await;
    let foreign = test.project(&elsewhere, "Secret").await.id.to_string();
    for wrong in [&*foreign, "Secret", "no-such"] {
        choose(&[wrong]).exited(if wrong == foreign { 4 } else { 1 });
        assert_eq!(
            machine.credentials().get("default_project"),
            None,
            "{wrong}"
        );
    }
    let chosen = choose(&["Web", "--json"])
        .exited(0)
        .complains(&["use Web ("]);
    assert_eq!(chosen.json()["default_project"], web.as_str());
    assert_eq!(machine.credentials()["default_project"], web.as_str());
    let shown = machine
        .command(&["config", "show", "--json"])
        .run()
        .exited(0)
        .json();
    assert_eq!(shown["project"], json!({"value": web, "source": "file"}));
    choose(&["Web"]).exited(0).complains(&["use Web ("]);
    let overridden = machine
        .command(&["project", "use", &web])
        .env("DOORCODE_PROJECT", &web);
    overridden
        .run()
        .exited(0)
        .complains(&["DOORCODE_PROJECT is set and overrides this."]);
    choose(&["--none"])
        .exited(0)
        .complains(&["There is no default project"]);
    assert_eq!(machine.credentials().get("default_project"), None);
    choose(&[]).exited(2);
    choose(&["Web", "--none"]).exited(2);
}

//! `doorcode audit list`.

use super::Machine;
use crate::support::tenant::input;
use crate::support::{EMAIL, TestApp};
use doorcode::app::user::{self, Named};

/// Two tokens of the owner of `Acme`: one with `audit:read`, one without.
async fn tokens(test: &TestApp) -> [String; 2] {
    let named = Named::Email(EMAIL.to_owned());
    let found = user::find(&test.req(&crate::support::tenant::OPERATOR), named).await;
    let ada = test.signed_in(&found.unwrap().id).await;
    let reader = test.token_of(&ada, input(&["audit:read"])).await;
    let other = test.token_of(&ada, input(&["orgs:read"])).await;
    [reader, other].map(|token| token.secret.expose().to_owned())
}

#[actix_web::test]
async fn records_are_listed_as_a_table_or_as_json() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let [reader, _] = tokens(&test).await;
    let list = |arguments: &[&str]| {
        let command = machine.command(&["audit", "list"]).args(arguments);
        command
            .env("DOORCODE_TOKEN", &reader)
            .env("TZ", "UTC")
            .run()
    };
    let shown = list(&["--org", "acme", "--limit", "2"]).exited(0);
    let lines: Vec<_> = shown.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{shown:?}");
    let columns: Vec<_> = lines[0].split_whitespace().collect();
    assert_eq!(
        columns,
        ["TIME", "ACTOR", "ACTION", "OUTCOME", "TARGET", "ADDRESS"]
    );
    let is_timed = |line: &&str| line.starts_with("2026-11-22T12:00:00Z  ");
    assert!(lines[1..].iter().all(is_timed), "{shown:?}");
    let action = lines[0].find("ACTION").unwrap();
    assert!(
        lines[1..]
            .iter()
            .all(|line| !line[action..].starts_with(' '))
    );
    let created = list(&["--action", "token.created", "--limit", "2"]).exited(0);
    created.says(&[&format!("  {EMAIL} (usr_"), "  done  ", "(tok_"]);
    let more = list(&["--limit", "1", "--action", "token"]).exited(0);
    more.complains(&["There are more records. Use --limit 2"]);

    let document = list(&[
        "--json",
        "--action",
        "token.created",
        "--since",
        "2026-11-22",
    ]);
    let document = document.exited(0).json();
    let items = document["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| item["action"] == "token.created"));
    assert_eq!(document["next_cursor"], serde_json::Value::Null);
    let own = items[0]["target"].as_str().unwrap();
    let of_one = list(&["--json", "--token", own, "--action", "token"])
        .exited(0)
        .json();
    assert_eq!(of_one["items"].as_array().unwrap().len(), 1);
    let nothing = list(&["--actor", "operator", "--since", "2027-01-01"]).exited(0);
    assert_eq!(
        (&*nothing.stdout, &*nothing.stderr),
        ("", "No records were found.\n")
    );
    list(&["--action", "tokn"])
        .exited(2)
        .complains(&["invalid value 'tokn' for '--action <ACTION>'", "'token'"]);
}

/// All required pages are fetched and joined.
#[actix_web::test]
async fn several_pages_are_listed_as_one() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let [reader, _] = tokens(&test).await;
    for _ in 0..120 {
        let read = test
            .anon()
            .get(test.at("/v1/audit?limit=1"))
            .bearer_auth(&reader);
        assert_eq!(read.send().await.unwrap().status(), 200);
    }
    let list = |limit: &str| {
        let arguments = [
            "audit", "list", "--json", "--action", "audit", "--limit", limit,
        ];
        let listed = machine
            .command(&arguments)
            .env("DOORCODE_TOKEN", &reader)
            .run();
        listed.exited(0).json()
    };
    let all = list("500");
    let places: Vec<_> = all["items"].as_array().unwrap().iter().collect();
    assert!(places.len() >= 120, "{}", places.len());
    let sequences: Vec<_> = places
        .iter()
        .map(|item| item["sequence"].as_u64())
        .collect();
    assert!(sequences.is_sorted_by(|a, b| a > b), "{sequences:?}");
    assert_eq!(list("110")["items"].as_array().unwrap().len(), 110);
}

#[actix_web::test]
async fn rejection_is_reported() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let [reader, other] = tokens(&test).await;
    machine.command(&["audit", "list"]).run().exited(3);
    let list = |token: &str, arguments: &[&str]| {
        let command = machine.command(&["audit", "list"]).args(arguments);
        command.env("DOORCODE_TOKEN", token).run()
    };
    list(&other, &[]).exited(4).complains(&["audit:read"]);
    list(&reader, &["--org", "no-such"]).exited(4);
    list("dc_wrong", &[]).exited(3);
    for wrong in [["--since", "yesterday"], ["--limit", "0"]] {
        list(&reader, &wrong).exited(2);
    }
}

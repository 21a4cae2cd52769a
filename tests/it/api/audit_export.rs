//! Exports of the log (AUD-16): verifiable lines, and tables without formulas.

use super::audit::audit;
use super::call;
use super::world::{SCOPES, World};
use crate::statements::{self, PATIENCE};
use crate::support::database::Database;
use crate::support::{OPERATOR, TestApp};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/audit-log/verify.py");

/// An export: media type, file name and content.
pub async fn export(world: &World, bearer: &str, query: &str) -> (String, String, String) {
    let path = format!("/v1/audit/export{query}");
    let answer = call(&world.test, Method::GET, &path, bearer).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 200, "{query}");
    let header = |name| answer.headers()[name].to_str().unwrap().to_owned();
    let (media_type, name) = (header("content-type"), header("content-disposition"));
    assert_eq!(header("cache-control"), "no-store");
    (media_type, name, answer.text().await.unwrap())
}

/// Output of the Python verifier for a valid export.
fn verified(export: &str) -> String {
    let (fits, says) = verify(export, None);
    assert!(fits, "{says}");
    says
}

/// Whether the verifier accepts an export, and a use with its proof; and its output.
pub fn verify(export: &str, proven: Option<&Value>) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut command = Command::new("python3");
    // Without the site packages, whose discovery takes most of the time.
    command
        .args(["-I", "-S"])
        .arg(SCRIPT)
        .arg(write("audit.ndjson", export));
    if let Some(proven) = proven {
        command
            .arg("--use")
            .arg(write("use.json", &proven.to_string()));
    }
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors, "");
    let says = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), says)
}

fn lines(export: &str) -> Vec<Value> {
    let lines = export.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// AUD-09: an independent program verifies the export, complete or filtered, however many chunks
/// it arrives in.
#[actix_web::test]
async fn export_is_verified_without_the_server() {
    let world = World::new().await;
    let (home, _) = (world.home().await, world.away().await);
    for _ in 0..11 {
        let reads = (0..50).map(|_| audit(&world, OPERATOR, "?limit=1"));
        for read in join_all(reads).await {
            assert_eq!(read.status, 200);
        }
    }
    let (media_type, name, whole) = export(&world, OPERATOR, "").await;
    assert_eq!(media_type, "application/x-ndjson");
    assert_eq!(name, "attachment; filename=\"audit.ndjson\"");
    let records = lines(&whole).len() - 1;
    assert!(records > 500, "{records}");
    assert!(
        verified(&whole).starts_with(&format!("{records} records fit, the last is {records} "))
    );

    let admin = world.personal(&world.admin, &SCOPES).await;
    let of = format!("?organization={}", home.org);
    let all = "?action=audit".to_owned();
    let (own, everything) = (of.as_str(), all.as_str());
    for (bearer, query) in [(admin.as_str(), own), (OPERATOR, everything), (&admin, "")] {
        let (_, _, part) = export(&world, bearer, query).await;
        let records = lines(&part);
        assert_eq!(records[0]["filtered"], true, "{query}");
        assert!(records.len() > 1, "{query}");
        assert!(verified(&part).starts_with(&format!("{} records fit", records.len() - 1)));
        for record in &records[1..] {
            match query {
                query if query == own => assert_eq!(record["organization_id"], *home.org),
                "" => assert!(
                    record["user_id"] == *world.admin || record["target"] == *world.admin,
                    "{record}"
                ),
                _ => assert!(
                    record["action"].as_str().unwrap().starts_with("audit."),
                    "{record}"
                ),
            }
        }
    }
    // An empty export is valid too.
    let (_, _, nothing) = export(&world, OPERATOR, "?action=no.such").await;
    assert!(verified(&nothing).starts_with("0 records fit"));
}

/// AUD-16: a spreadsheet interprets no value in the table as a formula.
#[actix_web::test]
async fn csv_export_contains_no_formula() {
    let world = World::new().await;
    let formula = "=HYPERLINK(\"http://evil.example\",\"a,b\")";
    let input = json!({"name": formula, "scopes": SCOPES});
    let token = world.token("/v1/tokens", Some(&world.member), &input).await;
    let mut agents = Vec::new();
    for start in ["=", "+", "-", "@"] {
        let agent = format!("{start}{}", &formula[1..]);
        let path = "/v1/audit?limit=1&actor=%3D1%2B1";
        let read = call(&world.test, Method::GET, path, &token).header("user-agent", &agent);
        assert_eq!(read.send().await.unwrap().status(), 200);
        agents.push(agent);
    }
    let (media_type, name, text) = export(&world, OPERATOR, "?format=csv").await;
    assert_eq!(media_type, "text/csv; charset=utf-8");
    assert_eq!(name, "attachment; filename=\"audit.csv\"");
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let columns = table.headers().unwrap().clone();
    assert_eq!(columns.get(0), Some("sequence"));
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    let column = |name: &str| columns.iter().position(|column| column == name).unwrap();
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row[0], (at + 1).to_string());
        for cell in row {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell}"
            );
        }
    }
    let named = rows.iter().any(|row| {
        let detail: Value = serde_json::from_str(&row[column("detail")]).unwrap();
        detail["token_name"] == formula
    });
    assert!(named, "the name of the token is in no row");
    for agent in agents {
        let marked = format!("'{agent}");
        assert!(
            rows.iter().any(|row| row[column("agent")] == marked),
            "{agent}"
        );
    }
    let first = text.split("\r\n").next().unwrap();
    assert!(first.ends_with(",agent,detail"), "{first}");
}

/// The client addresses of admins are hidden from the users they manage, in every format.
#[actix_web::test]
async fn own_log_of_a_user_hides_the_addresses_of_others() {
    let world = World::new().await;
    let home = world.home().await;
    let path = format!("/v1/orgs/{}/members/{}", home.org, world.member);
    let changed = call(&world.test, Method::PUT, &path, OPERATOR)
        .header("user-agent", "AdminTool/7")
        .json(&json!({"role": "admin"}));
    assert_eq!(changed.send().await.unwrap().status(), 200);
    let member = world.personal(&world.member, &SCOPES).await;

    let list = audit(&world, &member, "?action=member.changed").await;
    let record = &list.body["items"][0];
    assert_eq!(record["target"], *world.member);
    for hidden in ["address", "agent"] {
        assert_eq!(record[hidden], Value::Null, "{record}");
    }
    let (_, _, table) = export(&world, &member, "?format=csv").await;
    assert!(
        table.contains("member.changed") && !table.contains("AdminTool"),
        "{table}"
    );
    let (_, _, own) = export(&world, &member, "").await;
    let actions: Vec<_> = lines(&own)[1..]
        .iter()
        .map(|line| line["action"].as_str().unwrap().to_owned())
        .collect();
    assert!(actions.contains(&"member.changed".to_owned()), "{own}");
    assert!(
        !own.contains("AdminTool") && own.contains("\"agent\":\"sha256:"),
        "{own}"
    );
    verified(&own);

    // The organization's log contains the address and proves it.
    let admin = world.personal(&world.admin, &SCOPES).await;
    let of = format!("?organization={}&action=member.changed", home.org);
    let (_, _, whole) = export(&world, &admin, &of).await;
    assert!(whole.contains("AdminTool/7"), "{whole}");
}

/// A long read of one request delays no other, although the server has one worker.
#[actix_web::test]
async fn requests_are_answered_while_an_export_reads() {
    if Database::is_postgres() {
        return;
    }
    statements::observe();
    let test = TestApp::start().await;
    for (path, text) in [
        // The records after the start of the log and after the last piece.
        (
            "/v1/audit/export",
            "`audit_record`.`sequence` > ?)) ORDER BY",
        ),
        (
            "/v1/audit/verify",
            "`audit_record`.`sequence` > ?) ORDER BY",
        ),
    ] {
        test.settle().await;
        let mut held = statements::hold(&test.database, text);
        let long = async {
            let answer = call(&test, Method::GET, path, OPERATOR)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            answer.text().await.unwrap()
        };
        let others = async {
            held.reached().await;
            for _ in 0..20 {
                let token = test.token(&["tokens:read"]).await;
                assert_eq!(test.me(&token).await.status(), 200);
                assert_eq!(test.introspect(&token).await["active"], true);
            }
            held.release();
        };
        let others = async {
            let answered = tokio::time::timeout(PATIENCE, others).await;
            answered.expect("requests wait for the export");
        };
        let (text, ()) = tokio::join!(long, others);
        assert!(!text.is_empty());
    }
}

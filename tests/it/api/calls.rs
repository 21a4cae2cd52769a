//! All requests of the matrix.

use super::grounds::{CALLERS, Caller, Grounds, Kind};
use super::matrix::{Entry, TABLE};
use super::send;
use crate::support::device::Answer;
use Kind::{Absent, Away, Home, Malformed};
use actix_web::rt::System;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Number of routes tested on one server.
const PART: usize = 7;

/// All combinations of objects for a route.
fn choices(parameters: usize) -> Vec<Vec<Kind>> {
    let mut choices = vec![Vec::new()];
    for _ in 0..parameters {
        choices = choices
            .iter()
            .flat_map(|chosen| Kind::ALL.map(|kind| chosen.iter().copied().chain([kind]).collect()))
            .collect();
    }
    choices
}

/// A rejection without its varying fields.
fn words(answer: &Answer) -> (u16, Value, Option<String>) {
    let mut body = answer.body.clone();
    body.as_object_mut().unwrap().remove("request_id").unwrap();
    let challenge = answer.headers.get("www-authenticate");
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    (answer.status, body, challenge)
}

/// Whether a rejection has the right form.
fn is_refused(entry: &Entry, caller: Caller, kinds: &[Kind], answer: &Answer) -> bool {
    let (status, body) = (answer.status, &answer.body);
    if body["status"] != status || answer.headers["content-type"] != "application/problem+json" {
        return false;
    }
    if !caller.is_known() {
        return status == 401;
    }
    if kinds.iter().any(|kind| *kind != Home) {
        return [403, 404].contains(&status);
    }
    let code = match (entry.is_for_operators(), caller.lacks_scope()) {
        (true, _) => "operator_required",
        (false, true) => "insufficient_scope",
        (false, false) => return status == 403,
    };
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    let scope = format!(r#"scope="{}""#, entry.scope);
    body["code"] == code && (entry.is_for_operators() || challenge.contains(&scope))
}

/// API-06: existing and absent objects are rejected with identical responses, except in the
/// caller's own organization.
fn unlike(
    caller: Caller,
    refused: &BTreeMap<Vec<Kind>, (u16, Value, Option<String>)>,
) -> Option<&Vec<Kind>> {
    let own = if caller.is_away() { Away } else { Home };
    let is_unlike = |kinds: &&Vec<Kind>| {
        (0..kinds.len()).any(|at| {
            let mut absent = (*kinds).clone();
            absent[at] = Absent;
            let is_foreign = kinds[at] != own && kinds[at] != Malformed;
            is_foreign
                && refused
                    .get(&absent)
                    .is_some_and(|words| *words != refused[*kinds])
        })
    };
    refused.keys().find(is_unlike)
}

/// Result of one part of the table.
#[derive(Default)]
struct Played {
    calls: usize,
    refusals: usize,
    types: BTreeSet<String>,
    faults: Vec<String>,
}

/// Runs one part of the table on its own server.
async fn play(entries: &[Entry]) -> Played {
    let mut grounds = Grounds::new().await;
    let mut played = Played::default();
    for entry in entries {
        for caller in CALLERS {
            let at = format!("{} {caller:?}", entry.route);
            let mut refused = BTreeMap::new();
            let mut allowed = Vec::new();
            let mut requests = Vec::new();
            for kinds in choices(entry.parameters().len()) {
                match entry.expected(caller, &kinds) {
                    Some(status) if status < 300 => allowed.push((kinds, status)),
                    expected => {
                        let request = grounds.request(entry, caller, &kinds, false).await;
                        requests.push((kinds, expected, request));
                    }
                }
            }
            let before = grounds.world.test.database.content();
            for (kinds, expected, request) in requests {
                let answer = send(request).await;
                let is_right = match expected {
                    Some(status) => answer.status == status,
                    None => is_refused(entry, caller, &kinds, &answer),
                };
                if !is_right {
                    let fault = format!("{at} {kinds:?} {expected:?}: {answer:?}");
                    played.faults.push(fault);
                    if answer.status < 300 {
                        continue;
                    }
                }
                let kind = answer.body["type"].as_str().unwrap();
                played.types.insert(kind.to_owned());
                refused.insert(kinds, words(&answer));
            }
            let after = grounds.world.test.database.content();
            if before != after {
                let new = after.iter().find(|line| !before.contains(line));
                played.faults.push(format!("{at} wrote {new:?}"));
            }
            if let Some(kinds) = unlike(caller, &refused) {
                let fault = format!("{at} {kinds:?} is told apart from what is absent");
                played.faults.push(fault);
            }
            played.calls += refused.len() + allowed.len();
            played.refusals += refused.len();
            for (kinds, status) in allowed {
                let spends = entry.spends(&kinds);
                let request = grounds.request(entry, caller, &kinds, spends).await;
                let answer = send(request).await;
                if answer.status != status {
                    let fault = format!("{at} {kinds:?} {status}: {answer:?}");
                    played.faults.push(fault);
                }
            }
        }
    }
    for kind in &played.types {
        let page = grounds.world.test.anon().get(kind).send().await.unwrap();
        assert_eq!(page.status(), 200, "{kind}");
    }
    played
}

/// AUZ-01, OPR-02, API-02, API-06. The parts of the table run concurrently: each request compares
/// the whole database before and after, which is faster with several small databases.
#[test]
fn every_request_gets_the_response_in_the_table() {
    let mut all = Played::default();
    let this = std::thread::current();
    std::thread::scope(|scope| {
        let start = |entries| {
            let thread = std::thread::Builder::new().name(this.name().unwrap().to_owned());
            let work = move || System::new().block_on(play(entries));
            thread.spawn_scoped(scope, work).unwrap()
        };
        let parts: Vec<_> = TABLE.chunks(PART).map(start).collect();
        for part in parts {
            let played = part.join().unwrap();
            all.calls += played.calls;
            all.refusals += played.refusals;
            all.types.extend(played.types);
            all.faults.extend(played.faults);
        }
    });
    let (calls, refusals) = (all.calls, all.refusals);
    println!(
        "matrix: {} addresses, {} kinds of caller, {calls} calls, {refusals} of them refused",
        TABLE.len(),
        CALLERS.len()
    );
    assert!(all.faults.is_empty(), "{}", all.faults.join("\n"));
    assert!(calls > 3_500 && refusals > 2_500, "{calls} {refusals}");
    // Each server has its own problem URLs.
    let types = all.types.iter().filter_map(|kind| kind.rsplit('/').next());
    let types: BTreeSet<&str> = types.collect();
    assert!(types.len() > 5, "{types:?}");
}

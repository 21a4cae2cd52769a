//! How much each kind of unauthenticated request leaves in the memory of the program and in its log.

use crate::audit::left_bytes::{PROMISED, send};
use crate::support::CLI;
use crate::support::deployment::Deployment;
use crate::support::program::Running;

/// Rounds after the first one, which fills the tables of fixed size.
const ROUNDS: u32 = 4;

/// Requests of a round. A hash of a password takes long, and 1,000 wrong client secrets are the limit
/// of all sources.
fn requests(kind: &str) -> u32 {
    match kind.split_once(',').map_or(kind, |(what, _)| what) {
        "Failing sign-in" => 40,
        "Wrong client secret" => 150,
        _ => 300,
    }
}

/// Bytes of memory of each request, at most, besides the pages of the database that it changed and
/// those that change when its records are sealed.
const MEMORY: i64 = 250;

/// Bytes of a line of the log, at most. Each request writes one, until their number is limited.
const LINE: i64 = 500;

/// Resident memory of the program, in bytes.
fn memory(server: &Running) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let (_, rest) = status.split_once("VmRSS:").unwrap();
    let kibibytes: i64 = rest.split_whitespace().next().unwrap().parse().unwrap();
    kibibytes * 1024
}

/// A deployment behind a proxy, with the clients and the revoked token of the requests.
async fn start() -> (Deployment, Running, String) {
    let deployment = Deployment::with_user();
    let add = |arguments: &[&str]| {
        let arguments = [&["client", "add", "--name", "x", "--id"], arguments].concat();
        deployment.command(&arguments).run().exited(0);
    };
    add(&[CLI, "--all-scopes"]);
    add(&["reports", "--confidential", "--scope", "tokens:read"]);
    deployment.write(
        "doorcode.toml",
        "[server]\ntrusted_proxies = [\"127.0.0.1/32\"]\n",
    );
    let server = deployment.start();
    let mut browser = deployment.user().await;
    let revoked = browser.new_token("revoked", &["orgs:read"], "90d").await;
    assert_eq!(browser.post("/tokens/revoke-all", &[]).await.status, 303);
    (deployment, server, revoked)
}

/// In the round that adds least, the memory grows by less than each request may leave: what every
/// request leaves is in every round, unlike what the allocator takes now and then.
#[actix_web::test]
async fn each_kind_of_request_leaves_little_in_memory_and_in_the_log() {
    for (kind, stored) in PROMISED {
        let (deployment, server, revoked) = start().await;
        let count = requests(kind);
        send(&deployment.url, kind, 0..count, &revoked).await;
        let mut least = i64::MAX;
        for round in 1..=ROUNDS {
            let before = memory(&server);
            let numbers = round * count..(round + 1) * count;
            send(&deployment.url, kind, numbers, &revoked).await;
            least = least.min((memory(&server) - before) / i64::from(count));
        }
        server.signal("TERM");
        let log = server.finish().exited(0).stderr;
        let lines: Vec<_> = log
            .lines()
            .filter(|line| line.contains("\"request\""))
            .collect();
        let sent = (ROUNDS + 1) * count;
        // A browser follows the redirect after its form.
        assert!(!lines.is_empty() && lines.len() <= 2 * sent as usize + 20);
        let longest = lines.iter().map(|line| line.len()).max().unwrap();
        let answered = lines.len().max(sent as usize);
        let logged = (log.len() / answered) as i64;
        eprintln!("{kind}: {least} B of memory, {logged} B of log, longest line {longest} B");
        assert!(least <= MEMORY + 2 * stored, "{kind}: {least} B of memory");
        assert!(longest as i64 <= LINE, "{kind}: {longest} B");
        assert!(logged <= LINE, "{kind}: {logged} B of log");
    }
}

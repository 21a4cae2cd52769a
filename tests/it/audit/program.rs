//! `doorcode audit …`.

use crate::support::EMAIL;
use crate::support::database::AUDIT;
use crate::support::deployment::Deployment;

/// Disarms the database and changes a record.
fn edit(deployment: &Deployment) {
    deployment.database.disarm();
    deployment
        .database
        .execute("UPDATE audit_record SET target = 'somebody else' WHERE sequence = 2");
}

/// AUD-09: exit code 1 on any doubt.
#[test]
fn verify_counts_what_fits_and_fails_where_it_does_not() {
    let deployment = Deployment::with_user();
    deployment
        .command(&["audit", "verify"])
        .run()
        .exited(0)
        .says(&[
            "Everything fits.\nRecords: ",
            "Uses of tokens: 0.",
            "The last record is ",
        ]);
    let told = "action = 'audit.verified' AND detail LIKE '%\"head\":%'";
    assert_eq!(deployment.database.count(AUDIT, told), 1);
    deployment
        .command(&["audit", "keys"])
        .run()
        .exited(0)
        .says(&["doorcode-"]);
    let trust = |key: &str| deployment.command(&["audit", "trust", key]).run();
    trust("nonsense").exited(2).complains(&["this is no key"]);
    let keys = deployment.command(&["audit", "keys"]).run().exited(0);
    trust(keys.stdout.trim())
        .exited(0)
        .says(&["What this key has signed counts"]);
    edit(&deployment);
    deployment
        .command(&["audit", "verify"])
        .run()
        .exited(1)
        .complains(&[
            "the audit log is not what was sealed and signed, at record 2: edited.",
            "Everything before fits, up to record 1 with the hash ",
        ]);
}

#[test]
fn an_export_that_is_none_and_a_key_that_is_missing_are_told() {
    let deployment = Deployment::new();
    deployment.write("export.ndjson", "nothing\n");
    let verify = |more: &[&str]| {
        deployment
            .command(&["audit", "verify", "--export", "export.ndjson"])
            .args(more)
            .run()
    };
    verify(&[])
        .exited(1)
        .complains(&["export.ndjson: it does not begin with the header of an export"]);
    verify(&["--checkpoints", "notes"])
        .exited(1)
        .complains(&["--checkpoints needs the --key that signed them"]);
    verify(&["--key", "nonsense"])
        .exited(2)
        .complains(&["this is no key"]);
    // A check of a file needs no database, and makes nothing.
    assert!(!deployment.path("data").exists());
}

/// AUD-10, AUD-11: the start says what is wrong, and the operator decides.
#[actix_web::test]
async fn a_start_on_an_old_copy_says_so_and_recovery_revokes() {
    let deployment = Deployment::with_user();
    let server = deployment.start();
    server.signal("TERM");
    server.finish().exited(0);
    deployment
        .command(&["audit", "recover", "--revoke", "all"])
        .run()
        .exited(1)
        .complains(&["Nothing contradicts the log"]);
    edit(&deployment);
    deployment.database.execute(
        "DELETE FROM audit_record WHERE sequence > 1;
         DELETE FROM audit_checkpoint;
         UPDATE audit_head SET sequence = 1,
             hash = (SELECT hash FROM audit_record WHERE sequence = 1)",
    );

    let server = deployment.start();
    server.signal("TERM");
    server.finish().exited(0).complains(&[
        "the audit log contradicts what was signed of it",
        "audit recover --revoke all",
    ]);
    deployment
        .command(&["audit", "recover", "--revoke", "all"])
        .run()
        .exited(0)
        .says(&["The log says so now", "keep them.", "Tokens revoked: 0."]);
    deployment.command(&["audit", "verify"]).run().exited(0);
}

/// AUD-14: who is erased, and how much of them there was.
#[test]
fn a_person_is_erased_by_address() {
    let deployment = Deployment::with_user();
    let erase = |email: &str| {
        deployment
            .command(&["audit", "erase", "--email", email])
            .run()
    };
    erase(EMAIL)
        .exited(0)
        .says(&["Records erased: ", "still proves itself"]);
    erase("nobody@example.com")
        .exited(1)
        .complains(&["nobody@example.com: "]);
    deployment.command(&["audit", "erase"]).run().exited(2);
    deployment.command(&["audit", "verify"]).run().exited(0);
}

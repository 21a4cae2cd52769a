//! `doorcode audit …`.

use crate::support::EMAIL;
use crate::support::database::AUDIT;
use crate::support::deployment::Deployment;

/// Disables the protection in the database and changes a record.
fn edit(deployment: &Deployment) {
    deployment.database.disarm();
    deployment
        .database
        .execute("UPDATE audit_record SET target = 'somebody else' WHERE sequence = 2");
}

/// AUD-09: exit code 1 on any discrepancy.
#[test]
fn verify_reports_the_records_and_fails_on_a_discrepancy() {
    let deployment = Deployment::with_user();
    deployment
        .command(&["audit", "verify"])
        .run()
        .exited(0)
        .says(&[
            "The audit log is valid.\nRecords: ",
            "Token uses: 0.",
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
    trust("nonsense")
        .exited(2)
        .complains(&["this is not a signing key"]);
    let keys = deployment.command(&["audit", "keys"]).run().exited(0);
    trust(keys.stdout.trim())
        .exited(0)
        .says(&["The key is trusted from now on."]);
    edit(&deployment);
    deployment
        .command(&["audit", "verify"])
        .run()
        .exited(1)
        .complains(&[
            "the audit log has a discrepancy at record 2: edited.",
            "It is valid up to record 1 with the hash ",
        ]);
}

#[test]
fn invalid_export_and_missing_key_are_reported() {
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
        .complains(&["--checkpoints needs --key, the key that signed them."]);
    verify(&["--key", "nonsense"])
        .exited(2)
        .complains(&["this is not a signing key"]);
    // The verification of a file needs no database, and creates no files.
    assert!(!deployment.path("data").exists());
}

/// AUD-10, AUD-11: the start reports the discrepancy, and the operator decides.
#[actix_web::test]
async fn start_on_an_old_copy_is_reported_and_recovery_revokes() {
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
        "the audit log contradicts its signed checkpoints",
        "audit recover --revoke all",
    ]);
    deployment
        .command(&["audit", "recover", "--revoke", "all"])
        .run()
        .exited(0)
        .says(&["The log records this", "Keep them.", "Tokens revoked: 0."]);
    deployment.command(&["audit", "verify"]).run().exited(0);
}

/// AUD-14: erases one user and reports the number of records.
#[test]
fn user_is_erased_by_email() {
    let deployment = Deployment::with_user();
    let erase = |email: &str| {
        deployment
            .command(&["audit", "erase", "--email", email])
            .run()
    };
    erase(EMAIL)
        .exited(0)
        .says(&["Records erased: ", "can still be verified"]);
    erase("nobody@example.com")
        .exited(1)
        .complains(&["There is no user nobody@example.com."]);
    deployment.command(&["audit", "erase"]).run().exited(2);
    deployment.command(&["audit", "verify"]).run().exited(0);
}

//! `doorcode healthcheck`.

use crate::support::deployment::Deployment;

/// The answer of the check while the server runs, and its failure after the stop.
fn check_around_a_stop(deployment: &Deployment) {
    let check = |arguments: &[&str]| {
        let arguments = [&["healthcheck"], arguments].concat();
        deployment.command(&arguments).run()
    };
    let server = deployment.start();
    assert_eq!(check(&[]).exited(0).stdout, "ok\n");
    assert_eq!(check(&["--ready"]).exited(0).stdout, "ready\n");
    server.signal("TERM");
    server.finish().exited(0);
    let failed = check(&[]).exited(1);
    assert!(failed.stderr.contains("no answer at"), "{}", failed.stderr);
}

#[test]
fn health_is_that_of_the_server_at_its_address() {
    check_around_a_stop(&Deployment::with_user());
}

#[test]
fn health_is_found_behind_tls_and_at_a_unix_socket() {
    check_around_a_stop(&Deployment::with_user().with_tls("self-signed"));
    let deployment = Deployment::with_user();
    let socket = format!("unix:{}", deployment.path("http.sock").display());
    check_around_a_stop(&deployment.set("DOORCODE__SERVER__LISTEN", &socket));
}

//! The operator console, opened and closed with commands.

use crate::support::EMAIL;
use crate::support::deployment::Deployment;

#[actix_web::test]
async fn command_opens_the_console_to_a_user_and_closes_it() {
    let deployment = Deployment::with_user();
    let _server = deployment.start();
    let update = |arguments: &[&str]| {
        let all = [&["user", "update", EMAIL], arguments].concat();
        deployment.command(&all).run()
    };
    let mut before = deployment.user().await;
    assert_eq!(before.get("/admin").await.status, 404);
    update(&["--operator"]).exited(0).says(&["operator: yes"]);
    assert_eq!(before.get("/tokens").await.status, 303, "signs in again");

    let mut browser = deployment.user().await;
    assert_eq!(browser.get("/admin").await.status, 200);
    update(&["--operator", "--no-operator"]).exited(2);
    let closed = update(&["--no-operator"]).exited(0);
    assert!(!closed.stdout.contains("operator"), "{}", closed.stdout);
    assert_eq!(browser.get("/admin").await.status, 404);
    assert_eq!(browser.get("/tokens").await.status, 200);

    let sql = "UPDATE users SET email_verified_at = NULL";
    deployment.database.execute(sql);
    update(&["--operator"])
        .exited(1)
        .complains(&["The email address is not verified", "--email-verified"]);
    update(&["--operator", "--email-verified"]).exited(0);
}

//! The script of `docs/how-to/sign-in-from-a-script.md`.

use crate::support::EMAIL;
use crate::support::database::AUDIT;
use crate::support::deployment::Deployment;
use crate::support::machine::SERVER;
use crate::support::source::root;
use std::path::Path;

/// The first script of the guide, with the examples of this source.
fn script() -> String {
    let guide = root().join("docs/how-to/sign-in-from-a-script.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let script = guide.split("```sh\n").nth(1).unwrap();
    let (script, _) = script.split_once("```").unwrap();
    script.replace("examples/", &format!("{}/examples/", root().display()))
}

#[test]
fn script_of_the_guide_creates_a_user_and_signs_in_without_a_browser() {
    let deployment = Deployment::migrated();
    let _server = deployment.start();
    let programs = Path::new(SERVER).parent().unwrap().display();
    let shell = |script: &str| {
        let shell = deployment.command(&[]).run_by(&["/bin/sh", "-euc", script]);
        let shell = shell.env("PATH", format!("{programs}:/usr/bin:/bin"));
        shell.env("HOST", &deployment.url).unwitnessed().run()
    };
    let shown = shell(&script()).exited(0).says(&[
        &format!("Signed in to {}", deployment.url),
        EMAIL,
        "Scopes:        orgs:read\n",
    ]);
    assert_eq!(
        deployment
            .database
            .count(AUDIT, "action = 'device.approved'"),
        1,
        "{shown:?}"
    );

    // A wrong code and a wrong password fail.
    let approve = |variables: &str, code: &str| {
        let file = root().join("examples/approve.sh");
        shell(&format!(
            "{variables} sh {} \"$HOST\" {code} orgs:read",
            file.display()
        ))
    };
    let right = format!("EMAIL={EMAIL} PASSWORD='violet kettle marches north'");
    for (variables, code) in [
        (right.as_str(), "BCDF-GHJK"),
        (&right.replace("violet", "yellow"), "BCDF-GHJK"),
    ] {
        assert_ne!(approve(variables, code).code, Some(0), "{variables}");
    }
}

//! A platform whose users have personal tokens, and whose console has the operator token.

mod cli;
mod console;
mod login;
mod operator;
mod scopes;
mod tokens;

use super::shared::Shared;
use super::stand_in::Call;
use super::system::{Plan, System, User, request};
use serde_json::{Value, json};
use std::sync::Arc;

const FOLDER: &str = "comwit-cloud";

/// The console's token, in the variable that the platform uses.
const OPERATOR: &str = "cwt_c91e5a7d40b83f26e1d9a54c7b02f8361d9e6a40c5b73f18";

/// The scopes of the platform.
const SCOPES: [&str; 9] = [
    "project:read",
    "database:read",
    "database:write",
    "app:read",
    "app:write",
    "app:deploy",
    "domain:read",
    "domain:write",
    "domain:purchase",
];

/// The scopes that the CLI requests.
const CLI_SCOPES: [&str; 3] = ["project:read", "app:read", "app:deploy"];

/// The platform with its projects.
struct Comwit {
    system: System,
    /// ID of the project `Web`.
    web: String,
    /// ID of the project `Shop`.
    shop: String,
}

impl Comwit {
    async fn create() -> Self {
        let system = start(&[]);
        let mut add = vec![
            "client",
            "add",
            "--id",
            "comwit-cli",
            "--name",
            "Comwit CLI",
        ];
        add.push("--all-scopes");
        let defaults = CLI_SCOPES.iter();
        add.extend(defaults.flat_map(|scope| ["--default-scope", scope]));
        system.command(&add).run().exited(0);
        system.user("ada@comwit.io", ("Comwit", "owner")).await;
        let project = async |name| {
            let route = "POST /v1/orgs/comwit/projects";
            let project = system.operate(route, json!({"name": name})).await;
            project["id"].as_str().unwrap().to_owned()
        };
        let (web, shop) = (project("Web").await, project("Shop").await);
        Self { system, web, shop }
    }

    /// A new user, who is a member of the project `Web`.
    async fn member(&self, name: &str) -> User {
        let email = format!("{name}@comwit.io");
        let user = self.system.user(&email, ("Comwit", "member")).await;
        self.join(&self.web, &user).await;
        user
    }

    /// Adds a user to a project.
    async fn join(&self, project: &str, user: &User) {
        let route = format!("PUT /v1/projects/{project}/members/{}", user.id);
        self.system.operate(&route, Value::Null).await;
    }

    /// A route of the project `Web`.
    fn web(&self, method: &str, rest: &str) -> String {
        format!("{method} /v1/projects/{}{rest}", self.web)
    }

    /// A new user, who is a member of the project `Web`, with a token of the console.
    async fn member_with(&self, name: &str, scopes: &[&str]) -> (User, String) {
        let mut user = self.member(name).await;
        let token = user.browser.new_token("laptop", scopes, "30d").await;
        (user, token)
    }
}

/// The platform with more environment variables.
fn start(variables: &[(&str, &str)]) -> System {
    let plan = Plan::of(FOLDER).public_at_proxy();
    let plan = plan.operator_in("PLATFORM_API_SERVER_TOKEN", OPERATOR);
    let set = |plan: Plan, (name, value): &(&str, &str)| plan.set(name, value);
    let plan = variables.iter().fold(plan, set);
    let doorcode = plan.doorcode();
    plan.start(move |call| api(doorcode.clone(), call))
}

/// The platform, shared by all tests. They change nothing but their own users.
async fn comwit() -> Arc<Comwit> {
    static SHARED: Shared<Comwit> = Shared::new();
    SHARED.get(Comwit::create).await
}

/// The API. It reads the projects of a user from Doorcode, on behalf of the user.
async fn api(doorcode: String, call: Call) -> (u16, Value) {
    if call.route != "GET /v1/projects" {
        return (200, call.echo());
    }
    let user = call.header("x-auth-user-id");
    let mut projects = request(&doorcode, &call.route).bearer_auth(OPERATOR);
    if !user.is_empty() {
        projects = projects.header("x-comwit-actor-user-id", user);
    }
    let projects = projects.send().await.unwrap();
    (projects.status().as_u16(), projects.json().await.unwrap())
}

//! A system: Doorcode with the files of a folder of `examples/`, the proxy, and the API behind it.

use super::machine;
use super::nginx::Nginx;
use super::stand_in::{Call, StandIn};
use crate::support::browser::Browser;
use crate::support::deployment::{Deployment, free_address};
use crate::support::device::Answer;
use crate::support::machine::Machine;
use crate::support::program::{PATIENCE, Program, Running};
use crate::support::source::root;
use crate::support::{PASSWORD, http};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Addresses in the proxy files of the examples: of Doorcode, the API and the proxy.
const WRITTEN: [&str; 3] = ["127.0.0.1:8080", "127.0.0.1:9000", "127.0.0.1:8000"];

/// A file of an example.
pub fn example(folder: &str, name: &str) -> String {
    let path = root().join("examples").join(folder).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path:?}: {why}"))
}

/// The proxy file of an example with the addresses of a test: of Doorcode, the API and the proxy. A
/// folder without one of its own uses the file for all.
pub fn proxy_of(folder: &str, own: [SocketAddr; 3]) -> String {
    let mut proxy = match root().join("examples").join(folder).join("nginx.conf") {
        path if path.exists() => example(folder, "nginx.conf"),
        _ => example("", "nginx.conf"),
    };
    for (written, own) in WRITTEN.iter().zip(own) {
        assert!(proxy.contains(written), "{folder}: {written}");
        proxy = proxy.replace(written, &own.to_string());
    }
    proxy
}

/// A system.
pub struct System {
    /// The folder of `examples/` with its files.
    pub folder: &'static str,
    /// URL of the protected API, which is that of the proxy.
    pub api: String,
    /// URL of the pages of Doorcode.
    pub pages: String,
    listen: SocketAddr,
    operator: Option<String>,
    is_encrypted: bool,
    server: Mutex<Option<Running>>,
    _nginx: Nginx,
    stand_in: StandIn,
    /// The Doorcode server. The last field: its files are searched for secrets once all programs
    /// have ended.
    pub deployment: Deployment,
}

/// A user of a system.
#[derive(Clone)]
pub struct User {
    /// ID, `usr_…`.
    pub id: String,
    /// Email address.
    pub email: String,
    /// A browser in which the user is signed in.
    pub browser: Browser,
}

/// A system before its start.
pub struct Plan {
    /// Listen address of the proxy, which is that of the API for its users.
    pub listen: SocketAddr,
    folder: &'static str,
    /// The operator token, if an environment variable holds it.
    operator: Option<String>,
    pages: String,
    is_encrypted: bool,
    deployment: Deployment,
}

impl Plan {
    /// The system of a folder of `examples/`.
    pub fn of(folder: &'static str) -> Self {
        let deployment = Deployment::new();
        let path = root().join("examples").join(folder);
        for entry in std::fs::read_dir(&path).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            deployment.write(&name, &std::fs::read_to_string(entry.path()).unwrap());
        }
        Self {
            listen: free_address(),
            folder,
            operator: None,
            pages: deployment.url.clone(),
            is_encrypted: false,
            deployment,
        }
    }

    /// Users open the pages at the address of the proxy, which the API shares.
    pub fn public_at_proxy(mut self) -> Self {
        self.pages = format!("http://{}", self.listen);
        let url = self.pages.clone();
        self.set("DOORCODE__SERVER__PUBLIC_URL", &url)
    }

    /// Lets Doorcode make a certificate, which the proxy at the same host uses too, as the README of
    /// the example says.
    pub fn self_signed(mut self) -> Self {
        self.is_encrypted = true;
        self.deployment = self.deployment.with_tls("self-signed");
        self.pages.clone_from(&self.deployment.url);
        self.listen.set_ip(self.deployment.address.ip());
        self
    }

    /// Sets the operator token in an environment variable.
    pub fn operator_in(mut self, variable: &str, token: &str) -> Self {
        self.operator = Some(token.to_owned());
        self.set(variable, token)
    }

    /// URL of Doorcode, for the API behind the proxy.
    pub fn doorcode(&self) -> String {
        self.deployment.url.clone()
    }

    /// Moves Doorcode and the proxy to other hosts and ports.
    pub fn move_to_other_addresses(mut self) -> Self {
        self.listen = free_address();
        self.deployment.address = free_address();
        self.deployment.url = format!("http://{}", self.deployment.address);
        self.pages.clone_from(&self.deployment.url);
        let listen = self.deployment.address.to_string();
        let url = self.deployment.url.clone();
        self.set("DOORCODE__SERVER__LISTEN", &listen)
            .set("DOORCODE__SERVER__PUBLIC_URL", &url)
    }

    /// Sets an environment variable of the server.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.deployment = self.deployment.set(name, value);
        self
    }

    /// Writes a file of the deployment with permissions for its owner alone.
    pub fn write(self, name: &str, text: &str) -> Self {
        self.deployment.write(name, text);
        self
    }

    /// Starts it. `answer` is the API.
    pub fn start<A, F>(self, answer: A) -> System
    where
        A: Fn(Call) -> F + Clone + Send + 'static,
        F: Future<Output = (u16, Value)> + 'static,
    {
        self.start_before(StandIn::start(answer))
    }

    fn start_before(self, stand_in: StandIn) -> System {
        let server = self.deployment.start();
        let own = [self.deployment.address, stand_in.address, self.listen];
        let mut proxy = proxy_of(self.folder, own);
        if self.is_encrypted {
            let path = |name| self.deployment.path(name).display().to_string();
            let plain = format!("listen {};", self.listen);
            let encrypted = format!(
                "listen {} ssl; ssl_certificate {}; ssl_certificate_key {};",
                self.listen,
                path("data/tls_certificate.pem"),
                path("data/tls_key.pem"),
            );
            proxy = proxy.replace(&plain, &encrypted);
            proxy = proxy.replace("http://doorcode", "https://doorcode");
        }
        let scheme = if self.is_encrypted { "https" } else { "http" };
        System {
            folder: self.folder,
            api: format!("{scheme}://{}", self.listen),
            is_encrypted: self.is_encrypted,
            pages: self.pages,
            listen: self.listen,
            operator: self.operator,
            server: Mutex::new(Some(server)),
            _nginx: Nginx::start(&proxy),
            stand_in,
            deployment: self.deployment,
        }
    }
}

impl System {
    /// A server-side command.
    pub fn command(&self, arguments: &[&str]) -> Program {
        self.deployment.command(arguments)
    }

    /// Stops the server as a supervisor does.
    fn stop(&self) {
        if let Some(running) = self.server.lock().unwrap().take() {
            running.signal("TERM");
            running.finish().exited(0);
        }
    }

    /// Stops the server as a supervisor does, and starts it again.
    pub fn restart(&self) {
        self.stop();
        *self.server.lock().unwrap() = Some(self.deployment.start());
    }

    /// Stops server and proxy, changes settings, and starts both again.
    pub fn restart_with(self, change: impl FnOnce(Plan) -> Plan) -> Self {
        self.stop();
        let Self {
            folder,
            listen,
            operator,
            pages,
            is_encrypted,
            stand_in,
            deployment,
            ..
        } = self;
        let plan = Plan {
            listen,
            folder,
            operator,
            pages,
            is_encrypted,
            deployment,
        };
        change(plan).start_before(stand_in)
    }

    /// Contents of a file of the deployment.
    pub fn read(&self, name: &str) -> String {
        let path: PathBuf = self.deployment.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path:?}: {why}"))
    }

    /// The operator token.
    pub fn operator(&self) -> String {
        let of_file = || self.read("data/operator_token").trim().to_owned();
        self.operator.clone().unwrap_or_else(of_file)
    }

    /// A request to the protected API, such as `GET /v1/projects`.
    pub fn request(&self, route: &str) -> RequestBuilder {
        request(&self.api, route)
    }

    /// A request to Doorcode itself, such as `GET /v1/me`.
    pub fn doorcode(&self, route: &str) -> RequestBuilder {
        request(&self.deployment.url, route)
    }

    /// Calls the protected API with a token.
    pub async fn call(&self, route: &str, token: &str) -> Answer {
        send(self.request(route).bearer_auth(token)).await
    }

    /// Status codes of calls of the protected API with a token.
    pub async fn statuses(&self, routes: &[&str], token: &str) -> Vec<u16> {
        let mut found = Vec::new();
        for route in routes {
            found.push(self.call(route, token).await.status);
        }
        found
    }

    /// Calls Doorcode's own API as the operator. Panics if it refuses.
    pub async fn operate(&self, route: &str, body: Value) -> Value {
        let answer = self.manage(route, &self.operator(), body).await;
        assert!(answer.status < 300, "{route}: {answer:?}");
        answer.body
    }

    /// Calls Doorcode's own API with a token and a body, or with `null` without one.
    pub async fn manage(&self, route: &str, token: &str, body: Value) -> Answer {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let key = format!("key-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let request = self.doorcode(route).bearer_auth(token);
        let request = request.header("idempotency-key", key);
        send(match body {
            Value::Null => request,
            body => request.json(&body),
        })
        .await
    }

    /// Creates a user with a role in an organization, which an owner creates, and signs in.
    pub async fn user(&self, email: &str, (organization, role): (&str, &str)) -> User {
        let name = email.split('@').next().unwrap();
        let body = json!({
            "name": name,
            "email": email,
            "password": PASSWORD,
            "organization": organization,
            "role": role,
        });
        let made = self.operate("POST /v1/users", body).await;
        let mut browser = Browser::new(&self.pages);
        browser.sign_in(email, PASSWORD).await;
        User {
            id: made["id"].as_str().unwrap().to_owned(),
            email: email.to_owned(),
            browser,
        }
    }

    /// The use of a token that meets a condition, as soon as it is recorded: `token` is its ID, or
    /// `operator`.
    pub async fn recorded_use(&self, token: &str, is: impl Fn(&Value) -> bool) -> Value {
        let route = format!("GET /v1/audit/uses?token={token}&limit=100");
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let uses = self.operate(&route, Value::Null).await;
            let mut items = uses["items"].as_array().unwrap().iter();
            if let Some(found) = items.find(|one| is(one)) {
                return found.clone();
            }
        }
        panic!("no such use of {token} is recorded");
    }

    /// A machine with the CLI of the system.
    pub fn machine(&self, host: &str) -> Machine {
        machine::with_host(self.folder, host)
    }
}

/// A request from a route and the URL of its server.
pub fn request(url: &str, route: &str) -> RequestBuilder {
    let (method, path) = route.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    http().request(method, format!("{url}{path}"))
}

/// Sends a request and reads the response.
pub async fn send(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

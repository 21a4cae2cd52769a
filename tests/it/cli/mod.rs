//! The client commands of the program, against a real server.

mod audit;
mod branded_build;
mod branding;
mod branding_file;
mod confirm;
mod connection;
mod fake_server;
mod file;
mod json;
mod keyring;
mod login;
mod login_options;
mod logout;
mod lost_connection;
mod packaging;
mod profile;
mod project;
mod prompt;
mod pseudo_terminal;
mod simultaneous;
mod sources;
mod terminal;
mod token;
mod trouble;
mod truth;
mod walk;
mod whoami;
mod width;

use crate::support::canary::Canaries;
use crate::support::program::{Program, Running};
use crate::support::tenant::OPERATOR;
use crate::support::{EMAIL, TestApp};
use doorcode::app::access::Caller;
use doorcode::app::user::{self, Named};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Scopes requested by default.
pub const DEFAULT_SCOPES: [&str; 3] = ["orgs:read", "projects:read", "tokens:read"];

/// A machine with an initially empty home directory.
pub struct Machine {
    home: TempDir,
    host: String,
}

impl Machine {
    pub fn new(test: &TestApp) -> Self {
        Self::at(&test.url)
    }

    /// A machine whose client uses this server.
    fn at(host: &str) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            host: host.to_owned(),
        }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The credentials file at its default path.
    fn file(&self) -> PathBuf {
        self.home().join(".config/doorcode/config.json")
    }

    /// Writes the credentials file like an earlier command.
    fn write_file(&self, text: &str) {
        std::fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        std::fs::write(self.file(), text).unwrap();
    }

    /// Content of the credentials file.
    fn credentials(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap()
    }

    /// The token of the default profile.
    fn token(&self) -> String {
        self.credentials()["token"].as_str().unwrap().to_owned()
    }

    /// All paths below the home directory, to check that no file was left.
    fn everything(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut directories = vec![self.home().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path.clone());
                }
                found.push(path);
            }
        }
        found
    }

    /// A client command.
    pub fn command(&self, arguments: &[&str]) -> Program {
        Program::new(self.home(), arguments)
            .of(&Canaries::of(&self.host))
            .env("DOORCODE_HOST", &self.host)
    }

    /// Starts a sign-in and waits for the user code.
    pub fn begin(&self, arguments: &[&str]) -> (Running, String) {
        let mut login = self
            .command(&["login", "--no-browser"])
            .args(arguments)
            .spawn();
        let code = code_of(&mut login);
        (login, code)
    }

    /// Completes a sign-in with these scopes.
    async fn sign_in_with(&self, test: &TestApp, scopes: &[&str]) {
        let (login, code) = self.begin(&["--scope", &scopes.join(",")]);
        test.user().await.approve(&code, scopes).await;
        login.finish().exited(0);
    }

    /// Completes a sign-in: approves the default scopes.
    async fn sign_in(&self, test: &TestApp, arguments: &[&str]) {
        let (login, code) = self.begin(arguments);
        test.user().await.approve(&code, &DEFAULT_SCOPES).await;
        login.finish().exited(0);
    }
}

/// The user of most tests, as a caller.
async fn owner(test: &TestApp) -> Caller {
    let named = Named::Email(EMAIL.to_owned());
    let found = user::find(&test.req(&OPERATOR), named).await;
    test.signed_in(&found.unwrap().id).await
}

/// The user code that a sign-in shows.
fn code_of(login: &mut Running) -> String {
    let line = login.line("Code:  ");
    let (_, code) = line.split_once("Code:  ").unwrap();
    code.trim().to_owned()
}

/// The line that names the signed-in user.
fn signed_in_line(host: &str) -> String {
    format!("Signed in to {host} as Ada <{EMAIL}>.\n")
}

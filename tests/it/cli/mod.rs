//! The command line of people, against a real server.

mod audit;
mod file;
mod login;
mod logout;
mod prompt;
mod trouble;
mod whoami;

use crate::support::canary::Canaries;
use crate::support::program::{Program, Running};
use crate::support::{EMAIL, TestApp};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What the command line asks for when it is not told.
pub const DEFAULT_SCOPES: [&str; 3] = ["orgs:read", "projects:read", "tokens:read"];

/// Somebody's machine: a home that is empty at first.
pub struct Machine {
    home: TempDir,
    host: String,
}

impl Machine {
    pub fn new(test: &TestApp) -> Self {
        Self::at(&test.url)
    }

    /// A machine whose command line asks this server.
    fn at(host: &str) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            host: host.to_owned(),
        }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The credentials file at its usual place.
    fn file(&self) -> PathBuf {
        self.home().join(".config/doorcode/config.json")
    }

    /// Writes the credentials file, as if an earlier command had.
    fn write_file(&self, text: &str) {
        std::fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        std::fs::write(self.file(), text).unwrap();
    }

    /// What the credentials file says.
    fn credentials(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap()
    }

    /// The token of the default profile.
    fn token(&self) -> String {
        self.credentials()["token"].as_str().unwrap().to_owned()
    }

    /// Everything below the home, to see that nothing was left.
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

    /// A command of people.
    pub fn command(&self, arguments: &[&str]) -> Program {
        Program::new(self.home(), arguments)
            .of(&Canaries::of(&self.host))
            .env("DOORCODE_HOST", &self.host)
    }

    /// Begins to sign in, and waits for the code.
    pub fn begin(&self, arguments: &[&str]) -> (Running, String) {
        let mut login = self
            .command(&["login", "--no-browser"])
            .args(arguments)
            .spawn();
        let code = code_of(&mut login);
        (login, code)
    }

    /// Signs in to the end: approves what is asked for by default.
    async fn sign_in(&self, test: &TestApp, arguments: &[&str]) {
        let (login, code) = self.begin(arguments);
        test.user().await.approve(&code, &DEFAULT_SCOPES).await;
        login.finish().exited(0);
    }
}

/// The code that a sign-in shows.
fn code_of(login: &mut Running) -> String {
    let line = login.line("Code:  ");
    let (_, code) = line.split_once("Code:  ").unwrap();
    code.trim().to_owned()
}

/// The line that says who is signed in.
fn signed_in_line(host: &str) -> String {
    format!("Signed in to {host} as Ada <{EMAIL}>.\n")
}

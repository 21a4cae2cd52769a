//! A user's machine, with the CLI of a system and nothing else.

use super::system::example;
use crate::support::canary::Canaries;
use crate::support::program::{Finished, Program, Running};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A machine.
pub struct Machine {
    /// Home directory of the user.
    pub home: TempDir,
    folder: TempDir,
    program: PathBuf,
    host: String,
}

impl Machine {
    /// The CLI with the `branding.toml` of an example, whose `host` is replaced.
    pub fn new(example_folder: &str, host: &str) -> Self {
        let mut branding: toml::Table = example(example_folder, "branding.toml").parse().unwrap();
        branding.insert("host".to_owned(), host.into());
        Self::with_branding(&branding.to_string(), host)
    }

    /// The CLI with the `branding.toml` of an example as it is.
    pub fn as_shipped(example_folder: &str) -> Self {
        let text = example(example_folder, "branding.toml");
        let branding: toml::Table = text.parse().unwrap();
        Self::with_branding(&text, branding["host"].as_str().unwrap())
    }

    fn with_branding(text: &str, host: &str) -> Self {
        let branding: toml::Table = text.parse().unwrap();
        let name = branding["program"].as_str().unwrap();
        let client = Path::new(env!("CARGO_BIN_EXE_doorcode-client"));
        // Another name of the same file: a copy could be open for writing when it is started.
        let folder = tempfile::tempdir_in(client.parent().unwrap()).unwrap();
        let program = folder.path().join(name);
        fs::hard_link(client, &program).unwrap();
        let file = folder.path().join(format!("{name}.branding.toml"));
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        Self {
            home: tempfile::tempdir().unwrap(),
            folder,
            program,
            host: host.to_owned(),
        }
    }

    /// A command of the CLI.
    pub fn command(&self, arguments: &[&str]) -> Program {
        Program::of_file(&self.program, self.home.path(), arguments).of(&Canaries::of(&self.host))
    }

    /// Runs a command, whose output must name the system alone.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.branded(self.command(arguments).run())
    }

    /// Asserts that the output names the system alone.
    #[track_caller]
    pub fn branded(&self, finished: Finished) -> Finished {
        for text in [&finished.stdout, &finished.stderr] {
            // The folder of the tests may contain the name.
            let text = text.replace(&*self.folder.path().to_string_lossy(), "");
            assert!(!text.to_lowercase().contains("doorcode"), "{text}");
        }
        finished
    }

    /// Starts a sign-in and returns it with its user code.
    pub fn begin(&self, arguments: &[&str]) -> (Running, String) {
        let login = self.command(&["login", "--no-browser"]).args(arguments);
        let mut login = login.spawn();
        let line = login.line("Code:  ");
        let (_, code) = line.split_once("Code:  ").unwrap();
        let code = code.trim().to_owned();
        (login, code)
    }

    /// A file in the folder `~/.config`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(".config").join(name)
    }

    /// A JSON file in the folder `~/.config`.
    #[track_caller]
    pub fn json(&self, name: &str) -> Value {
        let path = self.file(name);
        let text = fs::read(&path).unwrap_or_else(|why| panic!("{path:?}: {why}"));
        serde_json::from_slice(&text).unwrap()
    }
}

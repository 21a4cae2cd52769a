//! A user's machine with the CLI of a company, and nothing else.

use super::canary::Canaries;
use super::program::{Finished, Program, Running};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The program with the client commands alone.
pub const CLIENT: &str = env!("CARGO_BIN_EXE_doorcode-client");

/// The program that also has the commands of the server.
pub const SERVER: &str = env!("CARGO_BIN_EXE_doorcode");

/// The program of a company whose names are compiled in, those of
/// `crates/doorcode-client/examples/acme.toml`.
pub const ACME: &str = env!("CARGO_BIN_EXE_acme");

/// A machine.
pub struct Machine {
    home: TempDir,
    folder: TempDir,
    program: PathBuf,
    host: String,
}

impl Machine {
    /// One of both programs under the name in `branding`, the content of the file beside it. `host`
    /// is its server.
    pub fn new(own: &str, branding: &str, host: &str) -> Self {
        let names: toml::Table = branding.parse().unwrap();
        let machine = Self::without_file(own, names["program"].as_str().unwrap(), host);
        machine.write_branding(branding, 0o644);
        machine
    }

    /// A program under this name, with no file beside it.
    pub fn without_file(own: &str, name: &str, host: &str) -> Self {
        let own = Path::new(own);
        // Another name of the same file: a copy could be open for writing when it is started.
        let folder = tempfile::tempdir_in(own.parent().unwrap()).unwrap();
        let program = folder.path().join(name);
        fs::hard_link(own, &program).unwrap();
        Self {
            home: tempfile::tempdir().unwrap(),
            folder,
            program,
            host: host.to_owned(),
        }
    }

    /// The file beside the program.
    pub fn branding(&self) -> PathBuf {
        let name = self.program.file_name().unwrap().to_str().unwrap();
        self.folder.path().join(format!("{name}.branding.toml"))
    }

    pub fn write_branding(&self, text: &str, mode: u32) {
        fs::write(self.branding(), text).unwrap();
        fs::set_permissions(self.branding(), Permissions::from_mode(mode)).unwrap();
    }

    /// The folder of the program.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Home directory of the user.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A command of the CLI.
    pub fn command(&self, arguments: &[&str]) -> Program {
        Program::of_file(&self.program, self.home.path(), arguments).of(&Canaries::of(&self.host))
    }

    /// Runs a command, whose output must name the company alone.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.branded(self.command(arguments).run())
    }

    /// Asserts that the output names the company alone.
    #[track_caller]
    pub fn branded(&self, finished: Finished) -> Finished {
        for text in [&finished.stdout, &finished.stderr] {
            // The folder of the tests may contain the name.
            let text = text.replace(&*self.folder.path().to_string_lossy(), "");
            assert!(!text.to_lowercase().contains("doorcode"), "{text}");
        }
        finished
    }

    /// Reads the help of a command and of those below it, which must name the company alone.
    /// Returns their number.
    #[track_caller]
    pub fn read_help(&self, command: &[&str]) -> usize {
        let help = self.run(&[command, &["--help"]].concat()).exited(0);
        let mut lines = help.stdout.lines();
        let mut count = 1;
        while lines.by_ref().any(|line| line.ends_with("ommands:")) {
            let listed = lines.by_ref().take_while(|line| !line.is_empty());
            for line in listed.filter(|line| !line.starts_with("   ")) {
                let name = line.split_whitespace().next().unwrap();
                if name != "help" {
                    count += self.read_help(&[command, &[name]].concat());
                }
            }
        }
        count
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

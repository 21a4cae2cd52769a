//! The compiled program, as run by a user at a terminal or by a supervisor.

use super::canary::Canaries;
use super::truth::Witness;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Longer than any step takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Time limit for the last output lines of an ended program.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Suffixes of the names of environment variables that hold secrets.
const SECRET_VARIABLES: [&str; 3] = ["_TOKEN", "_TOKEN_PREVIOUS", "_KEY"];

/// A run of the program. Its environment contains only the variables set here, so that the
/// settings of the machine cannot affect a test.
pub struct Program {
    command: Command,
    input: String,
    canaries: Canaries,
    is_witnessed: bool,
}

impl Program {
    /// The program with arguments. The working directory is also its home.
    pub fn new<S: AsRef<OsStr>>(directory: &Path, arguments: &[S]) -> Self {
        let executable = Path::new(env!("CARGO_BIN_EXE_doorcode"));
        Self::of_file(executable, directory, arguments)
    }

    /// The same with another executable.
    pub fn of_file<S: AsRef<OsStr>>(executable: &Path, directory: &Path, arguments: &[S]) -> Self {
        let mut command = Command::new(executable);
        command
            // As if it were in PATH.
            .arg0(executable.file_name().unwrap())
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .env("HOME", directory);
        Self {
            command,
            input: String::new(),
            canaries: Canaries::default(),
            is_witnessed: true,
        }
    }

    /// Runs it under a limit of open files, set by the flags of `ulimit`, such as `-Sn 1024`.
    pub fn ulimit(self, flags: &str) -> Self {
        self.run_by(&["/bin/sh", "-c", r#"ulimit $0 && exec "$@""#, flags])
    }

    /// Runs it on a terminal, which the input is typed into.
    pub fn on_terminal(self) -> Self {
        let start = r#"exec /usr/bin/script -qec "$0 $*" /dev/null"#;
        self.run_by(&["/bin/sh", "-c", start])
    }

    /// Runs it by another program, which gets its path and its arguments as last arguments.
    pub fn run_by(mut self, launcher: &[&str]) -> Self {
        let mut command = Command::new(launcher[0]);
        command
            .args(&launcher[1..])
            .arg(self.command.get_program())
            .args(self.command.get_args())
            .env_clear()
            .envs(
                self.command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
        if let Some(directory) = self.command.get_current_dir() {
            command.current_dir(directory);
        }
        self.command = command;
        self
    }

    /// Calls it by this path.
    pub fn called_as(mut self, path: &str) -> Self {
        self.command.arg0(path);
        self
    }

    /// The command, to be started in another way.
    pub fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// The witness of what it will say.
    pub fn witness(&self) -> Option<Witness> {
        let is_witnessed = self.is_witnessed.then_some(());
        is_witnessed.and_then(|()| Witness::of(&self.command, &self.input))
    }

    /// Leaves what it says to the test: its files change beside it, or only it can see them.
    pub fn unwitnessed(mut self) -> Self {
        self.is_witnessed = false;
        self
    }

    /// Sets the deployment whose secrets it receives.
    pub fn of(mut self, canaries: &Canaries) -> Self {
        self.canaries = canaries.clone();
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let text = value.as_ref().to_str().unwrap_or_default();
        match SECRET_VARIABLES.iter().any(|end| name.ends_with(end)) {
            true => self.canaries.add(text),
            false => self.canaries.add_url(text),
        }
        self.command.env(name, value);
        self
    }

    /// Removes an environment variable that the test set earlier.
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets the standard input: a password or a token.
    pub fn input(mut self, text: &str) -> Self {
        self.canaries.add(text.trim());
        text.clone_into(&mut self.input);
        self
    }

    /// Starts it with its input.
    pub fn spawn(mut self) -> Running {
        let witness = self.witness();
        self.is_witnessed = false;
        self.command.stdin(Stdio::piped());
        let input = std::mem::take(&mut self.input);
        let mut running = self.spawn_with_stdin();
        // A program that does not read its input may have exited already.
        let stdin = running.child.stdin.take();
        let _ = stdin.unwrap().write_all(input.as_bytes());
        running.witness = witness;
        running
    }

    /// Starts it with the standard input that the caller set.
    pub fn spawn_with_stdin(mut self) -> Running {
        let witness = self.witness();
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        read_lines(child.stdout.take().unwrap(), Stream::Out, sender.clone());
        read_lines(child.stderr.take().unwrap(), Stream::Error, sender);
        Running {
            child,
            lines,
            witness,
            canaries: self.canaries,
            stdout: String::new(),
            stderr: String::new(),
        }
    }

    /// Runs it until it exits.
    #[track_caller]
    pub fn run(self) -> Finished {
        self.spawn().finish()
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Error,
}

fn read_lines(from: impl Read + Send + 'static, stream: Stream, lines: Sender<(Stream, String)>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if lines.send((stream, line)).is_err() {
                return;
            }
        }
    });
}

/// The running program. It is killed when the test drops it.
pub struct Running {
    child: Child,
    lines: Receiver<(Stream, String)>,
    witness: Option<Witness>,
    canaries: Canaries,
    /// Standard output read so far.
    pub stdout: String,
    /// Standard error read so far.
    pub stderr: String,
}

/// The program after its exit.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Complete standard output.
    pub stdout: String,
    /// Complete standard error.
    pub stderr: String,
}

impl Running {
    /// Waits for an output line that contains a text, and returns that line.
    pub fn line(&mut self, piece: &str) -> String {
        // The two streams are read in any order, so the line may be here already.
        let mut known = self.stdout.lines().chain(self.stderr.lines());
        if let Some(line) = known.find(|line| line.contains(piece)) {
            return line.to_owned();
        }
        loop {
            let Ok((stream, line)) = self.lines.recv_timeout(PATIENCE) else {
                panic!("{piece:?} was not said:\n{}\n{}", self.stdout, self.stderr);
            };
            self.keep(stream, &line);
            if line.contains(piece) {
                return line;
            }
        }
    }

    fn keep(&mut self, stream: Stream, line: &str) {
        let text = match stream {
            Stream::Out => &mut self.stdout,
            Stream::Error => {
                self.canaries.keep_log(line);
                &mut self.stderr
            }
        };
        text.push_str(line);
        text.push('\n');
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status();
        assert!(sent.unwrap().success(), "{name} was not sent");
    }

    /// Kills it with SIGKILL and waits until it has exited.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it exits, and compares what it said with the server.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        // Both streams end with the process.
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok((stream, line)) => self.keep(stream, &line),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    panic!("it does not end:\n{}\n{}", self.stdout, self.stderr)
                }
            }
        }
        let finished = Finished {
            code: self.child.wait().unwrap().code(),
            stdout: std::mem::take(&mut self.stdout),
            stderr: std::mem::take(&mut self.stderr),
        };
        if let Some(witness) = &self.witness {
            witness.compare(&finished);
        }
        finished
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has exited already, with the same result.
        let _ = self.child.kill();
        let _ = self.child.wait();
        while let Ok((stream, line)) = self.lines.recv_timeout(LAST_WORDS) {
            self.keep(stream, &line);
        }
    }
}

impl Finished {
    /// Asserts the exit code.
    #[track_caller]
    pub fn exited(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Asserts that standard output contains these texts.
    #[track_caller]
    pub fn says(self, pieces: &[&str]) -> Self {
        for piece in pieces {
            assert!(self.stdout.contains(piece), "no {piece:?} in {self:#?}");
        }
        self
    }

    /// Asserts that standard error contains these texts.
    #[track_caller]
    pub fn complains(self, pieces: &[&str]) -> Self {
        for piece in pieces {
            assert!(self.stderr.contains(piece), "no {piece:?} in {self:#?}");
        }
        self
    }

    /// Parses standard output as JSON documents and returns the last one, which is the result. The
    /// others are events.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let documents = serde_json::Deserializer::from_str(&self.stdout).into_iter();
        let mut documents: Vec<serde_json::Value> = documents
            .collect::<Result<_, _>>()
            .unwrap_or_else(|why| panic!("{why}: {self:#?}"));
        let result = documents
            .pop()
            .unwrap_or_else(|| panic!("no JSON: {self:#?}"));
        assert!(
            documents
                .iter()
                .all(|document| document["event"].is_string()),
            "{self:#?}"
        );
        result
    }
}

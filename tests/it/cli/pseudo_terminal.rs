//! The program in a pseudo-terminal.

use crate::support::program::{Finished, PATIENCE, Program};
use crate::support::truth::Witness;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// The program in a terminal. It is killed when the test drops it.
pub struct Terminal {
    controller: File,
    child: Child,
    witness: Option<Witness>,
    output: Receiver<Vec<u8>>,
    written: Vec<u8>,
    columns: usize,
    rows: usize,
}

impl Program {
    /// Starts it in a terminal of this size, which controls it.
    pub fn in_terminal(self, columns: u16, rows: u16) -> Terminal {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let size = Winsize {
            ws_col: columns,
            ws_row: rows,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&controller, size).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let device = || {
            let path = std::ffi::OsStr::from_bytes(name.as_bytes());
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(path)
                .unwrap()
        };
        let witness = self.witness();
        // A new session, whose controlling terminal is the standard input.
        let child = self
            .run_by(&["setsid", "--ctty"])
            .command()
            .stdin(device())
            .stdout(device())
            .stderr(device())
            .spawn()
            .unwrap();
        let controller = File::from(controller);
        let mut reader = controller.try_clone().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The read fails after the last process has closed the terminal.
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal {
            controller,
            child,
            witness,
            output,
            written: Vec::new(),
            columns: columns.into(),
            rows: rows.into(),
        }
    }
}

impl Terminal {
    /// Everything that was written, with the control sequences.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.written).into_owned()
    }

    /// Waits until this text was written.
    #[track_caller]
    pub fn until(&mut self, piece: &str) {
        self.until_count(piece, 1);
    }

    /// Waits until this text was written this often.
    #[track_caller]
    pub fn until_count(&mut self, piece: &str, count: usize) {
        let is_said = |terminal: &Self| terminal.written().matches(piece).count() >= count;
        self.until_it(is_said, &format!("{piece:?} was not said"));
    }

    /// Waits until these texts are visible at once, without the breaks of long lines. A line that is
    /// drawn again is not there in between, however often it was written.
    #[track_caller]
    pub fn until_visible(&mut self, pieces: &[&str]) {
        let are_visible = |terminal: &Self| {
            let visible = terminal.visible().concat();
            pieces.iter().all(|piece| visible.contains(piece))
        };
        self.until_it(are_visible, &format!("{pieces:?} are not visible at once"));
    }

    /// Reads what is written until the terminal is in a state.
    #[track_caller]
    fn until_it(&mut self, is_reached: impl Fn(&Self) -> bool, problem: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !is_reached(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.written.extend(bytes),
                Err(_) => panic!("{problem}:\n{}", self.written()),
            }
        }
    }

    /// Types text; `\u{3}` is Ctrl-C.
    pub fn press(&mut self, keys: &str) {
        self.controller.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the program has switched the echo off.
    pub fn until_hidden(&self) {
        self.until_true("the echo is off", || !self.echoes());
    }

    /// Waits until a file has a complete line.
    pub fn until_file(&self, path: &Path) {
        self.until_true("the file is there", || {
            std::fs::read_to_string(path).is_ok_and(|text| text.ends_with('\n'))
        });
    }

    #[track_caller]
    fn until_true(&self, what: &str, is_true: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_true() {
            assert!(Instant::now() < deadline, "not true: {what}");
            std::thread::yield_now();
        }
    }

    /// Whether the terminal shows what is typed.
    pub fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.controller).unwrap();
        modes.local_modes.contains(LocalModes::ECHO)
    }

    /// The rows that are visible now.
    pub fn visible(&self) -> Vec<String> {
        let rows = self.rows();
        rows[rows.len().saturating_sub(self.rows)..].to_vec()
    }

    /// What it shows, without the line breaks that make the text fit.
    pub fn text(&self) -> String {
        unwrapped(&self.rows().join("\n"), self.columns)
            .trim()
            .to_owned()
    }

    /// All rows, also those above the visible ones.
    pub fn rows(&self) -> Vec<String> {
        let mut rows = vec![Vec::new()];
        let mut column = 0;
        let text = self.written();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            match c {
                '\r' => column = 0,
                '\n' => rows.push(Vec::new()),
                '\u{1b}' => {
                    // A control sequence ends with a letter; `K` clears the line.
                    let end = characters.by_ref().find(char::is_ascii_alphabetic);
                    if end == Some('K') {
                        rows.last_mut().unwrap().clear();
                    }
                }
                c => {
                    if column == self.columns {
                        rows.push(Vec::new());
                        column = 0;
                    }
                    let row = rows.last_mut().unwrap();
                    row.resize(row.len().max(column + 1), ' ');
                    row[column] = c;
                    column += 1;
                }
            }
        }
        rows.iter().map(|row| row.iter().collect()).collect()
    }

    /// Waits until the program exits.
    pub fn finish(&mut self) -> Finished {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.written.extend(bytes),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    panic!("it does not end:\n{}", self.written())
                }
            }
        }
        let finished = Finished {
            code: self.child.wait().unwrap().code(),
            stdout: self.written(),
            stderr: String::new(),
        };
        if let Some(witness) = &self.witness {
            witness.compare(&Finished {
                stdout: unwrapped(&finished.stdout, self.columns),
                stderr: String::new(),
                ..finished
            });
        }
        finished
    }
}

/// The text without the line breaks that made it fit so many columns.
fn unwrapped(text: &str, columns: usize) -> String {
    let mut whole = String::new();
    let mut width = 0;
    for line in text.split('\n').map(|line| line.trim_end_matches('\r')) {
        // A command in backquotes is not broken.
        let first = match line.strip_prefix('`').and_then(|rest| rest.find('`')) {
            Some(end) => line[end + 2..]
                .find(' ')
                .map_or(line, |at| &line[..end + 2 + at]),
            None => line.split(' ').next().unwrap_or_default(),
        };
        let did_not_fit = width + 1 + first.chars().count() > columns;
        let is_continued = width > 0 && !first.is_empty() && did_not_fit;
        whole.push(if is_continued { ' ' } else { '\n' });
        whole.push_str(line);
        width = line.chars().count();
    }
    whole
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail if it has exited already, with the same result.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

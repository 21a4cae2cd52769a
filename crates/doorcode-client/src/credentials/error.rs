//! Errors of the credentials file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The credentials file cannot be read or written.
#[derive(Debug)]
pub struct FileError {
    path: PathBuf,
    problem: Problem,
}

/// Why the file cannot be used.
#[derive(Debug)]
pub enum Problem {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It has the wrong content.
    Broken(String),
    /// It cannot be written.
    Unwritable(io::Error),
    /// It is a device or a folder, so it cannot store anything.
    NotAFile,
    /// The keyring cannot be used; the text states why, without a full stop.
    Keyring(String),
}

impl FileError {
    /// The error of the file at this path.
    pub fn new(path: &Path, problem: Problem) -> Self {
        Self {
            path: path.to_owned(),
            problem,
        }
    }

    /// Whether the place of the file is the reason, not its content.
    pub fn is_about_place(&self) -> bool {
        !matches!(self.problem, Problem::Broken(_) | Problem::Keyring(_))
    }

    /// Whether the keyring is the reason, not a file.
    pub fn is_about_keyring(&self) -> bool {
        matches!(self.problem, Problem::Keyring(_))
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::Unreadable(cause) => {
                write!(
                    f,
                    "Cannot read the credentials file {path}: {}.",
                    words(cause)
                )
            }
            Problem::Broken(what) => write!(
                f,
                "The credentials file {path} is broken: {what}. Repair it, or move it away and \
                 sign in again. The file was not changed."
            ),
            Problem::Unwritable(cause) => {
                write!(
                    f,
                    "Cannot write the credentials file {path}: {}.",
                    words(cause)
                )
            }
            Problem::Keyring(why) => write!(
                f,
                "The keyring of the kernel cannot be used for the tokens of {path}: {why}."
            ),
            Problem::NotAFile => write!(f, "{path} is not a file that can store credentials."),
        }
    }
}

impl std::error::Error for FileError {}

/// The text of an error without its number.
fn words(cause: &io::Error) -> String {
    let text = cause.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}

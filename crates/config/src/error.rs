//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

/// Where a setting was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourcePosition {
    /// In a file.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// The line, counted from 1; `None` if the fault is of the file as a whole.
        line: Option<usize>,
    },
    /// In the environment variable of this name.
    Variable(String),
}

impl fmt::Display for SourcePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::File {
                path,
                line: Some(line),
            } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigFault {
    /// Where it was written; `None` if it was written nowhere.
    pub position: Option<SourcePosition>,
    /// The key, such as `server.listen`; empty if the fault is not of one key.
    pub key: String,
    /// What is wrong and what is accepted. It never repeats a URL that may hold a password.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = &self.position {
            write!(f, "{position}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A configuration that cannot be used. It displays one fault per line.
#[derive(Debug)]
pub struct ConfigError {
    faults: Vec<ConfigFault>,
}

impl ConfigError {
    /// An error of these faults, put in the order of their places.
    pub(super) fn new(mut faults: Vec<ConfigFault>) -> Self {
        faults.sort();
        Self { faults }
    }

    /// Everything that is wrong, in the order of the places.
    pub fn faults(&self) -> &[ConfigFault] {
        &self.faults
    }
}

impl From<ConfigFault> for ConfigError {
    fn from(fault: ConfigFault) -> Self {
        Self {
            faults: vec![fault],
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

//! The two sources, file and environment, as one tree of values with positions.

use super::error::{ConfigFault, SourcePosition};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::PathBuf;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The prefix of configuration variables. Variables with a single underscore, such as
/// `DOORCODE_TOKEN`, are not part of the configuration.
pub(super) const PREFIX: &str = "DOORCODE__";

/// Values by key.
pub(super) type Entries = BTreeMap<String, Node>;

/// A value and its position.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) position: SourcePosition,
}

/// A value as it was written.
pub(super) enum Value {
    /// The text of an environment variable; the code that reads it determines the type.
    Variable(String),
    Text(String),
    /// `None` if it exceeds 64 bits.
    Integer(Option<i64>),
    Flag(bool),
    List(Vec<Node>),
    Table(Entries),
    /// A type that no setting has, in words.
    Other(&'static str),
}

impl Value {
    /// The type in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Variable(_) | Self::Text(_) => "text",
            Self::Integer(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a section",
            Self::Other(kind) => kind,
        }
    }

    /// Parses a list or a table in TOML syntax from a variable; `None` if it is neither.
    pub(super) fn parse(text: &str, position: &SourcePosition) -> Option<Self> {
        let value = DeValue::parse(text.trim()).ok()?;
        let value = convert(value.into_inner(), &|_| position.clone());
        matches!(value, Self::List(_) | Self::Table(_)).then_some(value)
    }
}

/// A configuration file in memory.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl File {
    /// Reads a file that must exist.
    pub(super) fn read(path: PathBuf) -> Result<Self, ConfigFault> {
        let (line, message) = match std::fs::read(&path).map(String::from_utf8) {
            Ok(Ok(text)) => return Ok(Self { path, text }),
            Ok(Err(error)) => {
                let line = line_of(error.as_bytes(), error.utf8_error().valid_up_to());
                let message = "this line is not UTF-8; save the file in UTF-8".to_owned();
                (Some(line), message)
            }
            Err(error) => {
                let message = format!("the configuration file cannot be read: {error}");
                (None, message)
            }
        };
        Err(fault(SourcePosition::File { path, line }, message))
    }

    /// Reads a file that may be absent.
    pub(super) fn read_if_there(path: PathBuf) -> Result<Option<Self>, ConfigFault> {
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => Self::read(path).map(Some),
        }
    }

    /// The values of the file.
    pub(super) fn parse(&self) -> Result<Entries, ConfigFault> {
        let position = |span: Range<usize>| SourcePosition::File {
            path: self.path.clone(),
            line: Some(line_of(self.text.as_bytes(), span.start)),
        };
        match DeTable::parse(&self.text) {
            Ok(table) => Ok(entries(table.into_inner(), &position)),
            // Only the message of the parser: its `Display` quotes the line, which may contain a
            // password.
            Err(error) => Err(fault(
                position(error.span().unwrap_or_default()),
                format!("this is not TOML: {}", error.message().replace('\n', "; ")),
            )),
        }
    }
}

fn fault(position: SourcePosition, message: String) -> ConfigFault {
    ConfigFault {
        position: Some(position),
        key: String::new(),
        message,
    }
}

/// The line of a byte, counted from 1.
fn line_of(text: &[u8], offset: usize) -> usize {
    let before = text.iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// Overrides the values of the file with the configuration variables of the environment. Returns
/// a fault for each variable that names no key.
pub(super) fn overlay(
    entries: &mut Entries,
    env: impl IntoIterator<Item = (String, String)>,
) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    for (name, value) in env {
        let Some(key) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let position = SourcePosition::Variable(name.clone());
        if !insert(entries, key, value, position.clone()) {
            let message = "this variable names no key; write it as DOORCODE__SERVER__LISTEN for \
                           the key listen of the section [server]";
            faults.push(fault(position, message.to_owned()));
        }
    }
    faults
}

/// Inserts a variable; `false` if its name is not a valid key.
fn insert(entries: &mut Entries, key: &str, value: String, position: SourcePosition) -> bool {
    if key.is_empty() || key.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return false;
    }
    let key = key.to_ascii_lowercase();
    let (keys, key) = match key.split_once("__") {
        None => (entries, key.as_str()),
        Some((_, key)) if key.contains("__") => return false,
        Some((section, key)) => {
            let section = entries.entry(section.to_owned()).or_insert_with(|| Node {
                value: Value::Table(Entries::new()),
                position: position.clone(),
            });
            let Value::Table(keys) = &mut section.value else {
                return false;
            };
            (keys, key)
        }
    };
    let value = Value::Variable(value);
    keys.insert(key.to_owned(), Node { value, position });
    true
}

fn entries(table: DeTable<'_>, position: &dyn Fn(Range<usize>) -> SourcePosition) -> Entries {
    table
        .into_iter()
        .map(|(key, value)| {
            let node = Node {
                position: position(key.span()),
                value: convert(value.into_inner(), position),
            };
            (key.into_inner().into_owned(), node)
        })
        .collect()
}

fn convert(value: DeValue<'_>, position: &dyn Fn(Range<usize>) -> SourcePosition) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Array(items) => {
            let item = |item: Spanned<DeValue<'_>>| Node {
                position: position(item.span()),
                value: convert(item.into_inner(), position),
            };
            Value::List(items.into_iter().map(item).collect())
        }
        DeValue::Table(table) => Value::Table(entries(table, position)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    }
}

//! Typed reading of a table, which detects unknown keys.
//!
//! The keys that are read are the known keys; those left when a table is finished are unknown. So
//! the list of keys is written once, in the code that reads each.

use super::duration;
use super::error::{ConfigFault, SourcePosition};
use super::source::{Entries, Node, Value};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// A table while it is read. Each reader returns `None` if the key is absent or its value is
/// invalid; an invalid value adds a fault, so that the rest is still checked.
pub(super) struct Table<'f> {
    /// The prefix of keys in messages: empty, or the section and a dot.
    path: String,
    position: Option<SourcePosition>,
    entries: Entries,
    asked: Vec<(&'static str, Option<SourcePosition>)>,
    faults: &'f mut Vec<ConfigFault>,
}

impl<'f> Table<'f> {
    /// The whole configuration.
    pub(super) fn root(entries: Entries, faults: &'f mut Vec<ConfigFault>) -> Self {
        Self::new(String::new(), None, entries, faults)
    }

    fn new(
        path: String,
        position: Option<SourcePosition>,
        entries: Entries,
        faults: &'f mut Vec<ConfigFault>,
    ) -> Self {
        Self {
            path,
            position,
            entries,
            asked: Vec::new(),
            faults,
        }
    }

    /// Reads a section, which is empty if it is absent.
    pub(super) fn section<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Table<'_>) -> T,
    ) -> T {
        let (position, entries) = match self.take(name) {
            Some(Node {
                value: Value::Table(entries),
                position,
            }) => (Some(position), entries),
            Some(node) => {
                let kind = node.value.kind();
                self.fault(
                    name,
                    format!("is {kind}; write [{name}] and its keys below"),
                );
                (None, Entries::new())
            }
            None => (None, Entries::new()),
        };
        let path = format!("{}{name}.", self.path);
        let mut table = Table::new(path, position, entries, self.faults);
        let read = read(&mut table);
        table.finish();
        read
    }

    /// Whether no unread key is left; before the first read: whether the table is absent or
    /// empty.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reads each table of a list of tables.
    pub(super) fn tables(
        &mut self,
        key: &'static str,
        example: &str,
        mut read: impl FnMut(&mut Table<'_>),
    ) {
        for Node { value, position } in self.items(key, example) {
            let Value::Table(entries) = value else {
                self.fault_at(
                    key,
                    Some(position),
                    format!("write tables, such as {example}"),
                );
                continue;
            };
            let path = format!("{}{key}.", self.path);
            let mut table = Table::new(path, Some(position), entries, self.faults);
            read(&mut table);
            table.finish();
        }
    }

    /// Reads a list of texts.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        example: &str,
        mut parse: impl FnMut(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut list = Vec::new();
        for Node { value, position } in self.items(key, example) {
            match as_text(value).and_then(|text| parse(&text)) {
                Ok(item) => list.push(item),
                Err(message) => self.fault_at(key, Some(position), message),
            }
        }
        list
    }

    fn items(&mut self, key: &'static str, example: &str) -> Vec<Node> {
        let Some(Node { value, position }) = self.take(key) else {
            return Vec::new();
        };
        let items = match value {
            Value::List(items) => Some(items),
            Value::Variable(text) => Value::parse_list(&text, &position),
            _ => None,
        };
        items.unwrap_or_else(|| {
            self.fault(key, format!("write a list, such as {example}"));
            Vec::new()
        })
    }

    /// Whether a key is present and not read yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Reads a required text.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.has(key) {
            self.fault(key, "is missing".to_owned());
        }
        self.text(key, parse)
    }

    /// Reads a text.
    pub(super) fn text<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.read(key, |value| parse(&as_text(value)?))
    }

    /// Reads the path of a file.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.text(key, file_path)
    }

    /// Reads a duration within bounds.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        accepted: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        self.text(key, |text| duration::parse_within(text, &accepted))
    }

    /// Reads a whole number within bounds.
    pub(super) fn number<T: TryFrom<i64> + PartialOrd + Display>(
        &mut self,
        key: &'static str,
        accepted: RangeInclusive<T>,
    ) -> Option<T> {
        self.read(key, |value| {
            let number = match value {
                Value::Integer(number) => number,
                Value::Variable(text) => text.parse().ok(),
                _ => None,
            };
            number
                .and_then(|number| T::try_from(number).ok())
                .filter(|number| accepted.contains(number))
                .ok_or_else(|| {
                    let (least, most) = accepted.into_inner();
                    format!("write a whole number from {least} to {most}, without quotes")
                })
        })
    }

    /// Reads true or false.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.read(key, |value| match value {
            Value::Flag(flag) => Ok(flag),
            Value::Variable(text) if text == "true" => Ok(true),
            Value::Variable(text) if text == "false" => Ok(false),
            _ => Err("write true or false, without quotes".to_owned()),
        })
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(Value) -> Result<T, String>,
    ) -> Option<T> {
        let node = self.take(key)?;
        parse(node.value)
            .map_err(|message| self.fault(key, message))
            .ok()
    }

    fn take(&mut self, key: &'static str) -> Option<Node> {
        let node = self.entries.remove(key);
        let position = node.as_ref().map(|node| node.position.clone());
        self.asked.push((key, position));
        node
    }

    /// Adds a fault of a key that was read, at the position of the key.
    pub(super) fn fault(&mut self, key: &'static str, message: String) {
        let written = self.asked.iter().find(|(asked, _)| *asked == key);
        let position = written.and_then(|(_, position)| position.clone());
        self.fault_at(key, position.or_else(|| self.position.clone()), message);
    }

    fn fault_at(&mut self, key: &str, position: Option<SourcePosition>, message: String) {
        self.faults.push(ConfigFault {
            position,
            key: format!("{}{key}", self.path),
            message,
        });
    }

    /// Finishes the table: each key that was not read is unknown.
    pub(super) fn finish(mut self) {
        let known: Vec<_> = self.asked.iter().map(|(key, _)| *key).collect();
        let message = format!("there is no such key; there are {}", known.join(", "));
        for (key, node) in std::mem::take(&mut self.entries) {
            self.fault_at(&written_key(&key), Some(node.position), message.clone());
        }
    }
}

fn as_text(value: Value) -> Result<String, String> {
    match value {
        Value::Variable(text) | Value::Text(text) => Ok(text),
        other => Err(format!("is {}; write text in quotes", other.kind())),
    }
}

fn file_path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.ends_with('/') || text.contains('\0') {
        return Err(format!("{text:?} does not name a file"));
    }
    Ok(text.into())
}

/// A key in TOML syntax: in quotes if it has characters that a bare key cannot have.
fn written_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        format!("{key:?}")
    }
}

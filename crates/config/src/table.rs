//! Typed reading of a table, which detects unknown keys and records the effective settings.
//!
//! The keys that are read are the known keys; those left when a table is finished are unknown. So
//! the list of keys is written once, in the code that reads each.

use super::duration;
use super::error::{ConfigError, ConfigFault, SourcePosition};
use super::section::Section;
use super::source::{Entries, Node, Value};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// A table while it is read. If a key is absent or its value is invalid, its reader returns the
/// default, or `None` if it takes no default. An invalid value adds a fault, so that the rest is
/// still checked. What a reader returns is recorded as the effective setting.
#[derive(Default)]
pub(super) struct Table {
    /// The prefix of keys in messages: empty, or the section and a dot.
    path: String,
    position: Option<SourcePosition>,
    entries: Entries,
    /// The known keys, in the order of [`Config::describe`](super::Config::describe).
    known: Vec<&'static str>,
    positions: BTreeMap<&'static str, SourcePosition>,
    settings: BTreeMap<&'static str, toml::Value>,
    /// The settings of the tables below this one, without tables that have none.
    sections: Vec<Section>,
    faults: Vec<ConfigFault>,
}

impl Table {
    /// The whole configuration, and the faults that it already has.
    pub(super) fn root(entries: Entries, faults: Vec<ConfigFault>) -> Self {
        Self {
            entries,
            faults,
            ..Self::default()
        }
    }

    /// Reads a section, which is empty if it is absent.
    pub(super) fn section<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Table) -> T,
    ) -> T {
        let node = self.take(name);
        let position = node.as_ref().map(|node| node.position.clone());
        let entries = match node.map(|node| node.value) {
            Some(Value::Table(entries)) => entries,
            Some(other) => {
                let kind = other.kind();
                let message = format!("is {kind}; write [{name}] and its keys below");
                self.fault(name, message);
                Entries::new()
            }
            None => Entries::new(),
        };
        self.below(name, false, position, entries, read)
    }

    /// Reads a table below this one, and takes over its settings and faults.
    fn below<T>(
        &mut self,
        name: &'static str,
        is_in_list: bool,
        position: Option<SourcePosition>,
        entries: Entries,
        read: impl FnOnce(&mut Table) -> T,
    ) -> T {
        let name = format!("{}{name}", self.path);
        let mut table = Table {
            path: format!("{name}."),
            position,
            entries,
            ..Self::default()
        };
        let read = read(&mut table);
        table.refuse_unknown();
        self.faults.append(&mut table.faults);
        let remove = |key| table.settings.remove_entry(key);
        let settings: Vec<_> = table.known.iter().filter_map(remove).collect();
        if !settings.is_empty() {
            self.sections.push(Section {
                name,
                is_in_list,
                settings,
            });
        }
        self.sections.append(&mut table.sections);
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
        mut read: impl FnMut(&mut Table),
    ) {
        for Node { value, position } in self.items(key, example) {
            if let Value::Table(entries) = value {
                self.below(key, true, Some(position), entries, &mut read);
            } else {
                let message = format!("write tables, such as {example}");
                self.fault_at(key, Some(position), message);
            }
        }
    }

    /// Reads a list of texts, which is empty if it is absent.
    pub(super) fn list<T: ToString>(
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
        self.record(key, list.iter().map(T::to_string).collect::<Vec<_>>());
        list
    }

    /// Records what an absent list stands for, if that is not the empty list.
    pub(super) fn default_list(&mut self, key: &'static str, default: &[String]) {
        self.record(key, default.to_vec());
    }

    fn items(&mut self, key: &'static str, example: &str) -> Vec<Node> {
        let Some(Node { value, position }) = self.take(key) else {
            return Vec::new();
        };
        let items = match value {
            Value::List(items) => Some(items),
            Value::Variable(text) => match Value::parse(&text, &position) {
                Some(Value::List(items)) => Some(items),
                _ => None,
            },
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
    pub(super) fn required<T: ToString>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.has(key) {
            self.fault(key, "is missing".to_owned());
        }
        self.optional(key, parse, T::to_string)
    }

    /// Reads a text without a default, recorded as `write` writes it.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
        write: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let value = self.read(key, |value| parse(&as_text(value)?))?;
        self.record(key, write(&value));
        Some(value)
    }

    /// Reads a text.
    pub(super) fn text<T: ToString>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        self.text_as(key, default, parse, T::to_string)
    }

    /// Reads a text, recorded as `write` writes it.
    pub(super) fn text_as<T>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
        write: impl FnOnce(&T) -> String,
    ) -> T {
        let value = self.read(key, |value| parse(&as_text(value)?));
        let value = value.unwrap_or(default);
        self.record(key, write(&value));
        value
    }

    /// Reads one of the words; the first is the default. `otherwise` completes the fault for any
    /// other text, such as `is neither every nor off`.
    pub(super) fn choice<T: Copy, const N: usize>(
        &mut self,
        key: &'static str,
        words: [(&'static str, T); N],
        otherwise: &str,
    ) -> T {
        let parse = |text: &str| {
            let found = words.into_iter().find(|(word, _)| *word == text);
            found.ok_or_else(|| format!("{text:?} {otherwise}"))
        };
        let (_, value) = self.text_as(key, words[0], parse, |(word, _)| (*word).to_owned());
        value
    }

    /// Reads the path of a file.
    pub(super) fn path(&mut self, key: &'static str, default: &str) -> PathBuf {
        self.text_as(key, default.into(), file_path, |path| {
            path.display().to_string()
        })
    }

    /// Reads a duration within bounds.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
        accepted: RangeInclusive<Duration>,
    ) -> Duration {
        let parse = |text: &str| duration::parse_within(text, &accepted);
        self.text_as(key, default, parse, |value| duration::write(*value))
    }

    /// Reads a whole number within bounds.
    pub(super) fn number<T: TryFrom<i64> + TryInto<i64> + PartialOrd + Display + Copy>(
        &mut self,
        key: &'static str,
        default: T,
        accepted: RangeInclusive<T>,
    ) -> T {
        let number = self.read(key, |value| {
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
        });
        let number = number.unwrap_or(default);
        self.record(key, number.try_into().unwrap_or(i64::MAX));
        number
    }

    /// Reads true or false.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let flag = self.read(key, |value| match value {
            Value::Flag(flag) => Ok(flag),
            Value::Variable(text) if text == "true" => Ok(true),
            Value::Variable(text) if text == "false" => Ok(false),
            _ => Err("write true or false, without quotes".to_owned()),
        });
        let flag = flag.unwrap_or(default);
        self.record(key, flag);
        flag
    }

    /// Reads true or false, recorded only if it is present.
    pub(super) fn optional_flag(&mut self, key: &'static str) -> bool {
        self.announce(key);
        self.has(key) && self.flag(key, false)
    }

    /// Reads a text or a table, recorded as `write` writes it. A variable can hold a table in TOML
    /// syntax.
    pub(super) fn text_or_table<T>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl FnOnce(Value) -> Result<T, String>,
        write: impl FnOnce(&T) -> toml::Value,
    ) -> T {
        let position = self.entries.get(key).map(|node| node.position.clone());
        let value = self.read(key, |value| match (value, position) {
            (Value::Variable(text), Some(position)) => {
                parse(Value::parse(&text, &position).unwrap_or(Value::Text(text)))
            }
            (value, _) => parse(value),
        });
        let value = value.unwrap_or(default);
        self.record(key, write(&value));
        value
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
        self.announce(key);
        let node = self.entries.remove(key)?;
        self.positions.insert(key, node.position.clone());
        Some(node)
    }

    /// Fixes the position of a key in the listing before it is read: the key that its default
    /// depends on is read first.
    pub(super) fn announce(&mut self, key: &'static str) {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
    }

    fn record(&mut self, key: &'static str, setting: impl Into<toml::Value>) {
        self.settings.insert(key, setting.into());
    }

    /// Adds a fault of a key that was read, at the position of the key.
    pub(super) fn fault(&mut self, key: &'static str, message: String) {
        let position = self.positions.get(key).or(self.position.as_ref());
        self.fault_at(key, position.cloned(), message);
    }

    fn fault_at(&mut self, key: &str, position: Option<SourcePosition>, message: String) {
        self.faults.push(ConfigFault {
            position,
            key: format!("{}{key}", self.path),
            message,
        });
    }

    /// Adds a fault for each key that was not read.
    fn refuse_unknown(&mut self) {
        let known = self.known.join(", ");
        let message = format!("there is no such key; there are {known}");
        for (key, node) in std::mem::take(&mut self.entries) {
            self.fault_at(&written_key(&key), Some(node.position), message.clone());
        }
    }

    /// Finishes the whole configuration: the effective settings, or all faults.
    pub(super) fn finish(mut self) -> Result<Vec<Section>, ConfigError> {
        self.refuse_unknown();
        match self.faults.is_empty() {
            true => Ok(self.sections),
            false => Err(ConfigError::new(self.faults)),
        }
    }
}

fn as_text(value: Value) -> Result<String, String> {
    match value {
        Value::Variable(text) | Value::Text(text) => Ok(text),
        other => Err(format!("is {}; write text in quotes", other.kind())),
    }
}

pub(super) fn file_path(text: &str) -> Result<PathBuf, String> {
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

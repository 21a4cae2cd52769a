//! Reads typed values from an object and reports unknown keys.

use super::{Fault, Value, escaped, fault};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// Reader of an object. A required value that is absent or wrong records a fault and yields a
/// placeholder; an optional one yields `None` for `null` too.
pub struct Object<'a> {
    path: String,
    members: &'a [(String, Value)],
    asked: Vec<&'static str>,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Object<'a> {
    pub(super) fn new(
        path: String,
        members: &'a [(String, Value)],
        faults: &'a mut Vec<Fault>,
    ) -> Self {
        Self {
            path,
            members,
            asked: Vec::new(),
            faults,
        }
    }

    /// Required string.
    pub fn text(&mut self, key: &'static str) -> String {
        let text = self.required(key, Self::optional_text);
        text.unwrap_or_default()
    }

    /// Optional string.
    pub fn optional_text(&mut self, key: &'static str) -> Option<String> {
        self.value(key, "a string", |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// Optional string that `rule` parses. Records the fault of the rule.
    pub fn ruled<T>(
        &mut self,
        key: &'static str,
        rule: impl FnOnce(&str) -> Result<T, domain::Fault>,
    ) -> Option<T> {
        let text = self.optional_text(key)?;
        rule(&text)
            .map_err(|wrong| self.fault(key, wrong.message))
            .ok()
    }

    /// Optional array of strings; empty if absent.
    pub fn list(&mut self, key: &'static str) -> Vec<String> {
        let items = self.value(key, "an array of strings", |value| match value {
            Value::List(items) => Some(items),
            _ => None,
        });
        let mut texts = Vec::new();
        for (index, item) in items.into_iter().flatten().enumerate() {
            match item {
                Value::Text(text) => texts.push(text.clone()),
                other => {
                    let at = format!("{}/{}/{index}", self.path, escaped(key));
                    let detail = format!("This is {}. Send a string.", other.kind());
                    self.faults.push(fault(&at, detail));
                }
            }
        }
        texts
    }

    /// Whether a key is present with any value, to distinguish `null` from absence.
    pub fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(name, _)| name == key)
    }

    /// Optional boolean.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.value(key, "true or false", |value| match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        })
    }

    /// Optional whole number within bounds.
    pub fn number<T: TryFrom<i64> + PartialOrd + Display>(
        &mut self,
        key: &'static str,
        accepted: RangeInclusive<T>,
    ) -> Option<T> {
        let (least, most) = (accepted.start(), accepted.end());
        let wanted = format!("a whole number from {least} to {most}");
        self.value(key, &wanted, |value| match value {
            Value::Number(number) => T::try_from(number.as_i64()?)
                .ok()
                .filter(|number| accepted.contains(number)),
            _ => None,
        })
    }

    /// Optional object.
    pub fn object<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Object<'_>) -> T,
    ) -> Option<T> {
        let members = self.value(key, "an object", |value| match value {
            Value::Object(members) => Some(members),
            _ => None,
        })?;
        let path = format!("{}/{}", self.path, escaped(key));
        let mut object = Object::new(path, members, self.faults);
        let value = read(&mut object);
        object.finish();
        Some(value)
    }

    /// Makes the optional value that `read` yields required.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        let before = self.faults.len();
        let value = read(self, key);
        if value.is_none() && self.faults.len() == before {
            self.fault(key, "The key is missing. Add it.");
        }
        value
    }

    /// Records a fault in the value of a key.
    pub fn fault(&mut self, key: &str, detail: impl Into<String>) {
        let at = format!("{}/{}", self.path, escaped(key));
        self.faults.push(fault(&at, detail));
    }

    fn value<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        self.asked.push(key);
        let members = self.members;
        let (_, value) = members.iter().find(|(name, _)| name == key)?;
        if *value == Value::Null {
            return None;
        }
        let read = read(value);
        if read.is_none() {
            self.fault(key, format!("This is {}. Send {wanted}.", value.kind()));
        }
        read
    }

    /// Finishes reading. Keys that were not read are unknown.
    pub(super) fn finish(mut self) {
        let known = match self.asked.is_empty() {
            true => "Send no keys".to_owned(),
            false => format!("Known keys are {}", self.asked.join(", ")),
        };
        let members = self.members;
        for (key, _) in members {
            if !self.asked.contains(&key.as_str()) {
                self.fault(key, format!("The key is unknown. {known}."));
            }
        }
    }
}

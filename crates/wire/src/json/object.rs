//! Reading typed values out of an object, so that nothing in it stays unread.

use super::{Fault, Value, escaped, fault};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// An object while it is read. A required value that is absent or wrong leaves a fault behind
/// and yields a stand-in; an optional one yields `None` also for `null`.
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

    /// A text that must be there.
    pub fn text(&mut self, key: &'static str) -> String {
        let text = self.required(key, Self::optional_text);
        text.unwrap_or_default()
    }

    /// A text that may be left out.
    pub fn optional_text(&mut self, key: &'static str) -> Option<String> {
        self.value(key, "text", |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// A text by a rule, whose fault is told with the others.
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

    /// A list of texts; empty if it is left out.
    pub fn list(&mut self, key: &'static str) -> Vec<String> {
        let items = self.value(key, "a list of texts", |value| match value {
            Value::List(items) => Some(items),
            _ => None,
        });
        let mut texts = Vec::new();
        for (index, item) in items.into_iter().flatten().enumerate() {
            match item {
                Value::Text(text) => texts.push(text.clone()),
                other => {
                    let at = format!("{}/{}/{index}", self.path, escaped(key));
                    let detail = format!("This is {}. Send text.", other.kind());
                    self.faults.push(fault(&at, detail));
                }
            }
        }
        texts
    }

    /// Whether a key is there, with whatever value: to tell `null` from nothing said.
    pub fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(name, _)| name == key)
    }

    /// `true` or `false`, and may be left out.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.value(key, "true or false", |value| match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        })
    }

    /// A whole number within bounds, which may be left out.
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

    /// An object that may be left out.
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

    /// A value that must be there, by the reader of one that may be left out.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        let before = self.faults.len();
        let value = read(self, key);
        if value.is_none() && self.faults.len() == before {
            self.fault(key, "The key is missing.");
        }
        value
    }

    /// Notes that the value of a key is wrong.
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

    /// Ends the reading: what nobody asked for is unknown.
    pub(super) fn finish(mut self) {
        let known = match self.asked.is_empty() {
            true => "none is expected".to_owned(),
            false => format!("there are {}", self.asked.join(", ")),
        };
        let members = self.members;
        for (key, _) in members {
            if !self.asked.contains(&key.as_str()) {
                self.fault(key, format!("There is no such key; {known}."));
            }
        }
    }
}

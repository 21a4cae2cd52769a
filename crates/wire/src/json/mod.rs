//! JSON bodies, read strictly.
//!
//! The usual parsers keep the last of two equal keys and pass over keys that nobody knows. Two
//! readers of one body could then disagree about what it says, and a misspelt key would be
//! silently ignored. Here each is a fault, and all faults are told at once, each with a JSON
//! Pointer (RFC 6901). The keys that are asked for are the keys that exist.

mod object;

pub use object::Object;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize as Read, Serialize};
use std::fmt;

/// How many objects and lists may stand in each other.
const DEPTH: usize = 16;

/// How many faults of one body are told. Whoever sends more wants no answer.
const FAULTS: usize = 50;

/// One thing that is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read, utoipa::ToSchema)]
#[schema(as = Fault)]
pub struct Fault {
    /// What is wrong and what to do about it.
    pub detail: String,
    /// Where, as a JSON Pointer in the form of a fragment (RFC 6901 section 6).
    pub pointer: String,
}

impl From<domain::Fault> for Fault {
    /// A rule's fault names its field from the top of the body, such as `policy/plan`.
    fn from(fault: domain::Fault) -> Self {
        Self {
            detail: fault.message,
            pointer: format!("#/{}", fault.field),
        }
    }
}

/// A value with everything that was written, repetitions too.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number.
    Number(serde_json::Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Object(Vec<(String, Value)>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
                Ok(Value::Flag(flag))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Number(number.into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(Value::Number(number.into()))
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
                let number = serde_json::Number::from_f64(number);
                number
                    .map(Value::Number)
                    .ok_or_else(|| E::custom("a number"))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Value::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
                let mut object = Vec::new();
                while let Some(member) = members.next_entry()? {
                    object.push(member);
                }
                Ok(Value::Object(object))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl Value {
    /// Reads a body; `None` if it is no JSON. An empty body is an empty object.
    pub fn parse(body: &[u8]) -> Option<Self> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Some(Self::Object(Vec::new()));
        }
        serde_json::from_slice(body).ok()
    }

    /// The value with its keys in order and without spaces: the same text for the same
    /// content.
    pub fn canonical(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Null => "null".to_owned(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => quoted(text),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::canonical).collect();
                format!("[{}]", items.join(","))
            }
            Self::Object(members) => {
                let mut members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("{}:{}", quoted(key), value.canonical()))
                    .collect();
                members.sort();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    /// Reads the value as an object. The result is given only if nothing is wrong with it;
    /// until then readers yield stand-ins, so that the rest can still be checked.
    pub fn read<T>(&self, read: impl FnOnce(&mut Object<'_>) -> T) -> Result<T, Vec<Fault>> {
        let mut faults = Vec::new();
        self.check("#", 0, &mut faults);
        let members = match self {
            Self::Object(members) => members.as_slice(),
            other => {
                let detail = format!("The body is {}. Send an object.", other.kind());
                faults.push(fault("#", detail));
                &[]
            }
        };
        let is_object = matches!(self, Self::Object(_));
        let mut object = Object::new("#".to_owned(), members, &mut faults);
        let value = read(&mut object);
        object.finish();
        if !is_object {
            // That its keys are missing goes without saying.
            faults.retain(|fault| fault.pointer == "#");
        }
        faults.truncate(FAULTS);
        match faults.is_empty() {
            true => Ok(value),
            false => Err(faults),
        }
    }

    /// What is wrong wherever it stands: repeated keys, NUL, and too much depth.
    fn check(&self, at: &str, depth: usize, faults: &mut Vec<Fault>) {
        if faults.len() >= FAULTS {
            return;
        }
        if depth > DEPTH {
            faults.push(fault(at, format!("Nest at most {DEPTH} levels.")));
            return;
        }
        match self {
            Self::Text(text) if text.contains('\0') => {
                faults.push(fault(at, "Leave out the NUL character."));
            }
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.check(&format!("{at}/{index}"), depth + 1, faults);
                }
            }
            Self::Object(members) => {
                let mut seen = std::collections::HashSet::new();
                for (key, value) in members {
                    let at = format!("{at}/{}", escaped(key));
                    if !seen.insert(key) {
                        faults.push(fault(&at, "The key is there more than once."));
                    }
                    value.check(&at, depth + 1, faults);
                }
            }
            _ => {}
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

fn fault(pointer: &str, detail: impl Into<String>) -> Fault {
    Fault {
        detail: detail.into(),
        pointer: pointer.to_owned(),
    }
}

/// A key within a pointer in a fragment (RFC 6901 sections 3 and 6).
fn escaped(key: &str) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b':');
    let key: String = key.chars().take(64).collect();
    let key = key.replace('~', "~0").replace('/', "~1");
    utf8_percent_encode(&key, KEPT).to_string()
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;

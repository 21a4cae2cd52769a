//! JSON bodies, read strictly.
//!
//! Common parsers keep the last of two equal keys and ignore unknown keys. Two parsers could then
//! read one body differently, and a misspelt key would have no effect. Here both are faults, and
//! all faults are reported together, each with a JSON Pointer (RFC 6901). The known keys are the
//! fields of the type that is read, which has `#[serde(deny_unknown_fields)]`.

mod read;
pub mod rules;

use domain::MOST_FAULTS;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize as Read, Serialize};
use std::fmt;

/// Maximum nesting of objects and arrays.
const DEPTH: usize = 16;

/// Fault in a request body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Fault))]
pub struct Fault {
    /// Explanation and remedy.
    pub detail: String,
    /// JSON Pointer to the faulty value, as a URI fragment (RFC 6901 section 6).
    pub pointer: String,
}

impl From<domain::Fault> for Fault {
    /// The field of a rule's fault is a path from the top of the body, such as `policy/plan`, or
    /// empty for the whole body.
    fn from(fault: domain::Fault) -> Self {
        Self {
            detail: fault.message,
            pointer: match fault.field {
                "" => "#".to_owned(),
                field => format!("#/{field}"),
            },
        }
    }
}

/// JSON value that keeps repeated keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number.
    Number(serde_json::Number),
    /// A string.
    Text(String),
    /// An array.
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
    /// Parses a body. `None` if it is not JSON. An empty body is an empty object.
    pub fn parse(body: &[u8]) -> Option<Self> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Some(Self::Object(Vec::new()));
        }
        serde_json::from_slice(body).ok()
    }

    /// Canonical form, with sorted keys and without whitespace: equal values give equal texts.
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

    /// Reads the value into the type that documents it, or returns its faults. After the first
    /// [`MOST_FAULTS`] it searches no further, and the last one says so.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Vec<Fault>> {
        if !matches!(self, Self::Object(_)) {
            let detail = format!("The body is {}. Send an object.", self.kind());
            return Err(vec![fault("#", detail)]);
        }
        let mut faults = Vec::new();
        self.check("#", 0, &mut faults);
        match read::read(self, &mut faults, MOST_FAULTS) {
            Some(value) if faults.is_empty() => Ok(value),
            _ => {
                if faults.len() >= MOST_FAULTS {
                    faults.truncate(MOST_FAULTS - 1);
                    faults.push(fault("#", "There are more faults. Correct these first."));
                }
                Err(faults)
            }
        }
    }

    /// Finds the faults that any value can have: repeated keys, NUL, and too much nesting.
    fn check(&self, at: &str, depth: usize, faults: &mut Vec<Fault>) {
        if faults.len() >= MOST_FAULTS {
            return;
        }
        if depth > DEPTH {
            faults.push(fault(
                at,
                format!("The nesting is too deep. Nest at most {DEPTH} levels."),
            ));
            return;
        }
        match self {
            Self::Text(text) if text.contains('\0') => {
                faults.push(fault(at, "The string has a NUL character. Remove it."));
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
                    if faults.len() >= MOST_FAULTS {
                        return;
                    }
                    if !seen.insert(key) {
                        let repeated = fault(&at, "The key is repeated. Send it once.");
                        if !faults.contains(&repeated) {
                            faults.push(repeated);
                        }
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
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
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

/// Escapes a key for a JSON Pointer in a URI fragment (RFC 6901 sections 3 and 6).
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

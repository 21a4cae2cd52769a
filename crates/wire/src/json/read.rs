//! Reads a JSON value into the type that documents it.
//!
//! Derived readers stop at their first error. The value is therefore read again after each fault,
//! with a placeholder for the faulty part, until a pass finds no fault. Bodies are small, and each
//! pass finds another fault or is the last.

use super::{Fault, Value, escaped, fault};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Visitor, value::StrDeserializer,
};
use serde::forward_to_deserialize_any;
use std::collections::HashSet;
use std::fmt;

/// Reads a value, and adds faults until there are `most`. The result may contain placeholders if
/// faults were added.
pub fn read<T: DeserializeOwned>(value: &Value, faults: &mut Vec<Fault>, most: usize) -> Option<T> {
    let mut faulty = HashSet::new();
    loop {
        let root = Reader {
            value: Some(value),
            at: "#".to_owned(),
            faulty: &faulty,
        };
        let error = match T::deserialize(root) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let at = error.at.unwrap_or_else(|| "#".to_owned());
        // A placeholder that does not satisfy its type ends the search.
        let is_new = faulty.insert(at.clone());
        if !is_new || faults.len() >= most {
            return None;
        }
        faults.push(fault(&at, error.detail));
    }
}

/// An error at a place of the value.
#[derive(Debug)]
struct ReadError {
    detail: String,
    /// JSON Pointer of the place, once known.
    at: Option<String>,
    /// The key of an object that is missing or unknown, until the place is known.
    key: Option<String>,
}

impl ReadError {
    fn of_key(key: &str, detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            at: None,
            key: Some(key.to_owned()),
        }
    }

    /// Completes the place of an error that arose in the value at this place.
    fn within(mut self, at: &str) -> Self {
        let place = || match &self.key {
            Some(key) => format!("{at}/{}", escaped(key)),
            None => at.to_owned(),
        };
        self.at = Some(self.at.take().unwrap_or_else(place));
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for ReadError {}

impl serde::de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            detail: message.to_string(),
            at: None,
            key: None,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of_key(field, "The key is missing. Add it.")
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known = match expected {
            [] => "Send no keys".to_owned(),
            known => format!("Known keys are {}", known.join(", ")),
        };
        Self::of_key(field, format!("The key is unknown. {known}."))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(match expected {
            [first @ .., last] if !first.is_empty() => {
                format!("Write {} or {last}.", first.join(", "))
            }
            only => format!("Write {}.", only.concat()),
        })
    }
}

/// A part of the value.
struct Reader<'a> {
    /// `None` for a placeholder.
    value: Option<&'a Value>,
    at: String,
    /// The places with faults, which are placeholders.
    faulty: &'a HashSet<String>,
}

impl<'a> Reader<'a> {
    /// The part; `None` where a placeholder is needed.
    fn value(&self) -> Option<&'a Value> {
        self.value.filter(|_| !self.faulty.contains(&self.at))
    }

    fn child(&self, value: Option<&'a Value>, key: &str) -> Self {
        Reader {
            value,
            at: format!("{}/{}", self.at, escaped(key)),
            faulty: self.faulty,
        }
    }

    /// The error that the part is of another kind.
    fn wanted(&self, wanted: &str) -> ReadError {
        let kind = self.value.map_or("missing", Value::kind);
        ReadError::custom(format!("This is {kind}. Send {wanted}.")).within(&self.at)
    }

    /// The members of an object with these fields: the first of each key, and a placeholder for each
    /// field that is absent and needs one.
    fn members<'s>(
        &self,
        fields: &[&'s str],
    ) -> Result<Vec<(&'s str, Option<&'a Value>)>, ReadError>
    where
        'a: 's,
    {
        let members = match self.value() {
            None => &[],
            Some(Value::Object(members)) => members.as_slice(),
            Some(_) => return Err(self.wanted("an object")),
        };
        let is_placeholder = self.value().is_none();
        let is_faulty = |key: &str| self.faulty.contains(&self.child(None, key).at);
        let mut all: Vec<(&str, Option<&Value>)> = Vec::new();
        let mut seen = HashSet::new();
        for (key, value) in members {
            let is_wanted = fields.contains(&key.as_str()) || !is_faulty(key);
            if is_wanted && seen.insert(key.as_str()) {
                all.push((key, Some(value)));
            }
        }
        for field in fields {
            if !seen.contains(field) && (is_placeholder || is_faulty(field)) {
                all.push((field, None));
            }
        }
        Ok(all)
    }

    fn whole_number(&self) -> Result<i64, ReadError> {
        match self.value() {
            None => Ok(0),
            Some(Value::Number(number)) if number.as_i64().is_some() => {
                Ok(number.as_i64().unwrap_or_default())
            }
            Some(_) => Err(self.wanted("a whole number")),
        }
    }
}

macro_rules! numbers {
    ($($read:ident)*) => {
        $(fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            let number = self.whole_number()?;
            visitor.visit_i64(number).map_err(|_: ReadError| self.wanted("a smaller number"))
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value() {
            None | Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Flag(_)) => self.deserialize_bool(visitor),
            Some(Value::Number(_)) => self.deserialize_i64(visitor),
            Some(Value::Text(_)) => self.deserialize_str(visitor),
            Some(Value::List(_)) => self.deserialize_seq(visitor),
            Some(Value::Object(_)) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value() {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.value() {
            None => visitor.visit_bool(false),
            Some(Value::Flag(flag)) => visitor.visit_bool(*flag),
            Some(_) => Err(self.wanted("true or false")),
        }
    }

    numbers! { deserialize_i64 deserialize_u16 deserialize_u32 }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let text = match self.value() {
            None => "",
            Some(Value::Text(text)) => text,
            Some(_) => return Err(self.wanted("a string")),
        };
        let read: Result<_, ReadError> = visitor.visit_str(text);
        read.map_err(|error| error.within(&self.at))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let text = match self.value() {
            None => variants.first().copied().unwrap_or_default(),
            Some(Value::Text(text)) => text,
            Some(_) => return Err(self.wanted("a string")),
        };
        let text: StrDeserializer<'_, ReadError> = text.into_deserializer();
        let read = visitor.visit_enum(text);
        read.map_err(|error| error.within(&self.at))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let items = match self.value() {
            None | Some(Value::Null) => [].iter(),
            Some(Value::List(items)) => items.iter(),
            Some(_) => return Err(self.wanted("an array")),
        };
        visitor.visit_seq(Items {
            list: &self,
            items: items.enumerate(),
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let members = self.members(fields)?;
        let read = visitor.visit_map(Members {
            object: &self,
            members: members.into_iter(),
            next: None,
        });
        read.map_err(|error| error.within(&self.at))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct map identifier ignored_any
    }
}

/// The items of an array.
struct Items<'a, I> {
    list: &'a Reader<'a>,
    items: I,
}

impl<'de, 'a, I: Iterator<Item = (usize, &'a Value)>> SeqAccess<'de> for Items<'a, I> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ReadError> {
        let Some((index, item)) = self.items.next() else {
            return Ok(None);
        };
        let item = self.list.child(Some(item), &index.to_string());
        seed.deserialize(item).map(Some)
    }
}

/// The members of an object.
struct Members<'a, I> {
    object: &'a Reader<'a>,
    members: I,
    next: Option<(&'a str, Option<&'a Value>)>,
}

impl<'de, 'a, I: Iterator<Item = (&'a str, Option<&'a Value>)>> MapAccess<'de> for Members<'a, I> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        self.next = self.members.next();
        let Some((key, _)) = self.next else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, ReadError> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let (key, value) = self.next.take().unwrap_or(("", None));
        let member = self.object.child(value, key);
        let at = member.at.clone();
        seed.deserialize(member).map_err(|error| error.within(&at))
    }
}

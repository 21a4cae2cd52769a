//! The part of CBOR (RFC 8949) that keys of authenticators use: a map of integers to integers and
//! byte strings, with definite lengths (CTAP2 canonical form). Everything else is refused.

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// An integer.
    Integer(i64),
    /// A byte string.
    Bytes(&'a [u8]),
}

/// The most entries of a map.
const MOST_ENTRIES: u64 = 16;

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The major type and the argument of the next item.
    fn head(&mut self) -> Option<(u8, u64)> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        let length = match first & 31 {
            small @ 0..24 => return Some((first >> 5, small.into())),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return None,
        };
        let bytes = self.take(length)?;
        let argument = bytes
            .iter()
            .fold(0, |argument, byte| argument << 8 | u64::from(*byte));
        Some((first >> 5, argument))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.head()? {
            (0, argument) => Some(Value::Integer(i64::try_from(argument).ok()?)),
            (1, argument) => Some(Value::Integer(-1 - i64::try_from(argument).ok()?)),
            (2, length) => Some(Value::Bytes(self.take(usize::try_from(length).ok()?)?)),
            _ => None,
        }
    }

    fn map(&mut self) -> Option<Vec<(i64, Value<'a>)>> {
        let (5, entries @ 0..=MOST_ENTRIES) = self.head()? else {
            return None;
        };
        let mut map: Vec<(i64, Value<'a>)> = Vec::new();
        for _ in 0..entries {
            let Value::Integer(label) = self.value()? else {
                return None;
            };
            if map.iter().any(|(other, _)| *other == label) {
                return None;
            }
            map.push((label, self.value()?));
        }
        Some(map)
    }
}

/// A map that is the whole text.
pub(super) fn map(bytes: &[u8]) -> Option<Vec<(i64, Value<'_>)>> {
    let mut reader = Reader(bytes);
    let map = reader.map()?;
    reader.0.is_empty().then_some(map)
}

/// The bytes of the map at the beginning of a text.
pub(super) fn first_item(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(bytes);
    reader.map()?;
    Some(&bytes[..bytes.len() - reader.0.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_read() {
        let bytes = [0xa3, 1, 2, 0x20, 0x42, 7, 8, 0x39, 1, 0, 0x18, 200];
        let read = map(&bytes).unwrap();
        let expected = [
            (1, Value::Integer(2)),
            (-1, Value::Bytes(&[7, 8])),
            (-257, Value::Integer(200)),
        ];
        assert_eq!(read, expected);
        for length in 0..bytes.len() {
            assert_eq!(map(&bytes[..length]), None, "{length}");
        }
        assert_eq!(map(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(first_item(&[&bytes[..], &[0]].concat()), Some(&bytes[..]));
    }

    #[test]
    fn other_items_are_refused() {
        for bytes in [
            // A text, an array, a float, and a map of indefinite length.
            &[0x61, 0x61][..],
            &[0x80],
            &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0xbf, 0xff],
            // A text as label and as value, a label twice, and a length beyond the end.
            &[0xa1, 0x61, 0x61, 1],
            &[0xa1, 1, 0x61, 0x61],
            &[0xa2, 1, 2, 1, 3],
            &[
                0xa1, 1, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            ],
            &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0xb1],
        ] {
            assert_eq!(map(bytes), None, "{bytes:x?}");
        }
    }
}

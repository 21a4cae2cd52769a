//! Faults of an input.

use std::collections::HashSet;

/// Maximum number of faults that are reported for one input.
pub const MOST_FAULTS: usize = 50;

/// One error in an input, in words for the user who sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field that is wrong, by its name in the form or document; empty for the whole input.
    pub field: &'static str,
    /// The error and its remedy.
    pub message: String,
    /// Whether the input contains a secret, so that it must not be shown again.
    pub has_secret: bool,
}

impl Fault {
    /// A fault of `field`, explained by `message`.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self {
            field,
            message: message.into(),
            has_secret: false,
        }
    }
}

/// All faults of an input, each of them once. There are at most [`MOST_FAULTS`]: the last one of a
/// longer list says how many more there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults, in the order of detection.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }

    /// Renames the fields.
    pub fn rename(&mut self, new_name: impl Fn(&'static str) -> &'static str) {
        for fault in &mut self.0 {
            fault.field = new_name(fault.field);
        }
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(mut all: Vec<Fault>) -> Self {
        let mut seen = HashSet::new();
        all.retain(|fault| seen.insert((fault.field, fault.message.clone())));
        if all.len() > MOST_FAULTS {
            let more = all.len() - (MOST_FAULTS - 1);
            all.truncate(MOST_FAULTS - 1);
            let message = format!("There are {more} more faults. Correct these first.");
            all.push(Fault::new("", message));
        }
        Self(all)
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: usize) -> Vec<Fault> {
        (0..count)
            .map(|i| Fault::new("scope", format!("There is no scope `{i}`.")))
            .collect()
    }

    #[test]
    fn equal_faults_are_reported_once() {
        let mut all = numbered(2);
        all.extend(numbered(3));
        all.push(Fault::new("default_scope", "There is no scope `0`."));
        let mut expected = numbered(3);
        expected.push(Fault::new("default_scope", "There is no scope `0`."));
        assert_eq!(Faults::from(all).0, expected);
    }

    #[test]
    fn last_fault_says_how_many_more_there_are() {
        let all = numbered(MOST_FAULTS);
        assert_eq!(Faults::from(all.clone()).0, all);
        let faults = Faults::from(numbered(3_200)).0;
        assert_eq!(faults.len(), MOST_FAULTS);
        assert_eq!(faults[..49], numbered(49));
        let last = &faults[49];
        assert_eq!(last.field, "");
        assert_eq!(
            last.message,
            "There are 3151 more faults. Correct these first."
        );
    }
}

//! The words for an organization and a project.

use crate::table::Table;
use std::borrow::Cow;

const ORGANIZATION: &str = "organization";
const PROJECT: &str = "project";

/// Characters of a word.
const LONGEST: usize = 30;

/// What the texts call an organization and a project: nouns in lower case that have a regular
/// plural.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// An organization.
    pub organization: String,
    /// A project.
    pub project: String,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            organization: ORGANIZATION.to_owned(),
            project: PROJECT.to_owned(),
        }
    }
}

impl Words {
    pub(super) fn read(table: &mut Table) -> Self {
        let usual = Self::default();
        Self {
            organization: table.text("organization_word", usual.organization, noun),
            project: table.text("project_word", usual.project, noun),
        }
    }

    /// A text of the program in these words; see [`domain::words::replace`].
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let words = [
            (ORGANIZATION, self.organization.as_str()),
            (PROJECT, self.project.as_str()),
        ];
        match words.iter().all(|(usual, own)| usual == own) {
            true => Cow::Borrowed(text),
            false => Cow::Owned(domain::words::replace(text, &words)),
        }
    }
}

/// A noun in lower case.
fn noun(text: &str) -> Result<String, String> {
    let is_noun = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        && text.len() <= LONGEST;
    match is_noun {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "{text:?} is no noun in lower case; write one of at most {LONGEST} letters, such as \
             \"workspace\""
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_nouns_in_lower_case() {
        for good in ["workspace", "sub-account"] {
            assert_eq!(noun(good).as_deref(), Ok(good));
        }
        let long = "x".repeat(LONGEST + 1);
        for bad in ["", "Workspace", "work space", "-x", "<b>", long.as_str()] {
            assert!(noun(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts_follow_the_words() {
        let words = Words {
            organization: "workspace".to_owned(),
            project: "service".to_owned(),
        };
        let text = "Projects of an organization";
        assert_eq!(words.apply(text), "Services of a workspace");
        assert_eq!(Words::default().apply(text), text);
    }
}

//! The words of the texts.

use serde::Deserialize;

/// What the texts call an organization, a project and a profile: a noun in lower case that has a
/// regular plural.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Words {
    /// An organization.
    pub organization: String,
    /// A project, also in the names of a command and an option.
    pub project: String,
    /// A profile, also in the names of a command and an option.
    pub profile: String,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            organization: "organization".to_owned(),
            project: "project".to_owned(),
            profile: "profile".to_owned(),
        }
    }
}

impl Words {
    /// The words of Doorcode and those that replace them.
    fn pairs(&self) -> [(&'static str, &str); 3] {
        [
            ("organization", &self.organization),
            ("project", &self.project),
            ("profile", &self.profile),
        ]
    }

    /// A text of this program with the words replaced, which must not contain names that users
    /// chose. A name such as `projects:read` stays.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in self.pairs() {
            if from == to {
                continue;
            }
            text = replace(&text, from, to);
            text = replace(&text, &capitalized(from), &capitalized(to));
            text = replace(&text, &from.to_uppercase(), &to.to_uppercase());
        }
        text
    }

    /// The option and the command whose name is this word of Doorcode; `org` stands for
    /// `organization`.
    pub fn name<'a>(&'a self, own: &'a str) -> &'a str {
        match own {
            "org" if self.organization != Self::default().organization => &self.organization,
            "project" => &self.project,
            "profile" => &self.profile,
            own => own,
        }
    }
}

/// The word with a capital at its start.
fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// Replaces a word and its plural, with the article before it.
fn replace(text: &str, from: &str, to: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let is_part = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let end = after.strip_prefix('s').unwrap_or(after);
        let is_part = is_part || end.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let scope = end.strip_prefix(':');
        let is_scope = scope.is_some_and(|end| end.starts_with(char::is_alphanumeric));
        replaced.push_str(before);
        if is_part || is_scope {
            replaced.push_str(from);
        } else {
            fit_article(&mut replaced, to);
            replaced.push_str(to);
        }
        rest = after;
    }
    replaced + rest
}

/// Makes an article at the end of a text fit the next word.
fn fit_article(text: &mut String, next: &str) {
    let is_vowel = next.starts_with(|c: char| "aeiouAEIOU".contains(c));
    for (article, fitting) in [("a ", "an "), ("an ", "a "), ("A ", "An "), ("An ", "A ")] {
        let has_it = text
            .strip_suffix(article)
            .is_some_and(|before| !before.ends_with(char::is_alphanumeric));
        if has_it && (fitting.len() > article.len()) == is_vowel {
            text.truncate(text.len() - article.len());
            text.push_str(fitting);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_but_names_are_not() {
        let words = Words {
            organization: "fleet".to_owned(),
            project: "environment".to_owned(),
            ..Words::default()
        };
        for (text, expected) in [
            ("Limit it to an organization", "Limit it to a fleet"),
            ("A project, by its ID", "An environment, by its ID"),
            ("Organizations: none", "Fleets: none"),
            ("ORGANIZATION", "FLEET"),
            ("orgs:read projects:read", "orgs:read projects:read"),
            ("default_project", "default_project"),
            ("a profile of the project", "a profile of the environment"),
        ] {
            assert_eq!(words.apply(text), expected);
            assert_eq!(Words::default().apply(text), text);
        }
        assert_eq!(
            ["org", "project", "profile", "host"].map(|own| words.name(own)),
            ["fleet", "environment", "profile", "host"]
        );
        assert_eq!(Words::default().name("org"), "org");
    }
}

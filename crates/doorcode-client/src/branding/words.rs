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
        domain::words::replace(text, &self.pairs())
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

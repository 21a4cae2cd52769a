//! Parts of forms: errors of fields, scopes to tick, values to choose.

use domain::scope::{Risk, Scope};
use domain::{Fault, Faults};
use std::borrow::Cow;

/// An error of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The `name` of the field; empty for the whole form.
    pub field: Cow<'static, str>,
    /// The error and its remedy.
    pub message: String,
}

/// The errors of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// No errors.
    pub fn none() -> Self {
        Self::default()
    }

    /// One error of the field with this `name`.
    pub fn on(field: &'static str, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.push(field, message);
        errors
    }

    /// One error of the whole form.
    pub fn whole(message: impl Into<String>) -> Self {
        Self::on("", message)
    }

    /// Adds an error of the field with this `name`.
    pub fn push(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.into(),
            message: without_program(&message.into()),
        });
    }

    /// Whether there are no errors.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they stand at the top of the form: several, or one that is about no field.
    pub fn need_summary(&self) -> bool {
        self.0.len() > 1 || self.0.iter().any(|error| error.field.is_empty())
    }

    /// All errors, in the order of detection.
    pub fn iter(&self) -> std::slice::Iter<'_, FieldError> {
        self.0.iter()
    }

    /// The first error of a field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|error| error.field == field)
            .map(|error| error.message.as_str())
    }
}

/// A message with the commands of the server as a page names them: without the program, which a
/// company may have renamed.
pub fn without_program(message: &str) -> String {
    message.replace("`doorcode ", "`")
}

impl From<Fault> for FieldErrors {
    fn from(fault: Fault) -> Self {
        Self::on(fault.field, fault.message)
    }
}

impl From<Faults> for FieldErrors {
    fn from(faults: Faults) -> Self {
        let mut errors = Self::none();
        for fault in faults {
            errors.push(fault.field, fault.message);
        }
        errors
    }
}

/// A scope with a checkbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeChoice {
    /// The name, also the checkbox's value: `tokens:read`.
    pub name: String,
    /// The description of what it grants.
    pub description: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// The heading under which it appears.
    pub group: String,
    /// Whether the box is ticked when the page opens.
    pub ticked: bool,
}

impl ScopeChoice {
    /// The choice of a scope.
    pub fn new(scope: &Scope, ticked: bool) -> Self {
        Self {
            name: scope.name.to_string(),
            description: scope.description.clone(),
            risk: scope.risk,
            group: scope.group.clone(),
            ticked,
        }
    }

    /// The word of its risk.
    pub(super) fn risk_word(&self) -> &'static str {
        self.risk.as_str()
    }

    /// Whether it is marked.
    pub(super) fn is_high(&self) -> bool {
        self.risk == Risk::High
    }
}

/// The projects of an organization that can be ticked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectGroup {
    /// The organization's id, as in the list of organizations.
    pub organization_id: String,
    /// The organization's name.
    pub organization: String,
    /// Its projects; the value is their id, and those selected are ticked.
    pub projects: Vec<Choice>,
}

/// An option of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The value that the form sends.
    pub value: String,
    /// The text that the user reads.
    pub label: String,
    /// Whether it is selected.
    pub selected: bool,
}

impl Choice {
    /// These values with their labels; `selected` is selected.
    pub fn of(choices: &[(&str, &str)], selected: &str) -> Vec<Self> {
        choices
            .iter()
            .map(|(value, label)| Self {
                value: (*value).to_owned(),
                label: (*label).to_owned(),
                selected: *value == selected,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_found_by_its_field() {
        let mut errors = FieldErrors::on("email", "Enter your email.");
        errors.push("password", "Enter your password.");
        assert_eq!(errors.of("password"), Some("Enter your password."));
        assert_eq!(errors.of("name"), None);
        assert!(!errors.is_empty());
        assert!(FieldErrors::none().is_empty());
        assert_eq!(FieldErrors::whole("No.").of(""), Some("No."));
    }

    #[test]
    fn one_error_of_a_field_stands_at_the_field() {
        let mut errors = FieldErrors::on("email", "Enter your email.");
        assert!(!errors.need_summary());
        errors.push("password", "Enter your password.");
        assert!(errors.need_summary());
        assert!(FieldErrors::whole("No.").need_summary());
    }
}

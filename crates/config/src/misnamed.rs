//! Variables with the name of a setting but single underscores.

use super::error::{ConfigFault, SourcePosition};
use super::section::Section;
use super::source::PREFIX;

/// The prefix of all variables of the program.
const PROGRAM: &str = "DOORCODE_";

/// The fault of a variable such as `DOORCODE_LISTEN`, which would be ignored silently.
pub(super) fn fault(name: &str, sections: &[Section]) -> Option<ConfigFault> {
    let own = name.strip_prefix(PROGRAM)?.to_ascii_lowercase();
    // A section below another one has no variables.
    let sections = sections
        .iter()
        .filter(|section| !section.name.contains('.'));
    let mut keys = sections.flat_map(|section| {
        let settings = section.settings.iter();
        settings.map(move |(key, _)| (section.name.as_str(), *key))
    });
    let (section, key) =
        keys.find(|(section, key)| own == *key || own == format!("{section}_{key}"))?;
    let message = format!(
        "this variable is not read; write {PREFIX}{}__{} for the key {key} of the section [{section}]",
        section.to_ascii_uppercase(),
        key.to_ascii_uppercase()
    );
    Some(ConfigFault {
        position: Some(SourcePosition::Variable(name.to_owned())),
        key: String::new(),
        message,
    })
}

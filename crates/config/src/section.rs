//! The effective settings, as `doorcode config check` lists them.

/// The effective settings of a section, or of one table of a list.
#[derive(Debug, Clone)]
pub(super) struct Section {
    /// The full name, such as `sign_in.oidc`.
    pub(super) name: String,
    pub(super) is_in_list: bool,
    pub(super) settings: Vec<(&'static str, toml::Value)>,
}

impl Section {
    /// The settings in TOML.
    pub(super) fn written(&self, separator: &str) -> String {
        let settings = self.settings.iter();
        let written = settings.map(|(key, value)| format!("{key} = {value}"));
        written.collect::<Vec<_>>().join(separator)
    }
}

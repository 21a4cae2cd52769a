//! `[branding]`: the name that users see, and where they get help.

use super::table::Table;
use domain::name;
use std::fmt;
use url::Url;

/// The branding settings.
#[derive(Debug, Clone)]
pub struct Branding {
    /// The name on the pages and in the terminal.
    pub name: String,
    /// Where users get help; `None` if it is not configured.
    pub support: Option<Support>,
}

/// Where users get help. `Display` writes it as in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// An email address.
    Email(String),
    /// A page, by its http or https URL.
    Page(Url),
}

impl Support {
    fn parse(text: &str) -> Result<Self, String> {
        let page = Url::parse(text).ok();
        if let Some(page) = page.filter(|page| matches!(page.scheme(), "https" | "http")) {
            return Ok(Self::Page(page));
        }
        domain::user::email(text).map(Self::Email).map_err(|_| {
            format!(
                "{text:?} is neither an email address nor a URL; write help@example.com or \
                 https://example.com/help"
            )
        })
    }

    /// The target of a link to it.
    pub fn href(&self) -> String {
        match self {
            Self::Email(address) => format!("mailto:{address}"),
            Self::Page(url) => url.to_string(),
        }
    }
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(address) => f.write_str(address),
            Self::Page(url) => url.fmt(f),
        }
    }
}

impl Branding {
    pub(super) fn read(table: &mut Table) -> Self {
        let name = |text: &str| name::line(text, name::LENGTH).map_err(|flaw| flaw.to_string());
        Self {
            name: table.text("name", "Doorcode".to_owned(), name),
            support: table.optional("support", Support::parse, Support::to_string),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn support_is_an_address_or_a_page() {
        for (text, href) in [
            ("help@example.com", "mailto:help@example.com"),
            ("https://example.com/help", "https://example.com/help"),
        ] {
            let support = Support::parse(text).unwrap();
            assert_eq!(
                (support.to_string().as_str(), support.href().as_str()),
                (text, href)
            );
        }
        for bad in [
            "",
            "ask Ada",
            "javascript:alert(1)",
            "mailto:help@example.com",
        ] {
            assert!(Support::parse(bad).is_err(), "{bad}");
        }
    }
}

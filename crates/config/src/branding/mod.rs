//! `[branding]`: the name, look and links that users see.

mod accent;
mod logo;
mod words;

pub use accent::Accent;
pub use logo::Logo;
pub use words::Words;

use super::table::Table;
use domain::name;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use url::Url;

/// The program of Doorcode.
const PROGRAM: &str = "doorcode";

/// Characters of a note; more is a page of its own.
const LONGEST_NOTE: usize = 500;

/// The branding settings.
#[derive(Debug, Clone)]
pub struct Branding {
    /// The name on the pages and in the terminal.
    pub name: String,
    /// The program with the commands of users, as they type it.
    pub program: String,
    /// Where users get help; `None` if it is not configured.
    pub support: Option<Support>,
    /// The color of the main button, links and marks.
    pub accent: Option<Accent>,
    /// The mark beside the name.
    pub logo: Option<Logo>,
    /// The mark in the dark theme; `None` if it is the same.
    pub logo_dark: Option<Logo>,
    /// Links at the foot of each page.
    pub links: Links,
    /// Texts of the operator beside lists and forms.
    pub notes: Notes,
    /// What the texts call an organization and a project.
    pub words: Words,
}

/// Pages of the product that Doorcode protects.
#[derive(Debug, Clone)]
pub struct Links {
    /// Its start page.
    pub home: Option<Url>,
    /// The terms of service.
    pub terms: Option<Url>,
    /// The privacy policy.
    pub privacy: Option<Url>,
}

/// Texts of the operator, in plain text.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// Above the list of tokens.
    pub tokens: Option<String>,
    /// In the form for a token.
    pub new_token: Option<String>,
}

/// A file that browsers may keep, since its hash is in its URL.
#[derive(Debug, Clone)]
pub struct StaticFile {
    /// For `Content-Type`.
    pub media_type: &'static str,
    /// The extension of its name, without a dot.
    pub extension: &'static str,
    /// The bytes.
    pub content: Arc<[u8]>,
    /// Names the content: 12 hexadecimal digits of its SHA-256.
    pub hash: String,
}

impl StaticFile {
    /// A file with this content.
    pub fn new(media_type: &'static str, extension: &'static str, content: Vec<u8>) -> Self {
        let mut hash = hex::encode(Sha256::digest(&content));
        hash.truncate(12);
        Self {
            media_type,
            extension,
            content: content.into(),
            hash,
        }
    }
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
        if let Ok(page) = page(text) {
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
    /// Whether users have a program of the company.
    pub fn has_own_program(&self) -> bool {
        self.program != PROGRAM
    }

    pub(super) fn read(table: &mut Table) -> Self {
        let name = |text: &str| name::line(text, name::LENGTH).map_err(|flaw| flaw.to_string());
        Self {
            name: table.text("name", "Doorcode".to_owned(), name),
            program: table.text("program", PROGRAM.to_owned(), program),
            support: table.optional("support", Support::parse, Support::to_string),
            accent: table.optional("accent", Accent::parse, Accent::to_string),
            logo: table.optional("logo", Logo::read, Logo::to_string),
            logo_dark: table.optional("logo_dark", Logo::read, Logo::to_string),
            links: Links {
                home: table.optional("home", page, Url::to_string),
                terms: table.optional("terms", page, Url::to_string),
                privacy: table.optional("privacy", page, Url::to_string),
            },
            notes: Notes {
                tokens: table.optional("tokens_note", note, String::clone),
                new_token: table.optional("new_token_note", note, String::clone),
            },
            words: Words::read(table),
        }
    }
}

/// The name of a program that needs no quotes in a shell.
fn program(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
    match starts_well && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "{text:?} is not a program name; use letters, digits, dashes and underscores"
        )),
    }
}

/// The URL of a page.
fn page(text: &str) -> Result<Url, String> {
    let page = Url::parse(text).ok();
    page.filter(|page| matches!(page.scheme(), "https" | "http"))
        .ok_or_else(|| {
            format!("{text:?} is no URL of a page; write one such as https://example.com")
        })
}

/// A text of some sentences.
fn note(text: &str) -> Result<String, String> {
    name::line(text, LONGEST_NOTE).map_err(|flaw| flaw.to_string())
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

    #[test]
    fn program_is_one_word_of_a_command_line() {
        assert_eq!(program("acme-2_x").as_deref(), Ok("acme-2_x"));
        for bad in ["", "-rf", "acme login", "a;b", "./acme", "2acme", "ácme"] {
            assert!(program(bad).is_err(), "{bad}");
        }
    }
}

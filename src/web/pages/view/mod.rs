//! The page templates: one typed struct for each page, with plain display data.
//!
//! Handlers build and render these structs. Markup and texts are in the templates; access checks
//! are not.

pub mod account;
pub mod admin;
pub mod admin_client;
mod agent;
pub mod audit;
pub mod chart;
pub mod device;
pub mod devices;
pub mod error;
pub mod factor;
mod filters;
mod form;
pub mod identity;
pub mod invitation;
pub mod log_badge;
pub mod member;
mod moment;
pub mod org;
pub mod org_overview;
pub mod password;
pub mod policy;
pub mod problem;
pub mod project;
pub mod scopes;
pub mod security;
pub mod token;
pub mod token_access;
pub mod token_activity;
pub mod token_confirm;
pub mod token_form;
pub mod token_list;

pub use agent::{agent_name, is_phone};
pub use filters::render;
pub use form::{Choice, FieldErrors, ProjectGroup, ScopeChoice, without_program};
pub use moment::{Moment, duration_words};

use config::{Links, Notes, Support};
use org::OrganizationHead;

#[cfg(test)]
pub(crate) mod samples;

/// The frame of every page.
#[derive(Debug, Clone)]
pub struct Chrome {
    /// The server's name, from `[branding] name`.
    pub brand: String,
    /// The CSRF token of this browser, in the field `csrf` of each form.
    pub csrf: String,
    /// The signed-in user; without one the page has no navigation.
    pub user: Option<User>,
    /// What happened to the form that the page shows again.
    pub notice: Option<String>,
    /// URLs of the static files, with the hash of their content in the name.
    pub assets: Assets,
    /// The first organizations of the user, by name.
    pub organizations: Vec<OrganizationHead>,
    /// Whether users can create organizations.
    pub can_create_organization: bool,
    /// Where users get help; `None` if it is not configured.
    pub support: Option<Support>,
    /// Links at the foot.
    pub links: Links,
    /// Texts of the operator beside lists and forms.
    pub notes: Notes,
}

/// The signed-in user, as the page header shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's name.
    pub name: String,
    /// The email for sign-in.
    pub email: String,
    /// Whether the operator console is open to the user.
    pub is_operator: bool,
}

impl User {
    /// One or two letters that stand for the user.
    fn initials(&self) -> String {
        initials(&self.name)
    }
}

/// The first letters of the first and the last word of a name.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| {
        let mut letters = word.chars().filter(|letter| letter.is_alphanumeric());
        letters.next()
    });
    let first = words.next();
    let letters = first.into_iter().chain(words.next_back());
    letters.flat_map(char::to_uppercase).collect()
}

/// The URL paths of the static files.
#[derive(Debug, Clone)]
pub struct Assets {
    /// The stylesheet, `app.css`.
    pub css: String,
    /// The script, `app.js`.
    pub js: String,
    /// The icon of browser tabs.
    pub icon: String,
    /// The icon of start screens, a PNG; `None` if the brand has none.
    pub touch_icon: Option<String>,
    /// The stylesheet with the colors of the brand.
    pub brand_css: Option<String>,
    /// The mark beside the name; `None` for our own.
    pub logo: Option<String>,
    /// The mark in the dark theme; `None` if it is the same.
    pub logo_dark: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::samples;
    use domain::scope::{BuiltInNames, Catalogue};
    use std::collections::{BTreeMap, BTreeSet};

    /// The visible and spoken text of a page: title, text and labels, one per line.
    fn text_of(html: &str) -> String {
        let mut lines = String::new();
        for piece in html.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').expect("an end of the tag");
            for name in ["aria-label", "placeholder", "alt"] {
                if let Some((_, rest)) = tag.split_once(&format!(" {name}=\"")) {
                    let value = rest.split('"').next().unwrap_or_default();
                    lines.extend(["[", name, ": ", value, "]\n"]);
                }
            }
            if matches!(tag.split(' ').next(), Some("h1" | "h2" | "h3")) {
                lines.push_str("# ");
            }
            let words: Vec<_> = text.split_whitespace().collect();
            if !words.is_empty() {
                lines.push_str(&words.join(" "));
                lines.push('\n');
            }
        }
        lines
    }

    /// Names of scopes stay. Their descriptions are in the words of the brand already, which the
    /// samples do without.
    #[test]
    fn every_text_has_the_words_of_the_brand() {
        let catalogue = Catalogue::new(&BuiltInNames::Plain, Vec::new()).unwrap();
        let is_of_a_scope = |line: &str| {
            let is_description = catalogue.iter().any(|scope| scope.description == line);
            let is_name = line == "projects"
                || ["projects:", "/projects/"]
                    .iter()
                    .any(|name| line.contains(name));
            is_description || is_name
        };
        let mut others = Vec::new();
        for sample in samples::all() {
            let text = text_of(&sample.html_in_own_words);
            for line in text.lines().filter(|line| !is_of_a_scope(line)) {
                let lower = line.to_lowercase();
                if lower.contains("organization") || lower.contains("project") {
                    others.push(format!("{} ({}): {line}", sample.page, sample.state));
                }
            }
        }
        assert!(others.is_empty(), "{}", others.join("\n"));
    }

    #[test]
    fn initials_are_those_of_the_first_and_the_last_word() {
        for (name, letters) in [
            ("Ada Lovelace", "AL"),
            ("Ada King, Countess of Lovelace", "AL"),
            ("acme", "A"),
            ("(Beta) élan", "BÉ"),
            ("???", ""),
        ] {
            assert_eq!(super::initials(name), letters, "{name}");
        }
    }

    /// The browser tests show these files; the name of each names its page and state.
    #[test]
    fn every_page_is_written_for_the_browser() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target/pages");
        std::fs::create_dir_all(folder).unwrap();
        let mut names = BTreeSet::new();
        for sample in samples::all() {
            let name = format!("{}--{}.html", sample.page, sample.state);
            // A browser test that runs meanwhile finds a whole file.
            let new = format!("{folder}/{name}.new");
            std::fs::write(&new, &sample.html).unwrap();
            std::fs::rename(&new, format!("{folder}/{name}")).unwrap();
            assert!(
                names.insert(name),
                "{}--{} twice",
                sample.page,
                sample.state
            );
        }
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap();
            if !names.contains(&*file.file_name().to_string_lossy()) {
                std::fs::remove_file(file.path()).unwrap();
            }
        }
    }

    #[test]
    fn texts_of_every_page() {
        let mut pages: BTreeMap<_, String> = BTreeMap::new();
        for sample in samples::all() {
            let text = pages.entry(sample.page).or_default();
            *text += &format!("=== {}\n{}\n", sample.state, text_of(&sample.html));
        }
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/snapshots/pages"
        ));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (page, text) in pages {
            settings.bind(|| insta::assert_snapshot!(page, text));
        }
    }

    #[test]
    fn each_page_has_a_unique_title_and_a_language() {
        let mut pages = BTreeMap::new();
        for sample in samples::all() {
            let at = format!("{} ({})", sample.page, sample.state);
            assert!(sample.html.contains("<html lang=\"en\">"), "{at}");
            let headings = ["<h1>", "<h1 "].map(|tag| sample.html.matches(tag).count());
            assert_eq!(headings.iter().sum::<usize>(), 1, "{at}");
            let (_, rest) = sample.html.split_once("<title>").expect("a title");
            let (title, _) = rest.split_once("</title>").expect("an end of the title");
            let page = *pages.entry(title.to_owned()).or_insert(sample.page);
            assert_eq!(page, sample.page, "{at} shares its title: {title}");
        }
    }

    #[test]
    fn pages_have_no_inline_scripts_or_styles() {
        for sample in samples::all() {
            let at = format!("{} ({})", sample.page, sample.state);
            // The only script element loads the script file; typed markup is escaped.
            assert_eq!(sample.html.matches("<script").count(), 1, "{at}");
            for forbidden in [" style=", "<style", "<img src=x", "javascript:", "data:"] {
                assert!(!sample.html.contains(forbidden), "{at}: {forbidden}");
            }
        }
    }

    #[test]
    fn only_post_forms_carry_the_csrf_token() {
        for sample in samples::all() {
            let at = format!("{} ({})", sample.page, sample.state);
            for form in sample.html.split("<form").skip(1) {
                let (form, _) = form.split_once("</form>").expect("an end of the form");
                // A GET form would put the token into the URL.
                let posts = form.contains("method=\"post\"");
                assert!(posts || form.contains("method=\"get\""), "{at}");
                let carries = form.contains("name=\"csrf\" value=\"form-token\"");
                assert_eq!(posts, carries, "{at}");
            }
        }
    }

    #[test]
    fn typed_values_are_shown_again_except_passwords() {
        let samples = samples::all();
        let find = |page, state| {
            let found = samples.iter().find(|s| s.page == page && s.state == state);
            found.map(|s| s.html.as_str()).unwrap_or_default()
        };
        for (page, state, kept) in [
            (
                "account",
                "email-errors",
                "name=\"name\" type=\"text\" value=\"Ada Lovelace\"",
            ),
            (
                "login",
                "refused",
                "name=\"email\" type=\"email\" value=\"ada@example.com\"",
            ),
            (
                "device",
                "wrong",
                "name=\"user_code\" type=\"text\" value=\"WDJB-MJHX\"",
            ),
            (
                "token-new",
                "errors",
                "name=\"expires_on\" type=\"date\" value=\"2020-01-01\"",
            ),
            (
                "token-new",
                "errors",
                "name=\"expires\" value=\"custom\" checked",
            ),
            (
                "token-new",
                "errors",
                "name=\"access.projects\" value=\"projects:write\" aria-describedby=\"grants-projects:write\" checked",
            ),
            (
                "token-new",
                "errors",
                "name=\"project\" value=\"prj_2\" checked",
            ),
            (
                "invite-account",
                "errors",
                "name=\"email\" type=\"email\" value=\"charles@example.com\"",
            ),
            (
                "policy-review",
                "errors",
                "name=\"max_lifetime\" value=\"90d\"",
            ),
        ] {
            assert!(find(page, state).contains(kept), "{page} ({state}): {kept}");
        }
        for sample in &samples {
            for input in sample
                .html
                .split("<input")
                .filter(|i| i.contains("type=\"password\""))
            {
                let (input, _) = input.split_once('>').expect("an end of the input");
                assert!(
                    !input.contains("value="),
                    "{} ({})",
                    sample.page,
                    sample.state
                );
            }
        }
    }

    #[test]
    fn each_error_links_to_a_field() {
        for sample in samples::all() {
            for link in sample.html.split("<li><a href=\"#").skip(1) {
                let (id, _) = link.split_once('"').expect("an end of the link");
                let at = format!("{} ({}): {id}", sample.page, sample.state);
                assert!(sample.html.contains(&format!(" id=\"{id}\"")), "{at}");
                assert!(sample.html.contains(&format!(" id=\"{id}-error\"")), "{at}");
            }
        }
    }
}

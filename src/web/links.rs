//! Paths of one-time links, for pages, mails and API responses.

/// Path for creating the first user; `link` is the secret of the one-time link.
pub fn setup_path(link: &str) -> String {
    format!("/setup?link={link}")
}

/// Path for accepting an invitation; `link` is the secret of the one-time link.
pub fn invitation_path(link: &str) -> String {
    format!("/invite?link={link}")
}

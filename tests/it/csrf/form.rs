//! The forms, with what they would change.

use crate::support::{EMAIL, PASSWORD};

/// A stricter policy.
const TERMS: &[(&str, &str)] = &[
    ("personal_tokens", "admins"),
    ("max_lifetime", "7d"),
    ("grace", "none"),
];

/// Every path that takes a form, with fields that would have an effect. A path missing from this
/// table fails the suite.
pub const FORMS: &[(&str, &[(&str, &str)])] = &[
    ("/setup", &[("name", "Eve"), ("email", "eve@example.com")]),
    ("/login", &[("email", EMAIL), ("password", PASSWORD)]),
    (
        "/login/connect",
        &[("link", "{link}"), ("password", PASSWORD)],
    ),
    ("/login/factor", &[("link", "{link}"), ("code", "123456")]),
    ("/logout", &[]),
    ("/forgot", &[("email", EMAIL)]),
    (
        "/reset",
        &[
            ("link", "{reset}"),
            ("new_password", "yellow anvil sleeps under"),
        ],
    ),
    (
        "/account/password/new",
        &[("new_password", "yellow anvil sleeps under")],
    ),
    ("/device", &[("user_code", "{code}"), ("via", "keyboard")]),
    (
        "/device/decide",
        &[
            ("user_code", "{code}"),
            ("ticket", "{ticket}"),
            ("decision", "approve"),
            ("scope", "tokens:read"),
        ],
    ),
    ("/tokens/new", &[("name", "Mine"), ("expires", "never")]),
    ("/tokens/revoke-all", &[]),
    ("/tokens/{id}/confirm", &[("max_age", "300")]),
    ("/tokens/{id}/name", &[("name", "renamed")]),
    ("/tokens/{id}/revoke", &[]),
    ("/tokens/{id}/rotate", &[("overlap", "none")]),
    ("/account/name", &[("name", "Eve")]),
    (
        "/account/password",
        &[
            ("current_password", PASSWORD),
            ("new_password", "yellow anvil sleeps under"),
        ],
    ),
    (
        "/account/email",
        &[("new_email", "e@x.example"), ("email_password", PASSWORD)],
    ),
    ("/account/email/verification", &[]),
    ("/account/email/verify", &[("link", "{link}")]),
    ("/account/email/confirm", &[("link", "{link}")]),
    ("/account/sessions/sign-out-others", &[]),
    ("/account/sessions/{id}/sign-out", &[]),
    (
        "/account/identities/disconnect",
        &[("issuer", "https://id.example.com")],
    ),
    (
        "/account/security/totp",
        &[("sealed", "x"), ("code", "123456")],
    ),
    ("/account/security/totp/remove", &[]),
    ("/account/security/recovery-codes", &[]),
    (
        "/account/security/passkeys",
        &[("name", "Laptop"), ("credential", "AAAA")],
    ),
    (
        "/account/security/passkeys/{passkey}/name",
        &[("name", "Mine")],
    ),
    ("/account/security/passkeys/{passkey}/remove", &[]),
    ("/devices/sign-out-others", &[]),
    ("/devices/browsers/{id}/sign-out", &[]),
    ("/devices/terminals/{id}/sign-out", &[]),
    ("/o/new", &[("name", "Evil")]),
    ("/o/{org}/name", &[("name", "Evil")]),
    ("/o/{org}/leave", &[]),
    ("/o/{org}/delete", &[("name", "Acme")]),
    ("/o/{org}/members/{user}/role", &[("role", "owner")]),
    ("/o/{org}/members/{user}/remove", &[]),
    ("/o/{org}/members/{user}/password-reset", &[]),
    ("/o/{org}/invitations", &[("role", "owner")]),
    ("/o/{org}/invitations/{id}/send", &[]),
    ("/o/{org}/invitations/{id}/withdraw", &[]),
    ("/invite", &[("link", "{link}")]),
    (
        "/invite/account",
        &[
            ("link", "{link}"),
            ("name", "Eve"),
            ("email", "eve@example.com"),
            ("password", "yellow anvil sleeps under"),
        ],
    ),
    ("/o/{org}/projects/new", &[("name", "Evil")]),
    ("/o/{org}/projects/{project}/name", &[("name", "Evil")]),
    (
        "/o/{org}/projects/{project}/members",
        &[("member", "{user}")],
    ),
    ("/o/{org}/projects/{project}/members/{user}/remove", &[]),
    ("/o/{org}/projects/{project}/delete", &[]),
    ("/o/{org}/settings/policy", TERMS),
    ("/o/{org}/settings/policy/apply", TERMS),
    (
        "/o/{org}/settings/api-tokens/new",
        &[("name", "Evil"), ("expires", "never")],
    ),
    ("/o/{org}/audit/verify", &[]),
    ("/o/{org}/tokens/{id}/block", &[]),
    ("/o/{org}/tokens/{id}/unblock", &[]),
    ("/o/{org}/tokens/{id}/ask-to-rotate", &[]),
    ("/o/{org}/settings/api-tokens/revoke-all", &[]),
    ("/o/{org}/settings/api-tokens/{id}/name", &[("name", "x")]),
    ("/o/{org}/settings/api-tokens/{id}/revoke", &[]),
    (
        "/o/{org}/settings/api-tokens/{id}/rotate",
        &[("overlap", "none")],
    ),
];

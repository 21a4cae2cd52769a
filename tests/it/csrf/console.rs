//! The forms of the operator console.

/// Every path below `/admin` that takes a form, with fields that would have an effect.
pub const FORMS: [(&str, &[(&str, &str)]); 9] = [
    ("/admin/users/{user}/password-reset", &[]),
    ("/admin/users/{user}/verify-email", &[]),
    ("/admin/users/{user}/deactivate", &[]),
    ("/admin/users/{user}/reactivate", &[]),
    (
        "/admin/organizations/{org}/plan",
        &[("plan", "free"), ("grace", "none")],
    ),
    (
        "/admin/clients/{client}/scopes",
        &[("scope", "tokens:read")],
    ),
    ("/admin/clients/{client}/rotate", &[("overlap", "none")]),
    ("/admin/clients/{client}/disable", &[]),
    ("/admin/clients/{client}/enable", &[]),
];

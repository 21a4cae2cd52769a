//! The clients of the operator console, in every state.

use super::super::FieldErrors;
use super::super::admin_client::*;
use super::super::token::overlaps;
use super::admin::operator;
use super::{HOSTILE, LONG, Sample, minutes, sample};
use domain::scope::Risk;

fn client(id: &str, name: &str) -> ClientRow {
    ClientRow {
        id: id.into(),
        name: name.into(),
        is_confidential: false,
        is_active: true,
        scopes: vec!["app:deploy".into(), "tokens:read".into()],
        previous_secret_ends: None,
    }
}

fn api() -> ClientRow {
    ClientRow {
        is_confidential: true,
        scopes: Vec::new(),
        ..client("acme-api", "Acme API")
    }
}

fn page(client: ClientRow, notice: Option<ClientNotice>) -> ClientPage {
    ClientPage {
        chrome: operator(),
        client,
        default_scopes: vec!["tokens:read".into()],
        follows_settings: false,
        tokens: 212,
        notice,
    }
}

fn scopes(errors: FieldErrors) -> ClientScopesPage {
    let scope = |name: &str, description: &str, risk, is_default| ClientScope {
        name: name.into(),
        description: description.into(),
        risk,
        is_allowed: true,
        is_default,
    };
    ClientScopesPage {
        chrome: operator(),
        client: client("acme-cli", "Acme CLI"),
        follows_settings: true,
        scopes: vec![
            scope("app:deploy", HOSTILE, Risk::Write, false),
            scope("orgs:write", LONG, Risk::High, false),
            scope("tokens:read", "List tokens", Risk::Read, true),
        ],
        errors,
    }
}

/// The clients.
pub fn samples() -> Vec<Sample> {
    let disabled = ClientRow {
        is_active: false,
        ..client("acme-cli-v1", "Old CLI")
    };
    let rotated = ClientRow {
        previous_secret_ends: Some(minutes(60 * 24)),
        ..api()
    };
    let list = ClientsPage {
        chrome: operator(),
        clients: vec![
            client("acme-cli", "Acme CLI"),
            rotated.clone(),
            disabled.clone(),
            client("hostile", HOSTILE),
            client(LONG, LONG),
        ],
        next: Some("/admin/clients?after=0.acme-cli".into()),
    };
    let ordinary = ClientsPage {
        chrome: operator(),
        clients: vec![
            client("acme-cli", "Acme CLI"),
            client("acme-vscode", "VS Code extension"),
            rotated.clone(),
            disabled.clone(),
        ],
        next: None,
    };
    let built_in = ClientPage {
        follows_settings: true,
        ..page(client("doorcode-cli", "Doorcode CLI"), None)
    };
    let rotate = |client, errors| RotateSecretPage {
        chrome: operator(),
        client,
        overlap: overlaps("24h"),
        errors,
    };
    let secret = |client, secret: Option<&str>| SecretPage {
        chrome: operator(),
        client,
        secret: secret.map(str::to_owned),
    };
    let disable = |tokens| DisableClientPage {
        chrome: operator(),
        client: client("acme-cli", HOSTILE),
        tokens,
    };
    let not_chosen = FieldErrors::on("overlap", "Choose how long the old one still works.");
    let not_allowed = FieldErrors::on(
        "default_scope",
        "Each default scope must be one that the client may ask for.",
    );
    let done = |state, client, notice| sample("admin-client", state, &page(client, Some(notice)));
    vec![
        sample("admin-clients", "ordinary", &ordinary),
        sample("admin-clients", "all", &list),
        sample("admin-client", "confidential", &page(api(), None)),
        sample("admin-client", "built-in", &built_in),
        done(
            "scopes",
            client("acme-cli", "Acme CLI"),
            ClientNotice::Scopes,
        ),
        done("disabled", disabled, ClientNotice::Disabled),
        done(
            "enabled",
            client("acme-cli", "Acme CLI"),
            ClientNotice::Enabled,
        ),
        sample("admin-client-scopes", "form", &scopes(FieldErrors::none())),
        sample("admin-client-scopes", "errors", &scopes(not_allowed)),
        sample(
            "admin-client-rotate",
            "form",
            &rotate(api(), FieldErrors::none()),
        ),
        sample(
            "admin-client-rotate",
            "errors",
            &rotate(rotated.clone(), not_chosen),
        ),
        sample(
            "admin-client-secret",
            "shown",
            &secret(rotated, Some("0123456789abcdef")),
        ),
        sample("admin-client-secret", "shown-before", &secret(api(), None)),
        sample("admin-client-disable", "tokens", &disable(212)),
        sample("admin-client-disable", "no-tokens", &disable(0)),
    ]
}

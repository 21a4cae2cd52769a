//! How the sentences are checked.

use super::sentences::parts;
use super::server::{Asked, Server};
use super::{Owner, Run, Subject, Verdict};
use chrono::DateTime;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

/// Whether only its owner can read a file.
pub(super) fn is_private(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 == 0)
}

/// The number at the start of a text.
pub(super) fn number(text: &str) -> usize {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

pub(super) fn words(list: &Value) -> String {
    let words: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    match words[..] {
        [] => "none".to_owned(),
        _ => words.join(" "),
    }
}

/// Whether a text names the owner of a token. A company has its own word for an organization.
pub(super) fn is_owner(me: &Value, said: &str) -> bool {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match (&me["user"], &me["organization"]) {
        (Value::Null, organization) => {
            said.starts_with("the ") && said.ends_with(&format!(" {}", text(&organization["name"])))
        }
        (user, _) => said == format!("{} <{}>", text(&user["name"]), text(&user["email"])),
    }
}

/// Whether a text is the time of a token's end, to the minute.
pub(super) fn is_end(end: &Value, text: &str) -> bool {
    let Some(end) = end.as_str() else {
        return text == "never";
    };
    let time = text.split_inclusive(')').next().unwrap();
    let said = DateTime::parse_from_str(time, "%-d %B %Y, %H:%M (UTC%:z)");
    let end = DateTime::parse_from_rfc3339(end).unwrap();
    said.is_ok_and(|said| (0..60).contains(&(end - said).num_seconds()))
}

impl Run<'_> {
    /// Compares what the server says about a token.
    pub(super) fn about(
        host: &str,
        token: Option<&str>,
        is_so: impl FnOnce(&Value) -> bool,
    ) -> Verdict {
        let Some(token) = token else {
            return Verdict::Wrong;
        };
        match Server::at(host).map(|server| server.me(token)) {
            Some(Asked::Active(me)) => is_so(&me).into(),
            Some(Asked::Inactive) => Verdict::Wrong,
            Some(Asked::Gone) | None => Verdict::Unasked,
        }
    }

    pub(super) fn about_stored(&self, host: &str, is_so: impl FnOnce(&Value) -> bool) -> Verdict {
        Self::about(host, self.stored(host).as_deref(), is_so)
    }

    /// The server and the secret of the token that the command got.
    pub(super) fn new_token(&self) -> (String, Option<String>) {
        let host = self.host();
        match self.witness.subject {
            Subject::Rotate => (host, self.secret()),
            _ => {
                let token = self.stored(&host);
                (host, token)
            }
        }
    }

    pub(super) fn about_new(&self, is_so: impl FnOnce(&Value) -> bool) -> Verdict {
        let (host, token) = self.new_token();
        Self::about(&host, token.as_deref(), is_so)
    }

    /// Whether the new token is in this file, which its owner alone can read.
    pub(super) fn has_new_in_file(&self, path: &str) -> Option<bool> {
        let (_, token) = self.new_token();
        let mode = std::fs::metadata(path).ok()?.permissions().mode();
        let text = std::fs::read_to_string(path).ok()?;
        Some(text.contains(&token?) && mode & 0o077 == 0)
    }

    /// Whether tokens that were kept for a server are not any more.
    pub(super) fn was_removed(&self, host: &str) -> Verdict {
        match self.witness.before.has_keyring() {
            // The file shows only where the token is.
            true => Verdict::Unasked,
            false => (!self.removed(host).is_empty()).into(),
        }
    }

    /// Whether the tokens that are not kept any more are active.
    pub(super) fn replaced_are(&self, active: bool) -> Verdict {
        let host = self.host();
        let removed = self.removed(&host);
        if removed.is_empty() {
            return self.was_removed(&host);
        }
        let Some(server) = Server::at(&host) else {
            return Verdict::Unasked;
        };
        let mut verdict = Verdict::Holds;
        for token in removed {
            verdict = match (server.me(&token), active) {
                (Asked::Gone, _) => return Verdict::Unasked,
                (Asked::Active(_), true) | (Asked::Inactive, false) => verdict,
                _ => Verdict::Wrong,
            };
        }
        verdict
    }

    pub(super) fn is_at_stand_in(&self) -> Verdict {
        match Server::at(&self.host()) {
            Some(_) => Verdict::Wrong,
            None => Verdict::Unasked,
        }
    }

    pub(super) fn cannot_read(&self, project: &str) -> Verdict {
        let (host, token) = self.new_token();
        let path = format!("/v1/projects/{project}");
        let answer = Server::at(&host).zip(token);
        match answer.and_then(|(server, token)| server.get(&path, &token, "")) {
            Some((status, _)) => (status != 200).into(),
            None => Verdict::Unasked,
        }
    }

    pub(super) fn nothing_ended(&self) -> Verdict {
        let ended = self.witness.owner.as_ref().and_then(Owner::ended);
        (ended.unwrap_or(0) == 0 && self.is_unchanged() == Verdict::Holds).into()
    }

    /// Whether the server refuses a token that the command could send.
    pub(super) fn refused_are_inactive(&self, host: &str) -> Verdict {
        let stored = self.witness.before.tokens_at(host);
        let given = &self.witness.given;
        let sent = if given.is_empty() { &stored } else { given };
        let Some(server) = Server::at(host) else {
            return Verdict::Unasked;
        };
        sent.iter()
            .any(|token| matches!(server.me(token), Asked::Inactive))
            .into()
    }

    /// Whether no token is kept for a server. Another profile may have one.
    pub(super) fn has_no_token_of_profile(&self, host: &str) -> Verdict {
        let names_profile = self.witness.words.iter().any(|word| word == "--profile");
        (names_profile || self.after.tokens_at(host).is_empty()).into()
    }

    pub(super) fn about_owner(&self, is_so: impl FnOnce(&Owner, &[Value]) -> bool) -> Verdict {
        let owner = self.witness.owner.as_ref();
        match owner.and_then(|owner| Some((owner, owner.tokens_now()?))) {
            Some((owner, now)) => is_so(owner, &now).into(),
            None => Verdict::Unasked,
        }
    }

    pub(super) fn state_of(&self, id: &str, state: &str) -> Verdict {
        self.about_owner(|_, now| {
            now.iter()
                .any(|token| token["id"] == id && token["state"] == state)
        })
    }

    pub(super) fn ended_are(&self, count: usize) -> Verdict {
        self.about_owner(|owner, _| owner.ended() == Some(count))
    }

    pub(super) fn withdrawn_are(&self, count: usize) -> Verdict {
        self.about_owner(|owner, _| {
            owner.invitations.checked_sub(owner.invitations_now()) == Some(count)
        })
    }

    pub(super) fn own_is_revoked(&self) -> Verdict {
        let Some(owner) = &self.witness.owner else {
            return Verdict::Unasked;
        };
        let is_inactive = matches!(owner.server.me(&owner.token), Asked::Inactive);
        (is_inactive && !self.after.has(&owner.token)).into()
    }

    pub(super) fn any_ends_at(&self, text: &str) -> Verdict {
        self.about_owner(|owner, now| {
            let is_old = |token: &Value| owner.tokens.iter().any(|old| old["id"] == token["id"]);
            let mut ends = now.iter().filter(|token| token["state"] == "live");
            ends.any(|token| is_old(token) && is_end(&token["expires_at"], text))
        })
    }

    pub(super) fn live_are(&self, count: usize) -> Verdict {
        let before = self.witness.argument("--created-before");
        self.about_owner(|owner, _| {
            let live = owner.tokens.iter().filter(|token| token["state"] == "live");
            let is_before = |token: &&Value| match &before {
                Some(limit) => token["created_at"].as_str() < Some(limit),
                None => true,
            };
            live.filter(is_before).count() == count
        })
    }

    pub(super) fn named_are(&self, name: &str, count: usize) -> Verdict {
        self.about_owner(|_, now| {
            let live = now.iter().filter(|token| token["state"] == "live");
            live.filter(|token| token["name"] == name || token["id"] == name)
                .count()
                == count
        })
    }

    pub(super) fn is_own(&self, id: &str) -> Verdict {
        Self::about(&self.host(), self.own_token(), |me| me["token"]["id"] == id)
    }

    pub(super) fn own_token(&self) -> Option<&str> {
        self.witness
            .owner
            .as_ref()
            .map(|owner| owner.token.as_str())
    }

    /// Whether so many tokens are listed or summed up below the sentence.
    pub(super) fn listed_are(&self, count: usize) -> Verdict {
        let text = format!("{}{}", self.finished.stdout, self.finished.stderr);
        let is_token = |line: &&str| line.starts_with("  ") && line.contains(" (");
        let listed = text.lines().filter(is_token).count();
        let more = text.lines().find_map(|line| parts("  and * more", line));
        (listed + more.map_or(0, |parts| number(parts[0])) == count).into()
    }

    /// Whether there was an active token with this name and hint before the run.
    pub(super) fn is_live_before(&self, parts: &[&str]) -> Verdict {
        self.about_owner(|owner, _| {
            let mut live = owner.tokens.iter().filter(|token| token["state"] == "live");
            let hint = format!("{}…{}", parts[1], parts[2]);
            live.any(|token| token["name"] == parts[0] && token["hint"] == *hint)
        })
    }
}

//! Throttling of guesses: their counters and limits.

use super::{App, Error};
use crate::access::Caller;
use chrono::Duration;
use domain::Instant;
use domain::audit::Actor;
use domain::id::{InvitationId, OrganizationId, UserId};
use domain::network;
use domain::org::{Invitation, Maker, Organization};
use domain::secret::{Key, Secret};
use domain::throttle::{Rule, Wait};
use std::net::IpAddr;
use store::Conn;

/// Wrong passwords for one user: five immediately, then with growing delays.
const PASSWORD_PER_USER: Rule = Rule::Rising {
    free: 5,
    first: Duration::seconds(30),
    longest: Duration::minutes(15),
};
const PASSWORD_PER_SOURCE: Rule = window(50, 10);
const PASSWORD_OVERALL: Rule = window(5_000, 10);

const USER_CODE_PER_USER: Rule = window(5, 10);
const USER_CODE_PER_SOURCE: Rule = window(20, 10);
/// With 1000 active codes this keeps the chance that any guess within a code's lifetime is right
/// below 2^-12, from any number of addresses.
const USER_CODE_OVERALL: Rule = window(5_000, 10);

/// Requests to reset a password, and messages that they send to one address.
const RESET_PER_SOURCE: Rule = window(20, 60);
const RESET_OVERALL: Rule = window(1_000, 10);
const RESET_PER_ADDRESS: Rule = window(3, 24 * 60);

const CLIENT_SECRET: Rule = window(20, 10);
const UNKNOWN_TOKEN: Rule = window(100, 1);
const OPERATOR_REFUSED: Rule = window(1, 1);

const DAY: i64 = 24 * 60;

/// New users of an organization in a day, as a multiple of those of one inviter. Users whom
/// invitations create may invite too.
const INVITERS_PER_ORGANIZATION: u32 = 10;

/// Attempts to create a user with one invitation: each reveals whether an address is taken.
const NEW_USER_PER_INVITATION: Rule = window(10, DAY);
/// Messages that verify an address.
const LETTERS_PER_ADDRESS: Rule = window(3, DAY);
const LETTERS_PER_USER: Rule = window(5, DAY);

/// New Idempotency-Keys of one token. Each leaves a record for a day.
const KEYS_PER_TOKEN: Rule = window(10_000, DAY);
/// New Idempotency-Keys of all tokens of a user or organization. A token can create others, so it is
/// bounded; it is higher, so that one token cannot use up the keys of the others.
const KEYS_PER_OWNER: Rule = window(100_000, DAY);

/// Wrong client secrets in total, which bounds the counters of sources. The right secret always
/// succeeds.
const CLIENT_SECRET_OVERALL: Rule = window(1_000, 10);
/// Invitations that are mailed to one address.
const INVITATIONS_PER_ADDRESS: Rule = window(3, DAY);
/// Messages to others that one user or organization can have sent.
const LETTERS_PER_SENDER: Rule = window(20, 60);
/// Verifications of the audit log on request. Each reads the whole log.
const AUDIT_CHECKS_PER_OWNER: Rule = window(6, 60);

const fn window(allowed: u32, minutes: i64) -> Rule {
    Rule::Window {
        allowed,
        window: Duration::minutes(minutes),
    }
}

/// The counters of one kind of guess. A key that contains user input is a digest. The most shared
/// key comes first, so that concurrent servers conflict there and not halfway.
#[derive(Clone)]
pub struct Guess(Vec<(String, Rule)>);

/// User of a guessed password.
pub enum Target<'a> {
    /// From a browser in which the user never signed in.
    User(&'a str),
    /// From a browser in which the user has signed in. It has its own counter, so that attackers
    /// cannot lock the user out.
    OwnBrowser(&'a str, &'a Secret),
}

/// Sender of messages with reset links. Each sender has its own counter, so that strangers cannot
/// prevent an admin from helping a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetSender<'a> {
    /// Any visitor of the page for forgotten passwords.
    Anyone,
    /// The admins of an organization of the user, by what [`counted_as`] returns.
    Admin(&'a str),
}

/// Counters for a password.
pub fn password(key: &Key, target: Target<'_>, from: IpAddr) -> Guess {
    let parts = match target {
        Target::User(email) => vec![email],
        Target::OwnBrowser(email, browser) => vec![email, browser.expose()],
    };
    let user = key.authenticate("throttle", &parts);
    Guess(vec![
        ("password".into(), PASSWORD_OVERALL),
        (
            format!("password:{}", network::source(from)),
            PASSWORD_PER_SOURCE,
        ),
        (format!("password:{}", user.as_str()), PASSWORD_PER_USER),
    ])
}

/// Counters for a user code, entered by a signed-in user.
pub fn user_code(user_id: &str, from: IpAddr) -> Guess {
    Guess(vec![
        ("user_code".into(), USER_CODE_OVERALL),
        (
            format!("user_code:{}", network::source(from)),
            USER_CODE_PER_SOURCE,
        ),
        (format!("user_code:{user_id}"), USER_CODE_PER_USER),
    ])
}

/// Counters for requests to reset a password, from one source and from all.
pub fn reset_source(from: IpAddr) -> Guess {
    let source = network::source(from);
    Guess(vec![
        ("reset".into(), RESET_OVERALL),
        (format!("reset:{source}"), RESET_PER_SOURCE),
    ])
}

/// Counter for messages with a reset link to one address.
pub fn reset_letter(key: &Key, sender: ResetSender<'_>, email: &str) -> Guess {
    let sender = match sender {
        ResetSender::Anyone => "",
        ResetSender::Admin(id) => id,
    };
    let address = key.authenticate("reset letter", &[sender, email]);
    let counter = format!("reset_letter:{}", address.as_str());
    Guess(vec![(counter, RESET_PER_ADDRESS)])
}

/// Counter for a client secret. Unknown clients share one key for each source, so that invented
/// names cannot fill the table.
pub fn client_secret(client_id: Option<&str>, from: IpAddr) -> Guess {
    let client = client_id.unwrap_or_default();
    let source = network::source(from);
    Guess(vec![
        ("client".to_owned(), CLIENT_SECRET_OVERALL),
        (format!("client:{client}:{source}"), CLIENT_SECRET),
    ])
}

/// Counter for unknown tokens at the introspection endpoint; the client is `None` for the
/// operator.
pub fn unknown_token(client_id: Option<&str>) -> Guess {
    let key = match client_id {
        Some(id) => format!("introspect:client:{id}"),
        None => "introspect:operator".to_owned(),
    };
    Guess(vec![(key, UNKNOWN_TOKEN)])
}

/// Counter for the right operator token from an address outside the operator networks. It limits
/// the audit records, not the attempts.
pub fn refused_operator(from: IpAddr) -> Guess {
    let source = network::source(from);
    Guess(vec![(format!("operator:{source}"), OPERATOR_REFUSED)])
}

/// Counters for an attempt to create a user with an invitation. The source shares its counter with
/// passwords.
pub fn invited_user(id: &InvitationId, from: IpAddr) -> Guess {
    Guess(vec![
        (
            format!("password:{}", network::source(from)),
            PASSWORD_PER_SOURCE,
        ),
        (format!("invitation:{id}"), NEW_USER_PER_INVITATION),
    ])
}

/// Counters for the users that invitations create in a day, by organization and by inviter. The
/// operator has none.
pub fn new_users(invitation: &Invitation, allowed: u32) -> Guess {
    let organization_id = &invitation.organization_id;
    let inviter = counted_as(&invitation.invited_by, organization_id);
    if inviter == Actor::Operator.label() {
        return Guess(Vec::new());
    }
    let rule = |allowed| Rule::Window {
        allowed,
        window: Duration::minutes(DAY),
    };
    let of_all = allowed.saturating_mul(INVITERS_PER_ORGANIZATION);
    Guess(vec![
        (format!("new_users:all:{organization_id}"), rule(of_all)),
        (format!("new_users:{inviter}"), rule(allowed)),
    ])
}

/// The key of a creator within an organization: the id of a user, or `operator`. The tokens of an
/// organization share its key.
pub fn counted_as<'a>(maker: &'a str, organization_id: &'a OrganizationId) -> &'a str {
    match maker == Actor::Operator.label() || UserId::parse(maker).is_some() {
        true => maker,
        false => organization_id.as_str(),
    }
}

/// Counters for new Idempotency-Keys, by the owner of the token and by the token. Other callers have
/// none: only the operator has no token of an owner.
pub fn idempotency_keys(caller: &Caller) -> Guess {
    match caller {
        Caller::Token(active) => Guess(vec![
            (format!("keys:{}", active.token.owner.id()), KEYS_PER_OWNER),
            (format!("keys:{}", active.token.id), KEYS_PER_TOKEN),
        ]),
        _ => Guess(Vec::new()),
    }
}

/// Counters for messages with a link that verifies an address, by recipient and by user.
pub fn address_letter(key: &Key, to: &str, user_id: &UserId) -> Guess {
    let to = key.authenticate("throttle", &["letter", to]);
    Guess(vec![
        (format!("letter:{}", to.as_str()), LETTERS_PER_ADDRESS),
        (format!("letter:{user_id}"), LETTERS_PER_USER),
    ])
}

/// Counter for invitations that are mailed to one address. Each organization that the operator
/// created has its own; all others share one, so that users who create organizations cannot send
/// more.
pub fn invitation_letter(key: &Key, to: &str, organization: &Organization) -> Guess {
    let sender = match organization.made_by {
        Maker::Operator => organization.id.as_str(),
        _ => "",
    };
    let to = key.authenticate("throttle", &["invitation letter", sender, to]);
    let counter = format!("invitation_letter:{}", to.as_str());
    Guess(vec![(counter, INVITATIONS_PER_ADDRESS)])
}

/// Counter for messages to others that a sender causes, by what [`counted_as`] returns. The operator
/// has none.
pub fn letters_of(sender: &str) -> Guess {
    match sender == Actor::Operator.label() {
        true => Guess(Vec::new()),
        false => Guess(vec![(format!("letters:{sender}"), LETTERS_PER_SENDER)]),
    }
}

/// Counter for verifications of the audit log, by the owner of the token. Other callers have none:
/// only the operator has no token of an owner.
pub fn audit_checks(caller: &Caller) -> Guess {
    match caller {
        Caller::Token(active) => {
            let owner = active.token.owner.id();
            let key = format!("audit_checks:{owner}");
            Guess(vec![(key, AUDIT_CHECKS_PER_OWNER)])
        }
        _ => Guess(Vec::new()),
    }
}

impl Guess {
    /// Fails with [`Error::Throttled`] if an attempt would exceed the limit. Counts nothing.
    pub fn check(&self, conn: &mut Conn, now: Instant) -> Result<(), Error> {
        for (key, rule) in &self.0 {
            let old = store::throttle::find_count(conn, key)?;
            let attempt = rule.attempt(old, now);
            attempt.map_err(|Wait(wait)| Error::Throttled(wait))?;
        }
        Ok(())
    }

    /// Counts an attempt before it is made, so that concurrent attempts cannot exceed the limit.
    /// Fails with [`Error::Throttled`], then nothing is counted.
    pub fn count(&self, conn: &mut Conn, now: Instant) -> Result<(), Error> {
        for (key, rule) in &self.0 {
            loop {
                let old = store::throttle::find_count(conn, key)?;
                let new = rule
                    .attempt(old, now)
                    .map_err(|Wait(wait)| Error::Throttled(wait))?;
                if store::throttle::swap_count(conn, key, old, new)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Clears consecutive failures after a right attempt, and uncounts it in windows, which keep
    /// earlier failures.
    pub fn succeed(&self, conn: &mut Conn) -> Result<(), Error> {
        for (key, rule) in &self.0 {
            match rule {
                Rule::Window { .. } => store::throttle::decrement(conn, key)?,
                Rule::Rising { .. } => store::throttle::delete_count(conn, key)?,
            }
        }
        Ok(())
    }

    /// Uncounts an attempt that was not made, or left nothing.
    pub fn undo(&self, conn: &mut Conn) -> Result<(), Error> {
        for (key, _) in &self.0 {
            store::throttle::decrement(conn, key)?;
        }
        Ok(())
    }
}

/// Counts an attempt in a transaction of its own.
pub async fn count(app: &App, guess: &Guess) -> Result<(), Error> {
    let (guess, now) = (guess.clone(), app.now());
    app.store().write(move |conn| guess.count(conn, now)).await
}

/// Uncounts an attempt in a transaction of its own.
pub async fn undo(app: &App, guess: &Guess) -> Result<(), Error> {
    let guess = guess.clone();
    app.store().write(move |conn| guess.undo(conn)).await
}

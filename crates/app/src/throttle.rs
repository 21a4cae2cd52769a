//! Throttling of guesses: their counters and limits.
//!
//! Only counters of the caller's own failures refuse. Counters that the caller shares with strangers
//! slow down those who have failures of their own: otherwise anyone could stop all users.

mod guess;
mod reached;

pub use guess::{Guess, Pace};
pub(super) use reached::ReachedLimits;
pub use reached::SharedLimit;

use super::{App, Error};
use crate::access::Caller;
use crate::hashing::Waiter;
use chrono::Duration;
use domain::audit::Actor;
use domain::id::{InvitationId, OrganizationId, SessionId, TokenId, UserId};
use domain::network;
use domain::org::{Invitation, Maker, Organization};
use domain::secret::{Key, Secret};
use domain::throttle::{Rule, SharedRule};
use std::net::IpAddr;
use store::throttle as counts;

/// Wrong passwords for one user: five immediately, then with growing delays.
const PASSWORD_PER_USER: Rule = Rule::Rising {
    free: 5,
    first: Duration::seconds(30),
    longest: Duration::minutes(15),
};
const PASSWORD_PER_SOURCE: Rule = window(50, 10);
const PASSWORD_OVERALL: SharedRule = shared(5_000, 10);

/// How many unknown email addresses have a counter at the same time: about 150 MB. Who invents
/// addresses removes the counters of others, also invented ones. The number is high, so that this
/// takes hours of guessing at full load: an address whose counter disappears has no user.
const UNKNOWN_ADDRESSES: u64 = 1 << 20;

const USER_CODE_PER_USER: Rule = window(5, 10);
const USER_CODE_PER_SOURCE: SharedRule = shared(20, 10);
/// With 1000 active codes this keeps the chance that any guess within 10 minutes is right below
/// 2^-12, from any number of users and addresses. Beyond it each user has one guess in 10 minutes
/// ([`USER_CODE_TIGHTENED`]), which adds 2^-24 for each user who guesses.
const USER_CODE_OVERALL: SharedRule = shared(5_000, 10);
/// Wrong codes of one user while the guesses from its source or all guesses are over their limit. It
/// is not zero, so that no user can stop another one who has typed no wrong code.
const USER_CODE_TIGHTENED: u32 = 1;

/// Requests to reset a password, and messages that they send to one user.
const RESET_PER_SOURCE: Rule = window(20, 60);
const RESET_OVERALL: SharedRule = shared(1_000, 10);
/// Requests of one source while all requests are over their limit.
const RESET_TIGHTENED: u32 = 4;
const RESET_PER_USER: Rule = window(3, 24 * 60);

const PROVIDER_ANSWER: Rule = window(100, 10);
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
/// Messages that ask the owner of a token to rotate it.
const ROTATIONS_PER_TOKEN: Rule = window(1, DAY);
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

const fn shared(allowed: u32, minutes: i64) -> SharedRule {
    SharedRule {
        allowed,
        window: Duration::minutes(minutes),
    }
}

/// Whose password is guessed, and where.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// That of a user, in a browser in which the user never signed in.
    User(&'a UserId),
    /// That of an address without a user.
    UnknownAddress(&'a str),
    /// That of a user, in a browser in which the user has signed in since the last change of the
    /// password. Only the guesses in this browser count, so that attackers cannot lock the user out.
    KnownBrowser(&'a UserId, &'a Secret),
    /// That of a signed-in user. Only the guesses of the session count.
    Session(&'a UserId, &'a SessionId),
}

/// A guess of a password, which was counted.
#[derive(Clone)]
pub struct PasswordGuess {
    /// Its counters.
    pub guess: Guess,
    /// Who waits for its hash.
    pub waiter: Waiter,
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

/// The key of the counter of a target.
fn target_key(key: &Key, kind: &str, target: Target<'_>) -> counts::Key {
    match target {
        Target::User(id) => format!("{kind}:{id}").into(),
        Target::UnknownAddress(email) => unknown_address(key, email),
        Target::KnownBrowser(id, browser) => {
            let browser = key.authenticate("throttle", &[id.as_str(), browser.expose()]);
            format!("{kind}:browser:{}", browser.as_str()).into()
        }
        Target::Session(_, id) => format!("{kind}:session:{id}").into(),
    }
}

/// Counters for a second factor and for the password, which only a right factor clears. As for
/// passwords, only the guesses in a known browser count there, so that an attacker who knows the
/// password cannot lock the user out.
pub fn factor(key: &Key, target: Target<'_>) -> (Guess, Guess) {
    let of = |kind| Guess::default().own(target_key(key, kind, target), PASSWORD_PER_USER);
    (of("factor"), of("password"))
}

/// Counters for a password.
fn password(key: &Key, target: Target<'_>, from: IpAddr) -> Guess {
    let user = target_key(key, "password", target);
    let guess = Guess::default();
    match target {
        Target::KnownBrowser(..) | Target::Session(..) => guess,
        Target::User(_) | Target::UnknownAddress(_) => guess
            .shared(SharedLimit::Password, "password", PASSWORD_OVERALL)
            .own(password_source(from), PASSWORD_PER_SOURCE),
    }
    .own(user, PASSWORD_PER_USER)
}

fn password_source(from: IpAddr) -> String {
    format!("password:{}", network::source(from))
}

/// The key of an address without a user.
fn unknown_address(key: &Key, email: &str) -> counts::Key {
    let tag = key.authenticate("throttle", &[email]);
    let start = u64::from_str_radix(&tag.as_str()[..16], 16).unwrap_or_default();
    counts::Key {
        row: format!("password:unknown:{}", start % UNKNOWN_ADDRESSES),
        tag: tag.as_str().to_owned(),
    }
}

/// Counts a guess of a password, before it is made.
pub async fn count_password(
    app: &App,
    target: Target<'_>,
    from: IpAddr,
) -> Result<PasswordGuess, Error> {
    let guess = password(app.key(), target, from);
    let waiter = match (target, count(app, &guess).await?) {
        (Target::KnownBrowser(id, _) | Target::Session(id, _), _) => Waiter::User(id.clone()),
        (_, Pace::Usual) => Waiter::Stranger(from),
        (_, Pace::Slowed) => Waiter::Slowed(from),
    };
    Ok(PasswordGuess { guess, waiter })
}

/// Counters for a user code, entered by a signed-in user.
pub fn user_code(user_id: &UserId, from: IpAddr) -> Guess {
    let source = format!("user_code:{}", network::source(from));
    Guess::default()
        .shared(SharedLimit::UserCode, "user_code", USER_CODE_OVERALL)
        .shared(SharedLimit::UserCodeSource, source, USER_CODE_PER_SOURCE)
        .own(format!("user_code:{user_id}"), USER_CODE_PER_USER)
        .tightened(USER_CODE_TIGHTENED)
}

/// Counters for requests to reset a password, from one source and from all.
pub fn reset_source(from: IpAddr) -> Guess {
    let source = format!("reset:{}", network::source(from));
    Guess::default()
        .shared(SharedLimit::PasswordReset, "reset", RESET_OVERALL)
        .own(source, RESET_PER_SOURCE)
        .tightened(RESET_TIGHTENED)
}

/// Counter for answers of identity providers from one source, each of which may cost a request to
/// the provider. Those that sign a user in do not count.
pub fn provider_answer(from: IpAddr) -> Guess {
    let source = format!("provider:{}", network::source(from));
    Guess::default().own(source, PROVIDER_ANSWER)
}

/// Counter for messages with a reset link to one user.
pub fn reset_letter(sender: ResetSender<'_>, user_id: &UserId) -> Guess {
    let sender = match sender {
        ResetSender::Anyone => "",
        ResetSender::Admin(id) => id,
    };
    Guess::default().own(format!("reset_letter:{sender}:{user_id}"), RESET_PER_USER)
}

/// Counter for a client secret. Unknown clients share one key for each source, so that invented
/// names cannot fill the table.
pub fn client_secret(client_id: Option<&str>, from: IpAddr) -> Guess {
    let client = client_id.unwrap_or_default();
    let source = network::source(from);
    Guess::default()
        .own("client".to_owned(), CLIENT_SECRET_OVERALL)
        .own(format!("client:{client}:{source}"), CLIENT_SECRET)
}

/// Counter for unknown tokens at the introspection endpoint; the client is `None` for the
/// operator.
pub fn unknown_token(client_id: Option<&str>) -> Guess {
    let key = match client_id {
        Some(id) => format!("introspect:client:{id}"),
        None => "introspect:operator".to_owned(),
    };
    Guess::default().own(key, UNKNOWN_TOKEN)
}

/// Counter for the right operator token from an address outside the operator networks. It limits
/// the audit records, not the attempts.
pub fn refused_operator(from: IpAddr) -> Guess {
    let source = network::source(from);
    Guess::default().own(format!("operator:{source}"), OPERATOR_REFUSED)
}

/// Counters for an attempt to create a user with an invitation. The source shares its counter with
/// passwords.
pub fn invited_user(id: &InvitationId, from: IpAddr) -> Guess {
    Guess::default()
        .own(password_source(from), PASSWORD_PER_SOURCE)
        .own(format!("invitation:{id}"), NEW_USER_PER_INVITATION)
}

/// Counters for the users that invitations create in a day, by organization and by inviter. The
/// operator has none. The tokens of organizations that a user created count as that user, who could
/// create more organizations.
pub fn new_users(invitation: &Invitation, organization: &Organization, allowed: u32) -> Guess {
    let organization_id = &organization.id;
    let inviter = match counted_as(&invitation.invited_by, organization_id) {
        of_tokens if of_tokens == organization_id.as_str() => match &organization.made_by {
            Maker::User(id) => id.as_str(),
            Maker::Operator => of_tokens,
        },
        inviter => inviter,
    };
    if inviter == Actor::Operator.label() {
        return Guess::default();
    }
    let rule = |allowed| Rule::Window {
        allowed,
        window: Duration::minutes(DAY),
    };
    let of_all = allowed.saturating_mul(INVITERS_PER_ORGANIZATION);
    Guess::default()
        .own(format!("new_users:all:{organization_id}"), rule(of_all))
        .own(format!("new_users:{inviter}"), rule(allowed))
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
        Caller::Token(active) => Guess::default()
            .own(format!("keys:{}", active.token.owner.id()), KEYS_PER_OWNER)
            .own(format!("keys:{}", active.token.id), KEYS_PER_TOKEN),
        _ => Guess::default(),
    }
}

/// Counters for messages with a link that verifies an address, by recipient and by user.
pub fn address_letter(key: &Key, to: &str, user_id: &UserId) -> Guess {
    let to = key.authenticate("throttle", &["letter", to]);
    Guess::default()
        .own(format!("letter:{}", to.as_str()), LETTERS_PER_ADDRESS)
        .own(format!("letter:{user_id}"), LETTERS_PER_USER)
}

/// Counter for invitations that their senders have mailed to one address.
pub fn invitation_letter(key: &Key, to: &str, organization: &Organization) -> Guess {
    let counter = recipient_of(key, "invitation_letter", to, organization);
    Guess::default().own(counter, INVITATIONS_PER_ADDRESS)
}

/// Counter for mails that visitors with an invitation request for an address. It is another one, so
/// that visitors cannot use up the mails of the senders.
pub fn requested_invitation_letter(key: &Key, to: &str, organization: &Organization) -> Guess {
    let counter = recipient_of(key, "requested_invitation_letter", to, organization);
    Guess::default().own(counter, LETTERS_PER_ADDRESS)
}

/// The key of a counter of invitations that are mailed to one address. Each organization that the
/// operator created has its own; all others share one, so that users who create organizations cannot
/// send more.
fn recipient_of(key: &Key, kind: &str, to: &str, organization: &Organization) -> String {
    let sender = match organization.made_by {
        Maker::Operator => organization.id.as_str(),
        _ => "",
    };
    let to = key.authenticate("throttle", &[kind, sender, to]);
    format!("{kind}:{}", to.as_str())
}

/// Counter for messages of an organization that ask the owner of a token to rotate it.
pub fn rotation_letter(id: &TokenId, organization_id: &OrganizationId) -> Guess {
    Guess::default().own(
        format!("rotation_letter:{organization_id}:{id}"),
        ROTATIONS_PER_TOKEN,
    )
}

/// Counter for messages to others that a sender causes, by what [`counted_as`] returns. The operator
/// has none.
pub fn letters_of(sender: &str) -> Guess {
    match sender == Actor::Operator.label() {
        true => Guess::default(),
        false => Guess::default().own(format!("letters:{sender}"), LETTERS_PER_SENDER),
    }
}

/// Counter for verifications of the audit log, by the user or the owner of the token. The operator
/// has none.
pub fn audit_checks(caller: &Caller) -> Guess {
    let owner = match caller {
        Caller::Token(active) => active.token.owner.id(),
        Caller::User(signed_in) => signed_in.user.id.as_str(),
        _ => return Guess::default(),
    };
    Guess::default().own(format!("audit_checks:{owner}"), AUDIT_CHECKS_PER_OWNER)
}

/// Counts an attempt in a transaction of its own. A refused attempt costs a read, and no write.
pub async fn count(app: &App, guess: &Guess) -> Result<Pace, Error> {
    let now = app.now();
    guess.check_alone(app.store(), now).await?;
    let guess = guess.clone();
    let counted = app
        .store()
        .write(move |conn| guess.count(conn, now))
        .await?;
    for limit in &counted.reached {
        app.reached_limits().note(*limit, now);
    }
    Ok(counted.pace)
}

/// Uncounts an attempt in a transaction of its own.
pub async fn undo(app: &App, guess: &Guess) -> Result<(), Error> {
    let guess = guess.clone();
    app.store().write(move |conn| guess.undo(conn)).await
}

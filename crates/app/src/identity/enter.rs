//! The sign-in of a user whom a provider has identified.

use super::claims::Arrived;
use super::pending::{self, Entry};
use super::{Failed, find, refresh, rules};
use crate::access::Caller;
use crate::factor::{self, Begun, Proven};
use crate::tx::Tx;
use crate::user::{self, take_address};
use crate::{Error, Request};
use config::Provider;
use domain::audit::Action;
use domain::id::UserId;
use domain::identity::{LinkedIdentity, SessionIdentity};
use domain::secret::Secret;
use domain::user::{Standing, User};
use serde_json::json;

/// How a sign-in with a provider ended.
pub enum Entered {
    /// The user is signed in or has to prove a second factor, and continues at the local path.
    Begun(Begun, String),
    /// The identity is not linked to a user yet, and the account to link it to has to be proven on
    /// the page for it, which gets this sealed text.
    Connect(String),
}

/// What the transaction found.
enum Found {
    Begun(Begun),
    Unproven,
    Refused(Failed),
}

/// Signs the user of the identity in, creates the user, or asks for a proof of the account with the
/// same address. A user whom the provider's rules do not admit loses the memberships that they gave.
pub(super) async fn enter(
    req: &Request,
    visitor: &Secret,
    entry: Entry,
) -> Result<Entered, Failed> {
    let provider = find(req, &entry.arrived.provider)?.clone();
    // The rules of the provider change memberships, not the user.
    let system = req.with_caller(Caller::System);
    let admitted = entry.clone();
    let signed_in = req.caller.user_id().cloned();
    let found = system
        .change(Action::SignedIn, move |tx| {
            admit(tx, &provider, &admitted, signed_in.as_ref())
        })
        .await?;
    match found {
        Found::Begun(begun) => Ok(Entered::Begun(begun, entry.return_to)),
        Found::Unproven => Ok(Entered::Connect(pending::seal(&req.app, visitor, &entry))),
        Found::Refused(failed) => Err(failed),
    }
}

fn admit(
    tx: &mut Tx<'_>,
    provider: &Provider,
    entry: &Entry,
    signed_in: Option<&UserId>,
) -> Result<Found, Error> {
    let arrived = &entry.arrived;
    if let Some((digest, until)) = &entry.once {
        tx.needs_no_record();
        if !store::identity::use_assertion(tx.conn, digest, *until)? {
            return Ok(Found::Refused(Failed::Invalid("replayed_answer")));
        }
    }
    let linked = store::identity::find_identity(tx.conn, &arrived.identity())?;
    if let Err(reason) = arrived.check_entry(&provider.entry) {
        if let Some(linked) = linked.filter(|_| arrived.is_refused(&provider.entry)) {
            store::user::lock_user_exclusive(tx.conn, &linked.user_id)?;
            rules::leave_all(tx, &provider.issuer, &linked.user_id)?;
        }
        return Ok(Found::Refused(Failed::NotAdmitted(reason)));
    }
    // The sealed text creates a user, and is no way to sign in without the provider afterwards.
    if entry.replaces && linked.is_some() {
        return Ok(Found::Refused(Failed::Stale));
    }
    // An identity of another user must not change the account silently: the page tells of it.
    let is_own = linked
        .as_ref()
        .is_some_and(|linked| signed_in == Some(&linked.user_id));
    if entry.connects && !is_own {
        return Ok(Found::Unproven);
    }
    let user_id = match linked {
        Some(linked) => linked.user_id,
        None => match create(tx, provider, entry)? {
            Ok(user_id) => user_id,
            Err(found) => return Ok(found),
        },
    };
    store::user::lock_user_exclusive(tx.conn, &user_id)?;
    let user = store::user::find_user(tx.conn, &user_id)?;
    let Some(user) = user.filter(|user| user.standing == Standing::Active) else {
        return Ok(Found::Refused(Failed::NotAdmitted("deactivated")));
    };
    refresh::keep(tx, provider, arrived)?;
    settle(tx, provider, &user, arrived)?;
    let begun = SessionIdentity {
        identity: arrived.identity(),
        provider_session: arrived.session.clone(),
        // The clock of the provider may be ahead.
        authenticated_at: arrived.authenticated_at.map(|at| at.min(tx.now)),
    };
    let proven = match arrived.has_second_factor {
        true => Proven::AtProvider,
        false => Proven::One,
    };
    Ok(Found::Begun(factor::begin(tx, &user, Some(begun), proven)?))
}

/// Stores what the provider states about a user: the memberships, and that the user has the address.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    provider: &Provider,
    user: &User,
    arrived: &Arrived,
) -> Result<(), Error> {
    let email = arrived.email.as_deref();
    store::identity::update_used(tx.conn, &arrived.identity(), email, tx.now)?;
    if arrived.is_email_verified
        && user.email_verified_at.is_none()
        && email == Some(user.email.as_str())
    {
        user::mark_verified(tx, user)?;
    }
    if arrived.are_groups_unknown {
        return Ok(());
    }
    let groups = arrived.groups.as_deref().unwrap_or_default();
    rules::apply(tx, provider, &user.id, groups)
}

/// Creates the user of an identity. The inner error is the end of the sign-in instead.
fn create(
    tx: &mut Tx<'_>,
    provider: &Provider,
    entry: &Entry,
) -> Result<Result<UserId, Found>, Error> {
    let arrived = &entry.arrived;
    let refused = |failed| Ok(Err(Found::Refused(failed)));
    let Some(email) = &arrived.email else {
        return refused(Failed::NoEmail);
    };
    // The account may belong to another user, so it has to be proven. A user whose address is
    // verified may take it from an account that has it unverified.
    let replaces = entry.replaces && arrived.is_email_verified;
    let present = store::user::find_user_by_email(tx.conn, email)?;
    if present.is_some_and(|user| !(replaces && user.yields_address())) {
        return Ok(Err(Found::Unproven));
    }
    if !provider.entry.create_users {
        return refused(Failed::NotAdmitted("no_user"));
    }
    // Only the setup link creates the first user.
    if !store::user::is_any_user(tx.conn)? {
        return refused(Failed::NotAdmitted("not_set_up"));
    }
    take_address(tx, email)?;
    let verified_at = arrived.is_email_verified.then_some(tx.now);
    let user = user::insert_from_provider(tx, arrived.name.as_deref(), email, verified_at)?;
    link(tx, &user, arrived)?;
    Ok(Ok(user.id))
}

/// Links an identity to a user, which the transaction has created or locked.
pub(super) fn link(tx: &mut Tx<'_>, user: &User, arrived: &Arrived) -> Result<(), Error> {
    let new = LinkedIdentity {
        identity: arrived.identity(),
        user_id: user.id.clone(),
        email: arrived.email.clone(),
        created_at: tx.now,
        last_used_at: tx.now,
    };
    // Another request linked the identity, or another one to the user. The retry finds it.
    store::identity::insert_identity(tx.conn, &new).map_err(|error| match error {
        store::Error::Duplicate => store::Error::Collision,
        error => error,
    })?;
    tx.record_as(
        Action::IdentityLinked,
        Some(user.id.as_str()),
        json!({"issuer": arrived.issuer}),
    )
}

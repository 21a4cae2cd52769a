//! The standing of tokens' owners, on which the tokens' power depends.

use super::{earlier, end_of};
use crate::app::session::SignedIn;
use crate::app::{App, Error};
use crate::domain::Instant;
use crate::domain::account::{Account, Standing};
use crate::domain::decision::Seat;
use crate::domain::id::AccountId;
use crate::domain::org::{self, Membership};
use crate::domain::policy::{Admission, Bearer, Life};
use crate::domain::scope::ScopeSet;
use crate::store::{self, Conn};

/// A person and their part in organizations: what their tokens' power depends on.
#[derive(Debug, Clone)]
pub struct OwnerStanding {
    /// The person.
    pub account: Account,
    /// Their organizations and roles.
    pub memberships: Vec<Membership>,
}

impl OwnerStanding {
    /// The part of `scopes` that the owner's role allows at this moment.
    pub(in crate::app) fn allowed(&self, app: &App, scopes: &ScopeSet) -> ScopeSet {
        app.config()
            .scopes
            .allowed(scopes, org::highest_role(&self.memberships))
    }

    /// When a token of this person ends that is made now and for which nobody chooses an end.
    pub(in crate::app) fn default_end(&self, app: &App, now: Instant) -> Option<Instant> {
        let usual = end_of(app.config().tokens.default_expiry, now);
        let memberships = self.memberships.iter();
        memberships.fold(usual, |end, membership| {
            earlier(end, membership.organization.policy.default_end(now))
        })
    }

    /// Whether a token of this person that lives so long is admitted anywhere, if the person
    /// is anywhere at all.
    pub(in crate::app) fn admission(&self, life: Life) -> Admission {
        let mut admissions = self.seats(life).into_iter().map(|seat| seat.admission);
        let Some(first) = admissions.next() else {
            return Ok(());
        };
        admissions.fold(first, |found, next| found.or(next))
    }

    /// The seats of a token of this person that lives so long.
    pub(in crate::app) fn seats(&self, life: Life) -> Vec<Seat> {
        self.memberships
            .iter()
            .map(|Membership { organization, role }| Seat {
                organization_id: organization.id.clone(),
                role: *role,
                admission: organization.policy.admit(
                    organization.plan,
                    Bearer::Member(*role),
                    life,
                ),
            })
            .collect()
    }
}

/// An active person's standing.
pub(in crate::app) fn find_owner(
    conn: &mut Conn,
    id: &AccountId,
) -> Result<Option<OwnerStanding>, Error> {
    let account = store::account::find_account(conn, id)?;
    with_memberships(conn, account)
}

/// An active person's standing, which cannot end before this transaction does.
pub(in crate::app) fn hold_owner(
    conn: &mut Conn,
    id: &AccountId,
) -> Result<Option<OwnerStanding>, Error> {
    let account = store::account::hold_account(conn, id)?;
    store::org::share_organizations(conn, id)?;
    with_memberships(conn, account)
}

fn with_memberships(
    conn: &mut Conn,
    account: Option<Account>,
) -> Result<Option<OwnerStanding>, Error> {
    account
        .filter(|account| account.standing == Standing::Active)
        .map(|account| {
            Ok(OwnerStanding {
                memberships: store::org::list_memberships(conn, &account.id)?,
                account,
            })
        })
        .transpose()
}

/// A person's organizations and roles at this moment.
pub async fn standing(app: &App, person: &SignedIn) -> Result<OwnerStanding, Error> {
    let id = person.account.id.clone();
    app.store()
        .read(move |conn| find_owner(conn, &id))
        .await?
        .ok_or(Error::Unauthenticated)
}

//! What the organizations of its owner say of a token at this moment.

use super::{Holder, earlier, find_holder};
use crate::Error;
use domain::Instant;
use domain::decision::{self, ORGANIZATION_ROLE, Seat};
use domain::policy::{Admission, Bearer, Life};
use domain::token::{Owner, State, Token};
use store::Conn;

/// A token, and whether it is admitted anywhere.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The token.
    pub token: Token,
    /// Until when it is admitted. One that has ended is nobody's concern any more.
    pub admission: Admission,
}

impl Judged {
    /// A new token, which was held to the policies when it was made.
    pub fn new(token: Token) -> Self {
        Self {
            token,
            admission: Ok(None),
        }
    }

    /// When it ends, by itself or with its graces; `None` if never.
    pub fn ends_at(&self) -> Option<Instant> {
        end(&self.token, self.admission)
    }
}

pub(super) fn end(token: &Token, admission: Admission) -> Option<Instant> {
    earlier(token.expires_at, admission.ok().flatten())
}

/// Tokens of one owner, and whether they are admitted.
pub(super) fn judge(
    conn: &mut Conn,
    owner: &Owner,
    tokens: Vec<Token>,
    now: Instant,
) -> Result<Vec<Judged>, Error> {
    let Some(holder) = find_holder(conn, owner)? else {
        return Ok(tokens.into_iter().map(Judged::new).collect());
    };
    let seats = seats(conn, &holder, &tokens, now)?;
    let judged = tokens.into_iter().zip(seats).map(|(token, seats)| Judged {
        admission: match token.state(now) {
            State::Live => decision::admission(&token.limits, &seats),
            State::Expired | State::Revoked => Ok(None),
        },
        token,
    });
    Ok(judged.collect())
}

/// For each of a holder's tokens, the organizations from which it could act, and whether they
/// admit it.
pub(super) fn seats(
    conn: &mut Conn,
    holder: &Holder,
    tokens: &[Token],
    now: Instant,
) -> Result<Vec<Vec<Seat>>, Error> {
    let mut found: Vec<_> = tokens
        .iter()
        .map(|token| (token, by_policy(holder, Life::of(token))))
        .collect();
    // Graces are rare: they are looked for only where a policy does not admit a token.
    let is_refused = |seats: &[Seat]| seats.iter().any(|seat| seat.admission.is_err());
    let refused: Vec<_> = found
        .iter()
        .filter(|(_, seats)| is_refused(seats))
        .map(|(token, _)| &token.id)
        .collect();
    if !refused.is_empty() {
        let graces = store::policy::list_graces(conn, &refused, now)?;
        for (token, seats) in &mut found {
            for seat in seats.iter_mut().filter(|seat| seat.admission.is_err()) {
                let key = (token.id.clone(), seat.organization_id.clone());
                let bearer = match holder {
                    Holder::Person(_) => Bearer::Member(seat.role),
                    Holder::Organization(_) => Bearer::Organization,
                };
                if let Some(grace) = graces.get(&key)
                    && grace.admit(bearer, Life::of(token)).is_ok()
                {
                    seat.admission = Ok(Some(grace.ends_at));
                }
            }
        }
    }
    Ok(found.into_iter().map(|(_, seats)| seats).collect())
}

/// The seats of a token that lives so long, by the policies alone.
fn by_policy(holder: &Holder, life: Life) -> Vec<Seat> {
    match holder {
        Holder::Person(owner) => owner.seats(life),
        Holder::Organization(organization) => vec![Seat {
            organization_id: organization.id.clone(),
            role: ORGANIZATION_ROLE,
            admission: organization
                .policy
                .admit(organization.plan, Bearer::Organization, life)
                .map(|()| None),
        }],
    }
}

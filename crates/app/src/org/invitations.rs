//! Several invitations at once, for a list of addresses.

use super::invitation::{NewInvitation, insert, invitation_of_form, lock_for_invitations};
use crate::{Error, Request};
use domain::Fault;
use domain::audit::Action;
use domain::id::InvitationId;
use domain::org::Organization;
use domain::role::Role;
use std::collections::BTreeSet;
use store::Conn;

/// Maximum number of addresses that are invited together.
pub const MOST_INVITED: usize = 20;

/// The result for a list of addresses.
#[derive(Clone)]
pub struct Invited {
    /// The id by which a form is recognized that is sent twice.
    pub id: InvitationId,
    /// The result for each address, in their order, without repetitions.
    pub addresses: Vec<InvitedAddress>,
}

/// The result for one address.
#[derive(Clone)]
pub struct InvitedAddress {
    /// The address, as it was entered.
    pub address: String,
    /// The result.
    pub outcome: InviteOutcome,
}

/// What became of an address.
#[derive(Clone)]
pub enum InviteOutcome {
    /// An invitation was created. It may not be mailed.
    Created(Box<NewInvitation>),
    /// It is the address of a member.
    AlreadyMember,
    /// It is no email address.
    Invalid,
}

/// Creates an invitation for each address, with one transaction; each counts in all limits. An
/// address that cannot be invited does not keep the others from it. Fails with [`Error::Conflict`]
/// if the form nonce was used before.
pub async fn invite_all(
    req: &Request,
    named: &str,
    addresses: Vec<String>,
    (role, nonce): (Role, Option<&str>),
) -> Result<Invited, Error> {
    if addresses.len() > MOST_INVITED {
        return Err(Fault::new(
            "email",
            format!("Enter at most {MOST_INVITED} email addresses at a time."),
        )
        .into());
    }
    let (named, form_id) = (named.to_owned(), invitation_of_form(req, nonce));
    req.change(Action::InvitationCreated, move |tx| {
        let organization = lock_for_invitations(tx, &named, role)?;
        let first = match &form_id {
            Some(id) => id.clone(),
            None => tx.id(InvitationId::new),
        };
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        let mut next = Some(first.clone());
        for address in &addresses {
            let outcome = match domain::user::email(address) {
                Err(_) => InviteOutcome::Invalid,
                Ok(email) if !seen.insert(email.clone()) => continue,
                Ok(email) if is_member(tx.conn, &organization, &email)? => {
                    InviteOutcome::AlreadyMember
                }
                Ok(email) => {
                    let id = next.take().unwrap_or_else(|| tx.id(InvitationId::new));
                    let new = insert(tx, &organization, id, (Some(email), role))?;
                    InviteOutcome::Created(Box::new(new))
                }
            };
            found.push(InvitedAddress {
                address: address.clone(),
                outcome,
            });
        }
        Ok(Invited {
            id: first,
            addresses: found,
        })
    })
    .await
}

fn is_member(conn: &mut Conn, organization: &Organization, email: &str) -> Result<bool, Error> {
    Ok(match store::user::find_user_by_email(conn, email)? {
        Some(user) => store::org::find_role(conn, &organization.id, &user.id)?.is_some(),
        None => false,
    })
}

//! Changes of users by the operator: name, email address, access to the operator console.

use super::directory::{DEACTIVATED, Named};
use super::{require_free, taken};
use crate::access::{Caller, Denial};
use crate::{Error, Request, mail};
use domain::audit::Action;
use domain::name::NameRules;
use domain::user::{self, Standing, User};
use domain::{Fault, Instant};
use serde_json::json;

/// Changes of a user; `None` keeps the value.
#[derive(Debug, Clone, Default)]
pub struct UpdateUser {
    /// The new name.
    pub name: Option<String>,
    /// The new email address. It is unverified unless `email_verified` is `Some(true)`.
    pub email: Option<String>,
    /// Whether the email address is verified. With `true` the operator vouches for the user as it
    /// is: its sessions and tokens stay.
    pub email_verified: Option<bool>,
    /// Whether the user may open the operator console. Only a command on the server can set it.
    pub is_operator: Option<bool>,
}

impl UpdateUser {
    /// Checks name and email address. Fails with all faults.
    fn checked(self, names: &NameRules) -> Result<Self, Error> {
        let mut faults = Vec::new();
        let mut check = |value: Option<Result<String, Fault>>| {
            value.and_then(|value| value.map_err(|fault| faults.push(fault)).ok())
        };
        let name = check(self.name.as_ref().map(|name| names.check("name", name)));
        let email = check(self.email.as_ref().map(|email| user::email(email)));
        match faults.is_empty() {
            true => Ok(Self {
                name,
                email,
                ..self
            }),
            false => Err(Error::Invalid(faults.into())),
        }
    }

    fn apply(&self, user: &User, now: Instant) -> User {
        let email = self.email.as_ref().unwrap_or(&user.email);
        let proven_at = user.email_verified_at.filter(|_| *email == user.email);
        let email_verified_at = match self.email_verified {
            Some(true) => proven_at.or(Some(now)),
            Some(false) => None,
            None => proven_at,
        };
        // Another user may prove to have another address, and take over this one.
        let is_still_operator = user.is_operator && proven_at.is_some();
        User {
            name: self.name.as_ref().unwrap_or(&user.name).clone(),
            email: email.clone(),
            is_operator: email_verified_at.is_some()
                && self.is_operator.unwrap_or(is_still_operator),
            email_verified_at,
            ..user.clone()
        }
    }

    /// Fails if the user cannot be marked as an operator.
    fn check_operator(&self, old: &User, new: &User) -> Result<(), Error> {
        if self.is_operator != Some(true) {
            return Ok(());
        }
        if old.standing == Standing::Deactivated {
            return Err(DEACTIVATED);
        }
        match new.email_verified_at {
            Some(_) => Ok(()),
            None => Err(Fault::new(
                "operator",
                "The email address is not verified, so another user may prove to have it. If it is \
                 this user's, add `--email-verified`.",
            )
            .into()),
        }
    }
}

/// Changes a user for the operator. The id stays. Both addresses get a message about a change of the
/// address, which also ends the access to the operator console. A new operator must sign in again.
/// Fails with [`Error::Invalid`] if the address is taken, and for an operator without a verified
/// address.
pub async fn update(req: &Request, named: Named, input: UpdateUser) -> Result<User, Error> {
    req.caller.require_operator()?;
    let is_command = matches!(req.caller, Caller::Operator(_)) && req.context.address.is_none();
    if input.is_operator.is_some() && !is_command {
        return Err(Denial::OperatorRequired.into());
    }
    let input = input.checked(req.app.names())?;
    let (old, new) = req
        .change(Action::UserUpdated, move |tx| {
            let id = named.find(tx.conn)?.id;
            store::user::lock_user_exclusive(tx.conn, &id)?;
            let old = store::user::find_user(tx.conn, &id)?.ok_or(Error::NotFound)?;
            let new = input.apply(&old, tx.now);
            input.check_operator(&old, &new)?;
            let is_marked = old.is_operator != new.is_operator;
            let changed: Vec<_> = [
                ("name", old.name != new.name),
                ("email", old.email != new.email),
                (
                    "email_verified",
                    old.email_verified_at != new.email_verified_at,
                ),
                ("operator", is_marked),
            ]
            .into_iter()
            .filter_map(|(key, is_changed)| is_changed.then_some(key))
            .collect();
            if old.email != new.email {
                require_free(tx, &new.email)?;
                store::account_link::delete_links(tx.conn, &id, None)?;
            }
            if !changed.is_empty() {
                store::user::update_profile(tx.conn, &new).map_err(taken)?;
                let mut detail = json!({"changed": changed});
                if is_marked {
                    detail["operator"] = new.is_operator.into();
                }
                if is_marked && new.is_operator {
                    // Only the password opens the console: neither a session that exists already,
                    // nor a link for a new password that others may have.
                    store::session::delete_sessions(tx.conn, &id, None)?;
                    store::account_link::delete_links(tx.conn, &id, None)?;
                }
                tx.record(Some(id.as_str()), detail)?;
            }
            Ok((old, new))
        })
        .await?;
    if old.email != new.email {
        mail::tell_address_changed(&req.app, [&old.email, &new.email]);
    }
    Ok(new)
}

//! Changes of a user's name and email address by the operator.

use super::directory::Named;
use super::{require_free, taken};
use crate::{Error, Request, mail};
use domain::audit::Action;
use domain::name::NameRules;
use domain::user::{self, User};
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
}

impl UpdateUser {
    /// Checks name and email address. Fails with all faults.
    fn checked(self, names: &NameRules) -> Result<Self, Error> {
        let mut faults = Vec::new();
        let mut check = |value: Option<Result<String, Fault>>| {
            value.and_then(|value| value.map_err(|fault| faults.push(fault)).ok())
        };
        let name = check(self.name.map(|name| names.check("name", &name)));
        let email = check(self.email.map(|email| user::email(&email)));
        match faults.is_empty() {
            true => Ok(Self {
                name,
                email,
                email_verified: self.email_verified,
            }),
            false => Err(Error::Invalid(faults.into())),
        }
    }

    fn apply(&self, user: &User, now: Instant) -> User {
        let email = self.email.as_ref().unwrap_or(&user.email);
        let proven_at = user.email_verified_at.filter(|_| *email == user.email);
        User {
            name: self.name.as_ref().unwrap_or(&user.name).clone(),
            email: email.clone(),
            email_verified_at: match self.email_verified {
                Some(true) => proven_at.or(Some(now)),
                Some(false) => None,
                None => proven_at,
            },
            ..user.clone()
        }
    }
}

/// Changes a user's name or email address, for the operator. The id stays. Both addresses get a
/// message about a change of the address. Fails with [`Error::Invalid`] if the address is taken.
pub async fn update(req: &Request, named: Named, input: UpdateUser) -> Result<User, Error> {
    req.caller.require_operator()?;
    let input = input.checked(req.app.names())?;
    let (old, new) = req
        .change(Action::UserUpdated, move |tx| {
            let id = named.find(tx.conn)?.id;
            store::user::lock_user_exclusive(tx.conn, &id)?;
            let old = store::user::find_user(tx.conn, &id)?.ok_or(Error::NotFound)?;
            let new = input.apply(&old, tx.now);
            let changed: Vec<_> = [
                ("name", old.name != new.name),
                ("email", old.email != new.email),
                (
                    "email_verified",
                    old.email_verified_at != new.email_verified_at,
                ),
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
                tx.record(Some(id.as_str()), json!({"changed": changed}))?;
            }
            Ok((old, new))
        })
        .await?;
    if old.email != new.email {
        mail::tell_address_changed(&req.app, [&old.email, &new.email]);
    }
    Ok(new)
}

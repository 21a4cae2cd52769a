//! Erasure of a user's own data. The rows stay, so that the audit log can name them.

use super::schema::{account_link, device_grant, identity, invitation, session, token};
use super::statement::Statement;
use super::{Conn, Error, factor, user};
use diesel::prelude::*;
use domain::user::User;

/// Replacement for the name of an erased token.
const ERASED: &str = "Erased";

/// Replaces name, email address and password hash of a user with those of `left`, and removes the
/// data of the user elsewhere: sessions, identities, second factors, links, device grants, invitations to the old
/// address, and names, devices and addresses of personal tokens.
pub fn erase_user(conn: &mut Conn, old: &User, left: &User) -> Result<(), Error> {
    let id = old.id.as_str();
    user::update_profile(conn, left)?;
    user::set_password(conn, &left.id, &left.password_hash, None)?;
    diesel::delete(session::table.filter(session::user_id.eq(id))).run(conn)?;
    diesel::delete(identity::table.filter(identity::user_id.eq(id))).run(conn)?;
    factor::delete_all(conn, &left.id)?;
    diesel::delete(account_link::table.filter(account_link::user_id.eq(id))).run(conn)?;
    diesel::delete(device_grant::table.filter(device_grant::decided_by.eq(id))).run(conn)?;
    diesel::delete(invitation::table.filter(invitation::email.eq(&old.email))).run(conn)?;
    diesel::update(token::table.filter(token::user_id.eq(id)))
        .set((
            token::name.eq(ERASED),
            token::device_name.eq(None::<String>),
            token::last_used_at.eq(None::<chrono::NaiveDateTime>),
            token::last_used_address.eq(None::<String>),
        ))
        .run(conn)
}

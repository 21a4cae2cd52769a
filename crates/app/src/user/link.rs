//! One-time links of users.

use crate::Error;
use crate::tx::Tx;
use domain::account_link::{AccountLink, LIFETIME, LinkPurpose};
use domain::id::UserId;
use domain::secret::Secret;

/// A new link, with the secret that its URL contains.
pub(crate) struct NewLink {
    /// The secret.
    pub secret: Secret,
    /// The link.
    pub link: AccountLink,
}

/// Creates a link for a user, which replaces the user's earlier links for the same purpose. A link
/// that resets the password replaces only those of the same creator, so that a visitor of the page
/// for forgotten passwords ends no link of the operator. The email address is the one that the link
/// is sent to or verifies.
pub(crate) fn make(
    tx: &mut Tx<'_>,
    user_id: &UserId,
    purpose: LinkPurpose,
    email: &str,
) -> Result<NewLink, Error> {
    let created_by = tx.caller().actor().label().to_owned();
    match purpose {
        LinkPurpose::Reset => {
            store::account_link::delete_links_of(tx.conn, user_id, purpose, &created_by)?;
        }
        LinkPurpose::Verify | LinkPurpose::Change => {
            store::account_link::delete_links(tx.conn, user_id, Some(purpose))?;
        }
    }
    let link = AccountLink {
        user_id: user_id.clone(),
        purpose,
        email: email.to_owned(),
        created_by,
        created_at: tx.now,
        expires_at: tx.now + LIFETIME,
    };
    let secret = Secret::from_random(&tx.random::<32>());
    store::account_link::insert_link(tx.conn, &link, &secret.digest())?;
    Ok(NewLink { secret, link })
}

/// Looks up a usable link without using it. Fails with [`Error::NotFound`] for a wrong, expired or
/// used link.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    secret: &Secret,
    purpose: LinkPurpose,
) -> Result<AccountLink, Error> {
    let (digest, now) = (secret.digest(), tx.now);
    store::account_link::find_link(tx.conn, &digest, purpose, now)?.ok_or(Error::NotFound)
}

/// Uses a link, which ends it. Fails with [`Error::NotFound`] for a wrong, expired or used link; of
/// concurrent uses one succeeds.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    secret: &Secret,
    purpose: LinkPurpose,
) -> Result<AccountLink, Error> {
    let (digest, now) = (secret.digest(), tx.now);
    store::account_link::take_link(tx.conn, &digest, purpose, now)?.ok_or(Error::NotFound)
}

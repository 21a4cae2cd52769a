//! Sign-in with a password.

use super::audit::tally::{self, Occurrence};
use super::hashing::Verdict;
use super::session::{Browser, target_of, verify};
use super::throttle::Target;
use super::{App, Error, Request, throttle};
use crate::access::Caller;
use crate::factor::{self, Begun, Proven};
use domain::audit::Action;
use domain::secret::Secret;
use domain::user::{self, Standing, User};

/// Signs a user in, or asks for a second factor. A wrong password, an unknown address and a
/// deactivated user all fail with [`Error::Unauthenticated`], after the same amount of work.
pub async fn sign_in(
    req: &Request,
    browser: Browser<'_>,
    email: &str,
    password: &Secret,
) -> Result<Begun, Error> {
    // The caller is not authenticated yet, even if the browser has a session of another user.
    let req = req.with_caller(Caller::Anonymous);
    let app = &req.app;
    if !app.config().sign_in.has_passwords() {
        return Err(Error::Conflict(
            "This site has no passwords. Sign in with one of the providers.",
        ));
    }
    // An invalid address is counted like an unknown address.
    let email = user::email(email).unwrap_or_else(|_| email.trim().to_lowercase());
    let named = email.clone();
    let found = app
        .store()
        .read_one(move |conn| Ok::<_, Error>(store::user::find_user_by_email(conn, &named)?))
        .await?
        .filter(|user| !user::is_placeholder(&user.email));
    let target = target(app, &email, found.as_ref(), &browser);
    let counted = throttle::count_password(app, target, req.context.source()).await;
    if matches!(counted, Err(Error::Throttled(_))) {
        app.count_sign_in_failure("throttled");
    }
    let guess = counted?;
    let hash = found.as_ref().and_then(User::password);
    let verdict = verify(app, &guess, password, hash).await?;
    let (Some(user), Verdict::Right | Verdict::RightButWeak) = (&found, &verdict) else {
        let reason = match found {
            Some(_) => "wrong_password",
            None => "unknown_address",
        };
        return Err(refuse(&req, found.as_ref(), reason));
    };
    if user.standing == Standing::Deactivated {
        return Err(refuse(&req, Some(user), "deactivated"));
    }

    let stronger = match verdict {
        // If the hasher is busy, the next sign-in upgrades the hash.
        Verdict::RightButWeak => app
            .hasher()
            .hash(password.expose(), app.random(), guess.waiter.clone())
            .await
            .ok(),
        _ => None,
    };
    let (id, verified) = (user.id.clone(), user.password_hash.clone());
    req.change(Action::SignedIn, move |tx| {
        // The user may have been deactivated, or its password changed, in the meantime.
        let user = store::user::lock_user_shared(tx.conn, &id)?
            .filter(|user| user.standing == Standing::Active)
            .filter(|user| user.password_hash == verified)
            .ok_or(Error::Unauthenticated)?;
        if let Some(stronger) = &stronger {
            store::user::update_password_hash(tx.conn, &user.id, &verified, stronger)?;
        }
        let begun = factor::begin(tx, &user, None, Proven::One)?;
        match &begun {
            Begun::Session(_) => guess.guess.succeed(tx.conn)?,
            // The second step clears the earlier failures.
            Begun::Factor(_) => guess.guess.undo(tx.conn)?,
        }
        Ok(begun)
    })
    .await
}

/// Counts a failed sign-in for the audit log.
fn refuse(req: &Request, user: Option<&User>, reason: &'static str) -> Error {
    let failed = Occurrence {
        target: user.map(|user| user.id.to_string()),
        ..Occurrence::new(Action::SignInFailed, reason, req.caller.actor())
    };
    tally::note(&req.app, &req.context, failed);
    Error::Unauthenticated
}

/// The throttling target of a sign-in.
fn target<'a>(
    app: &App,
    email: &'a str,
    user: Option<&'a User>,
    browser: &Browser<'a>,
) -> Target<'a> {
    let Some(user) = user else {
        return Target::UnknownAddress(email);
    };
    target_of(app, user, browser)
}

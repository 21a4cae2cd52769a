//! Consent: a user approves or denies a device grant.

mod decide;
mod options;

pub use decide::{
    Choice, Decided, Decision, Granted, NotDecided, Outcome, SHORT_EXPIRIES, decide, find_decided,
};
pub(super) use options::permit;
pub use options::{ConsentOption, Forbidden};
use options::{forbidden, offered_scopes, options as permitted, with_owners};

use super::{expiry, show};
use crate::session::SignedIn;
use crate::{App, Error, Request, client, throttle};
use domain::Instant;
use domain::audit::Action;
use domain::client::{Client, Standing};
use domain::device::Grant;
use domain::id::GrantId;
use domain::network;
use domain::scope::ScopeSet;
use domain::secret::{Digest, Secret};
use domain::user_code::UserCode;
use serde_json::json;

/// How the user code reached the consent page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The user typed it from the screen of the device.
    Keyboard,
    /// It was in a link, which an attacker may have sent.
    Link,
}

/// Whether device and browser are on one network, judging by their addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// Same network.
    Near,
    /// Different networks: the device may belong to an attacker.
    Far,
}

/// Content of the consent page.
#[derive(Debug)]
pub struct Consent {
    /// The device grant.
    pub grant: Grant,
    /// The user code in normal form.
    pub user_code: UserCode,
    /// The client of the device grant.
    pub client: Client,
    /// Requested scopes that this user can grant.
    pub scopes: ScopeSet,
    /// Whether the user is a member of several organizations.
    pub has_organizations: bool,
    /// The tokens that the user may approve, by their limit.
    pub options: Vec<ConsentOption>,
    /// The rule that forbids the approval, if there are no options.
    pub forbidden: Option<Forbidden>,
    /// How the user code reached the page.
    pub via: Via,
    /// Distance between device and browser.
    pub distance: Distance,
    /// Proves that this user reviewed this device grant in this session.
    pub ticket: String,
}

impl Consent {
    /// The default expiry of a token that is limited to the organization with this id, or not
    /// limited for an empty one. Without such an option, that of the first.
    pub fn expiry_for(&self, organization_id: &str) -> Option<Instant> {
        let is_chosen = |option: &&ConsentOption| {
            let membership = option.membership.as_ref();
            membership.map_or("", |one| one.organization.id.as_str()) == organization_id
        };
        let chosen = self.options.iter().find(is_chosen);
        chosen.or(self.options.first())?.expires_at
    }
}

/// Whether the user must confirm that they started the sign-in themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Confirmation {
    /// The code was typed, on the network of the device.
    NotNeeded,
    /// The code was typed, and the device is on another network.
    OtherNetwork,
    /// The code came by link.
    Link,
}

impl Confirmation {
    const ALL: [Self; 3] = [Self::NotNeeded, Self::OtherNetwork, Self::Link];

    fn of(via: Via, distance: Distance) -> Self {
        match (via, distance) {
            (Via::Keyboard, Distance::Near) => Self::NotNeeded,
            (Via::Keyboard, Distance::Far) => Self::OtherNetwork,
            (Via::Link, _) => Self::Link,
        }
    }

    /// Its name in a ticket.
    fn as_str(self) -> &'static str {
        match self {
            Self::NotNeeded => "typed",
            Self::OtherNetwork => "far",
            Self::Link => "link",
        }
    }
}

/// What a user code leads to.
#[derive(Debug)]
pub enum Reviewed {
    /// A pending device grant.
    Pending(Box<Consent>),
    /// A device grant that this user decided before: what [`find_decided`] takes.
    Decided {
        /// The ticket.
        ticket: String,
        /// The identifier of the decision.
        id: Digest,
    },
}

/// Looks up a user code. Fails with [`Error::NotFound`] alike for wrong, expired and used codes;
/// failed attempts are counted. A code that the user has decided on is no guess.
pub async fn review(req: &Request, typed: &str, via: Via) -> Result<Reviewed, Error> {
    let code = UserCode::parse(typed).ok_or(Error::NotFound)?;
    match find_decision(req, &code).await? {
        Some(decided) => Ok(decided),
        None => {
            let consent = review_pending(req, code, via).await?;
            Ok(Reviewed::Pending(Box::new(consent)))
        }
    }
}

/// Looks up the user code of a link, or one that the user typed before a new sign-in, without
/// changing anything if it leads to a device grant. A wrong, expired or used code counts as a failed
/// attempt, as for [`review`].
pub async fn follow_link(req: &Request, typed: &str, via: Via) -> Result<Reviewed, Error> {
    let (app, user_id) = (&req.app, &req.caller.signed_in()?.user.id);
    let code = UserCode::parse(typed).ok_or(Error::NotFound)?;
    if let Some(decided) = find_decision(req, &code).await? {
        return Ok(decided);
    }
    let guess = throttle::user_code(user_id, req.context.source());
    let (digest, now) = (code.digest(app.key()), app.now());
    let found = app
        .store()
        .read_one(move |conn| {
            guess.check(conn, now)?;
            Ok::<_, Error>(store::device::find_grant_by_user_code(conn, &digest)?)
        })
        .await?;
    let consent = match found.filter(|grant| grant.is_open(now)) {
        Some(grant) => describe(req, grant, code, via).await?,
        None => review_pending(req, code, via).await?,
    };
    Ok(Reviewed::Pending(Box::new(consent)))
}

/// The decision of the caller on the device grant with a user code.
async fn find_decision(req: &Request, code: &UserCode) -> Result<Option<Reviewed>, Error> {
    let (app, signed_in) = (&req.app, req.caller.signed_in()?);
    let (digest, user_id) = (code.digest(app.key()), signed_in.user.id.clone());
    let found = req
        .read(move |tx| {
            let found = store::device::find_decision_of(tx.conn, &digest, &user_id)?;
            Ok(found)
        })
        .await?;
    Ok(found.map(|(grant_id, id)| Reviewed::Decided {
        ticket: write_ticket(app, signed_in, &grant_id, Confirmation::Link),
        id,
    }))
}

/// Looks up the user code of a pending device grant.
async fn review_pending(req: &Request, code: UserCode, via: Via) -> Result<Consent, Error> {
    let (app, user_id) = (&req.app, &req.caller.signed_in()?.user.id);
    let guess = throttle::user_code(user_id, req.context.source());
    throttle::count(app, &guess).await?;

    let digest = code.digest(app.key());
    let found = app
        .store()
        .read_one(move |conn| {
            Ok::<_, Error>(store::device::find_grant_by_user_code(conn, &digest)?)
        })
        .await?;
    let now = app.now();
    let grant = match found {
        Some(grant) if grant.is_open(now) => grant,
        closed => {
            let over = closed.filter(|grant| grant.is_over(now));
            req.change(Action::DeviceCodeWrong, move |tx| {
                tx.record(None::<&str>, json!({}))?;
                match &over {
                    Some(grant) => {
                        show(tx, grant)?;
                        expiry::expire(tx, grant)
                    }
                    None => Ok(()),
                }
            })
            .await?;
            return Err(Error::NotFound);
        }
    };
    let consent = describe(req, grant, code, via).await?;
    let (seen, shown) = (
        consent.grant.clone(),
        json!({
            "client_id": consent.client.id,
            "is_typed": via == Via::Keyboard,
            "is_near": consent.distance == Distance::Near,
        }),
    );
    req.change(Action::DeviceShown, move |tx| {
        guess.succeed(tx.conn)?;
        show(tx, &seen)?;
        tx.record(Some(seen.id.as_str()), shown.clone())
    })
    .await?;
    Ok(consent)
}

/// The consent page that was reviewed with a ticket, as after a reload. Fails with
/// [`Error::NotFound`] if the ticket is not for this code, user and session, or if the device grant
/// is no longer open.
pub async fn find_reviewed(req: &Request, typed: &str, ticket: &str) -> Result<Consent, Error> {
    let (app, signed_in) = (&req.app, req.caller.signed_in()?);
    let code = UserCode::parse(typed).ok_or(Error::NotFound)?;
    let (grant_id, confirmation) = read_ticket(app, signed_in, ticket).ok_or(Error::NotFound)?;
    let (digest, now) = (code.digest(app.key()), app.now());
    let found = app
        .store()
        .read_one(move |conn| {
            Ok::<_, Error>(store::device::find_grant_by_user_code(conn, &digest)?)
        })
        .await?;
    let grant = found
        .filter(|grant| grant.id == grant_id && grant.is_open(now))
        .ok_or(Error::NotFound)?;
    describe(req, grant, code, via_of(confirmation)).await
}

async fn describe(req: &Request, grant: Grant, code: UserCode, via: Via) -> Result<Consent, Error> {
    let (app, signed_in) = (&req.app, req.caller.signed_in()?);
    let client = client::find(app, &grant.client_id)
        .await?
        .filter(|client| client.standing == Standing::Active)
        .ok_or(Error::NotFound)?;
    let distance = match network::is_same_network(grant.address, req.context.source()) {
        true => Distance::Near,
        false => Distance::Far,
    };
    let confirmation = Confirmation::of(via, distance);
    let standing = crate::access::standing(req).await?;
    let options = permitted(app, &standing);
    let forbidden = match options.is_empty() {
        true => Some(with_owners(app, forbidden(app, &standing)).await?),
        false => None,
    };
    Ok(Consent {
        scopes: offered_scopes(app, &standing)
            .intersection(&grant.scopes)
            .intersection(&client.scopes),
        forbidden,
        has_organizations: standing.memberships.len() > 1,
        options,
        ticket: write_ticket(app, signed_in, &grant.id, confirmation),
        user_code: code,
        client,
        via,
        distance,
        grant,
    })
}

/// A ticket binds a decision to the session and user that reviewed the device grant.
fn write_ticket(
    app: &App,
    signed_in: &SignedIn,
    grant_id: &GrantId,
    confirmation: Confirmation,
) -> String {
    let flag = confirmation.as_str();
    let mac = app.key().authenticate(
        "consent",
        &[
            signed_in.session.id.as_str(),
            signed_in.user.id.as_str(),
            grant_id.as_str(),
            flag,
        ],
    );
    format!("{grant_id}.{flag}.{}", mac.as_str())
}

/// Reads a ticket. `None` if it is forged, or from another user or session.
fn read_ticket(app: &App, signed_in: &SignedIn, ticket: &str) -> Option<(GrantId, Confirmation)> {
    let grant_id = GrantId::parse(ticket.split('.').next()?)?;
    Confirmation::ALL
        .into_iter()
        .find(|confirmation| {
            let written = write_ticket(app, signed_in, &grant_id, *confirmation);
            subtle::ConstantTimeEq::ct_eq(written.as_bytes(), ticket.as_bytes()).into()
        })
        .map(|confirmation| (grant_id, confirmation))
}

/// How the user code reached the consent page with this ticket; [`Via::Link`] if that is unknown.
pub fn via_of_ticket(req: &Request, ticket: &str) -> Via {
    let signed_in = req.caller.signed_in().ok();
    let read = signed_in.and_then(|signed_in| read_ticket(&req.app, signed_in, ticket));
    read.map_or(Via::Link, |(_, confirmation)| via_of(confirmation))
}

fn via_of(confirmation: Confirmation) -> Via {
    match confirmation {
        Confirmation::NotNeeded | Confirmation::OtherNetwork => Via::Keyboard,
        Confirmation::Link => Via::Link,
    }
}

/// Proof, sent back in a URL, that this visitor typed this code. It preserves that fact while the
/// user signs in or switches users.
pub fn typed_proof(app: &App, visitor: &Secret, code: &UserCode) -> String {
    let parts = [visitor.expose(), &code.to_string()];
    let proof = app.key().authenticate("typed-code", &parts);
    proof.as_str().to_owned()
}

/// Whether a proof is valid for this visitor and code.
pub fn is_typed(app: &App, visitor: &Secret, code: &UserCode, proof: &str) -> bool {
    let expected = typed_proof(app, visitor, code);
    subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), proof.as_bytes()).into()
}

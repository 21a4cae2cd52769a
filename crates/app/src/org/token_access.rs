//! The tokens with access to an organization: its own, and its members' personal ones. Reads are
//! limited, since an organization can have any number of members and tokens.

use super::READ;
use super::token_reach::{Access, AccessPart, MOST_READ, Reached, Urgent};
use crate::token::{Listed, contains};
use crate::tx::Tx;
use crate::{Error, Request};
use domain::Instant;
use domain::id::UserId;
use domain::org::{Member, Organization};
use domain::role::Role;
use domain::token::Token;
use domain::user::User;
use std::collections::BTreeMap;

/// Number of tokens on a page.
pub const SHOWN: usize = 50;

/// A token with access to an organization.
#[derive(Debug, Clone)]
pub struct TokenAccess {
    /// The token, with the decision of the organization.
    pub listed: Listed,
    /// The owner of a personal token; `None` for a token of the organization.
    pub owner: Option<Member>,
    /// When it was last used in the organization, if that is recorded.
    pub last_use: Option<Instant>,
    /// When an admin of the organization last asked the owner to rotate it.
    pub rotation_requested_at: Option<Instant>,
}

/// Which tokens with access to an organization.
#[derive(Debug, Clone, Default)]
pub struct AccessSearch {
    /// The part.
    pub part: AccessPart,
    /// Words that the token, or its owner's name or email address, contains, in any order.
    pub text: String,
    /// The only owner.
    pub member: Option<UserId>,
    /// The page, from 0. The last page stands for those after it.
    pub page: usize,
}

/// A page of tokens, and how many there are.
#[derive(Debug)]
pub struct FoundAccess {
    /// The tokens of the page, newest first.
    pub tokens: Vec<TokenAccess>,
    /// The page, from 0.
    pub page: usize,
    /// Number of tokens that match.
    pub matches: usize,
    /// The number of tokens of each part.
    pub counts: BTreeMap<AccessPart, usize>,
    /// The only owner that was searched for.
    pub member: Option<User>,
    /// Whether there may be more members or tokens than were read.
    pub is_cut: bool,
}

/// Finds tokens with access to an organization, for its admins. Fails with [`Error::NotFound`] if
/// the only owner is not a member.
pub async fn search_access(
    req: &Request,
    named: &str,
    search: AccessSearch,
) -> Result<FoundAccess, Error> {
    let named = named.to_owned();
    req.read(move |tx| {
        let organization = tx.organization(&named, READ, Role::Admin)?;
        let mut reached = Reached::load(tx, &organization, search.member.as_ref())?;
        let counts = AccessPart::ALL.map(|part| (part, reached.part(part).count()));
        let words = search.text.to_lowercase();
        let mut matching: Vec<_> = reached.part(search.part).cloned().collect();
        matching.retain(|one| {
            let owner = one.owner.as_ref().map(|owner| &owner.user);
            let owner = owner.map(|user| [user.name.as_str(), user.email.as_str()]);
            contains(
                &one.token,
                owner.as_ref().map_or(&[], |texts| &texts[..]),
                &words,
            )
        });
        matching.sort_by(|a, b| b.position().cmp(&a.position()));
        let matches = matching.len();
        let page = search.page.min(matches.saturating_sub(1) / SHOWN);
        let shown = matching.into_iter().skip(page * SHOWN).take(SHOWN);
        let member = search
            .member
            .as_ref()
            .and_then(|id| reached.members.remove(id.as_str()));
        Ok(FoundAccess {
            tokens: describe(tx, &organization, shown.collect())?,
            page,
            matches,
            counts: counts.into_iter().collect(),
            member: member.map(|member| member.user),
            is_cut: reached.is_cut,
        })
    })
    .await
}

/// What admins of an organization should look at.
#[derive(Debug)]
pub struct Attention {
    /// The parts of its tokens that need a decision, each with the number of tokens and the names
    /// of the most urgent. Parts without tokens are left out.
    pub parts: Vec<(AccessPart, usize, Vec<Urgent>)>,
    /// Number of active tokens of the organization itself.
    pub own: usize,
    /// Number of its members' active tokens with access.
    pub personal: usize,
    /// Whether there may be more members or tokens than were read.
    pub is_cut: bool,
    /// Number of open invitations.
    pub invitations: usize,
}

/// What needs attention in an organization, for its admins.
pub async fn attention(req: &Request, named: &str) -> Result<Attention, Error> {
    let named = named.to_owned();
    req.read(move |tx| {
        let organization = tx.organization(&named, READ, Role::Admin)?;
        let reached = Reached::load(tx, &organization, None)?;
        let parts = AccessPart::ALL
            .into_iter()
            .filter(|part| *part != AccessPart::All);
        let parts = parts.map(|part| (part, reached.part(part).count(), reached.urgent(part)));
        let is_usable = |one: &&Access| one.decision.is_ok();
        let own = |one: &&Access| one.owner.is_none();
        let usable: Vec<_> = reached.all.iter().filter(is_usable).collect();
        let own = usable.iter().filter(|one| own(one)).count();
        let limit = i64::from(MOST_READ);
        let invitations =
            store::invitation::count_invitations(tx.conn, &organization.id, tx.now, limit)?;
        Ok(Attention {
            parts: parts.filter(|(_, count, _)| *count > 0).collect(),
            own,
            personal: usable.len() - own,
            is_cut: reached.is_cut,
            invitations,
        })
    })
    .await
}

/// Adds the details of a page.
fn describe(
    tx: &mut Tx<'_>,
    organization: &Organization,
    shown: Vec<Access>,
) -> Result<Vec<TokenAccess>, Error> {
    let projects = shown
        .iter()
        .filter_map(|one| one.token.limits.projects.as_ref());
    let projects: Vec<_> = projects.flatten().map(ToString::to_string).collect();
    let projects = store::project::list_names(tx.conn, &projects)?;
    let ids: Vec<_> = shown.iter().map(|one| one.token.id.to_string()).collect();
    let requests = store::token_access::list_requests(tx.conn, &ids)?;
    let limits = |token: &Token| match (&token.limits.projects, &token.limits.organization) {
        (Some(limits), _) => limits
            .iter()
            .filter_map(|id| projects.get(id.as_str()).cloned())
            .collect(),
        (None, Some(_)) => vec![organization.name.clone()],
        (None, None) => Vec::new(),
    };
    shown
        .into_iter()
        .map(|one| {
            let Access {
                token,
                owner,
                decision,
                is_replaced,
                ..
            } = one;
            let request = requests.iter().find(|request| {
                request.token_id == token.id && request.organization_id == organization.id
            });
            Ok(TokenAccess {
                last_use: store::token_access::find_last_use(tx.conn, &token.id, &organization.id)?,
                rotation_requested_at: request.map(|request| request.requested_at),
                listed: Listed {
                    limits: limits(&token),
                    policy_decision: decision,
                    is_replaced,
                    maker: None,
                    creator: None,
                    token,
                },
                owner,
            })
        })
        .collect()
}

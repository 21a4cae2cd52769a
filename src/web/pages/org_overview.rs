//! The overview of an organization for its admins: what needs attention, and whether the log is
//! intact.

use super::audit::{Reader, badge};
use super::org_request::OrgPageRequest;
use super::token_access::part_path;
use super::view::Moment;
use super::view::audit::EventRow;
use super::view::org_overview::{AdminOverview, RoleRights, TodoItem, TodoLine};
use crate::web::failure::Failure;
use app::audit;
use app::org::{self, AccessPart, Urgent};
use domain::role::Role;

/// Number of changes that are shown.
const CHANGES: usize = 5;

/// Loads the overview.
pub async fn overview(req: &OrgPageRequest) -> Result<AdminOverview, Failure> {
    let attention = org::attention(req, req.id()).await?;
    let parts = attention.parts.into_iter();
    let mut todo: Vec<_> = parts.filter_map(|found| line(req, found)).collect();
    let (one, several) = (
        "invitation waits for its answer",
        "invitations wait for an answer",
    );
    if attention.invitations > 0 {
        todo.push(TodoLine {
            count: attention.invitations,
            is_warn: false,
            what: if attention.invitations == 1 {
                one
            } else {
                several
            },
            named: Vec::new(),
            href: req.path("/members#invited"),
            verb: "View",
        });
    }
    Ok(AdminOverview {
        todo,
        own_tokens: attention.own,
        personal_tokens: attention.personal,
        is_cut: attention.is_cut,
        log: badge(req).await?,
        changes: changes(req).await?,
        log_path: req.path("/audit"),
    })
}

/// The last changes.
async fn changes(req: &OrgPageRequest) -> Result<Vec<EventRow>, Failure> {
    let records = audit::list_changes(req, req.id(), CHANGES).await?;
    let names = audit::read::names(&req.app, &records).await?;
    let reader = Reader::of_organization(req, &names);
    Ok(records.iter().map(|sealed| reader.row(sealed)).collect())
}

/// What each role allows, the highest first.
pub fn rights(req: &OrgPageRequest, size: &org::Size) -> Vec<RoleRights> {
    let catalogue = &req.app.config().scopes;
    let scopes = |role| {
        let scopes = catalogue.iter();
        let scopes = scopes.filter(move |scope| scope.min_role == Some(role));
        scopes.map(|scope| scope.name.to_string()).collect()
    };
    let members = size.members - size.owners - size.admins;
    [
        (Role::Owner, size.owners),
        (Role::Admin, size.admins),
        (Role::Member, members),
    ]
    .map(|(role, members)| RoleRights {
        role,
        members,
        scopes: scopes(role),
    })
    .to_vec()
}

/// The line of a part of the tokens.
fn line(
    req: &OrgPageRequest,
    (part, count, first): (AccessPart, usize, Vec<Urgent>),
) -> Option<TodoLine> {
    let (one, several, is_warn) = match part {
        AccessPart::All => return None,
        AccessPart::Grace => (
            "token loses access when its grace period ends",
            "tokens lose access when their grace period ends",
            true,
        ),
        AccessPart::ExpiresSoon => (
            "token expires within 7 days",
            "tokens expire within 7 days",
            true,
        ),
        AccessPart::Replaced => (
            "replaced token still works until its overlap ends",
            "replaced tokens still work until their overlap ends",
            false,
        ),
        AccessPart::Unused => (
            "token is unused for more than 30 days",
            "tokens are unused for more than 30 days",
            false,
        ),
        AccessPart::NeverExpires => ("token never expires", "tokens never expire", false),
        AccessPart::Blocked => ("token is blocked", "tokens are blocked", false),
    };
    let has_end = matches!(
        part,
        AccessPart::Grace | AccessPart::ExpiresSoon | AccessPart::Replaced
    );
    let item = |urgent: Urgent| TodoItem {
        name: match urgent.owner {
            Some(owner) => format!("{} by {owner}", urgent.name),
            None => urgent.name,
        },
        ends: urgent
            .ends_at
            .filter(|_| has_end)
            .map(|at| Moment::new(at, req.now())),
    };
    Some(TodoLine {
        count,
        is_warn,
        what: if count == 1 { one } else { several },
        named: first.into_iter().map(item).collect(),
        href: req.path(&part_path(part)),
        verb: "Review",
    })
}

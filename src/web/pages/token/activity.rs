//! The activity of one token.

use super::TokensRequest;
use super::row::row;
use crate::web::pages::audit::Reader;
use crate::web::pages::page_request::Answer;
use crate::web::pages::view::Moment;
use crate::web::pages::view::chart::UseChart;
use crate::web::pages::view::token_activity::{
    Child, Ending, Relative, RotationNote, TokenPage, UseRecord, UseRow,
};
use actix_web::http::StatusCode;
use app::audit::uses::activity::{self, Activity};
use app::audit::uses::read::{Named, UseId};
use app::token::OwnerRef;
use config::TokenUse;
use domain::Instant;
use domain::audit::token_use::ALLOWED;
use domain::token::{State, Token, TokenOwner};

/// `GET /tokens/{id}`, or the organization's.
pub async fn show(req: TokensRequest) -> Answer {
    let id = req.segment("id");
    let query = req.query()?;
    let place = query.value("after").and_then(UseId::parse);
    let found = activity::of_token(&req, &req.owner_ref, id, place).await?;
    let now = req.now();
    let token = &found.token.token;
    let reader = match req.owner_ref {
        OwnerRef::Own => Reader::of_user(&req, &found.names),
        OwnerRef::Organization(_) => Reader::of_organization(&req, &found.names),
    };
    let typed = req.typed();
    let page = TokenPage {
        chrome: req.chrome(),
        is_renamed: query.value("done") == Some("renamed"),
        name: match typed.was_sent() {
            true => typed.text("name"),
            false => token.name.clone(),
        },
        errors: typed.errors,
        ending: ending(&found),
        blocked_in: found.blocked_in.clone(),
        rotation_requests: rotation_notes(&found, now),
        successor: found
            .successor
            .as_ref()
            .map(|new| relative(new, new, found.last_use, now)),
        predecessor: found
            .predecessor
            .as_ref()
            .map(|(old, last_use)| relative(old, token, *last_use, now)),
        children: found
            .children
            .iter()
            .map(|child| Child {
                id: child.id.to_string(),
                name: child.name.clone(),
                hint: child.hint.clone(),
                about: about(child, now),
                is_linked: child.owner == token.owner,
            })
            .collect(),
        next: found
            .next
            .as_ref()
            .map(|last| format!("{}/{id}?after={last}", req.path)),
        record: match found.recording {
            TokenUse::Off => UseRecord::Off,
            TokenUse::Every => UseRecord::On {
                chart: UseChart::new(&found.days),
                uses: found.uses.iter().map(|used| use_row(used, now)).collect(),
            },
        },
        events: found.records.iter().map(|one| reader.row(one)).collect(),
        owner: req.owner.clone(),
        right: req.right,
        token: row(&req, found.token),
    };
    req.page(StatusCode::OK, &page)
}

/// State and kind of a token that was created with another.
fn about(child: &Token, now: Instant) -> &'static str {
    match (&child.owner, child.state(now)) {
        (TokenOwner::User(_), State::Live) => "Active",
        (TokenOwner::User(_), State::Expired) => "Expired",
        (TokenOwner::User(_), State::Revoked) => "Revoked",
        (TokenOwner::Organization(_), State::Live) => "Active organization token",
        (TokenOwner::Organization(_), State::Expired) => "Expired organization token",
        (TokenOwner::Organization(_), State::Revoked) => "Revoked organization token",
    }
}

/// Another token in a chain of rotations: `new` is the later of the two, `last_use` is that of
/// the earlier.
fn relative(shown: &Token, new: &Token, last_use: Option<Instant>, now: Instant) -> Relative {
    Relative {
        id: shown.id.to_string(),
        hint: shown.hint.clone(),
        at: Moment::new(new.created_at, now),
        straggler: last_use
            .filter(|at| *at > new.created_at)
            .map(|at| Moment::new(at, now)),
    }
}

/// The requests to rotate the token, until it is rotated.
fn rotation_notes(found: &Activity, now: Instant) -> Vec<RotationNote> {
    if found.successor.is_some() || found.token.token.state(now) != State::Live {
        return Vec::new();
    }
    let name = |id: &str, other: &str| found.names.of(id).unwrap_or(other).to_owned();
    let requests = found.rotation_requests.iter();
    requests
        .map(|request| RotationNote {
            by: name(&request.requested_by, "An admin"),
            organization: name(request.organization_id.as_str(), "an organization"),
            at: Moment::new(request.requested_at, now),
        })
        .collect()
}

/// Who ended the token, and the reason unless it is obvious.
fn ending(found: &Activity) -> Option<Ending> {
    let revocation = found.token.token.revocation.as_ref()?;
    let by = found.names.of(&revocation.by).unwrap_or(&revocation.by);
    let why = match revocation.reason.as_str() {
        "revoke_all" => ", with all others",
        "signed_out" => ", who signed the device out",
        "identity_ended" => ", whose identity provider ended the access",
        "answer_lost" => ", since the device did not receive it",
        "revoked_by_client" => ", which gave it back",
        "user_deactivated" => ", since its owner’s account was deactivated",
        "left_organization" => ", since its owner left the organization",
        "creator_revoked" => ", with the token that created it",
        "account_recovered" => ", since its owner’s account was recovered",
        "organization_deleted" => ", since the organization was deleted",
        _ => "",
    };
    Some(Ending {
        by: by.to_owned(),
        why,
    })
}

fn use_row(Named { used, .. }: &Named, now: Instant) -> UseRow {
    UseRow {
        at: Moment::new(used.at, now),
        address: used.address.clone(),
        route: used.route.clone(),
        scope: used.scope.clone(),
        refusal: (used.decision != ALLOWED).then(|| used.decision.clone()),
        repeated: used
            .repeated
            .as_ref()
            .map(|repeated| (repeated.count, Moment::new(repeated.last_at, now))),
    }
}

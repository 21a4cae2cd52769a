//! What became of one token.

use super::row::row;
use super::shelf;
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::pages::audit::Reader;
use crate::web::pages::inside::segment;
use crate::web::pages::view::Moment;
use crate::web::pages::view::chart::UseChart;
use crate::web::pages::view::token_activity::{Relative, TokenPage, UseRecord, UseRow};
use crate::web::pages::visit::Visit;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use app::audit::activity::{self, Activity};
use app::audit::use_reading::{Named, UseId};
use app::token::Whose;
use config::TokenUse;
use domain::Instant;
use domain::audit::token_use::ALLOWED;
use domain::token::Token;

/// How many uses a page shows.
const SHOWN: usize = 50;

/// `GET /tokens/{id}`, or the organization's.
pub async fn show(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let id = segment(&request, "id");
    let shelf = shelf(&visit, &request).await?;
    let query = extract::query(&request)?;
    let place = query.value("after").and_then(UseId::parse);
    let (app, context) = (&visit.app, &visit.context);
    let (caller, whose) = (&shelf.caller, &shelf.whose);
    let found = activity::of_token(app, context, caller, whose, id, place, SHOWN).await?;
    let now = visit.now();
    let token = &found.token.token;
    let reader = match whose {
        Whose::Own => Reader::of_person(&visit, &found.names),
        Whose::Organization(_) => Reader::of_organization(&visit, &found.names),
    };
    let page = TokenPage {
        chrome: visit.chrome(),
        ending: ending(&found),
        successor: found
            .successor
            .as_ref()
            .map(|new| relative(new, new, found.last_use, now)),
        predecessor: found
            .predecessor
            .as_ref()
            .map(|(old, last_use)| relative(old, token, *last_use, now)),
        next: found
            .next
            .as_ref()
            .map(|last| format!("{}/{id}?after={last}", shelf.path)),
        record: match found.recording {
            TokenUse::Off => UseRecord::Off,
            TokenUse::Every => UseRecord::On {
                chart: UseChart::new(&found.days),
                uses: found.uses.iter().map(|used| use_row(used, now)).collect(),
            },
        },
        events: found.records.iter().map(|one| reader.row(one)).collect(),
        holder: shelf.holder,
        right: shelf.right,
        token: row(&visit, found.token),
    };
    visit.page(StatusCode::OK, &page)
}

/// Another token in a chain of rotations: `new` is the later of the two, `last_use` that of the
/// earlier.
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

/// Who ended the token, and why if that does not go without saying.
fn ending(found: &Activity) -> Option<String> {
    let revocation = found.token.token.revocation.as_ref()?;
    let by = found.names.of(&revocation.by).unwrap_or(&revocation.by);
    let why = match revocation.reason.as_str() {
        "revoke_all" => ", with all others",
        "revoked_by_client" => ", which gave it back",
        "user_deactivated" => ", since its owner’s account was deactivated",
        "left_organization" => ", since its owner left the organization",
        "organization_deleted" => ", since the organization was deleted",
        _ => "",
    };
    Some(format!("by {by}{why}"))
}

fn use_row(Named { used, .. }: &Named, now: Instant) -> UseRow {
    UseRow {
        at: Moment::new(used.at, now),
        address: used.address.clone(),
        route: used.route.clone(),
        scope: used.scope.clone(),
        refusal: (used.decision != ALLOWED).then(|| used.decision.clone()),
    }
}

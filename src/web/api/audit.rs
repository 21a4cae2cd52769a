//! `/v1/audit`: the audit log, token uses, and proofs of both.

use super::call::Call;
use super::page::Filters;
use crate::web::export;
use crate::web::failure::Failure;
use actix_web::{HttpResponse, web};
use app::audit::checking::{self, Checked};
use app::audit::reading::{self, Search};
use app::audit::use_reading::{self, Named, Proven, UseId, UseSearch};
use domain::Instant;
use domain::audit::canonical::moment;
use domain::audit::chain::Sealed;
use serde_json::Value;
use utoipa::OpenApi;
use wire::api::{
    AuditHead, AuditParameters, AuditRecord, AuditVerification, Discrepancy, FormatParameters,
    List, ListParameters, ProvenUse, TokenUse, UseParameters, UseProof,
};

/// OpenAPI description of this module's routes.
#[derive(OpenApi)]
#[openapi(paths(list_records, export_records, verify_log, list_uses, show_use))]
pub struct Description;

/// Filter parameters of records.
const FILTERS: [&str; 6] = ["organization", "actor", "action", "token", "since", "until"];

/// Lists the records of the audit log, latest first.
///
/// If users list their own records, actions of other known actors have no address and no agent.
/// The audit log records this request.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(AuditParameters, ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<AuditRecord>))
)]
pub async fn list_records(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing(&FILTERS)?;
    let search = search(list.filters())?;
    let before = list.last(|sequence| sequence.parse().ok());
    let limit = usize::from(list.page.limit);
    let found = reading::list(&call, search, before, limit).await?;
    let position = |sealed: &Sealed| (sealed.record.at, sealed.record.sequence.to_string());
    Ok(list.answer(found, position, record))
}

/// Exports the audit log or the selected records, earliest first.
///
/// Lines of JSON are verifiable by any program that knows the format. In a CSV table, text that a
/// spreadsheet would interpret as a formula begins with `'`. If users export their own records,
/// actions of other known actors have no address and no agent; JSON lines have pseudonyms instead,
/// also for names of devices and tokens. The audit log records this request.
#[utoipa::path(
    get,
    path = "/v1/audit/export",
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(AuditParameters, FormatParameters),
    responses((
        status = 200,
        description = "The selected records.",
        content((String = "application/x-ndjson"), (String = "text/csv"))
    ))
)]
pub async fn export_records(call: Call) -> Result<HttpResponse, Failure> {
    let filters = call.filters(&[&FILTERS[..], &["format"]].concat())?;
    let format = export::format(filters.value("format")).ok_or(Failure::Malformed(
        "The parameter format must be ndjson or csv.",
    ))?;
    let pieces = reading::export(&call, search(&filters)?, format).await?;
    let request_id = &call.context.request_id;
    Ok(export::answer(format, "audit", pieces, request_id))
}

/// Verifies the whole audit log: its records, its signed checkpoints and the token uses.
///
/// For the operator and admins of any organization. The audit log records this request.
#[utoipa::path(
    get,
    path = "/v1/audit/verify",
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    responses((status = 200, description = "Result of the verification.", body = AuditVerification))
)]
pub async fn verify_log(call: Call) -> Result<HttpResponse, Failure> {
    let checked = checking::check(&call).await?;
    Ok(HttpResponse::Ok().json(verification(&checked)))
}

/// Lists the uses of tokens, latest batch first.
///
/// The server writes uses in batches, so one can take a second to appear. The audit log records
/// this request.
#[utoipa::path(
    get,
    path = "/v1/audit/uses",
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(UseParameters, ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<TokenUse>))
)]
pub async fn list_uses(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing(&["organization", "token", "since", "until"])?;
    let search = UseSearch {
        organization: list.filter("organization").map(str::to_owned),
        token_id: list.filter("token").map(str::to_owned),
        since: moment(list.filters(), "since")?,
        until: moment(list.filters(), "until")?,
    };
    let before = list.last(UseId::parse);
    let limit = usize::from(list.page.limit);
    let found = use_reading::list(&call, search, before, limit).await?;
    let position = |named: &Named| (named.used.at, named.id.to_string());
    Ok(list.answer(found, position, token_use))
}

/// Returns a use of a token with its inclusion proof.
#[utoipa::path(
    get,
    path = "/v1/audit/uses/{id}",
    tag = "audit",
    security(("bearer" = ["audit:read"])),
    params(("id" = String, Path, description = "ID of the use.")),
    responses((status = 200, description = "The use.", body = ProvenUse))
)]
pub async fn show_use(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let found = use_reading::find(&call, &id).await?;
    Ok(HttpResponse::Ok().json(proven(&found)))
}

fn search(filters: &Filters) -> Result<Search, Failure> {
    let text = |name| filters.value(name).map(str::to_owned);
    Ok(Search {
        organization: text("organization"),
        actor: text("actor"),
        action: text("action"),
        token_id: text("token"),
        since: moment(filters, "since")?,
        until: moment(filters, "until")?,
    })
}

fn moment(filters: &Filters, name: &str) -> Result<Option<Instant>, Failure> {
    let text = filters.value(name);
    text.map(|text| chrono::DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()))
        .transpose()
        .map_err(|_| {
            Failure::Malformed(
                "The parameters since and until must be RFC 3339 times such as 2030-01-31T12:00:00Z.",
            )
        })
}

fn record(sealed: &Sealed) -> AuditRecord {
    let Sealed { record, hash } = sealed.clone();
    AuditRecord {
        sequence: record.sequence,
        hash: hash.to_string(),
        id: record.id,
        at: moment::write(record.at),
        action: record.action,
        outcome: record.outcome.as_str().to_owned(),
        actor_kind: record.actor_kind,
        actor_id: record.actor_id,
        method: record.method.as_str().to_owned(),
        user_id: record.user_id,
        token_id: record.token_id,
        client_id: record.client_id,
        organization_id: record.organization_id,
        target: record.target,
        request_id: record.request_id,
        address: record.address,
        agent: record.agent,
        detail: Value::from(record.detail),
    }
}

fn verification(checked: &Checked) -> AuditVerification {
    let report = &checked.verified.report;
    AuditVerification {
        valid: report.first_discrepancy.is_none(),
        records: report.records,
        pruned: report.start,
        uses: checked.verified.uses,
        head: AuditHead {
            sequence: report.head.sequence,
            hash: report.head.hash.to_string(),
        },
        checkpoints: report.checkpoints,
        checked_at: moment::write(checked.at),
        first_discrepancy: report
            .first_discrepancy
            .as_ref()
            .map(|discrepancy| Discrepancy {
                sequence: discrepancy.sequence,
                kind: discrepancy.kind.as_str().to_owned(),
                says: discrepancy.says.clone(),
            }),
    }
}

fn token_use(named: &Named) -> TokenUse {
    let used = named.used.clone();
    TokenUse {
        id: named.id.to_string(),
        at: moment::write(used.at),
        token_id: used.token_id,
        request_id: used.request_id,
        address: used.address,
        decision: used.decision,
        scope: used.scope,
        route: used.route,
        organization_id: used.organization_id,
    }
}

fn proven(found: &Proven) -> ProvenUse {
    ProvenUse {
        used: token_use(&found.named),
        proof: UseProof {
            index: found.proof.index,
            size: found.proof.size,
            path: found.proof.path.iter().map(ToString::to_string).collect(),
        },
        root: found.root.to_string(),
        sequence: found.sequence,
    }
}

//! `/v1/audit`: the audit log, token uses, and proofs of both.

use super::call::Call;
use super::routes::routes;
use crate::web::export;
use crate::web::failure::Failure;
use actix_web::{HttpResponse, web};
use app::audit::read::{self, Format, Search};
use app::audit::uses;
use app::audit::uses::read::{Named, Proven, UseId, UseSearch};
use app::audit::verify::{self, Checked};
use domain::audit::canonical::moment;
use domain::audit::chain::Sealed;
use serde_json::Value;
use wire::api::{
    AuditHead, AuditParameters, AuditRecord, AuditVerification, Discrepancy, ExportFormat,
    FormatParameters, List, ListParameters, ProvenUse, RepeatedUse, TokenUse, UseParameters,
    UseProof,
};

routes! {
    GET "/v1/audit" => list_records: read::READ,
    GET "/v1/audit/export" => export_records: read::READ,
    GET "/v1/audit/verify" => verify_log: read::READ,
    GET "/v1/audit/uses" => list_uses: read::READ,
    GET "/v1/audit/uses/{id}" => show_use: read::READ,
}

/// Lists the records of the audit log, latest first.
///
/// If users list their own records, actions of other known actors have no address and no agent.
/// The audit log records this request.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "audit",
    params(AuditParameters, ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<AuditRecord>))
)]
async fn list_records(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing::<AuditParameters>()?;
    let search = search(list.filters.clone());
    let before = list.last(|sequence| sequence.parse().ok());
    let limit = usize::from(list.page.limit);
    let found = read::list(&call, search, before, limit).await?;
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
    params(AuditParameters, FormatParameters),
    responses((
        status = 200,
        description = "The selected records.",
        content((String = "application/x-ndjson"), (String = "text/csv"))
    ))
)]
async fn export_records(call: Call) -> Result<HttpResponse, Failure> {
    let mut query = call.query()?;
    let filters = query.take()?;
    let FormatParameters { format } = query.take()?;
    query.finish()?;
    let format = match format {
        None | Some(ExportFormat::Ndjson) => Format::Lines,
        Some(ExportFormat::Csv) => Format::Csv,
    };
    let pieces = read::export(&call, search(filters), format).await?;
    let request_id = &call.context.request_id;
    Ok(export::answer(format, "audit", pieces, request_id))
}

/// Verifies the whole audit log: its records, its signed checkpoints and the token uses.
///
/// For the operator and admins of an organization that the operator created. The audit log records this request.
/// The tokens of one user or organization may send six an hour.
#[utoipa::path(
    get,
    path = "/v1/audit/verify",
    tag = "audit",
    responses((status = 200, description = "Result of the verification.", body = AuditVerification))
)]
async fn verify_log(call: Call) -> Result<HttpResponse, Failure> {
    let checked = verify::check(&call).await?;
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
    params(UseParameters, ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<TokenUse>))
)]
async fn list_uses(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing::<UseParameters>()?;
    let filters = list.filters.clone();
    let search = UseSearch {
        organization: filters.organization,
        token_id: filters.token,
        since: filters.since,
        until: filters.until,
    };
    let before = list.last(UseId::parse);
    let limit = usize::from(list.page.limit);
    let found = uses::read::list(&call, search, before, limit).await?;
    let position = |named: &Named| (named.used.at, named.id.to_string());
    Ok(list.answer(found, position, token_use))
}

/// Returns a use of a token with its inclusion proof.
#[utoipa::path(
    get,
    path = "/v1/audit/uses/{id}",
    tag = "audit",
    params(("id" = String, Path, description = "ID of the use.")),
    responses((status = 200, description = "The use.", body = ProvenUse))
)]
async fn show_use(call: Call, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let found = uses::read::find(&call, &id).await?;
    Ok(HttpResponse::Ok().json(proven(&found)))
}

fn search(filters: AuditParameters) -> Search {
    Search {
        organization: filters.organization,
        actor: filters.actor,
        action: filters.action,
        token_id: filters.token,
        since: filters.since,
        until: filters.until,
    }
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
        user_id: used.user_id,
        repeated: used.repeated.map(|repeated| RepeatedUse {
            count: repeated.count,
            last_at: moment::write(repeated.last_at),
        }),
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

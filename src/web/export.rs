//! Export of the audit log as a file, for pages and the API.

use super::failure::Failure;
use actix_web::HttpResponse;
use actix_web::http::header::{
    CONTENT_TYPE, ContentDisposition, DispositionParam, DispositionType,
};
use actix_web::web::Bytes;
use app::Error;
use app::audit::read::Format;
use futures_util::{Stream, TryStreamExt};
use std::io;

/// Parses the name of a format. Without a name it is lines; `None` for an unknown one.
pub fn format(named: Option<&str>) -> Option<Format> {
    match named {
        None | Some("ndjson") => Some(Format::Lines),
        Some("csv") => Some(Format::Csv),
        Some(_) => None,
    }
}

/// Response with a file of this name and the extension of the format.
pub fn answer(
    format: Format,
    name: &str,
    pieces: impl Stream<Item = Result<String, Error>> + 'static,
    request_id: &str,
) -> HttpResponse {
    let (media_type, ending) = match format {
        Format::Lines => ("application/x-ndjson", "ndjson"),
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let file = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(format!("{name}.{ending}"))],
    };
    let request_id = request_id.to_owned();
    // The status is already sent: an aborted body shows the client that it is incomplete.
    let broken = move |error| {
        Failure::App(error).log(&request_id);
        io::Error::other("the export broke off")
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header(file)
        .streaming(pieces.map_ok(Bytes::from).map_err(broken))
}

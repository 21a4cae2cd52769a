//! An export of the audit log as a file, from a page or by the API.

use super::failure::Failure;
use actix_web::HttpResponse;
use actix_web::http::header::{
    CONTENT_TYPE, ContentDisposition, DispositionParam, DispositionType,
};
use actix_web::web::Bytes;
use app::Error;
use app::audit::reading::Format;
use futures_util::{Stream, TryStreamExt};
use std::io;

/// The format of this name; lines where none is named, `None` for one that there is not.
pub fn format(named: Option<&str>) -> Option<Format> {
    match named {
        None | Some("ndjson") => Some(Format::Lines),
        Some("csv") => Some(Format::Csv),
        Some(_) => None,
    }
}

/// The answer: a file of this name, which gets the ending of its format.
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
    // The answer has begun: that it breaks off tells whoever reads it that it is not whole.
    let broken = move |error| {
        Failure::App(error).log(&request_id);
        io::Error::other("the export broke off")
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header(file)
        .streaming(pieces.map_ok(Bytes::from).map_err(broken))
}

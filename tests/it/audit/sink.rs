//! An HTTP sink that accepts records while its status is successful.

use crate::support::WEBHOOK;
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use doorcode::domain::audit::export;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

/// Maximum number of records in one batch, however many wait.
const LARGEST: u64 = 200;

/// An HTTP sink for records and checkpoints.
#[derive(Clone)]
pub struct Sink {
    /// Status code of its responses.
    status: Arc<AtomicU16>,
    /// Accepted request bodies, in order.
    pub pieces: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    /// A sink that responds with this status code.
    pub fn answering(status: u16) -> Self {
        Self {
            status: Arc::new(status.into()),
            pieces: Arc::default(),
        }
    }

    /// Sets the status code of later responses.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Sequence numbers of the received records in order. Asserts that each batch verifies on its
    /// own and is not too large.
    pub fn places(&self) -> Vec<u64> {
        let mut places = Vec::new();
        for piece in &*self.pieces.lock().unwrap() {
            let report = export::verify(piece.as_bytes(), std::iter::empty(), &[]).unwrap();
            assert_eq!(report.first_discrepancy, None, "{piece}");
            assert!(report.records <= LARGEST, "{}", report.records);
            for line in piece.lines().skip(1) {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                places.push(line["sequence"].as_u64().unwrap());
            }
        }
        places
    }
}

async fn take(sink: web::Data<Sink>, request: HttpRequest, body: String) -> HttpResponse {
    let status = StatusCode::from_u16(sink.status.load(Ordering::SeqCst)).unwrap();
    if !status.is_success() {
        let elsewhere = ("location", "http://127.0.0.1:9/elsewhere");
        return HttpResponse::build(status)
            .insert_header(elsewhere)
            .finish();
    }
    let token = request.headers().get("authorization").unwrap();
    assert_eq!(token, &format!("Bearer {WEBHOOK}"));
    sink.pieces.lock().unwrap().push(body);
    HttpResponse::NoContent().finish()
}

/// Starts the sink. Returns its URL and its handle.
pub fn serve(sink: &Sink) -> (String, ServerHandle) {
    serve_at((Ipv4Addr::LOCALHOST, 0).into(), sink)
}

/// The same at a given address.
pub fn serve_at(address: SocketAddr, sink: &Sink) -> (String, ServerHandle) {
    let data = web::Data::new(sink.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .default_service(web::to(take))
    });
    let server = server.workers(1).bind(address).unwrap();
    let url = format!("http://{}/hook", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (url, handle)
}

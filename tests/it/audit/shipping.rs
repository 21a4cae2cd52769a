//! Records go elsewhere too, in order, and none is lost.

use super::{sound, verify};
use crate::support::{TestApp, WEBHOOK};
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use doorcode::app::sweep;
use doorcode::domain::audit::export;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

async fn act(test: &TestApp) {
    test.device("tokens:read").await;
    test.settle().await;
}

/// The file is one export, also after a server died while it wrote a line.
#[actix_web::test]
async fn a_file_gets_every_record_and_is_an_export() {
    let test = TestApp::with("[audit]\nship_to = \"{directory}/shipped\"").await;
    act(&test).await;
    act(&test).await;
    let file = test.path("shipped");
    let mut torn = std::fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .unwrap();
    torn.write_all(b"{\"account_id\":null,\"act").unwrap();
    act(&test).await;

    let records = sound(&verify(&test).await);
    let text = std::fs::read(&file).unwrap();
    let report = export::verify(text.as_slice(), std::iter::empty()).unwrap();
    assert_eq!(report.first_doubt, None);
    assert_eq!(report.records, records);
}

/// Somebody who takes records when it is well.
#[derive(Clone, Default)]
struct Sink {
    is_well: Arc<AtomicBool>,
    pieces: Arc<Mutex<Vec<String>>>,
}

async fn take(sink: web::Data<Sink>, request: HttpRequest, body: String) -> HttpResponse {
    if !sink.is_well.load(Ordering::SeqCst) {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let token = request.headers().get("authorization").unwrap();
    assert_eq!(token, &format!("Bearer {WEBHOOK}"));
    sink.pieces.lock().unwrap().push(body);
    HttpResponse::NoContent().finish()
}

fn serve(sink: &Sink) -> (String, ServerHandle) {
    let data = web::Data::new(sink.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .default_service(web::to(take))
    });
    let server = server.workers(1).bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (url, handle)
}

/// AUD-13: while the address is away the server goes on, and afterwards everything arrives
/// once and in order, in pieces that each prove themselves.
#[actix_web::test]
async fn an_address_that_was_away_gets_everything_in_order() {
    let sink = Sink::default();
    let (url, handle) = serve(&sink);
    let test = TestApp::with(&format!("[audit]\nship_to = \"{url}\"")).await;
    for _ in 0..3 {
        test.device("tokens:read").await;
        assert_eq!(sweep::settle(&test.app).await.len(), 1);
    }
    assert!(sink.pieces.lock().unwrap().is_empty());
    let other = test.again(&format!("[audit]\nship_to = \"{url}\"")).await;
    sink.is_well.store(true, Ordering::SeqCst);
    // The lease of the first is its own; the second passes by and loses nothing.
    other.settle().await;
    act(&test).await;
    act(&other).await;

    let records = sound(&verify(&test).await);
    test.settle().await;
    let pieces = sink.pieces.lock().unwrap().clone();
    let mut sequences = Vec::new();
    for piece in &pieces {
        let report = export::verify(piece.as_bytes(), std::iter::empty()).unwrap();
        assert_eq!(report.first_doubt, None, "{piece}");
        for line in piece.lines().skip(1) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            sequences.push(line["sequence"].as_u64().unwrap());
        }
    }
    assert_eq!(sequences, (1..=records).collect::<Vec<_>>());
    assert!(!test.database.dump().contains(WEBHOOK));
    handle.stop(false).await;
}

//! The API of a system, which the proxy protects: a small server in its place.

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::channel;

/// A request as it reaches the API.
#[derive(Debug, Clone)]
pub struct Call {
    /// Method and path: `GET /v1/projects`.
    pub route: String,
    /// Headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body; `null` without one.
    pub body: Value,
}

impl Call {
    fn new(request: &HttpRequest, body: &Bytes) -> Self {
        let headers = request.headers().iter();
        Self {
            route: format!("{} {}", request.method(), request.path()),
            headers: headers
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    (name.as_str().to_owned(), value)
                })
                .collect(),
            body: serde_json::from_slice(body).unwrap_or(Value::Null),
        }
    }

    /// A header; empty without it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The usual response of an API: the request as it arrived, so that a test sees what the proxy
    /// forwards.
    pub fn echo(&self) -> Value {
        serde_json::json!({"route": self.route, "headers": self.headers, "body": self.body})
    }
}

/// A running API.
pub struct StandIn {
    /// Listen address.
    pub address: SocketAddr,
    handle: ServerHandle,
}

impl StandIn {
    /// Starts an API on a thread of its own. `answer` gives the status and the JSON of a response.
    pub fn start<A, F>(answer: A) -> Self
    where
        A: Fn(Call) -> F + Clone + Send + 'static,
        F: Future<Output = (u16, Value)> + 'static,
    {
        let (sender, started) = channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let respond = move |request: HttpRequest, body: Bytes| {
                    let answer = answer(Call::new(&request, &body));
                    async move {
                        let (status, body) = answer.await;
                        HttpResponse::build(StatusCode::from_u16(status).unwrap()).json(body)
                    }
                };
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                let server =
                    HttpServer::new(move || App::new().default_service(web::to(respond.clone())));
                let server = server.workers(1).disable_signals().listen(listener);
                let server = server.unwrap().run();
                sender.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = started.recv().unwrap();
        Self { address, handle }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // The server receives the stop even if the future is not awaited.
        drop(self.handle.stop(false));
    }
}

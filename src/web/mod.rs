//! HTTP: handlers translate between requests and use cases.
//!
//! Each group of routes has one surface, the form in which it writes errors: OAuth JSON under
//! `/auth` and `/.well-known`, problem details under `/v1`, pages elsewhere.

mod api;
mod assets;
mod capacity;
mod challenge;
mod client_address;
mod cookies;
mod csrf;
mod export;
mod extract;
mod failure;
mod headers;
mod idempotency_key;
mod links;
mod log_limit;
mod metrics;
mod middleware;
mod oauth;
mod pages;
mod probe;
mod problem_kind;
mod retry_after;
mod route;
mod socket;
mod surface;

pub use api::{client_document, openapi};
pub use capacity::{OpenFiles, raise_open_files};
pub use links::{reset_url, setup_path};
pub use metrics::Metrics;
pub use socket::{Closer, OpenSocket, Socket};

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{HttpServer, web};
use app::App;
use capacity::ConnectionLimit;
use log_limit::LogLimit;
use middleware::Worker;
use route::KnownRoutes;
use rustls::ServerConfig;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

/// How long a client may take for the handshake of TLS, and to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum connections to the metrics, if they have a listener of their own.
const METRICS_CONNECTIONS: usize = 64;

/// Time for requests in flight to complete when the server stops, in seconds.
const SHUTDOWN_SECONDS: u64 = 20;

/// All routes.
fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::scope(oauth::verify::ADDRESS)
                .wrap(from_fn(oauth::verify::surface))
                .default_service(web::to(oauth::verify::verify)),
        )
        .service(
            web::scope("/auth")
                .wrap(from_fn(oauth::surface))
                .configure(oauth::routes),
        )
        .service(
            web::scope("/v1/auth")
                .wrap(from_fn(oauth::surface))
                .configure(oauth::device_routes),
        )
        .service(
            web::scope("/.well-known")
                .wrap(from_fn(oauth::surface))
                .configure(oauth::metadata_routes),
        )
        .service(
            web::scope("/v1")
                .wrap(from_fn(api::surface))
                .configure(api::routes),
        )
        .configure(assets::routes)
        .configure(probe::routes)
        .configure(api::description_routes)
        .service(
            web::scope("")
                .wrap(from_fn(pages::surface))
                .configure(pages::routes),
        );
}

/// Listening sockets, and how they are served.
pub struct Listener {
    /// The sockets.
    pub sockets: Vec<Socket>,
    /// The settings of TLS; plain HTTP without. A Unix socket is never encrypted.
    pub tls: Option<ServerConfig>,
    /// The number of worker threads.
    pub workers: usize,
}

impl Listener {
    /// A socket for plain HTTP.
    pub fn plain(socket: TcpListener, workers: usize) -> Self {
        Self {
            sockets: vec![Socket::Tcp(socket)],
            tls: None,
            workers,
        }
    }
}

/// Builds the server on listening sockets. It handles no signals; the caller stops it through its
/// handle.
pub fn server(app: App, metrics: Metrics, listener: Listener) -> std::io::Result<Server> {
    let Listener {
        sockets,
        tls,
        workers,
    } = listener;
    let keep_alive = capacity::keep_alive(!app.config().server.trusted_proxies.is_empty());
    let connections = capacity::connections_per_worker(capacity::open_files(), workers);
    let log_limit = LogLimit::default();
    let server = HttpServer::new(move || {
        let is_shown = app.config().metrics == config::Metrics::Same;
        actix_web::App::new()
            .app_data(web::Data::new(app.clone()))
            .app_data(web::Data::new(metrics.clone()))
            .app_data(Rc::new(Worker::new(
                app.clone(),
                metrics.clone(),
                log_limit.clone(),
                ConnectionLimit(connections),
            )))
            .app_data(web::Data::new(KnownRoutes::default()))
            .configure(|config| {
                if is_shown {
                    metrics::routes(config);
                }
            })
            .wrap(from_fn(middleware::every_answer))
            .configure(routes)
    })
    .workers(workers)
    .max_connections(connections)
    // As many handshakes at once as connections: otherwise clients that begin one and send nothing
    // more block all others until the time limit of the handshake.
    .max_connection_rate(connections)
    .tls_handshake_timeout(HEAD_TIMEOUT)
    .on_connect(capacity::count_connection)
    .client_request_timeout(HEAD_TIMEOUT)
    .keep_alive(keep_alive)
    .shutdown_timeout(SHUTDOWN_SECONDS)
    // A device that disconnects during a long poll must not be issued a token: the token would
    // be lost.
    .h1_allow_half_closed(false)
    .disable_signals();
    for socket in &sockets {
        socket.widen_backlog()?;
    }
    let server =
        sockets
            .into_iter()
            .try_fold(server, |server, socket| match (socket, tls.clone()) {
                (Socket::Tcp(socket), Some(tls)) => server.listen_rustls_0_23(socket, tls),
                (Socket::Tcp(socket), None) => server.listen(socket),
                (Socket::Unix(socket), _) => server.listen_uds(socket),
            })?;
    Ok(server.run())
}

/// Builds a server for the metrics only, on a separate listener.
pub fn metrics_server(
    app: App,
    metrics: Metrics,
    listener: TcpListener,
) -> std::io::Result<Server> {
    Ok(HttpServer::new(move || {
        actix_web::App::new()
            .app_data(web::Data::new(app.clone()))
            .app_data(web::Data::new(metrics.clone()))
            .configure(metrics::routes)
    })
    .workers(1)
    .max_connections(METRICS_CONNECTIONS)
    .client_request_timeout(HEAD_TIMEOUT)
    .disable_signals()
    .listen(listener)?
    .run())
}

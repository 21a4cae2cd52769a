//! `doorcode serve`.

use super::configuration::describe_reload;
use super::log::Log;
use super::signals::{self, Stop};
use super::supervisor::{Supervisor, passed_sockets};
use super::welcome::Welcome;
use super::{Deployment, Outcome, Start, absolute, explain, load_config, open, print, warnings};
use actix_web::dev::ServerHandle;
use doorcode::app::heartbeat::Heart;
use doorcode::app::tls::{self, ServerCertificate};
use doorcode::app::{
    App, Clock as _, Request, SystemClock, audit, client, deployment, reload, sweep, user,
};
use doorcode::config::{Config, DEFAULT_FILE, FILE_VARIABLE, Listen, Metrics};
use doorcode::web::{self, Closer, OpenSocket};
use std::net::TcpListener;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;

/// Time in which the server accepts the last connections, and in which its workers take them.
const TAKE_WITHIN: Duration = Duration::from_millis(100);

/// Time limit for the last writes when the server stops.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// Options of `doorcode serve`.
#[derive(clap::Args, Default)]
pub struct Serve {
    /// Leave the tables to `doorcode migrate`, and do not start if they are of an earlier version
    #[arg(long)]
    no_migrate: bool,
}

/// Runs the server until it receives a signal to stop.
pub fn run(config: Option<&Path>, options: &Serve) -> Outcome {
    let start = match options.no_migrate {
        true => Start::ServerWithoutMigration,
        false => Start::Server,
    };
    let config = load_config(config)?;
    let log = Log::start();
    raise_open_files();
    actix_web::rt::System::new().block_on(serve(config, log, start))
}

/// The same for a call without a command. Its caller may want help instead of a server, so a call
/// that finds nothing first names the files that the server creates.
pub fn run_unasked(path: Option<&Path>) -> Outcome {
    let is_new = !Path::new(DEFAULT_FILE).exists() && !Path::new("data").exists();
    if path.is_none() && is_new && std::env::var_os(FILE_VARIABLE).is_none() {
        let files = deployment::files(&load_config(path)?, |name| std::env::var(name).ok());
        let lines: Vec<_> = files.iter().map(|path| absolute(path)).collect();
        print(&format!(
            "There is no {DEFAULT_FILE} and no folder `data` here: this starts a new server. It \
             creates these files:\n\n    {}\n\n`doorcode --help` lists the commands.\n",
            lines.join("\n    ")
        ))?;
    }
    run(path, &Serve::default())
}

/// Raises the limit of open files, which bounds the connections.
fn raise_open_files() {
    match web::raise_open_files() {
        Ok(limit) => tracing::info!(
            "this process may open {} files (soft limit at the start: {})",
            limit.now,
            limit.before
        ),
        Err(error) => tracing::warn!(
            "the limit of open files cannot be raised: {error}. Raise it where the server is \
             started, such as with LimitNOFILE= of systemd."
        ),
    }
}

async fn serve(config: Config, log: Log, start: Start) -> Outcome {
    // Registered first: from now on the signal does not end the process.
    let hangup = signal(SignalKind::hangup());
    let env = |name: &str| std::env::var(name).ok();
    let supervisor = Supervisor::find(env);
    let workers = config.server.workers;
    let opened = listen(&config, env)?;
    let figures = match config.metrics {
        Metrics::At(address) => Some(
            TcpListener::bind(address)
                .map_err(|error| in_use(&Listen::Tcp(address), "[metrics]", &error))?,
        ),
        Metrics::Same | Metrics::Off => None,
    };
    let now = SystemClock.now();
    let found = ServerCertificate::load(&config, now)?;
    let (certificate, mut made) = found.map_or((None, Vec::new()), |(certificate, made)| {
        (Some(Arc::new(certificate)), made)
    });
    let mut cautions = tls::check(&config, now)?;
    let Deployment { app, files } = open(config, start).await?;
    made.extend(files.made);
    cautions.extend(warnings(app.config()));
    let heart = Rc::new(Heart::new(&app));
    // From now on a signal to stop does not end the process, which would stay registered.
    let mut stops = signals::handle();
    // Before anything is recorded: a server that is refused changes nothing.
    deployment::register(&app, heart.server())
        .await
        .map_err(|error| explain(&error))?;
    let starting = async {
        // Before the first request: an old copy of the database must not be served.
        audit::inspect(&app)
            .await
            .map_err(|error| explain(&error))?;
        client::ensure_cli(&app)
            .await
            .map_err(|error| explain(&error))?;
        let setup = user::offer_setup(&app)
            .await
            .map_err(|error| explain(&error))?;
        audit::record_settings(&app)
            .await
            .map_err(|error| explain(&error))?;
        for path in &files.shared {
            tracing::info!(
                "{} can be read by other users of this machine. It is accepted because root owns it \
                 or its file system is read-only.",
                path.display()
            );
        }
        for warning in cautions {
            tracing::warn!("{warning}");
        }
        let metrics = web::Metrics::new(log.dropped());
        if let Some(listener) = figures {
            actix_web::rt::spawn(web::metrics_server(app.clone(), metrics.clone(), listener)?);
        }
        heart.beat().await;
        let tls = certificate.as_ref().map(ServerCertificate::server_config);
        let (sockets, closers): (Vec<_>, Vec<_>) = opened
            .into_iter()
            .map(|opened| (opened.socket, opened.closer))
            .unzip();
        let listener = web::Listener {
            sockets,
            tls: tls.transpose()?,
            workers,
        };
        let server = web::server(app.clone(), metrics, listener)?;
        let handle = server.handle();
        let server = actix_web::rt::spawn(server);
        let sweeper = actix_web::rt::spawn(sweep::run(app.clone()));
        if let Some(certificate) = &certificate {
            actix_web::rt::spawn(certificate.clone().watch(app.clone()));
        }
        actix_web::rt::spawn(reload_on(
            hangup,
            app.clone(),
            certificate.clone(),
            supervisor.clone(),
        ));
        let welcome = Welcome {
            app: &app,
            made: &made,
            setup: setup.as_ref(),
            certificate: certificate.as_deref(),
            scope: client::scope_for_cli(&app)
                .await
                .map_err(|error| explain(&error))?,
        };
        print(&welcome.text())?;
        supervisor.tell_ready();
        actix_web::rt::spawn(supervisor.clone().feed_watchdog());
        Ok((handle, closers, server, sweeper))
    };
    let (handle, closers, server, sweeper) = match starting.await {
        Ok(started) => started,
        Err(error) => {
            // The next start may have other values at once.
            deployment::deregister(&app, heart.server()).await;
            return Err(error);
        }
    };
    let beating = heart.clone();
    actix_web::rt::spawn(async move { beating.run().await });

    if signals::next(&mut stops).await == Stop::Draining {
        drain(&app, &supervisor, &mut stops).await;
    }
    supervisor.tell_stopping("Finishing requests.");
    tracing::info!("stopping: finishing requests in flight; a second signal aborts them");
    log.end_accepting();
    refuse_connections(&handle, &closers).await;
    app.end_waiting();
    tokio::select! {
        () = handle.stop(true) => {}
        _ = signals::next(&mut stops) => {}
    }
    let closing = async {
        // The sweeper ends after its current run.
        let _ = sweeper.await;
        sweep::end(&app).await;
        deployment::deregister(&app, heart.server()).await;
        app.stop().await;
    };
    tokio::select! {
        () = closing => tracing::info!("stopped"),
        () = tokio::time::sleep(CLOSE_WITHIN) => abandon(log),
        _ = signals::next(&mut stops) => abandon(log),
    }
    server.abort();
    Ok(())
}

/// Continues to serve requests for a while, as a server that is not ready, or until the next
/// signal.
async fn drain(app: &App, supervisor: &Supervisor, stops: &mut UnboundedReceiver<Stop>) {
    let time = app.config().server.drain_for;
    app.drain();
    if time.is_zero() {
        return;
    }
    supervisor.tell_stopping("Serving requests until proxies send them elsewhere.");
    tracing::info!(
        "not ready any more: serving requests for another {} s ([server] drain_for); a second \
         signal stops at once",
        time.as_secs_f32()
    );
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = signals::next(stops) => {}
    }
}

/// Refuses new connections, and takes those that came before.
async fn refuse_connections(handle: &ServerHandle, closers: &[Closer]) {
    let is_file = |closer: &&Closer| matches!(closer, Closer::Unix(_));
    let (files, others): (Vec<_>, Vec<_>) = closers.iter().partition(is_file);
    close(&files);
    for closer in &others {
        if let Err(error) = closer.hold() {
            tracing::info!("a port that closes may reset connections that just begin: {error}");
        }
    }
    // A client that found the file before, or has begun to connect, is still accepted.
    tokio::time::sleep(TAKE_WITHIN).await;
    // Accepts what waits before the port closes.
    handle.pause().await;
    close(&others);
    // actix-web drops what waits for a worker when it stops.
    tokio::time::sleep(TAKE_WITHIN).await;
}

fn close(closers: &[&Closer]) {
    for closer in closers {
        if let Err(error) = closer.close() {
            tracing::warn!("a listening socket cannot be closed early: {error}");
        }
    }
}

/// Reloads the certificate and the configuration at each signal.
async fn reload_on(
    mut signal: std::io::Result<Signal>,
    app: App,
    certificate: Option<Arc<ServerCertificate>>,
    supervisor: Supervisor,
) {
    loop {
        received(&mut signal).await;
        supervisor.tell_reloading();
        if let Some(certificate) = &certificate {
            certificate.reload_and_log(app.now());
        }
        match reload::reload(&Request::system(&app)).await {
            Ok(reloaded) => {
                for line in describe_reload(&reloaded.changed, &reloaded.needs_restart) {
                    tracing::info!("{line}");
                }
                for warning in warnings(app.current().config()) {
                    tracing::warn!("{warning}");
                }
            }
            Err(error) => tracing::error!(
                "the configuration was not reloaded, and nothing changed: {}",
                explain(&error)
            ),
        }
        supervisor.tell_ready();
    }
}

/// The sockets that the service manager passes, or else that of the configuration.
fn listen(config: &Config, env: impl Fn(&str) -> Option<String>) -> Outcome<Vec<OpenSocket>> {
    let passed = passed_sockets(env)?;
    if !passed.is_empty() {
        tracing::info!(
            "listening on {} sockets of the service manager instead of [server] listen",
            passed.len()
        );
        return Ok(passed);
    }
    let address = &config.server.listen;
    let opened = OpenSocket::bind(address).map_err(|error| in_use(address, "[server]", &error))?;
    Ok(vec![opened])
}

fn in_use(address: &Listen, section: &str, error: &std::io::Error) -> String {
    format!("cannot listen on {address}: {error}. Set `listen` under {section} to another address.")
}

/// Exits without waiting for the database. No acknowledged write is lost.
fn abandon(log: Log) -> ! {
    tracing::error!("stopped before the last writes were committed");
    drop(log);
    std::process::exit(1)
}

async fn received(signal: &mut std::io::Result<Signal>) {
    match signal {
        Ok(signal) => {
            signal.recv().await;
        }
        // Without a signal handler, wait forever.
        Err(_) => std::future::pending().await,
    }
}

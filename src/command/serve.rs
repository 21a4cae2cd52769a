//! `doorcode serve`.

use super::configuration::describe_reload;
use super::{Outcome, Start, absolute, explain, load_config, open, print, program, warnings};
use doorcode::app::heartbeat::Heart;
use doorcode::app::{App, Request, audit, deployment, reload, sweep, user};
use doorcode::config::{Config, DEFAULT_FILE, FILE_VARIABLE, Metrics};
use doorcode::domain::secret::Secret;
use doorcode::web;
use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Time limit for the last writes when the server stops.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// Runs the server until it receives a signal to stop.
pub fn run(config: Option<&Path>) -> Outcome {
    let config = load_config(config)?;
    log_to_stderr();
    raise_open_files();
    actix_web::rt::System::new().block_on(serve(config))
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
    run(path)
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

/// Plain lines on a terminal, otherwise JSON.
fn log_to_stderr() {
    let log = tracing_subscriber::registry().with(log_levels());
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.with(lines.with_target(false).compact()).init();
    } else {
        log.with(lines.json().flatten_event(true)).init();
    }
}

/// The log levels of `RUST_LOG`: one for all modules, or levels per module, such as
/// `warn,doorcode=debug`. Default: `info`, and warnings of the HTTP library.
fn log_levels() -> Targets {
    let named = std::env::var("RUST_LOG").unwrap_or_default();
    // An empty item would be parsed as the lowest level.
    let items: Vec<_> = named.split(',').filter(|item| !item.is_empty()).collect();
    match items.join(",").parse() {
        Ok(levels) if !items.is_empty() => levels,
        // Its start says nothing that an operator needs.
        _ => Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target("actix_server", LevelFilter::WARN),
    }
}

async fn serve(config: Config) -> Outcome {
    // Registered first: from now on the signal does not end the process.
    let hangup = signal(SignalKind::hangup());
    let address = config.server.listen;
    let workers = config.server.workers;
    let listener = listen(address, "[server]")?;
    let figures = match config.metrics {
        Metrics::At(address) => Some(listen(address, "[metrics]")?),
        Metrics::Same | Metrics::Off => None,
    };
    let deployment = open(config, Start::Server).await?;
    let app = deployment.app;
    let setup = user::offer_setup(&app)
        .await
        .map_err(|error| explain(&error))?;
    // Before the first request: an old copy of the database must not be served.
    audit::inspect(&app)
        .await
        .map_err(|error| explain(&error))?;
    audit::record_settings(&app)
        .await
        .map_err(|error| explain(&error))?;
    for path in &deployment.files.shared {
        tracing::info!(
            "{} can be read by other users of this machine. It is accepted because root owns it \
             or its file system is read-only.",
            path.display()
        );
    }
    for warning in warnings(app.config()) {
        tracing::warn!("{warning}");
    }
    let mut signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);

    let metrics = web::Metrics::default();
    if let Some(listener) = figures {
        actix_web::rt::spawn(web::metrics_server(app.clone(), metrics.clone(), listener)?);
    }
    let heart = Heart::new(&app);
    heart.beat().await;
    actix_web::rt::spawn(heart.run());
    let server = web::server(app.clone(), metrics, listener, workers)?;
    let handle = server.handle();
    let server = actix_web::rt::spawn(server);
    let sweeper = actix_web::rt::spawn(sweep::run(app.clone()));
    actix_web::rt::spawn(reload_on(hangup, app.clone()));
    print(&welcome(&app, &deployment.files.made, setup.as_ref()))?;

    let [terminate, interrupt] = &mut signals;
    tokio::select! {
        () = received(terminate) => {}
        () = received(interrupt) => {}
    }
    tracing::info!("stopping: finishing requests in flight; a second signal aborts them");
    app.end_waiting();
    tokio::select! {
        () = handle.stop(true) => {}
        () = received(terminate) => {}
        () = received(interrupt) => {}
    }
    let closing = async {
        // The sweeper ends after its current run.
        let _ = sweeper.await;
        sweep::end(&app).await;
        app.stop().await;
    };
    tokio::select! {
        () = closing => tracing::info!("stopped"),
        () = tokio::time::sleep(CLOSE_WITHIN) => abandon(),
        () = received(terminate) => abandon(),
        () = received(interrupt) => abandon(),
    }
    server.abort();
    Ok(())
}

/// Reloads the configuration at each signal.
async fn reload_on(mut signal: std::io::Result<Signal>, app: App) {
    loop {
        received(&mut signal).await;
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
    }
}

fn listen(address: SocketAddr, section: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| {
        format!(
            "cannot listen on {address}: {error}. Set `listen` under {section} to another address."
        )
    })
}

/// Exits without waiting for the database. No acknowledged write is lost.
fn abandon() -> ! {
    tracing::error!("stopped before the last writes were committed");
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

/// The text after the start: the URL, the created files and the next steps.
fn welcome(app: &App, made: &[PathBuf], setup: Option<&Secret>) -> String {
    let url = &app.config().server.public_url;
    let name = &app.config().branding.name;
    let mut text = format!("\n{name} is running at {url}\n");
    for path in made {
        let config = app.config();
        let what = if *path == config.operator.token_file {
            "the operator token, which allows every operation"
        } else if *path == config.audit.signing_key_file {
            "the key that signs the audit log"
        } else {
            "the secret key of this deployment"
        };
        text += &format!(
            "Created {} (only you can read it): {what}.\n",
            path.display()
        );
    }
    let program = program();
    let host = match url.as_str() {
        "http://127.0.0.1:8080" => String::new(),
        other => format!(" --host {other}"),
    };
    if let Some(link) = setup {
        let link = url.join(&web::setup_path(link.expose()));
        text += &format!(
            "\nThere are no users yet. Open this link in a browser to create the first one.\n\
             The link works once:\n\n    {link}\n\n\
             Then sign in from another terminal:\n\n    {program} login{host}\n"
        );
    }
    text + "\nPress Ctrl-C to stop.\n"
}

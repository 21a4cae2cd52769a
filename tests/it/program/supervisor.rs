//! What a service manager (systemd) needs: states, sockets, the unit file.

use crate::support::deployment::{Deployment, READY};
use crate::support::http;
use crate::support::program::{PATIENCE, Program};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The lines of the next message about the state.
fn next(socket: &UnixDatagram) -> Vec<String> {
    let mut buffer = [0; 512];
    let length = socket.recv(&mut buffer).unwrap();
    let text = std::str::from_utf8(&buffer[..length]).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The lines of the next message that is not for the watchdog.
fn next_state(socket: &UnixDatagram) -> Vec<String> {
    loop {
        let lines = next(socket);
        if lines != ["WATCHDOG=1"] {
            return lines;
        }
    }
}

/// sd_notify(3): each state is told to the service manager, and the watchdog is fed in between.
#[actix_web::test]
async fn states_are_told_to_the_service_manager() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let deployment = Deployment::migrated().set("DOORCODE__SERVER__DRAIN_FOR", "300s");
    let mut server = deployment
        .command(&["serve"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "100000")
        .spawn();
    assert_eq!(next(&socket)[0], "READY=1");
    // The server accepts requests at this moment.
    assert_eq!(deployment.status("/readyz").await, 200);
    for _ in 0..3 {
        assert_eq!(next(&socket), ["WATCHDOG=1"]);
    }
    server.signal("HUP");
    let reloading = next_state(&socket);
    assert_eq!(reloading[0], "RELOADING=1");
    let since = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap();
    assert!(since.parse::<u64>().unwrap() > 0);
    assert_eq!(next_state(&socket)[0], "READY=1");
    server.signal("TERM");
    assert_eq!(next_state(&socket)[0], "STOPPING=1");
    server.line("not ready any more");
    // It is not taken for hanging while it serves the last requests.
    assert_eq!(next(&socket), ["WATCHDOG=1"]);
    server.signal("TERM");
    let finishing = next_state(&socket);
    assert!(
        finishing[1].starts_with("STATUS=Finishing"),
        "{finishing:?}"
    );
    server.finish().exited(0);
}

/// A watchdog of another process is none of the server's.
#[actix_web::test]
async fn watchdog_of_another_process_is_not_fed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let deployment = Deployment::migrated();
    let server = deployment
        .command(&["serve"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "1000")
        .env("WATCHDOG_PID", "1")
        .spawn();
    assert_eq!(next(&socket)[0], "READY=1");
    assert_eq!(deployment.status("/healthz").await, 200);
    server.signal("INT");
    assert_eq!(next(&socket)[0], "STOPPING=1");
    server.finish().exited(0);
}

/// Status of a GET request by a Unix socket.
async fn status_at(path: &Path, route: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let client = client.unix_socket(path).build().unwrap();
    let request = client.get(format!("http://localhost{route}"));
    request.send().await.unwrap().status().as_u16()
}

/// `listen = "unix:…"`: a proxy on the same machine connects by a file, which its group may use. The
/// file goes with the server, and one that a killed server left is replaced.
#[actix_web::test]
async fn server_listens_on_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("http.sock");
    let listen = format!("unix:{}", path.display());
    let deployment = Deployment::migrated().set("DOORCODE__SERVER__LISTEN", &listen);
    let server = deployment.start();
    assert_eq!(status_at(&path, "/readyz").await, 200);
    let reloaded = deployment.command(&["config", "reload"]).run().exited(0);
    assert!(reloaded.stderr.is_empty(), "{reloaded:?}");
    let second = deployment.command(&["serve"]).run().exited(1);
    assert!(second.stderr.contains(&listen), "{second:?}");
    assert_eq!(status_at(&path, "/readyz").await, 200);
    server.kill();
    assert!(path.exists());

    let server = deployment.start();
    assert_eq!(status_at(&path, "/readyz").await, 200);
    server.signal("TERM");
    server.finish().exited(0);
    assert!(!path.exists());
    let gone = deployment.command(&["config", "reload"]).run().exited(1);
    assert!(
        gone.stderr.contains("No server answers at unix:"),
        "{gone:?}"
    );
}

/// The server with a socket as file 3, as a service manager passes it (sd_listen_fds(3)).
fn with_socket(deployment: &Deployment, socket: OwnedFd) -> Program {
    let start = r#"export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&0"#;
    let mut program = deployment
        .command(&["serve"])
        .run_by(&["/bin/sh", "-c", start, "sh"]);
    program.command().stdin(Stdio::from(socket));
    program
}

/// While one server is stopped and the next one starts, connections wait in the socket.
#[actix_web::test]
async fn passed_socket_outlives_a_restart() {
    let deployment = Deployment::migrated();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ask = || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let answer = |mut stream: TcpStream| {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    let mut waiting = ask();
    for _ in 0..2 {
        let passed = listener.try_clone().unwrap();
        let mut server = with_socket(&deployment, passed.into()).spawn_with_stdin();
        server.line(READY);
        assert!(answer(waiting).starts_with("HTTP/1.1 200"));
        // The configured address is not used.
        let refused = TcpStream::connect(deployment.address).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        server.signal("TERM");
        server.finish().exited(0);
        waiting = ask();
    }
}

#[test]
fn passed_file_that_does_not_listen_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let deployment = Deployment::migrated();
    let file = File::create(folder.path().join("file")).unwrap();
    let unix = UnixDatagram::bind(folder.path().join("datagrams")).unwrap();
    for passed in [OwnedFd::from(file), unix.into()] {
        let program = with_socket(&deployment, passed).spawn_with_stdin();
        let refused = program.finish().exited(1);
        let text = "a socket that the service manager passes cannot be used";
        assert!(refused.stderr.contains(text), "{refused:?}");
        assert_eq!(refused.stderr.matches("error: ").count(), 1, "{refused:?}");
    }
    // A Unix socket that listens is as good as a port.
    let path = folder.path().join("http.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let mut server = with_socket(&deployment, listener.into()).spawn_with_stdin();
    server.line(READY);
    server.signal("TERM");
    server.finish().exited(0);
    assert!(path.exists(), "it is the service manager's");
}

fn find(program: &str) -> Option<PathBuf> {
    let folders = ["/usr/bin", "/bin"].map(Path::new);
    let mut paths = folders.iter().map(|folder| folder.join(program));
    paths.find(|path| path.exists())
}

/// The real tool of systemd, where it is installed, starts the server at the first connection.
#[actix_web::test]
async fn systemd_starts_the_server_at_the_first_connection() {
    let Some(tool) = find("systemd-socket-activate") else {
        eprintln!("skipped: systemd-socket-activate is not installed");
        return;
    };
    let deployment = Deployment::migrated();
    let address = deployment.address.to_string();
    let names: Vec<_> = deployment.variables().collect();
    let mut launcher = vec![tool.to_str().unwrap(), "--listen", &address];
    for name in &names {
        launcher.extend(["--setenv", name]);
    }
    let mut server = deployment.command(&["serve"]).run_by(&launcher).spawn();
    server.line("Listening on");
    let request = http().get(deployment.at("/readyz")).send();
    assert_eq!(request.await.unwrap().status(), 200);
    server.line(READY);
    server.signal("TERM");
    server.finish().exited(0);
}

/// A unit file of `examples/` that starts the program under test.
fn unit(folder: &Path, name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    let text = fs::read_to_string(source).unwrap();
    let text = text.replace("/usr/bin/doorcode", env!("CARGO_BIN_EXE_doorcode"));
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// systemd finds no fault in the unit files, and little that the service could do beyond its work.
#[test]
fn unit_files_are_valid_and_hardened() {
    let Some(tool) = find("systemd-analyze") else {
        eprintln!("skipped: systemd-analyze is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let service = unit(folder.path(), "doorcode.service");
    let socket = unit(folder.path(), "doorcode.socket");
    let run = |arguments: &[&str]| {
        let output = Command::new(&tool).args(arguments).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), said)
    };
    let [service, socket] = [&service, &socket].map(|path| path.to_str().unwrap());
    let (is_valid, said) = run(&["verify", "--man=no", service, socket]);
    let about: Vec<_> = said
        .lines()
        .filter(|line| line.contains("doorcode"))
        .collect();
    assert!(is_valid && about.is_empty(), "{said}");
    // The exposure in tenths: 0 is none, 100 is that of a service without any limit.
    let (is_hardened, said) = run(&["security", "--offline=true", "--threshold=20", service]);
    assert!(is_hardened, "{said}");
}

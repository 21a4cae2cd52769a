//! A rolling restart of several servers behind nginx with its defaults.

use crate::support::deployment::{Deployment, free_address};
use crate::support::device::GRANT;
use crate::support::http;
use crate::support::program::PATIENCE;
use futures_util::future::join_all;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Clients that send requests all the time.
const CLIENTS: usize = 8;

/// nginx in front of servers; ended when the test drops it.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts nginx with its defaults for upstreams.
fn start_proxy(nginx: &Path, folder: &Path, address: &str, servers: &[Deployment]) -> Proxy {
    let servers: String = servers
        .iter()
        .map(|server| format!("server {};", server.address))
        .collect();
    let at = folder.display();
    let config = format!(
        "daemon off; master_process off; pid {at}/pid; error_log stderr crit;\n\
         events {{}}\n\
         http {{ access_log off;\n\
         client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f;\n\
         uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;\n\
         upstream doorcode {{ {servers} }}\n\
         server {{ listen {address}; location / {{ proxy_pass http://doorcode; }} }} }}"
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, config).unwrap();
    let child = Command::new(nginx)
        .args(["-p", folder.to_str().unwrap(), "-c", path.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Proxy(child.unwrap())
}

/// Each of three servers is stopped by SIGTERM and started again, one after the other, while clients send
/// requests that nginx may not repeat (POST). None fails.
#[test]
fn rolling_restart_behind_nginx_fails_no_request() {
    let nginx = Path::new("/usr/sbin/nginx");
    if !nginx.exists() {
        eprintln!("skipped: nginx is not installed");
        return;
    }
    let deployments: Vec<_> = (0..3)
        .map(|_| Deployment::migrated().set("DOORCODE__SERVER__DRAIN_FOR", "1s"))
        .collect();
    let mut servers: Vec<_> = deployments
        .iter()
        .map(|deployment| Some(deployment.start()))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let address = free_address().to_string();
    let _proxy = start_proxy(nginx, folder.path(), &address, &deployments);
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(&address).is_err() {
        assert!(Instant::now() < deadline, "nginx does not listen");
        std::thread::yield_now();
    }
    let is_over = AtomicBool::new(false);
    let (sent, failures) = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let clients = (0..CLIENTS).map(|_| ask(&address, &is_over));
            let results = actix_web::rt::System::new().block_on(join_all(clients));
            let (sent, failures): (Vec<_>, Vec<_>) = results.into_iter().unzip();
            (sent.into_iter().sum::<usize>(), failures.concat())
        });
        for (deployment, server) in deployments.iter().zip(&mut servers) {
            if let Some(stopped) = server.take() {
                stopped.signal("TERM");
                stopped.finish().exited(0);
            }
            *server = Some(deployment.start());
            // nginx sends nothing to a server for 10 seconds after a refused connection.
            let runtime = actix_web::rt::System::new();
            runtime.block_on(until_used_again(&address, &deployment.url));
        }
        is_over.store(true, Ordering::Relaxed);
        load.join().unwrap()
    });
    assert!(sent > 100, "only {sent} requests");
    assert!(failures.is_empty(), "of {sent}: {failures:?}");
}

/// Waits until nginx sends requests to the server with this URL.
async fn until_used_again(address: &str, url: &str) {
    let metadata = format!("http://{address}/.well-known/oauth-authorization-server");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = http().get(&metadata).send().await.unwrap();
        let answer: serde_json::Value = answer.json().await.unwrap();
        if answer["issuer"] == url {
            return;
        }
        assert!(Instant::now() < deadline, "{url} gets no requests");
    }
}

/// Sends requests until the end. Returns their number, and the statuses that are none of the server;
/// 0 for no answer.
async fn ask(address: &str, is_over: &AtomicBool) -> (usize, Vec<u16>) {
    let url = format!("http://{address}/auth/device/token");
    let form = [
        ("grant_type", GRANT),
        ("client_id", "doorcode-cli"),
        ("device_code", "unknown"),
    ];
    let (client, mut sent, mut failures) = (http(), 0, Vec::new());
    while !is_over.load(Ordering::Relaxed) {
        sent += 1;
        match client.post(&url).form(&form).send().await {
            Ok(answer) if answer.status() == 400 => {}
            Ok(answer) => failures.push(answer.status().as_u16()),
            Err(_) => failures.push(0),
        }
    }
    (sent, failures)
}

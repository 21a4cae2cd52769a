//! The proxy of a system: nginx with the file of `examples/`.

use crate::support::program::{Program, Running};
use std::path::Path;
use std::sync::Mutex;
use tempfile::TempDir;

const NGINX: &str = "/usr/sbin/nginx";

/// The last line of its start. It listens by then.
const READY: &str = "getrlimit(RLIMIT_NOFILE)";

/// Settings of a process that a test starts and ends.
const SETTINGS: &str = "daemon off; master_process off; error_log stderr notice;";

/// Files that nginx keeps in its own folder instead of those of the machine.
const FOLDERS: [&str; 5] = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/// A running nginx.
pub struct Nginx {
    _process: Mutex<Running>,
    _directory: TempDir,
}

impl Nginx {
    /// Starts it with a configuration.
    pub fn start(configuration: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let own: String = FOLDERS
            .iter()
            .map(|name| format!("    {name}_temp_path {}/{name};\n", path.display()))
            .collect();
        let (before, after) = configuration.split_once("\nhttp {\n").unwrap();
        let text = format!("{before}\nhttp {{\n    access_log off;\n{own}{after}");
        let file = path.join("nginx.conf");
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        let folder = path.to_str().unwrap();
        let arguments = ["-p", folder, "-e", "stderr", "-g", SETTINGS, "-c", file];
        let mut process = Program::of_file(Path::new(NGINX), path, &arguments).spawn();
        process.line(READY);
        Self {
            _process: Mutex::new(process),
            _directory: directory,
        }
    }
}

//! Metrics of the process, as Linux shows it in `/proc`, with the names that Prometheus clients
//! share.

use super::state::{counter, gauge};
use crate::web::capacity;
#[cfg(target_os = "linux")]
use app::{Clock as _, SystemClock};
use prometheus_client::registry::Registry;
#[cfg(target_os = "linux")]
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::sync::LazyLock;

/// Ticks in a second of the times in `/proc`: the same on all architectures that Linux has today.
const TICKS: f64 = 100.0;

/// When the process started, in seconds since 1970.
static START: LazyLock<Option<f64>> = LazyLock::new(start);

/// The fields of `/proc/self/stat` from the third on, the state. The second is the name of the
/// program, which may contain spaces.
fn stat() -> Option<Vec<String>> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// A field of `/proc/self/stat`, by its number in proc(5).
fn number(stat: &[String], field: usize) -> Option<f64> {
    stat.get(field - 3)?.parse().ok()
}

/// By the clock that counts from the start of the machine: a service manager may hide the file with
/// the time of that start.
#[cfg(target_os = "linux")]
fn start() -> Option<f64> {
    let started = number(&stat()?, 22)? / TICKS;
    let up = clock_gettime(ClockId::Boottime);
    let up = up.tv_sec as f64 + up.tv_nsec as f64 / 1e9;
    let now = SystemClock.now().timestamp_millis() as f64 / 1e3;
    Some(now - (up - started))
}

#[cfg(not(target_os = "linux"))]
fn start() -> Option<f64> {
    None
}

/// Resident memory in bytes.
fn memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// Number of open files. Linux 6.2 and later tells it as the size of the folder; earlier ones count
/// the entries.
fn open_files() -> Option<f64> {
    let size = fs::metadata("/proc/self/fd").ok()?.len();
    let count = match size {
        0 => fs::read_dir("/proc/self/fd").ok()?.count() as u64,
        size => size,
    };
    Some(count as f64)
}

/// The metrics of this process; none where `/proc` is missing.
pub(super) fn read() -> Registry {
    let mut registry = Registry::with_prefix("process");
    let times = stat();
    let processor = times.and_then(|stat| Some(number(&stat, 14)? + number(&stat, 15)?));
    if let Some(ticks) = processor {
        let help = "Time of the processors that this process used";
        counter(&mut registry, "cpu_seconds", help, ticks / TICKS);
    }
    let limit = match capacity::open_files() {
        u64::MAX => None,
        files => Some(files as f64),
    };
    for (name, help, value) in [
        ("resident_memory_bytes", "Resident memory", memory()),
        ("open_fds", "Open files", open_files()),
        ("max_fds", "Limit of open files", limit),
        (
            "start_time_seconds",
            "Start of this process, in seconds since 1970",
            *START,
        ),
    ] {
        if let Some(value) = value {
            gauge(&mut registry, name, help, value);
        }
    }
    registry
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_is_measured() {
        assert!(memory().unwrap() > 1e6);
        let before = open_files().unwrap();
        let opened: Vec<_> = (0..50)
            .map(|_| fs::File::open("/proc/self/stat").unwrap())
            .collect();
        // Other tests open and close files meanwhile.
        assert!(open_files().unwrap() > before);
        drop(opened);
        assert!(START.unwrap() > 1_600_000_000.0);
    }
}

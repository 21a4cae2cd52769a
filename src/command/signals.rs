//! The signals of a running server. None of those that a process can handle ends it before what it
//! has acknowledged is written.

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A signal to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// From a supervisor: the server serves requests for a while, until proxies send theirs
    /// elsewhere.
    Draining,
    /// From a user at a terminal, or the last one before the system kills the process.
    Now,
}

/// Signals that would end the process and mean nothing to the server, such as for a log file that
/// was rotated.
const WITHOUT_EFFECT: [Number; 7] = [
    Number::USR1,
    Number::USR2,
    Number::ALARM,
    Number::VTALARM,
    Number::PROF,
    Number::IO,
    Number::XFSZ,
];

/// Further such signals of Linux: a stack fault of a coprocessor, the power supply, and those for
/// applications.
const WITHOUT_EFFECT_ON_LINUX: [std::ops::RangeInclusive<i32>; 3] = [16..=16, 30..=30, 34..=64];

/// Handles all signals but the one to reload. Each signal to stop is received.
pub fn handle() -> UnboundedReceiver<Stop> {
    let (sender, receiver) = unbounded_channel();
    for (kind, stop) in [
        (SignalKind::terminate(), Stop::Draining),
        (SignalKind::interrupt(), Stop::Now),
        (SignalKind::quit(), Stop::Now),
        (SignalKind::from_raw(Number::XCPU.as_raw()), Stop::Now),
    ] {
        // Without a handler, the signal keeps its effect.
        if let Ok(signal) = signal(kind) {
            actix_web::rt::spawn(forward(signal, stop, sender.clone()));
        }
    }
    let of_linux = WITHOUT_EFFECT_ON_LINUX.into_iter().flatten();
    let of_linux = of_linux.filter(|_| cfg!(target_os = "linux"));
    for number in WITHOUT_EFFECT
        .map(Number::as_raw)
        .into_iter()
        .chain(of_linux)
    {
        if let Ok(signal) = signal(SignalKind::from_raw(number)) {
            actix_web::rt::spawn(note(signal, number));
        }
    }
    receiver
}

async fn forward(mut signal: Signal, stop: Stop, sender: UnboundedSender<Stop>) {
    while signal.recv().await.is_some() && sender.send(stop).is_ok() {}
}

async fn note(mut signal: Signal, number: i32) {
    while signal.recv().await.is_some() {
        tracing::info!("signal {number} has no effect");
    }
}

/// Waits for the next signal to stop.
pub async fn next(stops: &mut UnboundedReceiver<Stop>) -> Stop {
    match stops.recv().await {
        Some(stop) => stop,
        // Without a signal handler, wait forever.
        None => std::future::pending().await,
    }
}

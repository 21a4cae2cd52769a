//! Export of spans to a collector: OTLP over HTTP, encoded as JSON.
//!
//! No request waits for it. Spans are queued, and sent in batches; while the collector is slow or
//! away, further ones are dropped and counted.

use super::span::{Span, document};
use crate::{Error, outgoing};
use config::Traces;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use url::Url;

/// Spans that may wait to be sent.
const WAITING: usize = 8_192;

/// The most spans in one request to the collector.
const BATCH: usize = 512;

/// How long the first span of a batch waits for others.
const GATHER: Duration = Duration::from_millis(500);

/// How long the stop of the server waits for the last batches.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// Sends spans to a collector.
pub(crate) struct Exporter {
    open: Mutex<Option<(Sender<Span>, JoinHandle<()>)>>,
    collector: Arc<Collector>,
}

struct Collector {
    client: reqwest::Client,
    url: Url,
    sent: AtomicU64,
    dropped: AtomicU64,
    is_failing: AtomicBool,
}

impl Exporter {
    /// Starts to export; `None` if the settings name no collector. Must be called within a runtime.
    pub fn start(settings: &Traces) -> Result<Option<Self>, Error> {
        let Some(url) = settings.export_to.clone() else {
            return Ok(None);
        };
        if !cfg!(feature = "otlp") {
            return Err(Error::Outside(
                "[traces] export_to is set, but this program was built without the feature \
                 `otlp`. Use one that has it, or write off."
                    .to_owned(),
            ));
        }
        let collector = Arc::new(Collector {
            client: outgoing::client()?,
            url,
            sent: AtomicU64::default(),
            dropped: AtomicU64::default(),
            is_failing: AtomicBool::default(),
        });
        let (queue, spans) = mpsc::channel(WAITING);
        let task = tokio::spawn(run(spans, collector.clone()));
        Ok(Some(Self {
            open: Mutex::new(Some((queue, task))),
            collector,
        }))
    }

    /// Queues a span, or drops it.
    pub fn send(&self, span: Span) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = open.as_ref().map(|(queue, _)| queue.try_send(span));
        if !matches!(sent, Some(Ok(()))) {
            self.collector.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Numbers of spans that were sent and that were dropped.
    pub fn counts(&self) -> (u64, u64) {
        let counts = [&self.collector.sent, &self.collector.dropped];
        let [sent, dropped] = counts.map(|count| count.load(Ordering::Relaxed));
        (sent, dropped)
    }

    /// Sends what is queued, and accepts no more.
    pub async fn stop(&self) {
        let open = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.take()
        };
        if let Some((queue, task)) = open {
            drop(queue);
            // A collector that does not answer must not hold up the stop.
            let _ = timeout(STOP_WITHIN, task).await;
        }
    }
}

async fn run(mut spans: Receiver<Span>, collector: Arc<Collector>) {
    let mut batch = Vec::with_capacity(BATCH);
    while spans.recv_many(&mut batch, BATCH).await > 0 {
        if batch.len() < BATCH && !spans.is_closed() {
            sleep(GATHER).await;
        }
        while batch.len() < BATCH
            && let Ok(span) = spans.try_recv()
        {
            batch.push(span);
        }
        collector.deliver(&batch).await;
        batch.clear();
    }
}

impl Collector {
    async fn deliver(&self, batch: &[Span]) {
        let count = batch.len() as u64;
        match self.post(document(batch).to_string()).await {
            Ok(()) => {
                self.sent.fetch_add(count, Ordering::Relaxed);
                self.is_failing.store(false, Ordering::Relaxed);
            }
            Err(error) => {
                self.dropped.fetch_add(count, Ordering::Relaxed);
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "spans are dropped: the collector does not take them");
                }
            }
        }
    }

    async fn post(&self, body: String) -> Result<(), String> {
        let request = self.client.post(self.url.clone());
        let request = request.header("content-type", "application/json");
        let answer = request.body(body).send().await;
        // The path of the address may contain a secret.
        let answer = answer.map_err(|error| error.without_url().to_string())?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(format!("it answered {}", answer.status())),
        }
    }
}

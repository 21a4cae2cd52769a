//! Distributed traces: the place of a request in one (W3C Trace Context, level 1), and their export.

mod export;
mod span;

pub(crate) use export::Exporter;
pub use span::{Answered, Recording};

use std::fmt;
use store::timing::{self, Operation};

/// Length of `traceparent` in version 00.
const LENGTH: usize = 55;

/// The trace of a request, and the operation of the caller that sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Id of the trace.
    pub trace_id: [u8; 16],
    /// Id of the caller's operation.
    pub span_id: [u8; 8],
    /// Whether the caller records the trace.
    pub is_sampled: bool,
}

impl TraceContext {
    /// Reads the header `traceparent`.
    pub fn parse(header: &str) -> Option<Self> {
        let known = header.get(..LENGTH)?;
        let rest = &header[LENGTH..];
        let mut parts = known.split('-');
        let (version, trace_id) = (parts.next()?, parts.next()?);
        let (span_id, flags) = (parts.next()?, parts.next()?);
        let is_legal = match version {
            "00" => rest.is_empty(),
            "ff" => false,
            // A later version may add parts.
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let version: [u8; 1] = digits(version)?;
        let [flags] = digits(flags)?;
        let found = Self {
            trace_id: digits(trace_id)?,
            span_id: digits(span_id)?,
            is_sampled: flags & 1 == 1,
        };
        let is_legal = is_legal && version != [0xff];
        (is_legal && found.trace_id != [0; 16] && found.span_id != [0; 8]).then_some(found)
    }

    /// The id of the trace in hexadecimal.
    pub fn trace_id(&self) -> String {
        hex::encode(self.trace_id)
    }
}

/// Bytes in lowercase hexadecimal.
fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_lowercase = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let mut bytes = [0; N];
    let is_read = is_lowercase && hex::decode_to_slice(text, &mut bytes).is_ok();
    is_read.then_some(bytes)
}

impl fmt::Display for TraceContext {
    /// Writes the header `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace_id, span_id) = (self.trace_id(), hex::encode(self.span_id));
        write!(
            f,
            "00-{trace_id}-{span_id}-{:02x}",
            u8::from(self.is_sampled)
        )
    }
}

tokio::task_local! {
    static CURRENT: Option<TraceContext>;
}

/// Runs the future of a request. The requests that it sends are part of its trace. If it is recorded,
/// returns its operations of the database.
pub async fn within<F: Future>(
    trace: Option<TraceContext>,
    is_recorded: bool,
    work: F,
) -> (F::Output, Vec<Operation>) {
    CURRENT
        .scope(trace, timing::within(is_recorded, work))
        .await
}

/// The trace of the present request; `None` without one and outside of requests.
pub(crate) fn current() -> Option<TraceContext> {
    CURRENT.try_with(|trace| *trace).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn header_is_read_and_written() {
        let read = TraceContext::parse(HEADER).unwrap();
        assert_eq!(read.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(read.is_sampled);
        assert_eq!(read.to_string(), HEADER);
        let unsampled = HEADER.replace("-01", "-02");
        assert!(!TraceContext::parse(&unsampled).unwrap().is_sampled);
        let later = format!("{}-more", HEADER.replacen("00", "cc", 1));
        assert_eq!(TraceContext::parse(&later), Some(read));
    }

    #[test]
    fn header_that_breaks_the_format_is_ignored() {
        for header in [
            "",
            "é",
            &HEADER[1..],
            &HEADER[..LENGTH - 1],
            &format!("{HEADER}-more"),
            &format!("{HEADER}0"),
            &HEADER.replacen("00", "ff", 1),
            &HEADER.replacen("00", "0g", 1),
            &HEADER.replace('a', "A"),
            &HEADER.replace('-', "_"),
            &HEADER.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &HEADER.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &"é".repeat(30),
        ] {
            assert_eq!(TraceContext::parse(header), None, "{header}");
        }
    }
}

//! Sinks for checkpoints and records outside the database: a file to append to, or an address.

use crate::{App, Error, outgoing};
use config::{Audit, Destination};
use domain::audit::hash::Hash;
use domain::secret::Secret;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use store::audit::Shipped;
use url::Url;

/// Kind of the sinks that receive records.
pub(super) const RECORDS: &str = "records";

/// Delivers checkpoints and records to sinks.
pub struct Sink {
    /// HTTP client; `None` if no address is configured.
    client: Option<reqwest::Client>,
    /// Name of this server in leases.
    pub(super) leased_by: String,
}

impl Sink {
    /// Creates the HTTP client, if the settings contain an address.
    pub fn start(audit: &Audit, leased_by: String) -> Result<Self, Error> {
        let destinations = [&audit.checkpoint_to, &audit.ship_to];
        let is_address = |to: &&Option<Destination>| matches!(to, Some(Destination::Url(_)));
        if !destinations.iter().any(is_address) {
            return Ok(Self {
                client: None,
                leased_by,
            });
        }
        Ok(Self {
            client: Some(outgoing::client()?),
            leased_by,
        })
    }

    async fn post(
        &self,
        url: &Url,
        token: Option<&Secret>,
        content_type: &str,
        text: String,
    ) -> Result<(), Error> {
        let Some(client) = &self.client else {
            return Err(outside("no address is configured"));
        };
        let mut request = client
            .post(url.clone())
            .header("content-type", content_type)
            .body(text);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        // The URL's path may contain a secret.
        let answer = request.send().await;
        let answer = answer.map_err(|error| outside(error.without_url()))?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(outside(format!("the address answered {}", answer.status()))),
        }
    }
}

/// Form of the delivered pieces, which are concatenated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Records, one a line.
    Lines,
    /// Signed notes, each followed by a blank line.
    Notes,
}

impl Form {
    fn media_type(self) -> &'static str {
        match self {
            Self::Lines => "application/x-ndjson",
            Self::Notes => "text/plain; charset=utf-8",
        }
    }

    /// Length of the complete pieces in the tail of a file. A crash or a full disk may leave an
    /// incomplete piece after them.
    fn whole(self, tail: &[u8]) -> usize {
        let ends = tail
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, byte)| **byte == b'\n');
        let mut ends = ends.map(|(at, _)| at + 1);
        let found = match self {
            Self::Lines => ends.next(),
            // A note is its text, a blank line and its signatures; another blank line ends it.
            Self::Notes => ends.find(|end| {
                let line = tail[..*end].strip_suffix(b"\n\n").unwrap_or_default();
                let line = line.rsplit(|byte| *byte == b'\n').next();
                line.is_some_and(|line| line.starts_with("— ".as_bytes()))
            }),
        };
        found.unwrap_or(0)
    }

    /// The last complete pieces, newest first: one line, or all notes.
    fn last(self, whole: &str) -> Vec<String> {
        match self {
            Self::Lines => whole
                .lines()
                .last()
                .map(str::to_owned)
                .into_iter()
                .collect(),
            Self::Notes => {
                let parts: Vec<_> = whole.trim_end().rsplit("\n\n").collect();
                let notes = parts.chunks_exact(2);
                notes
                    .map(|note| format!("{}\n\n{}\n", note[1], note[0]))
                    .collect()
            }
        }
    }
}

/// Bytes read from the end of a file to find its last piece. Pieces are far shorter.
const TAIL: u64 = 64 * 1024;

/// End of the complete part of a file.
struct End {
    /// Length of the complete part.
    length: u64,
    /// Its last pieces, newest first.
    last: Vec<String>,
}

/// Finds the end of the complete pieces. Fails for a file in another format, since incomplete
/// data is overwritten.
fn find_end(file: &mut File, form: Form) -> io::Result<End> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = form.whole(&tail);
    if whole == 0 && length > 0 {
        return Err(io::Error::other(
            "the file ends in something else than the audit log; move it away, and a new one is \
             begun",
        ));
    }
    Ok(End {
        length: start + whole as u64,
        last: form.last(&String::from_utf8_lossy(&tail[..whole])),
    })
}

/// The last complete pieces of a file, newest first; empty if the file is missing or empty.
pub(crate) async fn last(path: PathBuf, form: Form) -> Result<Vec<String>, Error> {
    with_file(path, move |path| match File::open(path) {
        Ok(mut file) => find_end(&mut file, form).map(|end| end.last),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    })
    .await
}

/// Appends to the file, or posts to the address. On success the data is stored durably.
pub(crate) async fn deliver(
    app: &App,
    to: &Destination,
    form: Form,
    text: String,
) -> Result<(), Error> {
    match to {
        Destination::File(path) => {
            with_file(path.clone(), move |path| {
                crate::deployment::make_private_directory(path)?;
                let mut file = OpenOptions::new()
                    .read(true)
                    .append(true)
                    .create(true)
                    .mode(0o600)
                    .open(path)?;
                // A command may be writing too.
                file.lock()?;
                let end = find_end(&mut file, form)?;
                file.set_len(end.length)?;
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .await
        }
        Destination::Url(url) => {
            let token = app.webhook_token();
            let media_type = form.media_type();
            app.sink().post(url, token, media_type, text).await
        }
    }
}

/// Name of a sink. A changed destination is a new sink, which receives everything. The name is a
/// digest, since an address may contain a secret.
pub(crate) fn sink_name(kind: &str, to: &str) -> String {
    let digest = Hash::of(&[to.as_bytes()]).to_string();
    format!("{kind}:{}", &digest[..32])
}

/// Progress of a sink.
pub(crate) async fn shipped(app: &App, sink_name: &str) -> Result<Shipped, Error> {
    let sink_name = sink_name.to_owned();
    let shipped = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::audit::find_shipped(conn, &sink_name)?))
        .await?;
    Ok(shipped.unwrap_or_default())
}

/// Stores the progress of a sink.
pub(crate) async fn mark_shipped(
    app: &App,
    sink_name: &str,
    shipped: Shipped,
) -> Result<(), Error> {
    let sink_name = sink_name.to_owned();
    app.store()
        .write(move |conn| {
            Ok::<_, Error>(store::audit::replace_shipped(conn, &sink_name, &shipped)?)
        })
        .await
}

/// Runs file I/O on a blocking thread. Errors name the file.
pub(crate) async fn with_file<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let named = move || work(&path).map_err(|error| of_file(&path, error));
    tokio::task::spawn_blocking(named)
        .await
        .unwrap_or_else(|stopped| Err(outside(stopped)))
}

/// Error about a file.
pub(crate) fn of_file(path: &Path, why: impl std::fmt::Display) -> Error {
    outside(format!("{}: {why}", path.display()))
}

fn outside(error: impl std::fmt::Display) -> Error {
    Error::Outside(error.to_string())
}

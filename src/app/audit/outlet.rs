//! Where checkpoints and records go besides the database: to the end of a file, or to an
//! address.

use crate::app::{App, Error};
use crate::config::{Audit, Destination};
use crate::domain::secret::Secret;
use crate::store;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// How long an address may take.
const WITHIN: Duration = Duration::from_secs(10);

/// What hands out what goes elsewhere.
pub struct Outlet {
    /// What posts to addresses; `None` where none is configured.
    client: Option<reqwest::Client>,
    /// The name of this server, where one alone hands out.
    pub(super) holder: String,
}

impl Outlet {
    /// Prepares to post, if the settings name an address.
    pub fn start(audit: &Audit, holder: String) -> Result<Self, Error> {
        let places = [&audit.checkpoint_to, &audit.ship_to];
        let is_address = |to: &&Option<Destination>| matches!(to, Some(Destination::Url(_)));
        if !places.iter().any(is_address) {
            return Ok(Self {
                client: None,
                holder,
            });
        }
        // Fails where one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(WITHIN)
            .build()
            .map_err(undelivered)?;
        Ok(Self {
            client: Some(client),
            holder,
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
            return Err(undelivered("no address is configured"));
        };
        let mut request = client
            .post(url.clone())
            .header("content-type", content_type)
            .body(text);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        let answer = request.send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        // The address may hold a secret in its path.
        answer
            .map(drop)
            .map_err(|error| undelivered(error.without_url()))
    }
}

/// How much of the end of a file is read to find its last note; notes are far shorter.
const TAIL: u64 = 64 * 1024;

/// The last whole note of a file; `None` if there is no file, or nothing in it.
pub(super) async fn last_note(path: PathBuf) -> Result<Option<String>, Error> {
    blocking(move || {
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut tail = Vec::new();
        BufReader::new(file).read_to_end(&mut tail)?;
        let tail = String::from_utf8_lossy(&tail);
        // A note is its text, a blank line and its signatures; another blank line ends it.
        let pieces: Vec<_> = tail.trim_end().split("\n\n").collect();
        Ok(match &pieces[..] {
            [.., text, signatures] => Some(format!("{text}\n\n{signatures}\n")),
            _ => None,
        })
    })
    .await
}

/// Whether there is nothing in a file yet.
pub(super) async fn is_empty(path: PathBuf) -> Result<bool, Error> {
    blocking(move || match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() == 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    })
    .await
}

/// Takes away the beginning of a line at the end of a file, which a server that died has left.
fn cut_torn_line(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut end = length;
    let mut piece = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(piece.len() as u64);
        let piece = &mut piece[..usize::try_from(end - start).unwrap_or_default()];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    match end < length {
        true => file.set_len(end),
        false => Ok(()),
    }
}

/// Appends to the file, or posts to the address. What was taken is there to stay.
pub(super) async fn deliver(
    app: &App,
    to: &Destination,
    content_type: &'static str,
    text: String,
) -> Result<(), Error> {
    match to {
        Destination::File(path) => {
            let path = path.clone();
            blocking(move || {
                crate::app::deployment::make_private_directory(&path)?;
                let mut file = OpenOptions::new()
                    .read(true)
                    .append(true)
                    .create(true)
                    .mode(0o600)
                    .open(path)?;
                cut_torn_line(&mut file)?;
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .await
        }
        Destination::Url(url) => {
            let token = app.webhook_token();
            app.outlet().post(url, token, content_type, text).await
        }
    }
}

/// How far an address has got what goes to it under this name.
pub(super) async fn shipped(app: &App, place: &'static str) -> Result<u64, Error> {
    let shipped = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::audit::find_shipped(conn, place)?))
        .await?;
    Ok(shipped.unwrap_or(0))
}

/// Remembers how far.
pub(super) async fn mark_shipped(
    app: &App,
    place: &'static str,
    sequence: u64,
) -> Result<(), Error> {
    app.store()
        .write(move |conn| Ok::<_, Error>(store::audit::replace_shipped(conn, place, sequence)?))
        .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(undelivered),
        Err(stopped) => Err(undelivered(stopped)),
    }
}

fn undelivered(error: impl std::fmt::Display) -> Error {
    Error::Undelivered(error.to_string())
}

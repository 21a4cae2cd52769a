//! The logo of the pages.

use super::StaticFile;
use std::fmt;
use std::path::PathBuf;

/// Bytes; more would slow down each first page.
const MOST_BYTES: usize = 256 * 1024;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// An image. `Display` writes its path.
#[derive(Debug, Clone)]
pub struct Logo {
    path: PathBuf,
    /// The image itself.
    pub file: StaticFile,
}

impl Logo {
    /// Reads the file with this path.
    pub(super) fn read(path: &str) -> Result<Self, String> {
        let path = PathBuf::from(path);
        let content = std::fs::read(&path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        if content.len() > MOST_BYTES {
            return Err(format!("{} is larger than 256 KiB", path.display()));
        }
        let is_svg = std::str::from_utf8(&content).is_ok_and(|text| text.contains("<svg"));
        let file = match content.starts_with(PNG) {
            true => StaticFile::new("image/png", "png", content),
            false if is_svg => StaticFile::new("image/svg+xml; charset=utf-8", "svg", content),
            false => {
                let path = path.display();
                return Err(format!("{path} is neither a PNG nor an SVG image"));
            }
        };
        Ok(Self { path, file })
    }
}

impl fmt::Display for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_images_are_logos() {
        let folder = tempfile::tempdir().unwrap();
        let read = |content: &[u8]| {
            let path = folder.path().join("logo");
            std::fs::write(&path, content).unwrap();
            Logo::read(path.to_str().unwrap()).map(|logo| logo.file.media_type)
        };
        assert_eq!(read(PNG), Ok("image/png"));
        assert_eq!(
            read(b"<?xml version=\"1.0\"?><svg/>"),
            Ok("image/svg+xml; charset=utf-8")
        );
        for bad in [&b"GIF89a"[..], b"", &[PNG, &vec![0; MOST_BYTES]].concat()] {
            assert!(read(bad).is_err());
        }
        assert!(
            Logo::read("/nowhere")
                .unwrap_err()
                .starts_with("/nowhere cannot be read")
        );
    }
}

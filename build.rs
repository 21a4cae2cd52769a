//! Compresses the OpenAPI description, which the program carries.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::error::Error;
use std::io::Write;
use std::path::Path;

const DESCRIPTION: &str = "docs/reference/openapi.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DESCRIPTION}");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&std::fs::read(DESCRIPTION)?)?;
    let output = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&output).join("openapi.json.gz"), gzip.finish()?)?;
    Ok(())
}

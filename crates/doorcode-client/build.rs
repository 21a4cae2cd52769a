//! Gives the program the names of a company: `DOORCODE_BRANDING` names a `branding.toml`, else the
//! file beside `Cargo.toml` is used, if there is one.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const VARIABLE: &str = "DOORCODE_BRANDING";

fn main() -> Result<(), Box<dyn Error>> {
    let beside = Path::new("branding.toml");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let named = env::var_os(VARIABLE).filter(|path| !path.is_empty());
    let path = named.map(PathBuf::from);
    // A build script does not run in the folder of the user.
    if path.as_deref().is_some_and(Path::is_relative) {
        return Err(format!("{VARIABLE}: write an absolute path").into());
    }
    let path = path.or_else(|| beside.exists().then(|| beside.to_owned()));
    let text = match &path {
        None => {
            // Without a file, its appearance starts another build.
            println!("cargo::rerun-if-changed=.");
            String::new()
        }
        Some(path) => {
            println!("cargo::rerun-if-changed={}", path.display());
            fs::read_to_string(path)
                .map_err(|cause| format!("{VARIABLE}: {}: {cause}", path.display()))?
        }
    };
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&out).join("branding.toml"), text)?;
    Ok(())
}

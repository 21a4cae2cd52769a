//! Lists the migrations, which the program carries.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../migrations");
    let folder = folder.canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let names = std::fs::read_dir(&folder)?.map(|entry| Ok(entry?.file_name()));
    let mut names = names.collect::<Result<Vec<_>, std::io::Error>>()?;
    names.sort();
    let mut list = "[\n".to_owned();
    for name in names {
        let name = name
            .to_str()
            .ok_or("the name of a migration is not UTF-8")?;
        let (version, _) = name.split_once('_').ok_or("a migration has no name")?;
        let version = version.replace('-', "");
        let sql = folder.join(name).join("up.sql");
        writeln!(list, "({version:?}, include_str!({sql:?})),")?;
    }
    let output = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&output).join("migrations.rs"), list + "]")?;
    Ok(())
}

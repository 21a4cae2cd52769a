//! The keyring on systems other than Linux: there is none.

/// Fails.
pub fn store(_: &str, _: &[u8]) -> Result<(), String> {
    Err("only Linux has one".to_owned())
}

/// There is nothing in it.
pub fn read(_: &str) -> Result<Option<Vec<u8>>, String> {
    Ok(None)
}

/// Does nothing.
pub fn remove(_: &str) -> Result<(), String> {
    Ok(())
}

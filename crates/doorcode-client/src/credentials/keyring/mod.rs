//! The keyring of the kernel, which keeps tokens out of every file. It is in memory, so a restart
//! of the machine empties it.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(not(target_os = "linux"))]
use other as platform;

use domain::secret::Secret;

/// Number of digits of a digest in the name of a key.
const DIGITS: usize = 16;

/// The name of the key of a token: its program, and a part of its digest, so that it is unique
/// and reveals nothing.
pub fn name(program: &str, token: &Secret) -> String {
    let digest = token.digest();
    format!("{program}:{}", &digest.as_str()[..DIGITS])
}

/// Fails with a reason if the keyring cannot store a token and return it. Leaves nothing there.
pub fn check(program: &str) -> Result<(), String> {
    let probe = Secret::new(format!("probe {}", std::process::id()));
    let name = name(program, &probe);
    store(&name, &probe)?;
    let read = read(&name)?;
    remove(&name)?;
    match read {
        Some(read) if read.expose() == probe.expose() => Ok(()),
        _ => Err("it does not return what was stored".to_owned()),
    }
}

/// Stores a token under this name, for all processes of the user.
pub fn store(name: &str, token: &Secret) -> Result<(), String> {
    platform::store(name, token.expose().as_bytes())
}

/// The token with this name; `None` if there is none.
pub fn read(name: &str) -> Result<Option<Secret>, String> {
    let Some(bytes) = platform::read(name)? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).map_err(|_| "its key is not a token".to_owned())?;
    Ok(Some(Secret::new(text)))
}

/// Removes the token with this name, if there is one.
pub fn remove(name: &str) -> Result<(), String> {
    platform::remove(name)
}

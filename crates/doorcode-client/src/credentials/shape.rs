//! The members of a profile in the credentials file.

use serde_json::{Map, Value};

use crate::host::Host;

/// The members of an object.
pub type Members = Map<String, Value>;

/// The members of an entry, which move together.
pub const ENTRY: [&str; 4] = ["token", "keyring_key", "default_project", "origin"];

/// A member that has the wrong type; the text states which.
pub struct Misshapen(pub String);

/// A text among the members; `None` if it is missing or null.
pub fn text(members: &Members, name: &str) -> Result<Option<String>, Misshapen> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Misshapen(format!("\"{name}\" is not a string"))),
    }
}

/// An object among the members.
pub fn object<'a>(members: &'a Members, name: &str) -> Result<Option<&'a Members>, Misshapen> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(Misshapen(format!("\"{name}\" is not an object"))),
    }
}

/// An object among the members, created if it is missing. A member of another type is refused,
/// not replaced.
pub fn object_mut<'a>(members: &'a mut Members, name: &str) -> Result<&'a mut Members, Misshapen> {
    match members.entry(name).or_insert_with(|| Map::new().into()) {
        Value::Object(object) => Ok(object),
        _ => Err(Misshapen(format!("\"{name}\" is not an object"))),
    }
}

/// The current server of a profile. A token without a server counts for the default one.
pub fn current_host(members: &Members, default: &str) -> Result<Option<String>, Misshapen> {
    let has_token = members.get("token").is_some_and(|token| !token.is_null());
    let assumed = has_token.then(|| default.to_owned());
    Ok(text(members, "host")?.or(assumed))
}

/// The servers of a profile, the current one first.
pub fn hosts(members: &Members, default: &str) -> Result<Vec<String>, Misshapen> {
    let others = object(members, "hosts")?.map(|hosts| hosts.keys().cloned());
    let current = current_host(members, default)?;
    Ok(current
        .into_iter()
        .chain(others.into_iter().flatten())
        .collect())
}

/// The members of the entry for a server.
pub fn entry<'a>(
    members: &'a Members,
    host: &Host,
    default: &str,
) -> Result<Option<&'a Members>, Misshapen> {
    if let Some(hosts) = object(members, "hosts")?
        && let Some(own) = key(hosts, host)
    {
        return object(hosts, &own);
    }
    Ok(is_current(members, host, default)?.then_some(members))
}

/// Changes the entry for a server. An entry that becomes empty below `hosts` is removed.
pub fn change_entry(
    members: &mut Members,
    (host, default): (&Host, &str),
    change: impl FnOnce(&mut Members),
) -> Result<(), Misshapen> {
    let has_own_key = object(members, "hosts")?.is_some_and(|hosts| key(hosts, host).is_some());
    if !has_own_key && is_current(members, host, default)? {
        change(members);
        if ENTRY.iter().any(|name| members.contains_key(*name)) {
            members.insert("host".to_owned(), host.to_string().into());
        }
        return Ok(());
    }
    let hosts = object_mut(members, "hosts")?;
    let own = key(hosts, host).unwrap_or_else(|| host.to_string());
    change(object_mut(hosts, &own)?);
    prune_hosts(members);
    Ok(())
}

/// Makes a server the current one: the entry of the previous one moves below `hosts`.
pub fn make_current(members: &mut Members, host: &Host, default: &str) -> Result<(), Misshapen> {
    let previous = current_host(members, default)?.filter(|own| !is_same(own, host));
    if let Some(previous) = previous {
        let mut entry = Members::new();
        for name in ENTRY {
            entry.extend(members.remove(name).map(|value| (name.to_owned(), value)));
        }
        object_mut(members, "hosts")?.insert(previous, entry.into());
    }
    let hosts = object_mut(members, "hosts")?;
    let stored = key(hosts, host).and_then(|own| hosts.remove(&own));
    if let Some(Value::Object(entry)) = stored {
        members.extend(entry);
    }
    prune_hosts(members);
    members.insert("host".to_owned(), host.to_string().into());
    Ok(())
}

/// Whether the entry of the profile itself is for this server. Without any server it is for all.
fn is_current(members: &Members, host: &Host, default: &str) -> Result<bool, Misshapen> {
    Ok(current_host(members, default)?.is_none_or(|own| is_same(&own, host)))
}

/// The key of a server below `hosts`.
fn key(hosts: &Members, host: &Host) -> Option<String> {
    hosts.keys().find(|own| is_same(own, host)).cloned()
}

fn is_same(own: &str, host: &Host) -> bool {
    Host::parse(own).as_ref() == Ok(host)
}

fn prune_hosts(members: &mut Members) {
    if let Some(Value::Object(hosts)) = members.get_mut("hosts") {
        hosts.retain(|_, entry| entry.as_object().is_none_or(|entry| !entry.is_empty()));
        if hosts.is_empty() {
            members.remove("hosts");
        }
    }
}

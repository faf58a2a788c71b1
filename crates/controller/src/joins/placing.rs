//! What a host that joins is called, and where: checked, and free.

use super::{JoinError, JoiningHost};
use crate::{Controller, keys};
use pierhead_model::{AgentKeys, Capacity, Duty, Engine, EngineId, OverCommit, Timestamp, Username, is_label};
use pierhead_store::{Revision, StoreJson};
use std::net::{IpAddr, Ipv6Addr};

/// The most labels of a host.
pub(super) const MOST_LABELS: usize = 256;

/// A record in the making.
pub(super) struct Place {
    pub engine: Engine,
    /// The record of the revoked host that it takes the place of, as it was read.
    pub replaces: Option<Revision>,
}

/// Finds a place for a host. A revoked one gets back its own.
pub(super) async fn place(
    controller: &Controller,
    host: &JoiningHost,
    by: &Username,
    now: Timestamp,
) -> Result<Place, JoinError> {
    let addr = address(&host.address)?;
    if host.labels.len() > MOST_LABELS {
        return Err(JoinError::Invalid(format!("--label can be given at most {MOST_LABELS} times")));
    }
    if let Some(bad) = host.labels.iter().find(|label| !is_label(label)) {
        let form = "must be 1 to 128 printable characters without space, comma, '|' and '!'";
        return Err(JoinError::Invalid(format!("--label {:?} {form}", bad.chars().take(128).collect::<String>())));
    }
    let candidates = match &host.id {
        Some(id) => vec![EngineId::parse(id).map_err(|invalid| JoinError::Invalid(format!("--id: {invalid}")))?],
        None => names(host),
    };
    for id in &candidates {
        let Some((found, revision)) = controller.store.get_json::<Engine>(&keys::engine(id)).await? else {
            return Ok(Place { engine: fresh(id.clone(), addr, host, by, now), replaces: None });
        };
        // One whose certificates have all expired is shut out as well.
        let is_over = |keys: &AgentKeys| keys.certificates.iter().all(|certificate| certificate.expires_at <= now);
        let is_revoked = found.agent.as_ref().is_some_and(is_over);
        if is_revoked && (host.id.is_some() || found.addr == addr) {
            let mut labels = found.labels.clone();
            labels.extend(host.labels.iter().cloned());
            return Ok(Place { engine: Engine { addr, labels, ..found }, replaces: Some(revision) });
        }
    }
    let tried = candidates.first().map(EngineId::to_string).unwrap_or_default();
    Err(JoinError::Invalid(format!(
        "there is a host {tried} in the pool already; give another name with --id, or remove that one first \
         (pierhead engine rm {tried}; or 'pierhead engine revoke {tried}' if this is the same host)"
    )))
}

/// What it may be called where nobody says: its own name, or the digits of its address; with a number if that is taken.
fn names(host: &JoiningHost) -> Vec<EngineId> {
    let own = host.name.as_deref().filter(|name| *name != "localhost").and_then(|name| EngineId::parse(name).ok());
    let Some(first) = own.or_else(|| EngineId::from_address(&host.address).ok()) else { return Vec::new() };
    let numbered = (2..1_000).filter_map(|number| EngineId::parse(format!("{first}-{number}")).ok());
    std::iter::once(first.clone()).chain(numbered).collect()
}

pub(super) fn address(text: &str) -> Result<String, JoinError> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => return Ok(format!("agent://{}", v6(ip))),
        Ok(IpAddr::V4(ip)) => return Ok(format!("agent://{ip}")),
        Err(_) => {}
    }
    let is_name = !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    match is_name {
        true => Ok(format!("agent://{text}")),
        false => Err(JoinError::Invalid("--address must be an address or a name such as 10.0.0.5".to_owned())),
    }
}

/// An IPv4 address stays one where a socket of both kinds took the call.
fn v6(ip: Ipv6Addr) -> String {
    ip.to_ipv4_mapped().map_or_else(|| format!("[{ip}]"), |ip| ip.to_string())
}

fn fresh(id: EngineId, addr: String, host: &JoiningHost, by: &Username, now: Timestamp) -> Engine {
    Engine {
        id,
        addr,
        labels: host.labels.iter().cloned().collect(),
        capacity: Capacity::default(),
        over_commit: OverCommit::default(),
        duty: Duty::default(),
        given_up: false,
        registered: None,
        sealed_tls: None,
        sealed_registry_auth: None,
        agent: None,
        added_at: now,
        added_by: by.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        for (text, expected) in [
            ("10.0.0.5", "agent://10.0.0.5"),
            ("::ffff:10.0.0.5", "agent://10.0.0.5"),
            ("fd00::5", "agent://[fd00::5]"),
            ("[fd00::5]", "agent://[fd00::5]"),
            ("docker-3.lan", "agent://docker-3.lan"),
        ] {
            assert_eq!(address(text).unwrap(), expected);
        }
        for bad in ["", "a b", "10.0.0.5:80", "http://x", "a/b", &"x".repeat(300)] {
            assert!(matches!(address(bad), Err(JoinError::Invalid(words)) if words.contains("--address")), "{bad}");
        }
    }

    #[test]
    fn a_host_is_called_by_its_name_or_its_address() {
        let host = |name: Option<&str>| JoiningHost {
            name: name.map(str::to_owned),
            address: "10.0.0.5".to_owned(),
            ..JoiningHost::default()
        };
        for (name, expected) in [
            (Some("docker-3"), ["docker-3", "docker-3-2"]),
            (Some("localhost"), ["10005", "10005-2"]),
            (Some("a b"), ["10005", "10005-2"]),
            (None, ["10005", "10005-2"]),
        ] {
            let names = names(&host(name));
            assert_eq!([names[0].as_str(), names[1].as_str()], expected);
        }
    }
}

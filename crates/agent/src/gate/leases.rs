//! What of a request has to do with the host's lease: the lease itself, and the start of what needs one.

use crate::allow::Allowed;
use crate::lease::{LeaseGrant, Leases, Stamp, Taken};
use crate::refusal::Refusal;

/// What makes a container run.
const STARTS: [&str; 3] = ["/containers/{id}/start", "/containers/{id}/restart", "/containers/{id}/unpause"];

/// The leases of a host that takes any.
pub(super) fn of(leases: Option<&Leases>) -> Result<&Leases, Refusal> {
    leases.ok_or_else(|| Refusal::not_allowed("this host takes no leases"))
}

/// A stamp of the host's clock, for a lease; none from an agent that ends.
pub(super) fn stamp(leases: Option<&Leases>) -> Result<Stamp, Refusal> {
    let leases = of(leases)?;
    leases.check_goes_on().map(|()| leases.stamp())
}

/// Takes a lease.
pub(super) async fn take(leases: Option<&Leases>, json: &[u8]) -> Result<Taken, Refusal> {
    let leases = of(leases)?;
    let grant: LeaseGrant = serde_json::from_slice(json)
        .map_err(|_| Refusal::malformed("a lease must be JSON with boot, at_ms and lasts_ms"))?;
    Ok(Taken { left_ms: leases.take(&grant).await? })
}

/// Refuses to start without a lease what needs one.
pub(super) async fn check(leases: Option<&Leases>, allowed: &Allowed) -> Result<(), Refusal> {
    let Some(leases) = leases.filter(|_| STARTS.contains(&allowed.rule.path)) else { return Ok(()) };
    leases.admit(subject(&allowed.target)).await
}

/// Takes note of what is made.
pub(super) fn check_new(leases: Option<&Leases>, json: &[u8]) {
    if let Some(leases) = leases {
        leases.note_description(json);
    }
}

/// The container that a path is about, with or without the version of the API before it.
fn subject(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    path.rsplit('/').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allow::decide;
    use hyper::{HeaderMap, Method};

    #[test]
    fn every_way_to_make_a_container_run_names_it() {
        for (target, id) in [
            ("/containers/ab12/start", "ab12"),
            ("/v1.41/containers/ab12/start", "ab12"),
            ("/v1.41/containers/web.0.1/restart?t=10", "web.0.1"),
            ("/containers/ab12/unpause", "ab12"),
        ] {
            let allowed = decide(&Method::POST, &target.parse().unwrap(), &HeaderMap::new()).unwrap();
            assert!(STARTS.contains(&allowed.rule.path), "{target}");
            assert_eq!(subject(&allowed.target), id, "{target}");
        }
    }
}

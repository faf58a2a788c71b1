//! What the owner of a host forbids beyond the list, whoever asks: settled on the host, where no controller can change it.

use crate::allow::{Access, Allowed};
use crate::engine::EngineSocket;
use crate::refusal::Refusal;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The label of what Pierhead makes.
const OURS: &str = "pierhead.cluster";
/// What lets somebody in a container run or say something.
const TALKS: [&str; 3] = ["/containers/{id}/attach", "/containers/{id}/exec", "/exec/{id}/start"];
/// The longest description of a container that is read, in bytes.
const LONGEST: usize = 4 << 20;

/// Something that a host's owner can forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forbid {
    /// Containers in the host's own network, or in that of another container.
    HostNetwork,
    /// Containers that see directories of the host.
    HostPaths,
    /// Terminals and programs that somebody starts or attaches to in containers.
    Terminals,
    /// Whatever is done to containers that Pierhead did not make, or read out of them; they are listed.
    OtherContainers,
    /// Workspaces, with the firewall that keeps them apart.
    Workspaces,
}

/// A word that is none of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' must be one of: host-network, host-paths, other-containers, terminals, workspaces")]
pub struct UnknownForbid(String);

impl FromStr for Forbid {
    type Err = UnknownForbid;

    fn from_str(word: &str) -> Result<Self, UnknownForbid> {
        match word {
            "host-network" => Ok(Self::HostNetwork),
            "host-paths" => Ok(Self::HostPaths),
            "other-containers" => Ok(Self::OtherContainers),
            "terminals" => Ok(Self::Terminals),
            "workspaces" => Ok(Self::Workspaces),
            other => Err(UnknownForbid(other.to_owned())),
        }
    }
}

impl fmt::Display for Forbid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostNetwork => "host-network",
            Self::HostPaths => "host-paths",
            Self::OtherContainers => "other-containers",
            Self::Terminals => "terminals",
            Self::Workspaces => "workspaces",
        })
    }
}

/// Refuses what is forbidden of a request that is on the list.
pub(crate) async fn check(
    forbidden: &BTreeSet<Forbid>,
    allowed: &Allowed,
    engine: &EngineSocket,
) -> Result<(), Refusal> {
    if forbidden.contains(&Forbid::Terminals) && TALKS.contains(&allowed.rule.path) {
        return Err(refused(Forbid::Terminals));
    }
    match container(allowed) {
        Some(id) => check_container(forbidden, &id, engine).await,
        None => Ok(()),
    }
}

/// Refuses to do something to a container that Pierhead did not make, where that is forbidden.
pub(crate) async fn check_container(
    forbidden: &BTreeSet<Forbid>,
    id: &str,
    engine: &EngineSocket,
) -> Result<(), Refusal> {
    if !forbidden.contains(&Forbid::OtherContainers) {
        return Ok(());
    }
    // An engine that knows nothing of it answers the request itself.
    match labels(engine, id).await? {
        Some(labels) if labels.get(OURS).is_none() => Err(refused(Forbid::OtherContainers)),
        _ => Ok(()),
    }
}

/// Refuses what is forbidden in the description of a container to make, which was checked and written anew.
pub(crate) fn check_new(forbidden: &BTreeSet<Forbid>, path: &str, json: &[u8]) -> Result<(), Refusal> {
    if forbidden.is_empty() || path != "/containers/create" {
        return Ok(());
    }
    let described: Value = serde_json::from_slice(json).unwrap_or_default();
    let host = &described["HostConfig"];
    let network = host["NetworkMode"].as_str().unwrap_or_default();
    if forbidden.contains(&Forbid::HostNetwork) && (network == "host" || network.starts_with("container:")) {
        return Err(refused(Forbid::HostNetwork));
    }
    // A volume has a name, a directory begins with a slash.
    let is_path =
        |bind: &Value| !bind.as_str().is_some_and(|bind| bind.starts_with(|c: char| c.is_ascii_alphanumeric()));
    if forbidden.contains(&Forbid::HostPaths) && host["Binds"].as_array().is_some_and(|all| all.iter().any(is_path)) {
        return Err(refused(Forbid::HostPaths));
    }
    Ok(())
}

/// The container that a request is about, where it does something to it or reads out of it.
pub(crate) fn container(allowed: &Allowed) -> Option<Cow<'_, str>> {
    let (path, query) = allowed.target.split_once('?').unwrap_or((&allowed.target, ""));
    if allowed.rule.path == "/commit" {
        // An image of a container has all of its files.
        let named = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "container");
        return named.map(|(_, id)| id);
    }
    let rest = allowed.rule.path.strip_prefix("/containers/{id}")?;
    let harmless = ["/json", "/stats", "/wait"].contains(&rest) && allowed.rule.access == Access::Read;
    let (_, after) = path.split_once("/containers/")?;
    after.split('/').next().filter(|_| !harmless).map(Cow::Borrowed)
}

/// The labels of a container; nothing if there is none.
pub(crate) async fn labels(engine: &EngineSocket, id: &str) -> Result<Option<Value>, Refusal> {
    let away = |why: String| Refusal::new(StatusCode::BAD_GATEWAY, "engine_away", why);
    let request = Request::get(format!("/containers/{id}/json")).body(Empty::<Bytes>::new());
    let answer = engine.send(request.unwrap_or_default()).await.map_err(|error| away(error.to_string()))?;
    match answer.response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        status => return Err(away(format!("the engine does not describe the container (status {status})"))),
    }
    let body = Limited::new(answer.response.into_body(), LONGEST).collect().await;
    let body = body.map_err(|_| away("the engine's description of the container broke off".to_owned()))?.to_bytes();
    let mut described: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Some(described["Config"]["Labels"].take()))
}

/// The refusal of what is forbidden.
pub(crate) fn refused(what: Forbid) -> Refusal {
    let which = match what {
        Forbid::HostNetwork => "containers in the host's network",
        Forbid::HostPaths => "containers that see directories of the host",
        Forbid::OtherContainers => "to touch a container that was not made by Pierhead",
        Forbid::Terminals => "terminals in its containers",
        Forbid::Workspaces => "workspaces",
    };
    let message = format!("the owner of this host forbids {which} (--forbid {what})");
    Refusal::new(StatusCode::FORBIDDEN, "forbidden_here", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allow::decide;
    use hyper::{HeaderMap, Method};

    fn allowed(method: &str, target: &str) -> Allowed {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        decide(&method, &target.parse().unwrap(), &HeaderMap::new()).unwrap()
    }

    #[test]
    fn words_are_what_they_are_shown_as() {
        let all =
            [Forbid::HostNetwork, Forbid::HostPaths, Forbid::OtherContainers, Forbid::Terminals, Forbid::Workspaces];
        for forbid in all {
            assert_eq!(forbid.to_string().parse(), Ok(forbid));
        }
        assert!("host".parse::<Forbid>().unwrap_err().to_string().contains("host-network, host-paths"));
    }

    #[test]
    fn what_is_forbidden_in_a_new_container_is_refused() {
        let check = |forbid: &[Forbid], config: &str| {
            let json = format!("{{\"Image\":\"a\",\"HostConfig\":{config}}}");
            let forbidden = forbid.iter().copied().collect();
            check_new(&forbidden, "/containers/create", json.as_bytes()).map_err(|refusal| refusal.code)
        };
        let (network, paths) = (Forbid::HostNetwork, Forbid::HostPaths);
        for (forbid, config, is_good) in [
            (network, r#"{"NetworkMode":"host"}"#, false),
            (network, r#"{"NetworkMode":"container:x"}"#, false),
            (network, r#"{"NetworkMode":"bridge","Binds":["/srv:/srv"]}"#, true),
            (paths, r#"{"NetworkMode":"host","Binds":["data:/srv:ro"]}"#, true),
            (paths, r#"{"Binds":["data:/srv","/srv:/srv:ro"]}"#, false),
            (paths, r#"{"Binds":["./srv:/srv"]}"#, false),
            (Forbid::OtherContainers, r#"{"NetworkMode":"host","Binds":["/:/x"]}"#, true),
        ] {
            let expected = if is_good { Ok(()) } else { Err("forbidden_here") };
            assert_eq!(check(&[forbid], config), expected, "{forbid} {config}");
            assert_eq!(check(&[], config), Ok(()));
        }
        assert_eq!(check(&[network, paths], "null"), Ok(()));
    }

    #[test]
    fn what_touches_a_container_is_known_by_it() {
        for (method, target, expected) in [
            ("POST", "/v1.41/containers/web.0.1/start", Some("web.0.1")),
            ("DELETE", "/containers/abc?force=true", Some("abc")),
            ("GET", "/containers/abc/logs?stdout=1", Some("abc")),
            ("GET", "/containers/abc/archive?path=/etc", Some("abc")),
            ("GET", "/containers/abc/changes", Some("abc")),
            ("POST", "/containers/abc/exec", Some("abc")),
            ("GET", "/containers/abc/json", None),
            ("GET", "/containers/abc/stats?stream=0", None),
            ("POST", "/containers/abc/wait", None),
            ("POST", "/v1.41/commit?container=abc&repo=pierhead%2Fsave&tag=1&pause=true", Some("abc")),
            ("POST", "/commit?repo=pierhead%2Fsave&container=web.0.1", Some("web.0.1")),
            ("POST", "/commit?repo=pierhead%2Fsave", None),
            ("POST", "/containers/create", None),
            ("GET", "/containers/json", None),
            ("GET", "/images/containers/abc/json", None),
        ] {
            assert_eq!(container(&allowed(method, target)).as_deref(), expected, "{method} {target}");
        }
    }
}

//! The way to what listens in a container of a workspace: at the container's own address, which its engine tells at that
//! moment. No address ever comes out of a request.
//!
//! An address may be given to another container at any time. So the engine is asked again once a connection stands: if
//! the same container runs under the same process and has the same addresses, it had them all the while.

mod listening;

pub use listening::ListeningPort;
use listening::listening;

use crate::engine::EngineSocket;
use crate::refusal::Refusal;
use crate::terminals::is_container;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

/// The label of what belongs to a workspace: its id.
const WORKSPACE: &str = "pierhead.workspace";
/// The label of what belongs to a slot of an app: its id. An app's image may bear the other one.
const APP: &str = "pierhead.app-id";
/// The longest description of a container that is read, in bytes.
const LONGEST: usize = 4 << 20;
/// How long a container may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the engine may take to describe a container.
const DESCRIBE: Duration = Duration::from_secs(5);

/// A container of a workspace, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inside {
    /// What its label must say.
    pub(crate) workspace: String,
    /// Its id, 64 digits.
    pub(crate) container: String,
}

/// A container that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    /// The number of its first process on the host.
    pub(crate) pid: u32,
    /// The user that its programs run as, as it was made; empty for root.
    pub(crate) user: String,
    addresses: Vec<IpAddr>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    id: String,
    state: State,
    config: Config,
    network_settings: Networks,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    running: bool,
    #[serde(default)]
    paused: bool,
    pid: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    user: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Networks {
    #[serde(default)]
    networks: Option<BTreeMap<String, Joined>>,
}

#[derive(Debug, Deserialize)]
struct Joined {
    #[serde(rename = "IPAddress", default)]
    v4: String,
    #[serde(rename = "GlobalIPv6Address", default)]
    v6: String,
}

impl Inside {
    /// Names a container of a workspace.
    pub(crate) fn parse(workspace: &str, container: &str) -> Result<Self, Refusal> {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if workspace.is_empty() || workspace.len() > 64 || !workspace.bytes().all(is_name) {
            return Err(Refusal::malformed("workspace must be 1 to 64 small letters and digits"));
        }
        if !is_container(container) {
            return Err(Refusal::malformed("container must be the id of one: 64 hexadecimal digits"));
        }
        Ok(Self { workspace: workspace.to_owned(), container: container.to_owned() })
    }

    /// A connection to a port of the container.
    pub(crate) async fn dial(&self, engine: &EngineSocket, port: u16) -> Result<TcpStream, Refusal> {
        let before = self.running(engine).await?;
        if before.addresses.is_empty() {
            let message = "the container has no address of its own";
            return Err(Refusal::new(StatusCode::CONFLICT, "no_address", message));
        }
        let stream = match connect(&before.addresses, port).await {
            Ok(stream) => stream,
            Err(error) => return Err(why_not(&error, before.pid, port).await),
        };
        if self.running(engine).await? != before {
            return Err(changed());
        }
        // Both only make it quicker to see what happens.
        let _slow = stream.set_nodelay(true);
        let _unseen = rustix::net::sockopt::set_socket_keepalive(&stream, true);
        Ok(stream)
    }

    /// The ports on which something listens in the container.
    pub(crate) async fn listening(&self, engine: &EngineSocket) -> Result<Vec<ListeningPort>, Refusal> {
        let before = self.running(engine).await?;
        let ports = listening(before.pid).await.map_err(|error| {
            Refusal::new(
                StatusCode::BAD_GATEWAY,
                "not_readable",
                format!("the container's ports cannot be read: {error}"),
            )
        })?;
        // Its process may have ended, and another have got the number.
        if self.running(engine).await? != before {
            return Err(changed());
        }
        Ok(ports)
    }

    /// The container as its engine describes it at this moment, if it runs and is of that workspace.
    pub(crate) async fn running(&self, engine: &EngineSocket) -> Result<Running, Refusal> {
        let late =
            |_| Refusal::new(StatusCode::GATEWAY_TIMEOUT, "engine_away", "the engine does not describe the container");
        let json = tokio::time::timeout(DESCRIBE, self.describe(engine)).await.map_err(late)??;
        let away = |_| {
            Refusal::new(StatusCode::BAD_GATEWAY, "engine_away", "the engine describes the container in no known way")
        };
        self.checked(serde_json::from_slice(&json).map_err(away)?)
    }

    async fn describe(&self, engine: &EngineSocket) -> Result<Bytes, Refusal> {
        let away = |why: String| Refusal::new(StatusCode::BAD_GATEWAY, "engine_away", why);
        let request = Request::get(format!("/containers/{}/json", self.container)).body(Empty::<Bytes>::new());
        let answer = engine.send(request.unwrap_or_default()).await.map_err(|error| away(error.to_string()))?;
        match answer.response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => {
                return Err(Refusal::new(StatusCode::NOT_FOUND, "no_such_container", "there is no such container"));
            }
            status => return Err(away(format!("the engine does not describe the container (status {status})"))),
        }
        let body = Limited::new(answer.response.into_body(), LONGEST).collect().await;
        Ok(body.map_err(|_| away("the engine's description of the container broke off".to_owned()))?.to_bytes())
    }

    fn checked(&self, described: Described) -> Result<Running, Refusal> {
        let Config { labels, user } = described.config;
        let labels = labels.unwrap_or_default();
        let is_apps = labels.get(APP).is_some_and(|id| !id.is_empty());
        if described.id != self.container || is_apps || labels.get(WORKSPACE) != Some(&self.workspace) {
            let message = "the container is none of that workspace";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "not_of_workspace", message));
        }
        if !described.state.running || described.state.pid == 0 {
            return Err(Refusal::new(StatusCode::CONFLICT, "not_running", "the container does not run"));
        }
        if described.state.paused {
            return Err(Refusal::new(StatusCode::CONFLICT, "paused", "the container is paused"));
        }
        let joined = described.network_settings.networks.unwrap_or_default();
        let addresses = joined.values().flat_map(|joined| [&joined.v4, &joined.v6]).filter_map(|it| it.parse().ok());
        Ok(Running { pid: described.state.pid, user, addresses: addresses.collect() })
    }
}

/// A connection to the first of these addresses that takes one.
async fn connect(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let connected = tokio::time::timeout(CONNECT, TcpStream::connect(SocketAddr::new(*address, port))).await;
        match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Why a port takes no connection. A server that listens on the container's loopback address only is a common mistake,
/// which people would not find by themselves.
async fn why_not(error: &io::Error, pid: u32, port: u16) -> Refusal {
    if error.kind() == io::ErrorKind::TimedOut {
        let message = format!("port {port} of the container took no connection within {} s", CONNECT.as_secs());
        return Refusal::new(StatusCode::GATEWAY_TIMEOUT, "too_slow", message);
    }
    let listening = listening(pid).await.unwrap_or_default();
    match listening.iter().find(|listening| listening.port == port) {
        Some(listening) if listening.only_inside => {
            let message = format!("port {port} is open to the container itself only: let its server listen on 0.0.0.0");
            Refusal::new(StatusCode::BAD_GATEWAY, "only_inside", message)
        }
        _ => {
            let message = format!("nothing answers on port {port} of the container ({})", error.kind());
            Refusal::new(StatusCode::BAD_GATEWAY, "nothing_listens", message)
        }
    }
}

/// What is told if another process took the place of the container's.
pub(crate) fn changed() -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "container_changed", "the container was started anew meanwhile; try again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ID: &str = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";

    fn described() -> Value {
        json!({
            "Id": ID,
            "State": {"Running": true, "Paused": false, "Pid": 7},
            "Config": {"Labels": {"pierhead.workspace": "abc2"}},
            "NetworkSettings": {"Networks": {
                "none": {"IPAddress": "", "GlobalIPv6Address": ""},
                "ph-abc2": {"IPAddress": "10.213.0.2", "GlobalIPv6Address": "fd00::2"},
            }},
        })
    }

    fn checked(described: Value) -> Result<Running, String> {
        let inside = Inside::parse("abc2", ID).unwrap();
        inside.checked(serde_json::from_value(described).unwrap()).map_err(|refusal| refusal.code.to_owned())
    }

    #[test]
    fn only_the_named_container_of_the_named_workspace_counts_and_only_while_it_runs() {
        let running = checked(described()).unwrap();
        assert_eq!((running.pid, running.user.as_str()), (7, ""));
        let mut named = described();
        named["Config"]["User"] = json!("ann:users");
        assert_eq!(checked(named).unwrap().user, "ann:users");
        assert_eq!(running.addresses, ["10.213.0.2".parse::<IpAddr>().unwrap(), "fd00::2".parse().unwrap()]);
        for (at, value, code) in [
            ("/Id", json!("11".repeat(32)), "not_of_workspace"),
            ("/Config/Labels", json!({"pierhead.workspace": "abc3"}), "not_of_workspace"),
            ("/Config/Labels", json!({"pierhead.cluster": "abc2"}), "not_of_workspace"),
            ("/Config/Labels", json!({"pierhead.workspace": "abc2", "pierhead.app-id": "a1"}), "not_of_workspace"),
            ("/Config/Labels", Value::Null, "not_of_workspace"),
            ("/State/Running", json!(false), "not_running"),
            ("/State/Pid", json!(0), "not_running"),
            ("/State/Paused", json!(true), "paused"),
        ] {
            let mut changed = described();
            *changed.pointer_mut(at).unwrap() = value;
            assert_eq!(checked(changed), Err(code.to_owned()), "{at}");
        }
        let mut covered = described();
        covered["Config"]["Labels"] = json!({"pierhead.workspace": "abc2", "pierhead.app-id": ""});
        assert!(checked(covered).is_ok(), "what its image said is covered");
        let mut host_network = described();
        host_network["NetworkSettings"]["Networks"] = json!({"host": {"IPAddress": ""}});
        assert_eq!(checked(host_network).unwrap().addresses, Vec::<IpAddr>::new());
    }

    #[test]
    fn a_container_is_named_in_one_way() {
        assert!(Inside::parse("abc2", ID).is_ok());
        let (upper, short) = (ID.to_uppercase(), &ID[..12]);
        let long = "a".repeat(65);
        for (workspace, container) in [
            ("", ID),
            ("ABC", ID),
            ("a-b", ID),
            ("a/b", ID),
            (long.as_str(), ID),
            ("abc2", upper.as_str()),
            ("abc2", short),
            ("abc2", "web.0.1"),
            ("abc2", ""),
        ] {
            assert_eq!(Inside::parse(workspace, container).unwrap_err().code, "malformed", "{workspace} {container}");
        }
    }
}

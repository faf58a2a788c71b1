//! The way to what listens in workspaces: through the tunnel that their host's agent has open. A tunnel carries beats and
//! everything else too, so there are only so many connections at once, of a host and of a workspace.

use super::Agents;
use crate::serve::previews::words;
use pierhead_agent::{AgentError, in_words};
use pierhead_api::{PortInUse, WorkspacePorts};
use pierhead_controller::WorkspaceSite;
use pierhead_ingress::{Refusal, Stream};
use pierhead_model::{ContainerId, EngineId, WorkspaceId};
use serde::Deserialize;
use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long an agent may take to tell of ports.
const PATIENCE: Duration = Duration::from_secs(15);
/// The most connections to the containers of one host, of the streams that its tunnel has.
const MOST_OF_HOST: usize = 384;
/// The same of one workspace.
const MOST_OF_WORKSPACE: usize = 96;

/// The ports of workspaces on all hosts.
pub(in crate::serve) struct AgentPorts {
    agents: Arc<Agents>,
    open: Arc<Open>,
}

impl AgentPorts {
    pub(in crate::serve) fn new(agents: Arc<Agents>) -> Self {
        Self { agents, open: Arc::default() }
    }

    /// A connection to a port of a workspace: in the first of its containers that takes one.
    pub(in crate::serve) async fn dial(&self, site: &WorkspaceSite, port: u16) -> Result<Box<dyn Stream>, Refusal> {
        let engine = site.engine.as_ref().ok_or_else(words::not_running)?;
        let tunnel = self.agents.tunnel(engine).ok_or_else(words::host_away)?;
        let place = Open::place(&self.open, engine, &site.id).ok_or_else(words::too_many)?;
        let mut refused: Option<Told> = None;
        for container in site.candidates(port) {
            match tunnel.dial(site.id.as_str(), container.id.as_str(), port).await {
                Ok(stream) => return Ok(Box::new(Held { stream, _place: place })),
                Err(error) => {
                    let told = Told::of(&error);
                    // What was found and can't be reached says more than what was not found.
                    if refused.as_ref().is_none_or(|former| former.code == "nothing_listens") {
                        refused = Some(told);
                    }
                }
            }
        }
        Err(words::of_agent(refused.as_ref().map_or("", |told| told.code.as_str()), port))
    }
}

#[async_trait::async_trait]
impl WorkspacePorts for AgentPorts {
    async fn listening(
        &self,
        engine: &EngineId,
        workspace: &WorkspaceId,
        container: &ContainerId,
    ) -> Result<Vec<PortInUse>, String> {
        let tunnel = self.agents.tunnel(engine).ok_or("the agent of the workspace's host has no tunnel open")?;
        let asked = tunnel.listening(workspace.as_str(), container.as_str());
        let told = tokio::time::timeout(PATIENCE, asked).await;
        let ports = told.map_err(|_| "the agent of the workspace's host did not answer in time".to_owned())?;
        let ports = ports.map_err(|error| Told::of(&error).message)?;
        Ok(ports.into_iter().map(|it| PortInUse { port: it.port, only_inside: it.only_inside }).collect())
    }
}

/// What an agent says instead of doing something.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Told {
    pub(super) code: String,
    pub(super) message: String,
}

impl Told {
    pub(super) fn of(error: &AgentError) -> Self {
        let AgentError::Refused { message, .. } = error else {
            return Self { code: "away".to_owned(), message: in_words(error) };
        };
        let told: Self = serde_json::from_str(message).unwrap_or_default();
        let message = told.message.strip_prefix("the agent refuses: ").unwrap_or(&told.message).to_owned();
        Self { message, ..told }
    }
}

/// How many connections are open, by host and by workspace.
#[derive(Debug, Default)]
struct Open {
    hosts: Mutex<HashMap<EngineId, usize>>,
    workspaces: Mutex<HashMap<WorkspaceId, usize>>,
}

/// One of them.
#[derive(Debug)]
struct Place {
    open: Arc<Open>,
    host: EngineId,
    workspace: WorkspaceId,
}

impl Open {
    /// A place for one more connection, if there is one.
    fn place(open: &Arc<Self>, host: &EngineId, workspace: &WorkspaceId) -> Option<Place> {
        if !add(&open.hosts, host, MOST_OF_HOST) {
            return None;
        }
        if !add(&open.workspaces, workspace, MOST_OF_WORKSPACE) {
            take(&open.hosts, host);
            return None;
        }
        Some(Place { open: Arc::clone(open), host: host.clone(), workspace: workspace.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        take(&self.open.hosts, &self.host);
        take(&self.open.workspaces, &self.workspace);
    }
}

fn add<K: Clone + Eq + std::hash::Hash>(counts: &Mutex<HashMap<K, usize>>, key: &K, most: usize) -> bool {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    let count = counts.entry(key.clone()).or_default();
    let has_room = *count < most;
    *count += usize::from(has_room);
    has_room
}

fn take<K: Clone + Eq + std::hash::Hash>(counts: &Mutex<HashMap<K, usize>>, key: &K) {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// A connection that has a place as long as it is open.
struct Held<S> {
    stream: S,
    _place: Place,
}

impl<S: AsyncRead + Unpin> AsyncRead for Held<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Held<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_only_so_many_and_each_gives_its_place_back() {
        let open = Arc::<Open>::default();
        let host = EngineId::parse("host-1").unwrap();
        let of = |number: usize| WorkspaceId::parse(format!("abcdefgh2{}", (b'a' + number as u8) as char)).unwrap();
        let place = |number: usize| Open::place(&open, &host, &of(number));
        let first: Vec<Place> = (0..MOST_OF_WORKSPACE).map(|_| place(0).unwrap()).collect();
        assert!(place(0).is_none(), "one workspace shuts nobody out");
        let others: Vec<Place> = (MOST_OF_WORKSPACE..MOST_OF_HOST).map(|at| place(1 + at % 5).unwrap()).collect();
        assert!(place(9).is_none(), "the tunnel has room for beats");
        drop(first);
        assert!(place(0).is_some() && place(9).is_some());
        drop(others);
        assert!(open.hosts.lock().unwrap().is_empty() && open.workspaces.lock().unwrap().is_empty());
    }

    #[test]
    fn what_an_agent_says_is_read() {
        let message = r#"{"code":"only_inside","message":"the agent refuses: port 80 is shut"}"#.to_owned();
        let told = Told::of(&AgentError::Refused { status: 502, message });
        assert_eq!((told.code.as_str(), told.message.as_str()), ("only_inside", "port 80 is shut"));
        let late = AgentError::TimedOut { peer: "x".to_owned(), what: "answer", milliseconds: 1 };
        assert_eq!(Told::of(&late).code, "away");
    }
}

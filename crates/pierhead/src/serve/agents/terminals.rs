//! The home of terminals in the agent of a host: what is asked of it goes through its tunnel. They are opened in the term
//! that requests to hosts bear; to look at one needs none, so viewers come through any controller.

use super::Agents;
use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hyper::body::Bytes;
use pierhead_agent::{AgentError, Opening, TerminalFrames, Tunnel, Visiting, VisitorRight, in_words};
use pierhead_controller::{HomeError, Line, TerminalHome, TerminalHomes, TerminalOrder, Wanted};
use pierhead_model::{EngineId, TerminalId, Username};
use pierhead_terminal::{Frame, PictureChange, Right, Role, SessionView, Visitor};
use serde::Deserialize;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How long an agent may take for what is no stream: it may have to end what does not want to.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many frames may be on their way to or from a viewer inside of this program.
const WAITING: usize = 4;

/// The agent of one host, by the tunnel that it has open.
struct AgentHome {
    agents: Arc<Agents>,
    engine: EngineId,
}

/// The homes in the agents of all hosts.
pub(in crate::serve) struct AgentHomes(pub(in crate::serve) Arc<Agents>);

impl TerminalHomes for AgentHomes {
    fn of_agent(&self, engine: &EngineId) -> Option<Arc<dyn TerminalHome>> {
        self.0.tunnel(engine)?;
        Some(Arc::new(AgentHome { agents: Arc::clone(&self.0), engine: engine.clone() }))
    }
}

impl AgentHome {
    fn tunnel(&self) -> Result<Tunnel, HomeError> {
        self.agents.tunnel(&self.engine).ok_or_else(|| HomeError::Away("its agent has no tunnel open".to_owned()))
    }

    async fn in_time<T>(asked: impl Future<Output = Result<T, AgentError>>) -> Result<T, HomeError> {
        let late = || HomeError::Away("its agent did not answer in time".to_owned());
        tokio::time::timeout(PATIENCE, asked).await.map_err(|_| late())?.map_err(|error| of_agent(&error))
    }
}

#[async_trait]
impl TerminalHome for AgentHome {
    async fn open(&self, order: &TerminalOrder) -> Result<(), HomeError> {
        let opening = Opening {
            id: order.id.to_string(),
            container: order.container.to_string(),
            command: order.command.clone(),
            columns: order.columns,
            rows: order.rows,
            tty: order.tty,
            user: order.user.clone(),
            working_dir: order.working_dir.clone(),
            title: order.title.clone(),
        };
        let no_term = || HomeError::Refused("no controller leads now".to_owned());
        let term = self.agents.term().ok_or_else(no_term)?;
        Self::in_time(self.tunnel()?.open_terminal(&opening, term)).await
    }

    async fn join(&self, id: &TerminalId, visitor: &Visitor) -> Result<Line, HomeError> {
        let right = match visitor.right {
            Right::Viewer => VisitorRight::Viewer,
            Right::Driver => VisitorRight::Driver,
            Right::Owner => VisitorRight::Owner,
        };
        let visiting = Visiting { username: visitor.username.clone(), right };
        let tunnel = self.tunnel()?;
        let line = Self::in_time(tunnel.join_terminal(id.as_str(), &visiting)).await?;
        let (to_home, frames) = mpsc::channel(WAITING);
        let (to_viewer, from_home) = mpsc::channel(WAITING);
        tokio::spawn(pass(frames, line.to_agent, line.from_agent, to_viewer, tunnel));
        Ok(Line { to_home, from_home })
    }

    async fn grant(&self, id: &TerminalId, username: &Username, role: Option<Role>) -> Result<(), HomeError> {
        Self::in_time(self.tunnel()?.grant_terminal(id.as_str(), username.as_str(), role)).await
    }

    async fn watch(&self) -> Result<BoxStream<'static, Vec<SessionView>>, HomeError> {
        let tunnel = self.tunnel()?;
        let views = Self::in_time(tunnel.terminals()).await?;
        let views = views.take_while(|views| std::future::ready(views.is_ok()));
        // The tunnel stays open as long as this is looked at.
        Ok(views
            .filter_map(move |views| {
                let _kept = &tunnel;
                std::future::ready(views.ok())
            })
            .boxed())
    }

    async fn pictures(
        &self,
        wanted: watch::Receiver<Wanted>,
    ) -> Result<BoxStream<'static, Vec<PictureChange>>, HomeError> {
        let tunnel = self.tunnel()?;
        let changes = Self::in_time(tunnel.pictures(wanted)).await?;
        let changes = changes.take_while(|changes| std::future::ready(changes.is_ok()));
        // The tunnel stays open as long as this is looked at.
        Ok(changes
            .filter_map(move |changes| {
                let _kept = &tunnel;
                std::future::ready(changes.ok())
            })
            .boxed())
    }

    async fn recording(&self, id: &TerminalId) -> Result<BoxStream<'static, io::Result<Bytes>>, HomeError> {
        let tunnel = self.tunnel()?;
        let pieces = Self::in_time(tunnel.terminal_recording(id.as_str())).await?;
        Ok(pieces
            .map(move |piece| {
                let _kept = &tunnel;
                piece.map_err(|error| io::Error::other(in_words(&error)))
            })
            .boxed())
    }

    async fn end(&self, id: &TerminalId, reason: &str) -> Result<(), HomeError> {
        Self::in_time(self.tunnel()?.end_terminal(id.as_str(), reason)).await
    }
}

/// Passes frames on in both directions until one of the sides has had enough; the tunnel stays open as long.
async fn pass(
    mut frames: mpsc::Receiver<Frame>,
    to_agent: mpsc::Sender<Bytes>,
    mut from_agent: TerminalFrames,
    to_viewer: mpsc::Sender<Frame>,
    _tunnel: Tunnel,
) {
    let there = async {
        while let Some(frame) = frames.recv().await {
            let mut bytes = bytes::BytesMut::new();
            if frame.encode(&mut bytes).is_err() {
                return;
            }
            if to_agent.send(bytes.freeze()).await.is_err() {
                // The agent hears nothing more of a terminal that is over, and is still telling how it ended.
                return std::future::pending().await;
            }
        }
    };
    let back = async {
        loop {
            match from_agent.next().await {
                Ok(Some(frame)) => {
                    if to_viewer.send(frame).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => return tracing::warn!(%error, "an agent does not keep to the protocol of terminals"),
            }
        }
    };
    tokio::select! {
        () = there => {}
        () = back => {}
        // A viewer who is gone need not be told anything first.
        () = to_viewer.closed() => {}
    }
}

/// What an agent says, as a home does.
fn of_agent(error: &AgentError) -> HomeError {
    #[derive(Default, Deserialize)]
    struct Told {
        code: String,
        message: String,
    }
    let AgentError::Refused { status, message } = error else { return HomeError::Away(in_words(error)) };
    let told: Told = serde_json::from_str(message).unwrap_or_default();
    let words = told.message.strip_prefix("the agent refuses: ").unwrap_or(&told.message).to_owned();
    match (told.code.as_str(), status) {
        ("not_allowed", _) => HomeError::Unable,
        ("no_such_terminal", _) => HomeError::Gone,
        ("too_many_terminals", _) => HomeError::Full,
        ("engine_away" | "term_not_kept", _) => HomeError::Away(words),
        (_, 400..500) => HomeError::Refused(words),
        _ => HomeError::Away(if words.is_empty() { in_words(error) } else { words }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_refuses_is_told_as_a_home_does() {
        let refused = |status: u16, code: &str| {
            let message = format!("{{\"code\":\"{code}\",\"message\":\"the agent refuses: it is so\"}}");
            of_agent(&AgentError::Refused { status, message })
        };
        let words = || "it is so".to_owned();
        for (status, code, expected) in [
            (403, "not_allowed", HomeError::Unable),
            (403, "forbidden_here", HomeError::Refused(words())),
            (404, "no_such_terminal", HomeError::Gone),
            (404, "no_such_container", HomeError::Refused(words())),
            (409, "term_past", HomeError::Refused(words())),
            (502, "engine_away", HomeError::Away(words())),
            (503, "too_many_terminals", HomeError::Full),
            (503, "too_many_viewers", HomeError::Away(words())),
        ] {
            assert_eq!(refused(status, code), expected, "{code}");
        }
        let late = AgentError::TimedOut { peer: "x".to_owned(), what: "answer", milliseconds: 1 };
        assert!(matches!(of_agent(&late), HomeError::Away(_)));
        let nonsense = AgentError::Refused { status: 500, message: "x".to_owned() };
        assert!(matches!(of_agent(&nonsense), HomeError::Away(_)));
    }
}

//! The way to the files of workspaces: through the tunnel that their host's agent has open.

use super::Agents;
use super::previews::Told;
use futures_util::StreamExt;
use pierhead_api::{FileBytes, FilePlace, FileRefusal, WorkspaceFiles};
use pierhead_model::{FileAct, FileTold};
use std::sync::Arc;

/// The files of workspaces on all hosts.
pub(in crate::serve) struct AgentFiles(Arc<Agents>);

impl AgentFiles {
    pub(in crate::serve) fn new(agents: Arc<Agents>) -> Self {
        Self(agents)
    }
}

#[async_trait::async_trait]
impl WorkspaceFiles for AgentFiles {
    async fn act(
        &self,
        place: &FilePlace,
        act: FileAct,
        bytes: FileBytes,
    ) -> Result<(FileTold, FileBytes), FileRefusal> {
        let away = || FileRefusal {
            code: "away".to_owned(),
            message: "the agent of the workspace's host has no tunnel open".to_owned(),
        };
        let tunnel = self.0.tunnel(&place.engine).ok_or_else(away)?;
        let asked = tunnel.files(place.workspace.as_str(), place.container.as_str(), act, bytes).await;
        let answer = asked.map_err(|error| {
            let Told { code, message } = Told::of(&error);
            FileRefusal { code, message }
        })?;
        Ok((answer.told.clone(), answer.into_bytes().boxed()))
    }
}

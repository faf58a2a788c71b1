//! Ports of workspaces, and the addresses at which browsers see them.

use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use pierhead_wire::{PortView, PreviewView};

impl Client {
    /// The ports of a workspace: those on which something listens, and those that its environment declares.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or not for the asker; 409 if it does not run.
    pub async fn workspace_ports(&self, id: &str) -> Result<Answer<Vec<PortView>>, ClientError> {
        self.send(&Call::get(&["api", "workspaces", id, "ports"])).await?.read()
    }

    /// The address at which a browser begins to see a port of a workspace, good once and for a short time.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such workspace, or not for the asker; 503 if the server
    /// shows no previews.
    pub async fn open_preview(&self, id: &str, port: u16) -> Result<Answer<PreviewView>, ClientError> {
        self.change_at_once(Call::post(&["api", "workspaces", id, "previews", &port.to_string()])).await?.read()
    }
}

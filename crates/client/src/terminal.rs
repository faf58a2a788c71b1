//! Terminals in containers: opened, listed, shared, used, ended.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Change, Client, ClientError, LogStream, TerminalSocket};
use hyper::Method;
use pierhead_terminal::SUBPROTOCOL;
use pierhead_wire::{GuestRequest, TerminalRequest, TerminalView};

impl Client {
    /// Opens a terminal in a container, named by its id, the beginning of it, or its name.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 409 and `not_running` if it does not run.
    pub async fn open_terminal(
        &self,
        container: &str,
        request: &TerminalRequest,
        change: &Change,
    ) -> Result<Answer<TerminalView>, ClientError> {
        let call = Call::post(&["api", "containers", container, "terminals"]).body(json(request)?);
        self.send(&call.keyed(change.key.clone())).await?.read()
    }

    /// The terminals that one may come to, the newest first; of one container, if one is named.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn terminals(&self, container: Option<&str>) -> Result<Answer<Vec<TerminalView>>, ClientError> {
        self.list(Call::get(&["api", "terminals"]).query_if("container", container)).await
    }

    /// One terminal.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or not for the asker.
    pub async fn terminal(&self, id: &str) -> Result<Answer<TerminalView>, ClientError> {
        self.send(&Call::get(&["api", "terminals", id])).await?.read()
    }

    /// Ends a terminal; one that has ended is forgotten.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 403 for a guest.
    pub async fn end_terminal(&self, id: &str) -> Result<(), ClientError> {
        self.send(&Call::delete(&["api", "terminals", id])).await.map(drop)
    }

    /// Lets an account come to a terminal: as `driver` or `viewer`.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such terminal or account.
    pub async fn share_terminal(&self, id: &str, username: &str, role: &str) -> Result<(), ClientError> {
        let body = json(&GuestRequest { role: role.to_owned() })?;
        let call = Call::new(Method::PUT, &["api", "terminals", id, "guests", username]).body(body);
        self.send(&call).await.map(drop)
    }

    /// Lets an account not come any more.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if it is no guest.
    pub async fn unshare_terminal(&self, id: &str, username: &str) -> Result<(), ClientError> {
        self.send(&Call::delete(&["api", "terminals", id, "guests", username])).await.map(drop)
    }

    /// What was recorded of a terminal: a file of asciicast v2, as it comes.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if it ended a while ago.
    pub async fn terminal_recording(&self, id: &str) -> Result<LogStream, ClientError> {
        let call = Call::get(&["api", "terminals", id, "recording"]);
        Ok(LogStream::new(self.open(&call.unlimited()).await?))
    }

    /// The socket of a terminal. The first frame to be sent is `attach`.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or not for the asker; 409 if it ended a while ago.
    pub async fn terminal_socket(&self, id: &str) -> Result<TerminalSocket, ClientError> {
        TerminalSocket::open(self, &Call::get(&["api", "terminals", id, "socket"]), SUBPROTOCOL).await
    }
}

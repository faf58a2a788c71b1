//! Shells that are opened ahead in workspaces that are nobody's: their prompts are there before anybody comes. Nobody sees
//! them until a workspace is given to somebody; who then asks for a shell in it gets that one.

use super::opening::{TerminalRequest, check_numbers, order_of, rests};
use super::{Elsewhere, of_home};
use crate::requests::containers::{Container, authorise};
use crate::requests::events::{Subject, append};
use crate::requests::{Actor, Once, RequestError};
use crate::terminals::{HomeError, TerminalHome};
use crate::{Controller, keys};
use pierhead_model::{
    ContainerId, Event, EventTag, Failure, FailureKind, Terminal, TerminalId, TerminalState, WorkspaceId, WorkspaceWish,
};
use pierhead_store::{Error, Transaction};
use pierhead_terminal::{Asked, ClientMessage, Frame, Right, ServerMessage, Visitor};
use std::sync::Arc;
use std::time::Duration;

/// How long a shell may take to its prompt; one that prints none is given all the same.
const PROMPT: Duration = Duration::from_secs(5);

impl Controller {
    /// Opens a shell ahead, and returns when it has printed something. One of that id that is there already is the same.
    ///
    /// # Errors
    /// If it can't be opened; then nothing is left of it.
    pub(crate) async fn open_shell_ahead(
        &self,
        workspace: &WorkspaceId,
        container: &ContainerId,
        id: &TerminalId,
    ) -> Result<(), Failure> {
        let opened = self.shell_ahead(workspace, container, id).await;
        opened.map_err(|error| Failure::new(FailureKind::Other, error.to_string()))
    }

    async fn shell_ahead(
        &self,
        workspace: &WorkspaceId,
        container: &ContainerId,
        id: &TerminalId,
    ) -> Result<(), RequestError> {
        let container = self.find_container(container.as_str())?;
        let request = TerminalRequest::plain();
        let (mut record, known_at) = {
            let known = self.known();
            let there = known.terminals.get(id).filter(|record| record.end().is_none());
            match (there, known.world.workspaces().get(workspace)) {
                (Some(there), _) => ((**there).clone(), known.revision_of(&keys::terminal(id))),
                (None, None) => return Err(super::missing(id.as_str())),
                (None, Some(workspace)) => {
                    let record = self.new_record(&known, &workspace.owner, &container, id.clone(), &request)?;
                    (Terminal { is_ahead: true, ..record }, None)
                }
            }
        };
        let key = keys::terminal(id);
        let mut revision = match known_at {
            Some(revision) => revision,
            None => self.store.commit(Transaction::new().absent(key.clone()).put_json(key.clone(), &record)?).await?,
        };
        let order = order_of(&record, &request);
        if let Err(error) = self.open_in_home(&mut record, &order, &mut revision).await {
            self.store.commit(Transaction::new().delete(key)).await?;
            return Err(of_home(&record, error));
        }
        if record.state != TerminalState::Running {
            record.state = TerminalState::Running;
            let put = Transaction::new().unchanged(key.clone(), revision).put_json(key, &record)?;
            revision = self.store.commit(put).await?;
        }
        self.reached(revision).await;
        // One that says nothing is a shell all the same.
        let _silent = tokio::time::timeout(PROMPT, self.has_printed(&record)).await;
        Ok(())
    }

    /// Looks until something was printed.
    async fn has_printed(&self, record: &Terminal) -> Result<(), HomeError> {
        let home: Arc<dyn TerminalHome> = match self.home_of(record) {
            Ok(home) => home,
            Err(Elsewhere::At(url)) => return Err(HomeError::Away(url)),
            Err(Elsewhere::Nowhere(error)) => return Err(error),
        };
        let visitor = Visitor { username: record.owner.to_string(), right: Right::Viewer };
        let mut line = home.join(&record.id, &visitor).await?;
        let asked = Asked { columns: record.columns, rows: record.rows, ..Asked::default() };
        let _over = line.to_home.send(ClientMessage::Attach(asked).to_frame()).await;
        while let Some(frame) = line.from_home.recv().await {
            let has_printed = match frame {
                Frame::Binary(bytes) => Frame::split_output(bytes).is_ok_and(|(_, bytes)| !bytes.is_empty()),
                Frame::Text(text) => {
                    matches!(ServerMessage::parse(&text), Ok(ServerMessage::Snapshot { offset, .. }) if offset > 0)
                }
            };
            if has_printed {
                return Ok(());
            }
        }
        Err(HomeError::Gone)
    }

    /// Gives somebody the shell that was opened ahead in a container of a workspace that is theirs by now; `None` if
    /// there is none.
    pub(super) async fn give_shell_ahead(
        &self,
        actor: &Actor,
        container: &Container,
        request: &TerminalRequest,
        id: &TerminalId,
        once: Option<&Once>,
    ) -> Result<Option<Arc<Terminal>>, RequestError> {
        let (record, transaction) = {
            let known = self.known();
            let workspace = container.workspace.as_ref().and_then(|id| known.world.workspaces().get(id));
            let is_somebodys = workspace.is_some_and(|workspace| workspace.wish == WorkspaceWish::Running);
            let is_theirs = is_somebodys && !rests(&known, container);
            let is_it = |record: &&Arc<Terminal>| {
                record.is_ahead && record.container == container.observed.id && record.state == TerminalState::Running
            };
            let Some(ahead) = known.terminals.values().filter(|_| is_theirs).find(is_it) else { return Ok(None) };
            authorise(&known, actor, container)?;
            check_numbers(&known, &actor.username)?;
            let record = Terminal {
                is_ahead: false,
                given_as: Some(id.clone()),
                owner: actor.username.clone(),
                name: request.name.clone().unwrap_or_else(|| container.observed.name.clone()),
                created_at: self.clock.now(),
                ..(**ahead).clone()
            };
            let message = format!("id={}, container={}", record.id, container.observed.name);
            let subject = Subject::container(&known, container);
            let event = self.event("terminal-opened", message, EventTag::Cluster, Some(&actor.username), subject);
            let event = Event { app: record.app.clone(), ..event };
            let key = keys::terminal(&record.id);
            let revision = known.revision_of(&key).unwrap_or_default();
            let put = Transaction::new().unchanged(key.clone(), revision).put_json(key, &record)?;
            let transaction = append(put, &event)?;
            (record, once.map_or(Ok(transaction.clone()), |once| once.remember(transaction))?)
        };
        match self.store.commit(transaction).await {
            Ok(revision) => {
                self.reached(revision).await;
                Ok(Some(Arc::new(record)))
            }
            // Somebody was faster, or it has ended.
            Err(Error::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The terminal that a request got which asked for this id.
    pub(super) fn opened_as(&self, id: &TerminalId) -> Option<Arc<Terminal>> {
        let known = self.known();
        let given = || known.terminals.values().find(|record| record.given_as.as_ref() == Some(id));
        known.terminals.get(id).or_else(given).cloned()
    }
}

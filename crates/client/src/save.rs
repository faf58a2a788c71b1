//! Saves of workspaces.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use pierhead_wire::{EnvironmentView, SaveChangesView, SaveEnvironmentRequest, SaveView};

impl Client {
    /// The saves that one may begin from, the newest first.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn saves(&self) -> Result<Answer<Vec<SaveView>>, ClientError> {
        self.list(Call::get(&["api", "saves"])).await
    }

    /// One save.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or not for the asker.
    pub async fn save(&self, id: &str) -> Result<Answer<SaveView>, ClientError> {
        self.send(&Call::get(&["api", "saves", id])).await?.read()
    }

    /// How the files of a save differ from those that its environment began with, or from an earlier save.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 503 if no host that answers has it.
    pub async fn save_changes(
        &self,
        id: &str,
        since: Option<&str>,
    ) -> Result<Answer<Vec<SaveChangesView>>, ClientError> {
        let call = Call::get(&["api", "saves", id, "changes"]).unlimited();
        let call = since.into_iter().fold(call, |call, since| call.query("since", since));
        self.send(&call).await?.read()
    }

    /// Forgets a save.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 409 if something begins from it.
    pub async fn delete_save(&self, id: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::delete(&["api", "saves", id])).await.map(drop)
    }

    /// Makes an environment that begins as a save.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such save, 409 if there is an environment of that name.
    pub async fn save_environment(&self, id: &str, name: &str) -> Result<Answer<EnvironmentView>, ClientError> {
        let request = SaveEnvironmentRequest { name: name.to_owned() };
        self.change_at_once(Call::post(&["api", "saves", id, "environment"]).body(json(&request)?)).await?.read()
    }
}

//! Engines: the Docker hosts of the pool.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Change, Client, ClientError, Started};
use pierhead_wire::{EngineRequest, EngineView, JoinTokenCreated, JoinTokenRequest};

impl Client {
    /// All engines.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn engines(&self) -> Result<Answer<Vec<EngineView>>, ClientError> {
        self.list(Call::get(&["api", "engines"])).await
    }

    /// One engine.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn engine(&self, id: &str) -> Result<Answer<EngineView>, ClientError> {
        self.send(&Call::get(&["api", "engines", id])).await?.read()
    }

    /// Adds an engine.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if it is there already.
    pub async fn add_engine(&self, engine: &EngineRequest) -> Result<Answer<EngineView>, ClientError> {
        self.change_at_once(Call::post(&["api", "engines"]).body(json(engine)?)).await?.read()
    }

    /// Removes an engine from the pool.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn remove_engine(&self, id: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::delete(&["api", "engines", id])).await.map(drop)
    }

    /// Makes a token with which one host joins by itself.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if the controller takes no agents.
    pub async fn make_join_token(&self, token: &JoinTokenRequest) -> Result<Answer<JoinTokenCreated>, ClientError> {
        self.change_at_once(Call::post(&["api", "engines", "join-tokens"]).body(json(token)?)).await?.read()
    }

    /// Approves a host that waits; one that does not stays as it is.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn approve_engine(&self, id: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::post(&["api", "engines", id, "approve"])).await.map(drop)
    }

    /// Shuts out the agent of an engine until it joins again; what runs there runs on.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, with 400 if it has no agent.
    pub async fn revoke_engine(&self, id: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::post(&["api", "engines", id, "revoke"])).await.map(drop)
    }

    /// Lets nothing new be placed on an engine; what runs there stays.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn cordon_engine(&self, id: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::post(&["api", "engines", id, "cordon"])).await.map(drop)
    }

    /// Puts an engine back into service.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn uncordon_engine(&self, id: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::post(&["api", "engines", id, "uncordon"])).await.map(drop)
    }

    /// Cordons an engine and moves everything that runs there to others.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or with what became of the operation if it failed.
    pub async fn drain_engine(&self, id: &str, change: &Change) -> Result<Started<()>, ClientError> {
        self.change_only(Call::post(&["api", "engines", id, "drain"]), change).await
    }
}

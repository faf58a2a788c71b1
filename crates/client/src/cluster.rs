//! The pool as a whole: its totals and its events.

use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use pierhead_wire::{ClusterInfo, EventView};

impl Client {
    /// The pool's totals.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn cluster_info(&self) -> Result<Answer<ClusterInfo>, ClientError> {
        self.send(&Call::get(&["api", "cluster", "info"])).await?.read()
    }

    /// The newest `count` events, newest first.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn events(&self, count: u32) -> Result<Answer<Vec<EventView>>, ClientError> {
        self.send(&Call::get(&["api", "events"]).query("count", count)).await?.read()
    }

    /// Whether a controller is up.
    ///
    /// # Errors
    /// [`ClientError`] if none says so.
    pub async fn health(&self) -> Result<(), ClientError> {
        self.send(&Call::get(&["healthz"])).await.map(drop)
    }
}

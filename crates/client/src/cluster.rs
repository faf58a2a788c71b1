//! The pool as a whole: its totals and its events.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Change, Client, ClientError, EventFeed, EventQuery, Started};
use pierhead_wire::{ClusterInfo, ControllerView, EventView, MoveView, RebalanceRequest, RebalanceView, SurvivalView};

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

    /// The controllers of the pool, as one of them sees them.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn controllers(&self) -> Result<Answer<Vec<ControllerView>>, ClientError> {
        self.list(Call::get(&["api", "controllers"])).await
    }

    /// What would become of what runs on an engine if it were lost now.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn survival(&self, engine: &str) -> Result<Answer<SurvivalView>, ClientError> {
        self.send(&Call::get(&["api", "cluster", "survive", engine])).await?.read()
    }

    /// Moves that would even out the load of the hosts.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn planned_rebalance(&self) -> Result<Answer<RebalanceView>, ClientError> {
        self.send(&Call::get(&["api", "cluster", "rebalance"])).await?.read()
    }

    /// Makes the moves that were planned.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 400 if the pool has changed since they were planned.
    pub async fn rebalance(&self, moves: &[MoveView], change: &Change) -> Result<Started<()>, ClientError> {
        let request = RebalanceRequest { moves: moves.to_vec() };
        let call = Call::post(&["api", "cluster", "rebalance"]).body(json(&request)?);
        self.change_only(call, change).await
    }

    /// Gives up the hosts that vanished at once and are frozen now, so that their slots are placed elsewhere.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if nothing is frozen.
    pub async fn thaw(&self) -> Result<(), ClientError> {
        self.change_at_once(Call::post(&["api", "cluster", "thaw"])).await.map(drop)
    }

    /// Says that all hosts are there after the records were restored from a backup.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if they were not, or that was said before.
    pub async fn settle(&self) -> Result<(), ClientError> {
        self.change_at_once(Call::post(&["api", "cluster", "settle"])).await.map(drop)
    }

    /// Everything that the pool keeps, as the bytes of a backup. They are not checked here.
    ///
    /// # Errors
    /// [`ClientError`] if it cannot be had whole.
    pub async fn backup(&self) -> Result<Vec<u8>, ClientError> {
        Ok(self.send(&Call::get(&["api", "cluster", "backup"]).unlimited()).await?.body)
    }

    /// The newest events of a kind, newest first.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn find_events(&self, query: &EventQuery) -> Result<Answer<Vec<EventView>>, ClientError> {
        self.send(&query.on(Call::get(&["api", "events"]).query_if("count", query.count))).await?.read()
    }

    /// Events as they happen; `last` is the id of the last one that was seen, after which it goes on.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn follow_events(&self, query: &EventQuery, last: Option<&str>) -> Result<EventFeed, ClientError> {
        let since = last.map(str::to_owned).or_else(|| query.since.clone());
        let query = EventQuery { since, ..query.clone() };
        let call = query.on(Call::get(&["api", "events", "stream"])).unlimited();
        Ok(EventFeed::new(self.open(&call).await?))
    }

    /// Whether a controller is up.
    ///
    /// # Errors
    /// [`ClientError`] if none says so.
    pub async fn health(&self) -> Result<(), ClientError> {
        self.send(&Call::get(&["healthz"])).await.map(drop)
    }
}

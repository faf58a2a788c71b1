//! What hosts and containers use: now, before, and as it changes.

use crate::connection::Response;
use crate::error::root_cause;
use crate::events::Frames;
use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use pierhead_wire::{StatsHistoryView, StatsView};

/// Whose statistics are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StatsQuery {
    /// Those of all hosts and containers.
    #[default]
    All,
    /// Those of a host and what runs on it.
    Engine(String),
    /// Those of a container, by its id or the beginning of it.
    Container(String),
}

impl StatsQuery {
    fn on(&self, call: Call) -> Call {
        match self {
            Self::All => call,
            Self::Engine(id) => call.query("engine", id),
            Self::Container(id) => call.query("container", id),
        }
    }
}

/// Statistics as they come, about once a second. Dropping it ends it.
#[derive(Debug)]
pub struct StatsFeed {
    response: Response,
    frames: Frames,
}

impl StatsFeed {
    /// The next, as JSON and read; `None` at the end. May be dropped without losing any.
    ///
    /// # Errors
    /// [`ClientError::ReadLog`] if the connection is lost, [`ClientError::ReadAnswer`] if they cannot be read.
    pub async fn next(&mut self) -> Result<Option<(String, StatsView)>, ClientError> {
        loop {
            if let Some(json) = self.frames.next() {
                let stats = serde_json::from_str(&json).map_err(|error| ClientError::ReadAnswer {
                    url: self.response.url.to_string(),
                    why: error.to_string(),
                })?;
                return Ok(Some((json, stats)));
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.frames.feed(&bytes),
                Ok(None) => return Ok(None),
                Err(error) => return Err(ClientError::ReadLog { why: root_cause(&error) }),
            }
        }
    }
}

impl Client {
    /// What hosts and containers use now.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such host or container.
    pub async fn stats(&self, of: &StatsQuery) -> Result<Answer<StatsView>, ClientError> {
        self.send(&of.on(Call::get(&["api", "stats"]))).await?.read()
    }

    /// What a host or a container used before, from a moment on if one is given (`10m`, RFC 3339).
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such host or container, with 400 for all of them.
    pub async fn stats_history(
        &self,
        of: &StatsQuery,
        since: Option<&str>,
    ) -> Result<Answer<StatsHistoryView>, ClientError> {
        let call = of.on(Call::get(&["api", "stats", "history"])).query_if("since", since);
        self.send(&call).await?.read()
    }

    /// What hosts and containers use, once a second; the first at once.
    ///
    /// # Errors
    /// As of [`Client::stats`].
    pub async fn follow_stats(&self, of: &StatsQuery) -> Result<StatsFeed, ClientError> {
        let call = of.on(Call::get(&["api", "stats", "stream"])).unlimited();
        Ok(StatsFeed { response: self.open(&call).await?, frames: Frames::default() })
    }
}

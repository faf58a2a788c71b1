//! Changes: how long to wait for their end, and how a change that is sent twice is done once.

use crate::transport::{Body, Call, Reply};
use crate::{Answer, Client, ClientError};
use pierhead_wire::OperationView;

/// How one change is asked for.
#[derive(Debug, Clone)]
pub struct Change {
    pub(crate) key: String,
    pub(crate) wait: Wait,
}

/// When a change shall be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// When it has ended.
    UntilEnded,
    /// After this many seconds at the latest.
    Seconds(u32),
}

/// A change that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub enum Started<T> {
    /// It ended in time.
    Ended {
        /// The id of its operation, if it was one.
        operation: Option<String>,
        /// What came of it.
        answer: T,
    },
    /// It is still going on.
    Running(Box<Answer<OperationView>>),
}

impl Change {
    /// A change of its own: with a random key, under which it may be sent again without being done again.
    #[must_use]
    pub fn new(wait: Wait) -> Self {
        Self { key: random_key(), wait }
    }

    /// A change that is the same as every other one with this key.
    #[must_use]
    pub fn with_key(key: impl Into<String>, wait: Wait) -> Self {
        Self { key: key.into(), wait }
    }
}

impl<T> Started<T> {
    /// The id of the operation, if it is one.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        match self {
            Self::Ended { operation, .. } => operation.as_deref(),
            Self::Running(operation) => Some(&operation.id),
        }
    }
}

/// 32 hexadecimal digits.
pub(crate) fn random_key() -> String {
    format!("{:032x}", rand::random::<u128>())
}

impl Client {
    /// Sends a change and reads its answer, or the operation that goes on.
    pub(crate) async fn change<T>(
        &self,
        call: Call,
        change: &Change,
        read: impl FnOnce(Reply) -> Result<T, ClientError>,
    ) -> Result<Started<T>, ClientError> {
        let reply = self.send(&call.for_change(change)).await?;
        if reply.status == 202 {
            return Ok(Started::Running(Box::new(reply.read()?)));
        }
        let operation = reply.operation();
        Ok(Started::Ended { operation, answer: read(reply)? })
    }

    /// The same for a change that has nothing to answer.
    pub(crate) async fn change_only(&self, call: Call, change: &Change) -> Result<Started<()>, ClientError> {
        self.change(call, change, |_| Ok(())).await
    }

    /// Sends a change that is no operation.
    pub(crate) async fn change_at_once(&self, call: Call) -> Result<Reply, ClientError> {
        self.send(&call.keyed(random_key())).await
    }
}

/// The JSON of a body.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<Body, ClientError> {
    serde_json::to_vec(value).map_err(ClientError::WriteRequest)
}

//! Operations: changes that take time.

use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use pierhead_wire::OperationView;

impl Client {
    /// Operations, newest first.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn operations(&self) -> Result<Answer<Vec<OperationView>>, ClientError> {
        self.list(Call::get(&["api", "operations"])).await
    }

    /// One operation: at once, or when it has ended or `wait` seconds are over.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn operation(&self, id: &str, wait: Option<u32>) -> Result<Answer<OperationView>, ClientError> {
        let call = Call::get(&["api", "operations", id]);
        let call = match wait {
            Some(seconds) => call.waiting(seconds),
            None => call,
        };
        self.send(&call).await?.read()
    }

    /// Calls an operation off; what it had added is taken back.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 409 if it has ended.
    pub async fn cancel_operation(&self, id: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::post(&["api", "operations", id, "cancel"])).await.map(drop)
    }
}

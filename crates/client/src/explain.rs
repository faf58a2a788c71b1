//! What would become of a request that nobody has made yet.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use pierhead_wire::{ExplainRequest, ExplainView};

impl Client {
    /// Where containers would be placed, and why. Changes nothing.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if the request is not one that could be made.
    pub async fn explain(&self, request: &ExplainRequest) -> Result<Answer<ExplainView>, ClientError> {
        self.send(&Call::post(&["api", "explain"]).body(json(request)?)).await?.read()
    }
}

//! What containers wrote.

use crate::ClientError;
use crate::connection::Response;
use crate::error::root_cause;
use crate::transport::Call;

/// Which part of a log is asked for. By default all of both streams, and no more than there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on with what is written from now on.
    pub follow: bool,
    /// Only the last lines.
    pub tail: Option<u32>,
    /// Only what was written after this moment (RFC 3339).
    pub since: Option<String>,
    /// The moment before each line.
    pub timestamps: bool,
    /// Without standard output.
    pub no_stdout: bool,
    /// Without standard error.
    pub no_stderr: bool,
}

impl LogOptions {
    pub(crate) fn query(&self, call: Call) -> Call {
        call.query_if("follow", self.follow.then_some(true))
            .query_if("tail", self.tail)
            .query_if("since", self.since.as_ref())
            .query_if("timestamps", self.timestamps.then_some(true))
            .query_if("stdout", self.no_stdout.then_some(false))
            .query_if("stderr", self.no_stderr.then_some(false))
    }
}

/// A log as it comes. Dropping it ends it.
#[derive(Debug)]
pub struct LogStream(Response);

impl LogStream {
    pub(crate) fn new(response: Response) -> Self {
        Self(response)
    }

    /// Since when the container is gone (RFC 3339), of which this is what was kept; `None` if it is there.
    #[must_use]
    pub fn gone_since(&self) -> Option<&str> {
        self.0.gone_since.as_deref()
    }

    /// The next bytes, which may end anywhere in a line; `None` at the end.
    ///
    /// # Errors
    /// [`ClientError::ReadLog`] if the connection is lost.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        match self.0.chunk().await {
            Ok(bytes) => Ok(bytes.map(Vec::from)),
            Err(error) => Err(ClientError::ReadLog { why: root_cause(&error) }),
        }
    }
}

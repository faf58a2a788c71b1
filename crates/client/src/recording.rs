//! Recordings of class work.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Client, ClientError, LogStream};
use hyper::Method;
use pierhead_wire::{ConsentRequest, ConsentView, DeletedRecordingView, RecordingView};

impl Client {
    /// Whether one lets recordings of one's terminals be kept for a course.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such course, or not for the asker.
    pub async fn consent(&self, course: &str) -> Result<Answer<ConsentView>, ClientError> {
        self.send(&Call::get(&["api", "courses", course, "consent"])).await?.read()
    }

    /// Lets them be kept, or not any longer: then those that are kept are deleted.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if the course asks for none, or one does not take it.
    pub async fn set_consent(&self, course: &str, recordings: bool) -> Result<Answer<ConsentView>, ClientError> {
        let body = json(&ConsentRequest { recordings })?;
        self.send(&Call::new(Method::PUT, &["api", "courses", course, "consent"]).body(body)).await?.read()
    }

    /// The recordings that are kept for a course, the latest first: everybody's for those who give it, else one's own.
    ///
    /// # Errors
    /// As [`Client::consent`].
    pub async fn recordings(
        &self,
        course: &str,
        lab: Option<&str>,
        username: Option<&str>,
    ) -> Result<Answer<Vec<RecordingView>>, ClientError> {
        let call = Call::get(&["api", "courses", course, "recordings"]);
        self.send(&call.query_if("lab", lab).query_if("username", username)).await?.read()
    }

    /// Those that were deleted in the last thirty days, as far as they concern the asker, the latest first.
    ///
    /// # Errors
    /// As [`Client::consent`].
    pub async fn deleted_recordings(&self, course: &str) -> Result<Answer<Vec<DeletedRecordingView>>, ClientError> {
        self.send(&Call::get(&["api", "courses", course, "deleted-recordings"])).await?.read()
    }

    /// A recording: a file of asciicast v2, as it comes.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or not for the asker.
    pub async fn recording(&self, course: &str, id: &str) -> Result<LogStream, ClientError> {
        let call = Call::get(&["api", "courses", course, "recordings", id]);
        Ok(LogStream::new(self.open(&call.unlimited()).await?))
    }

    /// Deletes a recording.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 403 if it is not one's work and one does not teach the course.
    pub async fn delete_recording(&self, course: &str, id: &str) -> Result<(), ClientError> {
        self.send(&Call::delete(&["api", "courses", course, "recordings", id])).await.map(drop)
    }
}

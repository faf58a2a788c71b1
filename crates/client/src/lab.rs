//! Labs: documents with their drafts and versions.

use crate::change::json;
use crate::transport::Call;
use crate::upload::coming;
use crate::{Answer, Client, ClientError};
use hyper::Method;
use pierhead_wire::{LabRequest, LabView, PublishRequest, WorkspaceView};
use std::io::Cursor;

const LABS: [&str; 2] = ["api", "labs"];

impl Client {
    /// The labs that one may see.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn labs(&self) -> Result<Answer<Vec<LabView>>, ClientError> {
        self.list(Call::get(&LABS)).await
    }

    /// One lab.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or not for the asker.
    pub async fn lab(&self, id: &str) -> Result<Answer<LabView>, ClientError> {
        self.send(&Call::get(&["api", "labs", id])).await?.read()
    }

    /// Makes a lab.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if there is one of that name.
    pub async fn add_lab(&self, request: &LabRequest) -> Result<Answer<LabView>, ClientError> {
        self.change_at_once(Call::post(&LABS).body(json(request)?)).await?.read()
    }

    /// Puts all files of a lab's draft, as a tar archive, in place of those that it has.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 400 for what is no archive of a lab, 403 if it is for others to write.
    pub async fn push_lab(&self, id: &str, tar: Vec<u8>) -> Result<Answer<LabView>, ClientError> {
        let call = Call::new(Method::PUT, &["api", "labs", id, "draft"]).unlimited();
        let size = u64::try_from(tar.len()).ok();
        self.send_body(&call, coming(Cursor::new(tar), size, |_| ())).await?.read()
    }

    /// All files of a state of a lab as a tar archive; `version` is `draft`, `newest` or a number.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 403 if it is for others to write.
    pub async fn lab_archive(&self, id: &str, version: &str) -> Result<Vec<u8>, ClientError> {
        let call = Call::get(&["api", "labs", id, "archive"]).query("version", version).unlimited();
        let mut response = self.open(&call).await?;
        let mut archive = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => archive.extend_from_slice(&piece),
                Ok(None) => return Ok(archive),
                Err(error) => return Err(ClientError::ReadLog { why: crate::error::root_cause(&error) }),
            }
        }
    }

    /// Publishes what a lab's draft is now.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 400 if there are errors in it.
    pub async fn publish_lab(&self, id: &str, request: &PublishRequest) -> Result<Answer<LabView>, ClientError> {
        self.change_at_once(Call::post(&["api", "labs", id, "publish"]).body(json(request)?)).await?.read()
    }

    /// Opens the workspace in which an author tries the draft, or finds it.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such lab, 403 if it is for others to write.
    pub async fn lab_workspace(&self, id: &str) -> Result<Answer<WorkspaceView>, ClientError> {
        self.change_at_once(Call::post(&["api", "labs", id, "workspace"])).await?.read()
    }

    /// Forgets a lab with all its versions.
    ///
    /// # Errors
    /// As [`Client::lab`], and 403 if it is somebody else's.
    pub async fn delete_lab(&self, id: &str) -> Result<(), ClientError> {
        self.send(&Call::delete(&["api", "labs", id])).await.map(drop)
    }
}

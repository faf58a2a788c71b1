//! Files of workspaces.

use crate::change::json;
use crate::connection::Response;
use crate::error::root_cause;
use crate::transport::Call;
use crate::upload::coming;
use crate::{Answer, Client, ClientError};
use hyper::Method;
use pierhead_wire::{FileView, FolderView, MakeFolderRequest, MoveFileRequest};
use std::io::Read;

/// A file of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileAt<'a> {
    /// The workspace's id.
    pub workspace: &'a str,
    /// The container, by its name in the environment; the first one without.
    pub container: Option<&'a str>,
    /// Its path in the container, as the API writes it: `%` as `%25`.
    pub path: &'a str,
}

impl FileAt<'_> {
    fn call(&self, method: Method, last: &[&str]) -> Call {
        let path = [&["api", "workspaces", self.workspace, "files"], last].concat();
        Call::new(method, &path).query_if("container", self.container).query("path", self.path)
    }
}

impl Client {
    /// What is in a folder.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such workspace or folder, 409 if it does not run or is none.
    pub async fn list_files(&self, folder: FileAt<'_>) -> Result<Answer<FolderView>, ClientError> {
        self.send(&folder.call(Method::GET, &[])).await?.read()
    }

    /// The bytes of a file; with `archive`, `tar` or `zip`, a file or folder as one file of that form.
    ///
    /// # Errors
    /// As [`Client::list_files`].
    pub async fn read_file(&self, file: FileAt<'_>, archive: Option<&str>) -> Result<FileStream, ClientError> {
        let call = file.call(Method::GET, &["content"]).query_if("archive", archive).unlimited();
        Ok(FileStream(self.open(&call).await?))
    }

    /// Writes a file, read from `source` as fast as the workspace takes it, in place of what is there; folders on the way
    /// are made. `size` is how many bytes there are, if that is known, `mode` who may do what; `progress` gets how many
    /// bytes are on their way.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 507 if the disk is full, and as [`Client::list_files`];
    /// [`ClientError::Unreachable`] also if `source` can't be read.
    pub async fn write_file(
        &self,
        file: FileAt<'_>,
        mode: Option<u32>,
        source: impl Read + Send + 'static,
        size: Option<u64>,
        progress: impl Fn(u64) + Send + 'static,
    ) -> Result<Answer<FileView>, ClientError> {
        let mode = mode.map(|mode| format!("{:03o}", mode & 0o777));
        let call = file.call(Method::PUT, &["content"]).query_if("mode", mode).query("parents", true).unlimited();
        self.send_body(&call, coming(source, size, progress)).await?.read()
    }

    /// Makes a folder, and those that are missing on the way if it `makes_parents`.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if it is there, and as [`Client::list_files`].
    pub async fn make_folder(&self, at: FileAt<'_>, makes_parents: bool) -> Result<Answer<FileView>, ClientError> {
        let container = at.container.map(str::to_owned);
        let request = MakeFolderRequest { container, path: at.path.to_owned(), parents: makes_parents };
        let call = Call::post(&["api", "workspaces", at.workspace, "files"]).body(json(&request)?);
        self.change_at_once(call).await?.read()
    }

    /// Moves a file or folder.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if something is there already, and as [`Client::list_files`].
    pub async fn move_file(&self, at: FileAt<'_>, to: &str, replaces: bool) -> Result<Answer<FileView>, ClientError> {
        let (container, path) = (at.container.map(str::to_owned), at.path.to_owned());
        let request = MoveFileRequest { container, path, to: to.to_owned(), replace: replaces };
        let call = Call::post(&["api", "workspaces", at.workspace, "files", "move"]).body(json(&request)?);
        self.change_at_once(call).await?.read()
    }

    /// Removes a file, or a folder with all that is in it if it is `recursive`.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if a folder is not empty, and as [`Client::list_files`].
    pub async fn remove_file(&self, at: FileAt<'_>, recursive: bool) -> Result<(), ClientError> {
        let call = at.call(Method::DELETE, &[]).query_if("recursive", recursive.then_some(true));
        self.send(&call).await.map(drop)
    }
}

/// The bytes of a file as they come. Dropping it ends them.
#[derive(Debug)]
pub struct FileStream(pub(crate) Response);

impl FileStream {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// [`ClientError::ReadLog`] if the connection is lost, or the file could not be read to its end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        match self.0.chunk().await {
            Ok(bytes) => Ok(bytes.map(Vec::from)),
            Err(error) => Err(ClientError::ReadLog { why: root_cause(&error) }),
        }
    }
}

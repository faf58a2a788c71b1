//! Labs: documents that people work through.

use crate::change::json;
use crate::transport::Call;
use crate::upload::coming;
use crate::{Answer, Client, ClientError, FileStream};
use hyper::Method;
use pierhead_wire::{
    LabDiffView, LabEnvironmentRequest, LabFileView, LabHistoryView, LabImagesView, LabImportView, LabOutlineView,
    LabPageView, LabPreviewRequest, LabRequest, LabSettings, LabView, MoveLabFileRequest, PublishRequest,
    WorkspaceView,
};
use std::io::Read;

const LABS: [&str; 2] = ["api", "labs"];
const IMAGES: [&str; 2] = ["api", "lab-images"];

/// What must be there for something to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabBefore<'a> {
    /// Whatever is there.
    Any,
    /// Nothing.
    Absent,
    /// What has this digest.
    Digest(&'a str),
}

impl LabBefore<'_> {
    fn on(self, call: Call) -> Call {
        match self {
            Self::Any => call,
            Self::Absent => call.header("If-None-Match", "*".to_owned()),
            Self::Digest(digest) => call.header("If-Match", format!("\"{digest}\"")),
        }
    }
}

fn of(method: Method, id: &str, last: &[&str]) -> Call {
    Call::new(method, &[&["api", "labs", id], last].concat())
}

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
        self.send(&of(Method::GET, id, &[])).await?.read()
    }

    /// Makes a lab of one step.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if there is one of that name.
    pub async fn add_lab(&self, request: &LabRequest) -> Result<Answer<LabView>, ClientError> {
        self.change_at_once(Call::post(&LABS).body(json(request)?)).await?.read()
    }

    /// Changes who may see and write a lab.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 403 if it is somebody else's.
    pub async fn set_lab(&self, id: &str, settings: &LabSettings) -> Result<Answer<LabView>, ClientError> {
        self.send(&of(Method::PUT, id, &[]).body(json(settings)?)).await?.read()
    }

    /// Forgets a lab with all its versions.
    ///
    /// # Errors
    /// As [`Client::set_lab`].
    pub async fn delete_lab(&self, id: &str) -> Result<(), ClientError> {
        self.change_at_once(of(Method::DELETE, id, &[])).await.map(drop)
    }

    /// Puts a folder, as a tar archive that is read from `source`, in place of a draft.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 412 if another draft is there than must be, and as [`Client::set_lab`].
    pub async fn replace_lab_draft(
        &self,
        id: &str,
        before: LabBefore<'_>,
        source: impl Read + Send + 'static,
        progress: impl Fn(u64) + Send + 'static,
    ) -> Result<Answer<LabView>, ClientError> {
        let call = before.on(of(Method::PUT, id, &["draft"]).unlimited());
        self.send_body(&call, coming(source, None, progress)).await?.read()
    }

    /// All files of a lab as a tar archive; `version` is `draft`, `newest` or a number.
    ///
    /// # Errors
    /// As [`Client::set_lab`].
    pub async fn lab_archive(&self, id: &str, version: &str) -> Result<FileStream, ClientError> {
        let call = of(Method::GET, id, &["archive"]).query("version", version).unlimited();
        Ok(FileStream(self.open(&call).await?))
    }

    /// The files of a state of a lab.
    ///
    /// # Errors
    /// As [`Client::set_lab`].
    pub async fn lab_files(&self, id: &str, version: &str) -> Result<Answer<Vec<LabFileView>>, ClientError> {
        self.send(&of(Method::GET, id, &["files"]).query("version", version)).await?.read()
    }

    /// The bytes of a file of a lab.
    ///
    /// # Errors
    /// As [`Client::set_lab`].
    pub async fn read_lab_file(&self, id: &str, version: &str, path: &str) -> Result<FileStream, ClientError> {
        let call = of(Method::GET, id, &["files", "content"]).query("version", version).query("path", path);
        Ok(FileStream(self.open(&call.unlimited()).await?))
    }

    /// Writes a file of a draft.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 412 if something else is there than must be, and as [`Client::set_lab`].
    pub async fn write_lab_file(
        &self,
        id: &str,
        path: &str,
        before: LabBefore<'_>,
        source: impl Read + Send + 'static,
        size: Option<u64>,
    ) -> Result<Answer<LabFileView>, ClientError> {
        let call = before.on(of(Method::PUT, id, &["files", "content"]).query("path", path).unlimited());
        self.send_body(&call, coming(source, size, |_| ())).await?.read()
    }

    /// Removes a file of a draft, or a folder.
    ///
    /// # Errors
    /// As [`Client::write_lab_file`].
    pub async fn remove_lab_file(&self, id: &str, path: &str, before: LabBefore<'_>) -> Result<(), ClientError> {
        let call = before.on(of(Method::DELETE, id, &["files", "content"]).query("path", path));
        self.send(&call).await.map(drop)
    }

    /// Moves a file or folder of a draft.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if something is there already, and as [`Client::set_lab`].
    pub async fn move_lab_file(&self, id: &str, path: &str, to: &str) -> Result<Answer<LabView>, ClientError> {
        let request = MoveLabFileRequest { path: path.to_owned(), to: to.to_owned() };
        self.change_at_once(of(Method::POST, id, &["files", "move"]).body(json(&request)?)).await?.read()
    }

    /// Publishes the draft of a lab.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 422 and `problems` if it has errors, 412 if it is another by now.
    pub async fn publish_lab(&self, id: &str, request: &PublishRequest) -> Result<Answer<LabView>, ClientError> {
        self.change_at_once(of(Method::POST, id, &["publish"]).unlimited().body(json(request)?)).await?.read()
    }

    /// Forgets a version of a lab.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if it is the newest, and as [`Client::set_lab`].
    pub async fn delete_lab_version(&self, id: &str, number: u32) -> Result<(), ClientError> {
        self.change_at_once(of(Method::DELETE, id, &["versions", &number.to_string()])).await.map(drop)
    }

    /// What is remembered of the drafts of a lab, the newest first.
    ///
    /// # Errors
    /// As [`Client::set_lab`].
    pub async fn lab_history(&self, id: &str) -> Result<Answer<Vec<LabHistoryView>>, ClientError> {
        self.send(&of(Method::GET, id, &["history"])).await?.read()
    }

    /// Makes a draft what it was.
    ///
    /// # Errors
    /// As [`Client::set_lab`].
    pub async fn restore_lab_draft(&self, id: &str, revision: u64) -> Result<Answer<LabView>, ClientError> {
        let call = of(Method::POST, id, &["history", &revision.to_string(), "restore"]);
        self.change_at_once(call).await?.read()
    }

    /// How one state of a lab differs from another.
    ///
    /// # Errors
    /// As [`Client::set_lab`].
    pub async fn lab_diff(
        &self,
        id: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Answer<LabDiffView>, ClientError> {
        let call = of(Method::GET, id, &["diff"]).query_if("from", from).query_if("to", to).unlimited();
        self.send(&call).await?.read()
    }

    /// What a state of a lab holds, and for its authors what is wrong with it.
    ///
    /// # Errors
    /// As [`Client::lab`].
    pub async fn lab_outline(&self, id: &str, version: Option<&str>) -> Result<Answer<LabOutlineView>, ClientError> {
        let call = of(Method::GET, id, &["outline"]).query_if("version", version).unlimited();
        self.send(&call).await?.read()
    }

    /// A page of a lab; steps count from 0.
    ///
    /// # Errors
    /// As [`Client::set_lab`].
    pub async fn lab_page(
        &self,
        id: &str,
        version: &str,
        step: usize,
        language: Option<&str>,
    ) -> Result<Answer<LabPageView>, ClientError> {
        let call = of(Method::GET, id, &["pages", &step.to_string()]).query("version", version);
        self.send(&call.query_if("language", language)).await?.read()
    }

    /// What a page would be.
    ///
    /// # Errors
    /// As [`Client::set_lab`].
    pub async fn preview_lab(&self, id: &str, request: &LabPreviewRequest) -> Result<Answer<LabPageView>, ClientError> {
        self.send(&of(Method::POST, id, &["preview"]).body(json(request)?)).await?.read()
    }

    /// Opens the workspace in which one tries the draft of a lab, or finds the one that one has.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 422 if the draft describes no environment, and as [`Client::set_lab`].
    pub async fn open_lab_workspace(&self, id: &str) -> Result<Answer<WorkspaceView>, ClientError> {
        self.change_at_once(of(Method::POST, id, &["workspace"])).await?.read()
    }

    /// Makes a save the environment of a lab.
    ///
    /// # Errors
    /// As [`Client::set_lab`].
    pub async fn prepare_lab(&self, id: &str, save: &str) -> Result<Answer<LabView>, ClientError> {
        let request = LabEnvironmentRequest { save: save.to_owned() };
        self.change_at_once(of(Method::POST, id, &["environment"]).body(json(&request)?)).await?.read()
    }

    /// Makes a lab of an archive that is read from `source`.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if it can't be read or holds too much, with status 409 if there is a lab of that name.
    pub async fn import_lab(
        &self,
        id: Option<&str>,
        path: Option<&str>,
        source: impl Read + Send + 'static,
        size: Option<u64>,
    ) -> Result<Answer<LabImportView>, ClientError> {
        let call = Call::post(&["api", "labs", "import"]).query_if("id", id).query_if("path", path).unlimited();
        self.send_body(&call, coming(source, size, |_| ())).await?.read()
    }

    /// What the images of other platforms become in labs that are imported.
    ///
    /// # Errors
    /// [`ClientError`] if it cannot be had.
    pub async fn lab_images(&self) -> Result<Answer<LabImagesView>, ClientError> {
        self.send(&Call::get(&IMAGES)).await?.read()
    }

    /// Says what the images of other platforms become.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 403 for who is no administrator.
    pub async fn set_lab_images(&self, table: &LabImagesView) -> Result<Answer<LabImagesView>, ClientError> {
        self.send(&Call::new(Method::PUT, &IMAGES).body(json(table)?)).await?.read()
    }
}

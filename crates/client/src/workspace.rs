//! Environments, and workspaces that are made from them.

use crate::change::json;
use crate::transport::{Body, Call};
use crate::{Answer, Change, Client, ClientError};
use hyper::Method;
use pierhead_wire::{
    EnvironmentChange, EnvironmentRequest, EnvironmentView, ExtendRequest, GuestRequest, WorkspaceRequest,
    WorkspaceSaveRequest, WorkspaceStartRequest, WorkspaceView,
};

const ENVIRONMENTS: [&str; 2] = ["api", "environments"];
const WORKSPACES: [&str; 2] = ["api", "workspaces"];

impl Client {
    /// The environments that one may open.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn environments(&self) -> Result<Answer<Vec<EnvironmentView>>, ClientError> {
        self.list(Call::get(&ENVIRONMENTS)).await
    }

    /// One environment.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or not for the asker.
    pub async fn environment(&self, id: &str) -> Result<Answer<EnvironmentView>, ClientError> {
        self.send(&Call::get(&["api", "environments", id])).await?.read()
    }

    /// Describes an environment.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if there is one of that name, 403 for what needs a permission.
    pub async fn add_environment(&self, request: &EnvironmentRequest) -> Result<Answer<EnvironmentView>, ClientError> {
        self.change_at_once(Call::post(&ENVIRONMENTS).body(json(request)?)).await?.read()
    }

    /// Changes an environment.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 403 if it is somebody else's.
    pub async fn set_environment(
        &self,
        id: &str,
        change: &EnvironmentChange,
    ) -> Result<Answer<EnvironmentView>, ClientError> {
        let call = Call::new(Method::PUT, &["api", "environments", id]).body(json(change)?);
        self.send(&call).await?.read()
    }

    /// Forgets an environment.
    ///
    /// # Errors
    /// As [`Client::set_environment`].
    pub async fn delete_environment(&self, id: &str) -> Result<(), ClientError> {
        self.send(&Call::delete(&["api", "environments", id])).await.map(drop)
    }

    /// The workspaces that one may come to, the newest first.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn workspaces(&self) -> Result<Answer<Vec<WorkspaceView>>, ClientError> {
        self.list(Call::get(&WORKSPACES)).await
    }

    /// One workspace.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or not for the asker.
    pub async fn workspace(&self, id: &str) -> Result<Answer<WorkspaceView>, ClientError> {
        self.send(&Call::get(&["api", "workspaces", id])).await?.read()
    }

    /// Opens a workspace; how far it is its phase tells.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such environment or save, 429 if there are too many.
    pub async fn open_workspace(
        &self,
        request: &WorkspaceRequest,
        change: &Change,
    ) -> Result<Answer<WorkspaceView>, ClientError> {
        let call = Call::post(&WORKSPACES).body(json(request)?);
        self.send(&call.keyed(change.key.clone())).await?.read()
    }

    /// Ends a workspace, with what is in it if it `discards` that.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 403 for a guest.
    pub async fn end_workspace(&self, id: &str, discards: bool) -> Result<(), ClientError> {
        let call = Call::delete(&["api", "workspaces", id]);
        self.send(&call.query_if("discard", discards.then_some("true"))).await.map(drop)
    }

    /// Puts off its end.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 409 if it does not run.
    pub async fn extend_workspace(&self, id: &str, minutes: u32) -> Result<Answer<WorkspaceView>, ClientError> {
        self.change_workspace(id, "extend", json(&ExtendRequest { minutes })?).await
    }

    /// Saves it, and lets it run.
    ///
    /// # Errors
    /// As [`Client::extend_workspace`].
    pub async fn save_workspace(&self, id: &str, name: Option<&str>) -> Result<Answer<WorkspaceView>, ClientError> {
        self.change_workspace(id, "save", json(&WorkspaceSaveRequest { name: name.map(str::to_owned) })?).await
    }

    /// Saves and stops it.
    ///
    /// # Errors
    /// As [`Client::extend_workspace`].
    pub async fn stop_workspace(&self, id: &str) -> Result<Answer<WorkspaceView>, ClientError> {
        self.change_at_once(Call::post(&["api", "workspaces", id, "stop"])).await?.read()
    }

    /// Starts it: where it was, or from a save.
    ///
    /// # Errors
    /// As [`Client::extend_workspace`].
    pub async fn start_workspace(&self, id: &str, save: Option<&str>) -> Result<Answer<WorkspaceView>, ClientError> {
        self.change_workspace(id, "start", json(&WorkspaceStartRequest { save: save.map(str::to_owned) })?).await
    }

    /// Begins it anew.
    ///
    /// # Errors
    /// As [`Client::extend_workspace`].
    pub async fn reset_workspace(&self, id: &str) -> Result<Answer<WorkspaceView>, ClientError> {
        self.change_at_once(Call::post(&["api", "workspaces", id, "reset"])).await?.read()
    }

    async fn change_workspace(&self, id: &str, verb: &str, body: Body) -> Result<Answer<WorkspaceView>, ClientError> {
        self.change_at_once(Call::post(&["api", "workspaces", id, verb]).body(body)).await?.read()
    }

    /// Lets an account come to a workspace: as `driver` or `viewer`.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such workspace or account.
    pub async fn share_workspace(&self, id: &str, username: &str, role: &str) -> Result<(), ClientError> {
        let body = json(&GuestRequest { role: role.to_owned() })?;
        let call = Call::new(Method::PUT, &["api", "workspaces", id, "guests", username]).body(body);
        self.send(&call).await.map(drop)
    }

    /// Lets an account not come any more.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if it is no guest.
    pub async fn unshare_workspace(&self, id: &str, username: &str) -> Result<(), ClientError> {
        self.send(&Call::delete(&["api", "workspaces", id, "guests", username])).await.map(drop)
    }
}

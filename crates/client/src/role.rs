//! Roles.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use hyper::Method;
use pierhead_wire::{PermissionsRequest, RoleDetail, RoleRequest};

const ROLES: [&str; 2] = ["api", "roles"];

impl Client {
    /// All roles; that of the administrator names every permission.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn roles(&self) -> Result<Answer<Vec<RoleDetail>>, ClientError> {
        self.list(Call::get(&ROLES)).await
    }

    /// One role.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none of that name.
    pub async fn role(&self, name: &str) -> Result<Answer<RoleDetail>, ClientError> {
        self.send(&Call::get(&["api", "roles", name])).await?.read()
    }

    /// Makes a role.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if the name is taken, 400 if there is no such permission.
    pub async fn add_role(&self, role: &RoleRequest) -> Result<(), ClientError> {
        self.change_at_once(Call::post(&ROLES).body(json(role)?)).await.map(drop)
    }

    /// Changes what a role may do.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none of that name, 409 if it is built in.
    pub async fn set_role(&self, name: &str, permissions: &PermissionsRequest) -> Result<(), ClientError> {
        let call = Call::new(Method::PUT, &["api", "roles", name]).body(json(permissions)?);
        self.change_at_once(call).await.map(drop)
    }

    /// Deletes a role that nobody has.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none of that name, 409 if it is somebody's or built in.
    pub async fn delete_role(&self, name: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::delete(&["api", "roles", name])).await.map(drop)
    }
}

//! Accounts that somebody lets come to what is theirs: a terminal, a workspace.

use crate::{Api, ApiError};
use pierhead_model::Username;
use pierhead_wire::FieldError;

/// The account that is named in a path; it need not exist.
pub(super) fn guest(username: &str) -> Result<Username, ApiError> {
    Ok(Username::parse(username).map_err(|invalid| FieldError::of("username", &invalid))?)
}

/// An account that exists. Asked only for somebody who may share: others learn nothing of accounts.
pub(super) async fn new_guest(api: &Api, username: &str) -> Result<Username, ApiError> {
    let guest = guest(username)?;
    match api.accounts.role_of(&guest).await? {
        Some(_) => Ok(guest),
        None => Err(ApiError::not_found(format!("there is no account {guest}"))),
    }
}

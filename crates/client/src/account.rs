//! Logging in, and accounts.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use hyper::Method;
use pierhead_wire::{AccountRequest, AccountView, LogIn, LoggedIn, PasswordChange, RoleChange, RoleView};

const ACCOUNTS: [&str; 2] = ["api", "account"];

impl Client {
    /// A token for a user name and password.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 401 if they do not fit.
    pub async fn log_in(&self, log_in: &LogIn) -> Result<Answer<LoggedIn>, ClientError> {
        self.send(&Call::post(&["auth", "login"]).body(json(log_in)?)).await?.read()
    }

    /// Changes a password: one's own, or as an administrator anybody's.
    ///
    /// # Errors
    /// [`ClientError`] if it was not changed.
    pub async fn change_password(&self, change: &PasswordChange) -> Result<(), ClientError> {
        self.change_at_once(Call::post(&["account", "passwdchange"]).body(json(change)?)).await.map(drop)
    }

    /// All accounts.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn accounts(&self) -> Result<Answer<Vec<AccountView>>, ClientError> {
        self.list(Call::get(&ACCOUNTS)).await
    }

    /// Adds an account.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if the name is taken.
    pub async fn add_account(&self, account: &AccountRequest) -> Result<(), ClientError> {
        self.change_at_once(Call::post(&ACCOUNTS).body(json(account)?)).await.map(drop)
    }

    /// Deletes an account.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none of that name.
    pub async fn delete_account(&self, username: &str) -> Result<(), ClientError> {
        let body = AccountRequest { username: Some(username.to_owned()), ..AccountRequest::default() };
        self.change_at_once(Call::delete(&ACCOUNTS).body(json(&body)?)).await.map(drop)
    }

    /// Suspends an account.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such account, 409 if it is the last administrator.
    pub async fn suspend_account(&self, username: &str) -> Result<(), ClientError> {
        self.send(&Call::post(&["api", "account", username, "suspend"])).await.map(drop)
    }

    /// Lets a suspended account in again.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such account.
    pub async fn resume_account(&self, username: &str) -> Result<(), ClientError> {
        self.send(&Call::post(&["api", "account", username, "resume"])).await.map(drop)
    }

    /// Gives an account another role.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such account, 409 if it is the last administrator.
    pub async fn set_account_role(&self, username: &str, role: &str) -> Result<(), ClientError> {
        let body = RoleChange { role: RoleView { name: role.to_owned() } };
        let call = Call::new(Method::PUT, &["api", "account", username]).body(json(&body)?);
        self.change_at_once(call).await.map(drop)
    }
}

//! Tokens.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use pierhead_wire::{TokenCreated, TokenRequest, TokenView};

const TOKENS: [&str; 2] = ["api", "tokens"];

/// Whose tokens are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokensOf<'a> {
    /// Those of the account that is logged in.
    Me,
    /// Those of this account.
    Account(&'a str),
    /// All.
    Everybody,
}

impl Client {
    /// Tokens, the oldest first: never the tokens themselves.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 403 if they are another's and one does not administer accounts.
    pub async fn tokens(&self, of: TokensOf<'_>) -> Result<Answer<Vec<TokenView>>, ClientError> {
        let call = Call::get(&TOKENS);
        let call = match of {
            TokensOf::Me => call,
            TokensOf::Account(name) => call.query("username", name),
            TokensOf::Everybody => call.query("all", true),
        };
        self.list(call).await
    }

    /// Makes a token for the account that is logged in; it is told this once.
    ///
    /// # Errors
    /// [`ClientError`] if it was not made.
    pub async fn create_token(&self, token: &TokenRequest) -> Result<Answer<TokenCreated>, ClientError> {
        self.change_at_once(Call::post(&TOKENS).body(json(token)?)).await?.read()
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none of that id that one may revoke.
    pub async fn revoke_token(&self, id: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::delete(&["api", "tokens", id])).await.map(drop)
    }

    /// Revokes the token of this client.
    ///
    /// # Errors
    /// [`ClientError`] if it was not revoked; status 401 means that it is worth nothing already.
    pub async fn log_out(&self) -> Result<(), ClientError> {
        self.revoke_token("current").await
    }
}

//! What a word on the command line is about: an app, or else a container.

use crate::CliError;
use pierhead_client::{Client, ClientError};

/// What the word is about.
pub(crate) enum Target {
    /// An app of that name.
    App,
    /// No app; perhaps a container whose id begins so.
    Container,
}

impl Target {
    /// Asks for an app of that name.
    pub(crate) async fn find(client: &Client, word: &str) -> Result<Self, CliError> {
        match client.app(word).await {
            Ok(_) => Ok(Self::App),
            // A container's name is not always one that an app could have.
            Err(ClientError::Refused { status: 400 | 404 | 422, .. }) => Ok(Self::Container),
            Err(error) => Err(error.into()),
        }
    }
}

/// Says that it is no container either, unless the controller knows what became of it.
pub(crate) fn neither(word: &str, error: ClientError) -> CliError {
    match error {
        ClientError::Refused { status: 404, body } if body.replaced_by.is_none() => {
            CliError::NotFound(format!("there is neither an app nor a container {word:?}"))
        }
        error => error.into(),
    }
}

//! The pool's accounts at registries of images.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use hyper::Method;
use pierhead_wire::{RegistryChange, RegistryRequest, RegistryView};

const REGISTRIES: [&str; 2] = ["api", "registries"];

impl Client {
    /// All accounts at registries, never with a password.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn registries(&self) -> Result<Answer<Vec<RegistryView>>, ClientError> {
        self.list(Call::get(&REGISTRIES)).await
    }

    /// The account at one registry.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn registry(&self, host: &str) -> Result<Answer<RegistryView>, ClientError> {
        self.send(&Call::get(&["api", "registries", host])).await?.read()
    }

    /// Gives the pool an account at a registry.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if it has one.
    pub async fn add_registry(&self, registry: &RegistryRequest) -> Result<Answer<RegistryView>, ClientError> {
        self.change_at_once(Call::post(&REGISTRIES).body(json(registry)?)).await?.read()
    }

    /// Sets the pool's account at a registry, whether it had one or not.
    ///
    /// # Errors
    /// [`ClientError`] if it was not set.
    pub async fn set_registry(&self, host: &str, change: &RegistryChange) -> Result<(), ClientError> {
        let call = Call::new(Method::PUT, &["api", "registries", host]).body(json(change)?);
        self.change_at_once(call).await.map(drop)
    }

    /// Forgets the pool's account at a registry.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn delete_registry(&self, host: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::delete(&["api", "registries", host])).await.map(drop)
    }
}

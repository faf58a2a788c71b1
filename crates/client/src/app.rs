//! Apps.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Change, Client, ClientError, LogOptions, LogStream, Started};
use hyper::Method;
use pierhead_wire::{AppChange, AppView, ExplainView};

impl Client {
    /// All apps.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn apps(&self) -> Result<Answer<Vec<AppView>>, ClientError> {
        self.list(Call::get(&["api", "apps"])).await
    }

    /// One app with its slots.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn app(&self, name: &str) -> Result<Answer<AppView>, ClientError> {
        self.send(&Call::get(&["api", "apps", name])).await?.read()
    }

    /// Makes an app or changes its description.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 and code `no_room` if it has no place.
    pub async fn set_app(
        &self,
        name: &str,
        app: &AppChange,
        change: &Change,
    ) -> Result<Started<Answer<AppView>>, ClientError> {
        let call = Call::new(Method::PUT, &["api", "apps", name]).body(json(app)?);
        self.change(call, change, |reply| reply.read()).await
    }

    /// Deletes an app with its containers.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn delete_app(&self, name: &str, change: &Change) -> Result<Started<()>, ClientError> {
        self.change_only(Call::delete(&["api", "apps", name]), change).await
    }

    /// Sets how many slots of an app run.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 and code `no_room` if they have no place.
    pub async fn scale_app(&self, name: &str, count: u32, change: &Change) -> Result<Started<()>, ClientError> {
        self.change_only(Call::post(&["api", "apps", name, "scale"]).query("count", count), change).await
    }

    /// What the containers of an app write, each line behind the name of its container; a line that begins with `#` is about
    /// a log.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn app_logs(&self, name: &str, options: &LogOptions) -> Result<LogStream, ClientError> {
        let call = options.query(Call::get(&["api", "apps", name, "logs"]));
        Ok(LogStream::new(self.open(&call.unlimited()).await?))
    }

    /// Why the slots of an app are where they are.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn explain_app(&self, name: &str) -> Result<Answer<ExplainView>, ClientError> {
        self.send(&Call::get(&["api", "apps", name, "explain"])).await?.read()
    }
}

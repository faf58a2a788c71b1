//! Containers: listed, run, and the verbs on one of them.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Change, Client, ClientError, LogOptions, LogStream, Started};
use pierhead_wire::{ContainerView, ExplainView, ImageDescription};

/// What a run needs beside the description.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// How many; 1 if absent.
    pub count: Option<u32>,
    /// Whether the image is pulled even where it is; the server's choice if absent.
    pub pull: Option<bool>,
    /// The app's name; made up if absent.
    pub app: Option<String>,
}

/// What is done to one container, which stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Start it.
    Start,
    /// Stop it.
    Stop,
    /// Restart it, or start it if it is stopped.
    Restart,
}

impl Verb {
    /// The word for it, as in the path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }
}

impl Client {
    /// Containers on all hosts, newest first; only those that run unless `all`.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn containers(&self, all: bool) -> Result<Answer<Vec<ContainerView>>, ClientError> {
        self.list(Call::get(&["api", "containers"]).query_if("all", all.then_some(true))).await
    }

    /// One container, by its id or the beginning of it.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, and `replaced_by` if another took its place.
    pub async fn container(&self, id: &str) -> Result<Answer<ContainerView>, ClientError> {
        self.send(&Call::get(&["api", "containers", id])).await?.read()
    }

    /// Runs containers of one description.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 and code `no_room` if they have no place.
    pub async fn run(
        &self,
        image: &ImageDescription,
        options: &RunOptions,
        change: &Change,
    ) -> Result<Started<Answer<Vec<ContainerView>>>, ClientError> {
        let call = Call::post(&["api", "containers"])
            .query_if("count", options.count)
            .query_if("pull", options.pull)
            .query_if("app", options.app.as_ref())
            .body(json(image)?);
        self.change(call, change, |reply| reply.read()).await
    }

    /// Starts, stops or restarts a container.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn act(&self, id: &str, verb: Verb, change: &Change) -> Result<Started<()>, ClientError> {
        self.change_only(Call::post(&["api", "containers", id, verb.as_str()]), change).await
    }

    /// Destroys a container, whether it runs or not.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn destroy(&self, id: &str, change: &Change) -> Result<Started<()>, ClientError> {
        self.change_only(Call::delete(&["api", "containers", id]), change).await
    }

    /// Sets how many containers of the same app run.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such container.
    pub async fn scale_container(&self, id: &str, count: u32, change: &Change) -> Result<Started<()>, ClientError> {
        self.change_only(Call::post(&["api", "containers", id, "scale"]).query("count", count), change).await
    }

    /// What a container wrote, as it comes.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn logs(&self, id: &str, options: &LogOptions) -> Result<LogStream, ClientError> {
        let call = options.query(Call::get(&["api", "containers", id, "logs"]));
        Ok(LogStream::new(self.open(&call.unlimited()).await?))
    }

    /// Why a container is where it is.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn explain_container(&self, id: &str) -> Result<Answer<ExplainView>, ClientError> {
        self.send(&Call::get(&["api", "containers", id, "explain"])).await?.read()
    }
}

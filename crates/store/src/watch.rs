//! The reader's end of a watch. How changes get here is each store's own business.

use async_trait::async_trait;

use crate::{Changes, Result};

/// What a store implements to feed a [`Watch`].
#[async_trait]
pub trait Watcher: Send {
    /// See [`Watch::next`], cancellation included.
    async fn next(&mut self) -> Result<Changes>;
}

/// Changes in the order of their revisions, one commit at a time, none left out.
pub struct Watch {
    watcher: Box<dyn Watcher>,
}

impl Watch {
    /// A watch fed by `watcher`.
    pub fn new(watcher: impl Watcher + 'static) -> Self {
        Self { watcher: Box::new(watcher) }
    }

    /// Waits for the next commit that changed a watched key. Dropping the future loses nothing, so it may
    /// stand in a `select!`.
    ///
    /// # Errors
    /// [`crate::Error::Compacted`] if this reader was so slow that the history was forgotten before it came:
    /// list anew. After an error the watch is of no more use.
    pub async fn next(&mut self) -> Result<Changes> {
        self.watcher.next().await
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Watch").finish_non_exhaustive()
    }
}

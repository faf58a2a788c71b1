//! The tasks of one tunnel, which end together: whatever a library has begun beside, nothing outlives a tunnel that is
//! cut.

use hyper::rt::Executor;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::AbortHandle;

/// Tasks that end when they are told to.
#[derive(Debug, Clone, Default)]
pub(super) struct Tasks(Arc<Mutex<Running>>);

#[derive(Debug, Default)]
struct Running {
    tasks: Vec<AbortHandle>,
    /// Nothing begins any more.
    is_over: bool,
}

impl Tasks {
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_over {
            return;
        }
        let task = tokio::spawn(work).abort_handle();
        running.tasks.retain(|task| !task.is_finished());
        running.tasks.push(task);
    }

    /// Whether all of them have ended.
    pub(super) fn is_over(&self) -> bool {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.is_over || running.tasks.iter().all(AbortHandle::is_finished)
    }

    /// Ends all of them, and those that come.
    pub(super) fn end(&self) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.is_over = true;
        running.tasks.drain(..).for_each(|task| task.abort());
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, work: F) {
        self.spawn(async move {
            // What a library begins beside has its result told elsewhere.
            let _result = work.await;
        });
    }
}

/// Ends the tasks when dropped.
#[derive(Debug)]
pub(super) struct EndTogether(pub(super) Tasks);

impl Drop for EndTogether {
    fn drop(&mut self) {
        self.0.end();
    }
}

//! What whoever opened a session does for it.

use async_trait::async_trait;
use pierhead_model::Timestamp;

/// What a session needs of its process besides its stream. Calls of one session follow one another, in order, and hold up
/// neither its output nor its viewers.
#[async_trait]
pub trait Hooks: Send + Sync + 'static {
    /// The pseudo-terminal shall have this size. Of several sizes that wait only the last one is told.
    async fn resize(&self, columns: u16, rows: u16);

    /// The process shall get a signal, by its name without `SIG`.
    async fn signal(&self, name: &str);

    /// The stream of the process has ended: its exit code, if it is known.
    async fn exit_code(&self) -> Option<i64>;

    /// What the session has started shall be gone when this returns. Called once for each session, however it ended.
    async fn end(&self);

    /// The current time; told by a fake in tests.
    fn now(&self) -> Timestamp;
}

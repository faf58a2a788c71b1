//! Runs terminals: reads and writes the streams of their processes, and hands viewers their lines.
//!
//! What is printed, shown and allowed is decided in `pierhead-terminal`; how a process is made, resized and ended is up to
//! the [`Hooks`] of whoever opens a session. Nothing here knows of engines or HTTP.

mod error;
mod hooks;
mod input;
mod line;
mod pictures;
mod running;
mod sessions;

pub use error::SessionsError;
pub use hooks::Hooks;
pub use line::Line;
pub use pictures::{PICTURE_PACE, Pictures, Wanted};
pub use sessions::Sessions;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks what no code of ours leaves half changed, even where it panics.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

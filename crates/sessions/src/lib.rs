//! Runs terminals: reads and writes the streams of their processes, and hands viewers their lines.
//!
//! What is printed, shown and allowed is decided in `pierhead-terminal`; how a process is made, resized and ended is up to
//! the [`Hooks`] of whoever opens a session. Nothing here knows of engines or HTTP.

mod error;
mod hooks;
mod sessions;

pub use error::SessionsError;
pub use hooks::Hooks;
pub use sessions::{Line, Sessions};

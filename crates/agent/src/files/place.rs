//! Where the files of a container are, and who deals with them: found by its first process, while that is known to be its
//! own.

use super::root::Root;
use super::who::Who;
use crate::engine::EngineSocket;
use crate::previews::{Inside, changed};
use crate::refusal::Refusal;
use hyper::StatusCode;
use rustix::fs::{Mode, OFlags, open};
use std::io;

/// The root of a container, and the user that its programs run as.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) root: Root,
    pub(super) who: Who,
}

impl Inside {
    /// Opens the root of the container. Its first process may end meanwhile, and another one get its number: then the engine
    /// says something else when it is asked again.
    pub(super) async fn open_files(&self, engine: &EngineSocket) -> Result<Place, Refusal> {
        let before = self.running(engine).await?;
        let (pid, user) = (before.pid, before.user.clone());
        let opened = tokio::task::spawn_blocking(move || Place::of_process(pid, &user)).await;
        let opened = opened.unwrap_or_else(|error| Err(io::Error::other(error)));
        if self.running(engine).await? != before {
            return Err(changed());
        }
        opened.map_err(|error| {
            let message = format!("the container's files cannot be opened: {error}");
            Refusal::new(StatusCode::BAD_GATEWAY, "not_readable", message)
        })
    }
}

impl Place {
    fn of_process(pid: u32, user: &str) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = Root::new(open(format!("/proc/{pid}/root"), flags, Mode::empty())?);
        let who = Who::of_process(pid, user, &root)?;
        Ok(Self { root, who })
    }
}

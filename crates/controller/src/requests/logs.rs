//! Requests for logs: of containers that are there, and for a while of those that are gone.

use super::apps::may_change;
use super::containers::{Container, authorise, find};
use super::{Actor, RequestError};
use crate::Controller;
use crate::gone_logs::GoneLog;
use crate::measured::{Open, Share};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use pierhead_engine::{DynEngine, EngineError, LogLine, LogOptions};
use pierhead_model::{ContainerId, Timestamp};

/// The most logs that are read at the same time, those that are followed included: each is a connection to an engine.
pub const MOST_LOG_READERS: u64 = 1_000;
/// The most of them that one account reads: nobody shuts all others out.
pub const MOST_LOG_READERS_OF_ONE: u64 = MOST_LOG_READERS / 5;

/// Somebody who reads a log, until it is dropped.
pub(super) struct Reader {
    _share: Share,
    _open: Open,
}

/// What a container printed. Dropping it ends it, at its engine too.
pub struct ContainerLog {
    /// The lines, the oldest first.
    pub lines: BoxStream<'static, pierhead_engine::Result<LogLine>>,
    /// Since when the container is gone; absent for one that is there.
    pub gone_since: Option<Timestamp>,
}

impl Controller {
    /// What a container printed; of one that is gone, what was kept. One that is followed ends when the container
    /// stops or goes.
    ///
    /// # Errors
    /// If there is no such container and nothing was kept, the actor may not, its engine can't, or too many logs are
    /// read already.
    pub async fn logs(&self, actor: &Actor, id: &str, options: LogOptions) -> Result<ContainerLog, RequestError> {
        let found = find(&self.known(), id);
        let container = match found {
            Ok(container) => container,
            Err(missing @ RequestError::NotFound { .. }) => return self.gone_log(actor, id, &options, missing).await,
            Err(error) => return Err(error),
        };
        authorise(&self.known(), actor, &container)?;
        let reader = self.log_reader(actor)?;
        let host = self.link_of(&container)?.engine.clone();
        let id = &container.observed.id;
        match host.logs(id, options.clone()).await {
            Ok(lines) if options.follow => {
                let ended = until_gone(lines, host, id.clone());
                Ok(ContainerLog { lines: held(ended, reader), gone_since: None })
            }
            Ok(lines) => Ok(ContainerLog { lines: held(lines, reader), gone_since: None }),
            // It went since the containers were listed.
            Err(EngineError::NotFound) => self.gone_log(actor, id.as_str(), &options, not_found(&container)).await,
            Err(source) => Err(RequestError::Engine { engine: container.engine.to_string(), source }),
        }
    }

    pub(super) fn log_reader(&self, actor: &Actor) -> Result<Reader, RequestError> {
        let share = self.measured.log_readers_of.open_below(&actor.username, MOST_LOG_READERS_OF_ONE);
        let share = share.ok_or(RequestError::TooManyLogReadersOfOne)?;
        let open = self.measured.log_readers.open_below(MOST_LOG_READERS).ok_or(RequestError::TooManyLogReaders)?;
        Ok(Reader { _share: share, _open: open })
    }

    async fn gone_log(
        &self,
        actor: &Actor,
        id: &str,
        options: &LogOptions,
        missing: RequestError,
    ) -> Result<ContainerLog, RequestError> {
        let log = self.gone_logs.read(id).await.ok_or(missing)?;
        self.may_read(actor, &log)?;
        let gone_since = Some(log.gone_at);
        Ok(ContainerLog { lines: stream::iter(log.lines(options)).map(Ok).boxed(), gone_since })
    }

    /// Its app's owner counts, or if that is gone, whoever owned it then.
    fn may_read(&self, actor: &Actor, log: &GoneLog) -> Result<(), RequestError> {
        let known = self.known();
        if let Some(app) = log.app.as_ref().and_then(|app| known.world.apps().get(app)) {
            return may_change(actor, app);
        }
        if actor.may_change_all || log.owner.as_ref() == Some(&actor.username) {
            return Ok(());
        }
        Err(RequestError::Forbidden(format!(
            "container {} was not yours; only its owner or an administrator may read its log",
            log.name
        )))
    }
}

fn not_found(container: &Container) -> RequestError {
    RequestError::NotFound { what: "container", id: container.observed.id.to_string(), replaced_by: None }
}

fn held(
    lines: BoxStream<'static, pierhead_engine::Result<LogLine>>,
    reader: Reader,
) -> BoxStream<'static, pierhead_engine::Result<LogLine>> {
    lines
        .inspect(move |_| {
            let _open = &reader;
        })
        .boxed()
}

/// The same lines; where they end with an error because the container is gone, they just end.
fn until_gone(
    lines: BoxStream<'static, pierhead_engine::Result<LogLine>>,
    host: DynEngine,
    id: ContainerId,
) -> BoxStream<'static, pierhead_engine::Result<LogLine>> {
    let ended = lines.map_ok(Some).or_else(move |error| {
        let (host, id) = (host.clone(), id.clone());
        async move {
            match host.container(&id).await {
                Err(EngineError::NotFound) => Ok(None),
                Ok(container) if !container.state.is_running() => Ok(None),
                _ => Err(error),
            }
        }
    });
    ended.try_filter_map(|line| async move { Ok(line) }).boxed()
}

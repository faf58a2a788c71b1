//! A few connections that read. They never write, and nobody who writes waits for them.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::closed;
use super::database::{Database, failed};
use crate::Result;

const READERS: usize = 4;

/// The pool.
pub(super) struct Readers {
    database: Database,
    idle: Mutex<Vec<Connection>>,
    room: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(database: Database) -> Self {
        Self { database, idle: Mutex::new(Vec::new()), room: Arc::new(Semaphore::new(READERS)) }
    }

    /// Runs `read` on one of the connections, off the async threads.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| closed())?;
        let readers = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            let _room = room;
            let connection = readers.take()?;
            let result = read(&connection).map_err(|source| failed("read", source));
            // One that failed may be in any state; the next reader opens a fresh one.
            if result.is_ok() {
                readers.give_back(connection);
            }
            result
        });
        reading.await.map_err(|_| closed())?
    }

    fn take(&self) -> Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.database.reader(), Ok)
    }

    fn give_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

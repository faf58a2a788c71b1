//! Who may read whole images now. Each such request lets the engine pack all of an image onto its disk, and keeps the names
//! of all files in memory: one goes on at a time, and only a few wait for it.

use super::saves::Asked;
use crate::refusal::Refusal;
use hyper::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many there may be, with the one that goes on.
const MOST: usize = 9;
/// How many of them may compare. People can wait, and saves must not wait for more than one of these.
const MOST_COMPARING: usize = 1;

/// The turns of one host.
#[derive(Debug)]
pub(super) struct Turns {
    all: Semaphore,
    comparing: Semaphore,
    turn: Semaphore,
}

/// Whoever has it goes on; dropping it lets the next one.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    _turn: SemaphorePermit<'a>,
    _comparing: Option<SemaphorePermit<'a>>,
    _one: SemaphorePermit<'a>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { all: Semaphore::new(MOST), comparing: Semaphore::new(MOST_COMPARING), turn: Semaphore::new(1) }
    }
}

impl Turns {
    /// Waits for a turn; those who came first go first. Refused at once where too many wait.
    pub(super) async fn take(&self, asked: Asked) -> Result<Turn<'_>, Refusal> {
        let one = self.all.try_acquire().map_err(|_| busy())?;
        let comparing = match asked {
            Asked::Compare => Some(self.comparing.try_acquire().map_err(|_| busy())?),
            Asked::Squash => None,
        };
        let turn = self.turn.acquire().await.map_err(|_| busy())?;
        Ok(Turn { _turn: turn, _comparing: comparing, _one: one })
    }
}

fn busy() -> Refusal {
    let message = "this host merges or compares as many images as it can; try again in a minute";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn one_goes_on_a_few_wait_and_the_rest_is_refused() {
        let turns = Turns::default();
        let first = turns.take(Asked::Squash).await.unwrap();
        let mut waiting: Vec<_> = (1..MOST).map(|_| Box::pin(turns.take(Asked::Squash))).collect();
        assert!(waiting.iter_mut().all(|one| one.as_mut().now_or_never().is_none()), "only one has the turn");
        let refused = turns.take(Asked::Squash).await.unwrap_err();
        assert_eq!((refused.status, refused.code), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
        drop(first);
        let second = waiting.remove(0).now_or_never().expect("its turn").unwrap();
        assert!(waiting[0].as_mut().now_or_never().is_none());
        // Who does not wait any more leaves the place to others.
        drop(waiting);
        drop(second);
        turns.take(Asked::Squash).await.unwrap();
    }

    #[tokio::test]
    async fn a_save_waits_for_one_comparison_at_most() {
        let turns = Turns::default();
        let comparing = turns.take(Asked::Compare).await.unwrap();
        assert_eq!(turns.take(Asked::Compare).await.unwrap_err().code, "busy");
        let mut save = Box::pin(turns.take(Asked::Squash));
        assert!(save.as_mut().now_or_never().is_none());
        drop(comparing);
        let saving = save.now_or_never().expect("its turn").unwrap();
        let mut next = Box::pin(turns.take(Asked::Compare));
        assert!(next.as_mut().now_or_never().is_none(), "it waits for the save");
        assert_eq!(turns.take(Asked::Compare).await.unwrap_err().code, "busy", "one that waits counts");
        drop(saving);
        next.now_or_never().expect("its turn").unwrap();
    }
}

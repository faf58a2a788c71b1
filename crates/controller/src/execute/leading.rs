//! Changes of engines only as long as this controller surely leads: looked at on its own clock at each step of a call, so
//! that a process that was stopped for longer than its lease sends nothing when it goes on. Knows nothing of the store.

use pierhead_engine::EngineError;
use pierhead_store::leadership::Standing;
use std::pin::pin;
use std::task::Poll;

/// Makes a call, and goes on with it while the leadership is held; what was not sent when it ended is never sent.
pub(crate) async fn while_leading<T>(
    standing: &Standing,
    call: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let mut call = pin!(call);
    std::future::poll_fn(
        |context| {
            if is_held(standing) { call.as_mut().poll(context) } else { Poll::Ready(Err(over())) }
        },
    )
    .await
}

fn is_held(standing: &Standing) -> bool {
    #[cfg(feature = "mutants")]
    if crate::mutants::ignores_fences() {
        return true;
    }
    standing.is_held()
}

fn over() -> EngineError {
    EngineError::Failed("this controller does not lead any more; the one that does goes on with it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_store::leadership::{Candidate, Leadership};
    use pierhead_store::{Embedded, Store};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;
    use tokio::sync::Notify;

    async fn leads(dir: &tempfile::TempDir) -> Leadership {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(dir.path()).unwrap());
        Candidate::new(store, "controller", "here", Duration::from_secs(3)).campaign().await.unwrap()
    }

    #[tokio::test]
    async fn a_call_is_made_while_the_leadership_is_held_and_never_after() {
        let dir = tempfile::tempdir().unwrap();
        let leadership = leads(&dir).await;
        let standing = leadership.standing();
        assert_eq!(while_leading(&standing, async { Ok(7) }).await.unwrap(), 7);
        leadership.resign().await;
        let asked = AtomicU32::new(0);
        let refused = while_leading(&standing, async { Ok(asked.fetch_add(1, Ordering::Relaxed)) }).await.unwrap_err();
        assert!(refused.to_string().contains("does not lead any more"), "{refused}");
        assert_eq!(asked.into_inner(), 0, "nothing was sent");
    }

    #[tokio::test]
    async fn a_call_that_still_connects_sends_nothing_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let leadership = leads(&dir).await;
        let standing = leadership.standing();
        let (connected, sent) = (Notify::new(), AtomicU32::new(0));
        let call = while_leading(&standing, async {
            connected.notified().await;
            Ok(sent.fetch_add(1, Ordering::Relaxed))
        });
        let ends = async {
            leadership.resign().await;
            connected.notify_one();
        };
        let (refused, ()) = tokio::join!(call, ends);
        assert!(refused.is_err());
        assert_eq!(sent.into_inner(), 0);
    }
}

//! Pulls that share, end, fail and are left alone.

use super::*;
use pierhead_model::ImageReference;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

fn image() -> ImageReference {
    ImageReference::parse("a:1").unwrap()
}

fn silent() -> Progress {
    Arc::new(|_| {})
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("in time")
}

#[tokio::test]
async fn callers_share_one_pull_and_all_see_its_progress() {
    let pulls = Arc::new(Pulls::default());
    let (started, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let mut callers = Vec::new();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let (pulls, started, go) = (pulls.clone(), started.clone(), go.clone());
        let mine = Arc::new(Mutex::new(Vec::new()));
        seen.push(mine.clone());
        let progress: Progress = Arc::new(move |percent| mine.lock().unwrap().push(percent));
        callers.push(tokio::spawn(async move {
            pulls
                .join(&image(), progress, |report| async move {
                    started.fetch_add(1, Ordering::SeqCst);
                    report(50);
                    report(20);
                    go.notified().await;
                    Ok(())
                })
                .await
        }));
    }
    within(async {
        while !seen.iter().all(|seen| seen.lock().unwrap().contains(&50)) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    go.notify_one();
    for caller in callers {
        within(caller).await.unwrap().unwrap();
    }
    assert_eq!(started.load(Ordering::SeqCst), 1);
    for seen in seen {
        let seen = seen.lock().unwrap().clone();
        assert!(seen.is_sorted() && seen.last() == Some(&100), "{seen:?}");
    }
    assert!(pulls.lock().is_empty());
}

#[tokio::test]
async fn a_caller_that_leaves_takes_nobody_with_it() {
    let pulls = Arc::new(Pulls::default());
    let go = Arc::new(Notify::new());
    let first = {
        let (pulls, go) = (pulls.clone(), go.clone());
        tokio::spawn(async move {
            pulls
                .join(&image(), silent(), |_| async move {
                    go.notified().await;
                    Err(EngineError::NoImage("a".to_owned()))
                })
                .await
        })
    };
    within(async {
        while pulls.lock().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let image = image();
    let second = pulls.join(&image, silent(), |_| async { Ok(()) });
    let mut second = std::pin::pin!(second);
    assert!(futures_util::poll!(&mut second).is_pending());
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    go.notify_one();
    assert!(matches!(within(second).await, Err(EngineError::NoImage(_))), "the first one's pull, not one of its own");
}

#[tokio::test]
async fn a_pull_that_nobody_waits_for_ends() {
    struct Flag(Arc<AtomicUsize>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let pulls = Arc::new(Pulls::default());
    let ended = Arc::new(AtomicUsize::new(0));
    let flag = Flag(ended.clone());
    let image = image();
    {
        let waits = pulls.join(&image, silent(), |_| async move {
            let _flag = flag;
            std::future::pending().await
        });
        let mut waits = std::pin::pin!(waits);
        assert!(futures_util::poll!(&mut waits).is_pending());
    }
    within(async {
        while ended.load(Ordering::SeqCst) == 0 || !pulls.lock().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_pull_that_panics_fails_its_callers_and_can_be_tried_again() {
    let pulls = Arc::new(Pulls::default());
    let result = within(pulls.join(&image(), silent(), |_| async { panic!("on purpose") })).await;
    assert!(matches!(result, Err(EngineError::Failed(_))));
    within(pulls.join(&image(), silent(), |_| async { Ok(()) })).await.unwrap();
}

/// Whether a runtime drops what it is given before it returns from taking it.
fn drops_what_is_spawned() -> bool {
    let (alive, is_alive) = std::sync::mpsc::channel::<()>();
    let task = tokio::spawn(async move {
        let _alive = alive;
        std::future::pending::<()>().await;
    });
    let dropped = is_alive.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected);
    task.abort();
    dropped
}

#[test]
fn a_pull_that_a_runtime_on_its_way_out_does_not_take_is_given_up() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let pulls = Arc::new(Pulls::default());
    let (busy, is_busy) = std::sync::mpsc::channel();
    let (tell, told) = std::sync::mpsc::channel();
    let list = pulls.clone();
    runtime.spawn(async move {
        busy.send(()).unwrap();
        // Keeps its worker, while the other one ends the runtime.
        while !drops_what_is_spawned() {
            std::thread::yield_now();
        }
        let result = list.join(&image(), silent(), |_| std::future::pending()).await;
        tell.send(result).unwrap();
    });
    is_busy.recv().unwrap();
    runtime.shutdown_background();
    let result = told.recv_timeout(Duration::from_secs(10)).expect("no deadlock");
    assert!(matches!(&result, Err(EngineError::Failed(why)) if why == "the transfer was given up"), "{result:?}");
    assert!(pulls.lock().is_empty());
}

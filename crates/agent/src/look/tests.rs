use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(30);

/// An engine that answers pings on connections that it keeps, as long as it shall.
struct Engine {
    task: JoinHandle<()>,
    hangs: Arc<AtomicBool>,
}

impl Engine {
    fn start(socket: &Path) -> Self {
        let _absent = std::fs::remove_file(socket);
        let listener = UnixListener::bind(socket).unwrap();
        let hangs = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&hangs);
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let hangs = Arc::clone(&asked);
                open.spawn(async move {
                    let mut read = [0; 1024];
                    while stream.read(&mut read).await.is_ok_and(|count| count > 0) {
                        while hangs.load(Ordering::SeqCst) {
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK").await.unwrap();
                    }
                });
            }
        });
        Self { task, hangs }
    }
}

async fn until(told: &watch::Receiver<EngineWord>, what: &str, is_so: impl Fn(&EngineWord) -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !is_so(&told.borrow()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "not in time: {what}: {:?}", *told.borrow());
}

#[tokio::test]
async fn an_engine_that_dies_and_one_that_hangs_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("docker.sock");
    let told = watch_engine(&socket);
    let says = |word: &EngineWord, expected: &str| word.refuses.as_deref() == Some(expected);
    let gone = format!("its socket {} is not there", socket.display());
    until(&told, "there is no engine", |word| says(word, &gone)).await;
    let engine = Engine::start(&socket);
    until(&told, "it answers", |word| *word == EngineWord::default()).await;
    engine.hangs.store(true, Ordering::SeqCst);
    until(&told, "it hangs", |word| word.silent_ms >= 400).await;
    assert_eq!(told.borrow().refuses, None);
    engine.hangs.store(false, Ordering::SeqCst);
    until(&told, "it answers again", |word| *word == EngineWord::default()).await;
    engine.task.abort();
    let dead = format!("nobody listens at its socket {}", socket.display());
    until(&told, "it is dead", |word| says(word, &dead)).await;
    until(&told, "it is dead for a while", |word| word.silent_ms >= 200).await;
    let _again = Engine::start(&socket);
    until(&told, "it is back", |word| *word == EngineWord::default()).await;
}

#[tokio::test]
async fn time_in_which_the_agent_stood_still_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("docker.sock");
    let engine = Engine::start(&socket);
    let told = watch_engine(&socket);
    engine.hangs.store(true, Ordering::SeqCst);
    until(&told, "a question is open", |word| word.silent_ms > 0).await;
    let before = told.borrow().silent_ms;
    // The only thread of this runtime: nothing of the agent goes on.
    std::thread::sleep(Duration::from_secs(2));
    tokio::task::yield_now().await;
    until(&told, "it goes on", |word| word.silent_ms > before).await;
    assert!(told.borrow().silent_ms < before + 1_000, "{before} became {:?}", *told.borrow());
}

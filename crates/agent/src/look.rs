//! How the engine answers the agent beside it: asked ten times a second on one connection that is kept. Decides nothing;
//! what it sees goes out with the beats.
//!
//! An engine that dies ends the connection, and is found dead at once; one that hangs leaves the question open. Time in
//! which the agent stood still itself does not count.

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// The time between an answer and the next question.
const PAUSE: Duration = Duration::from_millis(100);
/// How often the wait for an answer is counted.
const TICK: Duration = Duration::from_millis(50);
/// The most that one tick counts for.
const MOST: Duration = Duration::from_millis(75);
/// How long a question stays open before it is asked anew on another connection.
const GIVE_UP: Duration = Duration::from_secs(5);
/// From when on each further tick is told at once, and not with the next beat.
const URGENT: Duration = Duration::from_millis(300);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 4096;
/// The longest reason that is told, in bytes.
const LONGEST_REASON: usize = 200;

/// How an engine answers the agent beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineWord {
    /// For how long it has not answered what it was asked, in milliseconds; 0 if it answers.
    pub silent_ms: u64,
    /// Why it cannot be asked at all, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuses: Option<String>,
}

/// Looks after the engine behind a socket for as long as somebody wants to know. The receiver is woken when that is
/// urgent. Must be called within a runtime.
#[must_use]
pub fn watch_engine(socket: &Path) -> watch::Receiver<EngineWord> {
    let (tell, told) = watch::channel(EngineWord::default());
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let look = Look { socket: socket.to_owned(), tell: tell.clone(), tick, counted: Instant::now(), silent: None };
    tokio::spawn(async move {
        tokio::select! {
            () = look.run() => {}
            () = tell.closed() => {}
        }
    });
    told
}

struct Look {
    socket: PathBuf,
    tell: watch::Sender<EngineWord>,
    tick: Interval,
    counted: Instant,
    /// For how long it has not answered.
    silent: Option<Duration>,
}

impl Look {
    async fn run(mut self) {
        loop {
            if let Err(error) = self.ask_on_one_connection().await {
                // One that takes no more connections is there, and does not answer.
                let refuses = (error.kind() != ErrorKind::WouldBlock).then(|| in_words(&self.socket, &error));
                self.refused(refuses);
                self.counting(tokio::time::sleep(PAUSE)).await;
            }
        }
    }

    /// Asks until the connection is of no more use; an error if there is none.
    async fn ask_on_one_connection(&mut self) -> std::io::Result<()> {
        let socket = self.socket.clone();
        let stream = self.counting(UnixStream::connect(socket)).await?;
        let (mut sender, connection) =
            http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        let mut connection = pin!(connection);
        loop {
            let asked = async {
                tokio::select! {
                    biased;
                    answered = tokio::time::timeout(GIVE_UP, ask(&mut sender)) => answered.unwrap_or(false),
                    _ended = &mut connection => false,
                }
            };
            if !self.counting(asked).await {
                return Ok(());
            }
            self.answers();
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                // It has died, most likely: the next connection tells.
                _ended = &mut connection => return Ok(()),
            }
        }
    }

    /// Does something, and counts how long it takes.
    async fn counting<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        self.counted = Instant::now();
        self.tick.reset();
        loop {
            tokio::select! {
                biased;
                done = &mut work => {
                    self.silent = Some(self.silent.unwrap_or_default() + self.passed());
                    return done;
                }
                _ = self.tick.tick() => self.waited(),
            }
        }
    }

    fn waited(&mut self) {
        let silent = self.silent.unwrap_or_default() + self.passed();
        self.silent = Some(silent);
        self.tell.send_if_modified(|word| {
            word.silent_ms = milliseconds(silent);
            silent >= URGENT
        });
    }

    /// What has passed since the last count.
    fn passed(&mut self) -> Duration {
        let now = Instant::now();
        (now - std::mem::replace(&mut self.counted, now)).min(MOST)
    }

    fn answers(&mut self) {
        self.silent = None;
        self.tell.send_if_modified(|word| std::mem::take(word).refuses.is_some());
    }

    fn refused(&mut self, why: Option<String>) {
        let silent = *self.silent.get_or_insert_default();
        self.tell.send_if_modified(|word| {
            let is_new = word.refuses.is_some() != why.is_some();
            (word.refuses, word.silent_ms) = (why, milliseconds(silent));
            is_new
        });
    }
}

/// Whether the engine answers, whatever it says.
async fn ask(sender: &mut SendRequest<Empty<Bytes>>) -> bool {
    let mut request = Request::get("/_ping").body(Empty::new()).unwrap_or_default();
    request.headers_mut().insert(HOST, HeaderValue::from_static("engine"));
    match sender.send_request(request).await {
        // The connection is used again only if the answer was read to its end.
        Ok(answer) => Limited::new(answer.into_body(), LONGEST).collect().await.is_ok(),
        Err(_) => false,
    }
}

fn in_words(socket: &Path, error: &std::io::Error) -> String {
    let words = match error.kind() {
        ErrorKind::ConnectionRefused => format!("nobody listens at its socket {}", socket.display()),
        ErrorKind::NotFound => format!("its socket {} is not there", socket.display()),
        ErrorKind::PermissionDenied => format!("the agent may not use its socket {}", socket.display()),
        _ => error.to_string(),
    };
    words.chars().take(LONGEST_REASON).collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

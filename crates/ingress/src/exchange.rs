//! One request and its answer on a connection of its own to the other side.
//!
//! Connections are not used again: one that the other side closed meanwhile would make a request fail of which nobody
//! knows whether it was carried out.

use crate::Patience;
use crate::body::{BodyError, Connection, Sending};
use crate::resolve::{Ended, Refusal, Stream};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::{sleep_until, timeout};

/// The most of an answer's head, in bytes, and headers in it.
const LONGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 200;

/// An answer whose body is still to come.
pub(crate) struct Answer {
    pub response: Response<Incoming>,
    pub connection: Connection,
}

/// Connects, sends, and waits for the head of the answer. Once whoever asked may not go on the connection is cut, however
/// much of the request or of its answer is still to come, and whether or not anybody reads that.
pub(crate) async fn exchange<B>(
    dial: BoxFuture<'static, Result<Box<dyn Stream>, Refusal>>,
    request: Request<Sending<B>>,
    patience: &Patience,
    ended: Ended,
) -> Result<Answer, Refusal>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    let moved = request.body().moved.clone();
    let dialled = tokio::select! {
        dialled = timeout(patience.connect, dial) => dialled,
        () = ended.clone() => return Err(Refusal::ended()),
    };
    let stream = dialled.map_err(|_| Refusal::connects_too_slowly())??;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    let driving = tokio::spawn({
        let ended = ended.clone();
        async move {
            // How it ended is seen by whoever reads the answer.
            tokio::select! {
                _done = connection.with_upgrades() => {}
                () = ended => {}
            }
        }
    });
    let connection = Connection(driving.abort_handle());
    let sending = sender.send_request(request);
    tokio::pin!(sending);
    loop {
        tokio::select! {
            // First of all: a connection that was cut for it would seem to be broken.
            biased;
            () = ended.clone() => return Err(Refusal::ended()),
            answered = &mut sending => {
                return Ok(Answer { response: answered.map_err(|error| broken(&error))?, connection });
            }
            // As long as something of the request moves, nobody can answer.
            () = sleep_until(moved.last() + patience.answer) => {
                if moved.last().elapsed() >= patience.answer {
                    return Err(Refusal::answers_too_slowly());
                }
            }
        }
    }
}

fn broken(error: &hyper::Error) -> Refusal {
    tracing::debug!(%error, cause = ?std::error::Error::source(error), "the other side gave no proper answer");
    Refusal::broken()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Moved;
    use futures_util::{FutureExt, StreamExt, stream};
    use http_body_util::{BodyExt, StreamBody};
    use hyper::body::Frame;
    use std::convert::Infallible;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, sleep};

    /// A body of so many pieces, each as long after the one before it.
    fn pieces(pieces: u32, apart: Duration) -> impl Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static {
        let each = stream::iter(0..pieces).then(move |_| async move {
            sleep(apart).await;
            Ok(Frame::data(Bytes::from_static(b"piece")))
        });
        StreamBody::new(each.boxed())
    }

    /// Reads a request of chunks to its end.
    async fn read(mut program: DuplexStream) -> DuplexStream {
        let mut all = Vec::new();
        while !all.ends_with(b"0\r\n\r\n") {
            assert!(program.read_buf(&mut all).await.unwrap() > 0);
        }
        program
    }

    /// Sends a body; the program answers as long after its end, with a body of which the rest comes as late again.
    async fn exchanged(body: (u32, Duration), answers_after: Duration) -> Result<(Bytes, Duration), Refusal> {
        let (near, far) = duplex(1024);
        let program = tokio::spawn(async move {
            let mut program = read(far).await;
            sleep(answers_after).await;
            program.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no").await.unwrap();
            sleep(answers_after).await;
            program.write_all(b"k").await.unwrap();
            program
        });
        let dial = async { Ok(Box::new(near) as Box<dyn Stream>) }.boxed();
        let body = Sending { body: pieces(body.0, body.1), moved: Moved::now() };
        let began = Instant::now();
        let request = Request::post("/").header("host", "a").body(body).unwrap();
        let never = futures_util::future::pending().boxed().shared();
        let answer = exchange(dial, request, &Patience::default(), never).await?;
        let all = answer.response.into_body().collect().await.unwrap().to_bytes();
        drop(program.await.unwrap());
        Ok((all, began.elapsed()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_moves_may_take_as_long_as_it_likes() {
        let limit = Patience::default().answer;
        let (all, took) = exchanged((20, limit * 9 / 10), limit * 9 / 10).await.unwrap();
        assert!(all == "ok" && took > limit * 19, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_waited_for_only_so_long() {
        let limit = Patience::default().answer;
        let late = exchanged((3, limit / 2), limit * 11 / 10).await.unwrap_err();
        assert_eq!(late.code, "answer_too_slow");
        let stuck = exchanged((2, limit * 11 / 10), Duration::ZERO).await.unwrap_err();
        assert_eq!(stuck.code, "answer_too_slow");
    }
}

//! Requests and streams of gRPC on an HTTP/2 connection: frames, statuses, nothing of what they carry.

use std::convert::Infallible;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::SendRequest;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, TE};
use hyper::{Request, Response, StatusCode};
use prost::Message;
use tokio::sync::{mpsc, watch};

use super::failure::Failure;

/// A request's body.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;
/// The sending end of a connection.
#[derive(Clone)]
pub(super) struct Sender {
    requests: SendRequest<Body>,
    /// Why the connection has ended, once it has.
    end: watch::Receiver<Option<String>>,
}

/// A flag and the length.
const FRAME_HEADER_BYTES: usize = 5;
/// No answer is longer: a list ends earlier, and so does what one commit can write.
const MOST_MESSAGE_BYTES: usize = 1 << 30;
/// Requests of a stream that may wait to be sent.
const STREAM_REQUESTS: usize = 4;

/// How long the reason for a connection's end may come after the end.
const END_WITHIN: Duration = Duration::from_millis(100);

impl Sender {
    /// Lets a connection run until it ends, and keeps why it did, with a hint.
    pub(super) fn over(
        requests: SendRequest<Body>,
        connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
        hint: &'static str,
    ) -> Self {
        let (tell, end) = watch::channel(None);
        tokio::spawn(async move {
            let why = connection.await.map_or_else(|error| words(&error), |()| "the connection was closed".to_owned());
            tell.send_replace(Some(format!("{why}{hint}")));
        });
        Self { requests, end }
    }

    /// Whether nothing can be asked on it any more.
    pub(super) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// What a failed request is told: a connection that ended knows better why than the request.
    async fn reason(&mut self, error: &hyper::Error) -> String {
        // Of a connection that breaks, a request may hear first, and as of a fault of its own.
        let end = tokio::time::timeout(END_WITHIN, self.end.wait_for(Option::is_some)).await;
        let end = end.ok().and_then(|end| end.ok()?.clone());
        end.unwrap_or_else(|| words(error))
    }
}

/// Whom a request goes to, and as whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope<'a> {
    /// `http` or `https`, and the member's address.
    pub origin: &'a str,
    /// `/etcdserverpb.KV/Range`, for example.
    pub path: &'static str,
    /// That of the user's session.
    pub token: Option<&'a HeaderValue>,
}

impl Envelope<'_> {
    fn around(&self, body: Body) -> Result<Request<Body>, Failure> {
        let mut request = Request::post(format!("{}{}", self.origin, self.path))
            .body(body)
            .map_err(|error| Failure::Unsent(error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        // A member without a leader refuses at once instead of waiting for one.
        headers.insert("hasleader", HeaderValue::from_static("true"));
        if let Some(token) = self.token {
            headers.insert("token", token.clone());
        }
        Ok(request)
    }
}

/// A message as it travels.
pub(super) fn frame(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(FRAME_HEADER_BYTES + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).expect("transactions are far below 4 GiB"));
    message.encode(&mut frame).expect("the buffer grows");
    frame.freeze()
}

/// The next message of `buffer`, if it is there as a whole.
fn unframe<M: Message + Default>(buffer: &mut BytesMut) -> Result<Option<M>, Failure> {
    let broken = |reason: &str| Failure::Unknown(format!("an answer can't be read: {reason}"));
    let Some((&[flag, ref length @ ..], rest)) = buffer.split_first_chunk::<FRAME_HEADER_BYTES>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length) as usize;
    if flag != 0 {
        return Err(broken("it is compressed"));
    }
    if length > MOST_MESSAGE_BYTES {
        return Err(broken("it is too long"));
    }
    if rest.len() < length {
        return Ok(None);
    }
    buffer.advance(FRAME_HEADER_BYTES);
    let message = buffer.split_to(length);
    M::decode(message).map(Some).map_err(|error| broken(&error.to_string()))
}

/// Sends one message and waits for the one that answers it.
pub(super) async fn unary<M: Message + Default>(
    sender: &mut Sender,
    envelope: Envelope<'_>,
    message: Bytes,
) -> Result<M, Failure> {
    let response = send(sender, envelope.around(Full::new(message).boxed_unsync())?).await?;
    let mut answers = Stream { incoming: response.into_body(), buffer: BytesMut::new() };
    let answer = answers.next().await?;
    // The status comes after the message, and only then is it certain.
    let _none = answers.next::<M>().await?;
    answer.ok_or_else(|| Failure::Unknown("an answer was empty".to_owned()))
}

/// Opens a stream; the sender takes further requests, framed, and ends it when dropped.
pub(super) async fn stream(
    sender: &mut Sender,
    envelope: Envelope<'_>,
    first: Bytes,
) -> Result<(mpsc::Sender<Bytes>, Stream), Failure> {
    let (requests, queue) = mpsc::channel(STREAM_REQUESTS);
    // It can't be full.
    let _sent = requests.try_send(first);
    let frames = stream::unfold(queue, |mut queue: mpsc::Receiver<Bytes>| async move {
        queue.recv().await.map(|bytes| (Ok(Frame::data(bytes)), queue))
    });
    let response = send(sender, envelope.around(StreamBody::new(frames).boxed_unsync())?).await?;
    Ok((requests, Stream { incoming: response.into_body(), buffer: BytesMut::new() }))
}

async fn send(sender: &mut Sender, request: Request<Body>) -> Result<Response<Incoming>, Failure> {
    if let Err(error) = sender.requests.ready().await {
        return Err(Failure::Unsent(sender.reason(&error).await));
    }
    let response = match sender.requests.try_send_request(request).await {
        Ok(response) => response,
        Err(mut error) => {
            let is_unsent = error.take_message().is_some();
            let reason = sender.reason(error.error()).await;
            return Err(if is_unsent { Failure::Unsent(reason) } else { Failure::Unknown(reason) });
        }
    };
    if response.status() != StatusCode::OK {
        return Err(Failure::Unsent(format!("it answers {}, which is not etcd's way", response.status())));
    }
    check(response.headers())?;
    Ok(response)
}

/// An error and its causes.
fn words(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Refuses if a status is there and isn't success.
fn check(headers: &HeaderMap) -> Result<(), Failure> {
    let Some(status) = headers.get("grpc-status").and_then(|status| status.to_str().ok()) else { return Ok(()) };
    if status == "0" {
        return Ok(());
    }
    let message = headers.get("grpc-message").map_or(&b""[..], HeaderValue::as_bytes);
    Err(Failure::of_status(status.parse().unwrap_or(2), percent_decoded(message)))
}

/// gRPC's messages hold `%` and two hexadecimal digits for what no header may hold.
fn percent_decoded(text: &[u8]) -> String {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                at += 3;
            }
            (byte, ..) => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Answers as they come.
pub(super) struct Stream {
    incoming: Incoming,
    buffer: BytesMut,
}

impl Stream {
    /// The next message; none if the stream ended in success. Dropping the future loses nothing.
    pub(super) async fn next<M: Message + Default>(&mut self) -> Result<Option<M>, Failure> {
        loop {
            if let Some(message) = unframe(&mut self.buffer)? {
                return Ok(Some(message));
            }
            let Some(frame) = self.incoming.frame().await else { return Ok(None) };
            match frame.map_err(|error| Failure::Unknown(words(&error)))?.into_data() {
                Ok(data) => self.buffer.extend_from_slice(&data),
                Err(frame) => match frame.trailers_ref() {
                    Some(trailers) => check(trailers)?,
                    None => continue,
                },
            }
        }
    }

    /// The next message, if it comes in this time.
    pub(super) async fn next_within<M: Message + Default>(
        &mut self,
        limit: Duration,
    ) -> Option<Result<Option<M>, Failure>> {
        tokio::time::timeout(limit, self.next()).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etcd::messages::{KeyValue, LeaseRequest};

    #[test]
    fn frames_are_read_whole_or_not_yet() {
        let first = KeyValue { key: vec![1; 300], ..KeyValue::default() };
        let sent = [frame(&first), frame(&KeyValue::default())].concat();
        let mut buffer = BytesMut::new();
        let mut read = Vec::new();
        for byte in sent {
            buffer.put_u8(byte);
            read.extend(unframe::<KeyValue>(&mut buffer).unwrap());
        }
        assert_eq!(read, [first, KeyValue::default()]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn frames_that_cannot_be_are_refused() {
        for bytes in [&[1, 0, 0, 0, 0][..], &[0, 0xff, 0xff, 0xff, 0xff], &[0, 0, 0, 0, 1, 0xff]] {
            let read = unframe::<LeaseRequest>(&mut BytesMut::from(bytes));
            assert!(matches!(read, Err(Failure::Unknown(_))), "{bytes:?}: {read:?}");
        }
    }

    #[test]
    fn statuses_are_read_from_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(check(&headers), Ok(()));
        headers.insert("grpc-status", HeaderValue::from_static("0"));
        assert_eq!(check(&headers), Ok(()));
        headers.insert("grpc-status", HeaderValue::from_static("7"));
        headers.insert("grpc-message", HeaderValue::from_static("a%20b%C3%A9%zz"));
        let refused = check(&headers);
        assert_eq!(refused, Err(Failure::Refused { code: 7, message: "a bé%zz".to_owned() }));
    }
}

//! The controller's end of a tunnel: takes an agent's call and asks through it.

mod files;
mod previews;
mod terminals;

pub use files::ToldOfFiles;
pub use previews::Dialled;
pub use terminals::{TerminalFrames, TerminalLine};

use super::dial::within;
use super::tasks::{EndTogether, Tasks};
use super::{CONNECTION_WINDOW, FRAME, PROTOCOL, SEND_BUFFER, STREAM_WINDOW, STREAMS, Timing};
use crate::beats::Beat;
use crate::controllers::Introduced;
use crate::engine::BodyError;
use crate::error::{AgentError, Result};
use crate::facts::HostFacts;
use crate::gate::{BEATS, CONTROLLERS, FACTS, KNOCK, LEASE, TALK, TunnelBody};
use crate::join::{JOIN_PROTOCOL, Joining};
use crate::knock::{Knocked, Question};
use crate::lease::{LeaseGrant, Stamp, Taken};
use crate::term::TERM;
use crate::whole::Whole;
use futures_util::stream::{self, Stream};
use http_body_util::{BodyExt, Empty, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The longest answer that is not a stream, in bytes.
const LONGEST_ANSWER: usize = 1 << 20;
/// The longest beat, in bytes.
const LONGEST_BEAT: usize = 4096;
/// How many pieces of a talk may wait to be sent.
const WAITING: usize = 4;

/// How long a connection that takes no request may take to end.
const TO_END: Duration = Duration::from_secs(1);

/// A tunnel to a host. Cheap to clone; it ends when the last clone is dropped.
#[derive(Clone)]
pub struct Tunnel {
    sender: SendRequest<TunnelBody>,
    peer: Arc<CertificateDer<'static>>,
    from: SocketAddr,
    ended: watch::Receiver<bool>,
    /// Why it ended, for the first who asks.
    why: Arc<Mutex<Option<hyper::Error>>>,
    tasks: Arc<EndTogether>,
}

/// Ends a tunnel, and does not keep it open.
#[derive(Debug, Clone)]
pub struct Cutter(Tasks);

impl Cutter {
    /// Ends the tunnel at once, whatever goes on in it.
    pub fn cut(&self) {
        self.0.end();
    }

    /// Whether the tunnel has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_over()
    }
}

/// The two directions of a talk.
pub struct Talk {
    /// To the container; dropping it closes the container's input.
    pub input: mpsc::Sender<Bytes>,
    /// The agent's answer; its body is what the container says.
    pub answer: Response<Incoming>,
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnel").field("ended", &*self.ended.borrow()).finish_non_exhaustive()
    }
}

/// Takes a call: both sides prove who they are, then this one asks.
///
/// # Errors
/// The other side has no certificate that counts, does not speak our protocol, or is too slow.
pub async fn accept(stream: TcpStream, acceptor: &TlsAcceptor, timing: &Timing) -> Result<Tunnel> {
    match accept_call(stream, acceptor, timing).await? {
        Call::Tunnel(tunnel) => Ok(tunnel),
        Call::Join(joining) => {
            let source = io::Error::other("it asks for a certificate");
            Err(AgentError::Handshake { peer: joining.from.to_string(), source })
        }
    }
}

/// What a call is for.
#[derive(Debug)]
pub enum Call {
    /// A host with its certificate, which can be asked.
    Tunnel(Tunnel),
    /// A host that asks for a certificate.
    Join(Box<Joining>),
}

/// Takes a call of either kind.
///
/// # Errors
/// The other side has no certificate that counts where it needs one, does not speak our protocols, or is too slow.
pub async fn accept_call(stream: TcpStream, acceptor: &TlsAcceptor, timing: &Timing) -> Result<Call> {
    let unnamed = |source| AgentError::Handshake { peer: "the host".to_owned(), source };
    let from = stream.peer_addr().map_err(unnamed)?;
    let peer = from.to_string();
    let failed = |source| AgentError::Handshake { peer: peer.clone(), source };
    stream.set_nodelay(true).map_err(failed)?;
    let stream = within(&peer, "agree on keys", timing.handshake, acceptor.accept(stream)).await?.map_err(failed)?;
    let session = stream.get_ref().1;
    let certificate = session.peer_certificates().and_then(|chain| chain.first()).cloned();
    match (session.alpn_protocol(), certificate) {
        (Some(JOIN_PROTOCOL), certificate) => Joining::read(stream, certificate, from, timing.handshake)
            .await
            .map(|joining| Call::Join(Box::new(joining))),
        (Some(PROTOCOL), Some(certificate)) => open(stream, certificate, from, timing).await.map(Call::Tunnel),
        (Some(PROTOCOL), None) => Err(failed(io::Error::other("it has no certificate"))),
        _ => Err(failed(io::Error::other("it does not speak Pierhead's protocol"))),
    }
}

async fn open(
    stream: TlsStream<TcpStream>,
    certificate: CertificateDer<'static>,
    from: SocketAddr,
    timing: &Timing,
) -> Result<Tunnel> {
    let peer = from.to_string();
    let tasks = Tasks::default();
    let connecting = http2::Builder::new(tasks.clone())
        .timer(TokioTimer::new())
        .initial_max_send_streams(STREAMS as usize)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(timing.ping)
        .keep_alive_timeout(timing.pong)
        .keep_alive_while_idle(true)
        .handshake(TokioIo::new(stream));
    let connected = within(&peer, "begin with HTTP/2", timing.handshake, connecting).await?;
    let (sender, connection) = connected.map_err(AgentError::Tunnel)?;
    let (tell, ended) = watch::channel(false);
    let why = Arc::new(Mutex::default());
    let left = Arc::clone(&why);
    tasks.spawn(async move {
        let error = connection.await.err();
        *left.lock().unwrap_or_else(PoisonError::into_inner) = error;
        drop(tell);
    });
    Ok(Tunnel { sender, peer: Arc::new(certificate), from, ended, why, tasks: Arc::new(EndTogether(tasks)) })
}

impl Tunnel {
    /// The certificate that the host has shown.
    #[must_use]
    pub fn peer(&self) -> &CertificateDer<'static> {
        &self.peer
    }

    /// Where the host called from.
    #[must_use]
    pub fn from(&self) -> SocketAddr {
        self.from
    }

    /// What ends the tunnel, and does not keep it open.
    #[must_use]
    pub fn cutter(&self) -> Cutter {
        Cutter(self.tasks.0.clone())
    }

    /// Ends the tunnel at once, whatever goes on in it.
    pub fn cut(&self) {
        self.tasks.0.end();
    }

    /// Waits until the tunnel has ended.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        // Nobody ever says anything: the task goes, and its end of the channel with it.
        let _gone = ended.wait_for(|ended| *ended).await;
    }

    /// Sends a request of the engine's API; only path and query of its address count.
    ///
    /// # Errors
    /// The tunnel broke. A refusal is an answer.
    pub async fn send(&self, request: Request<TunnelBody>) -> Result<Response<Whole<Incoming>>> {
        Ok(self.exchange(request).await?.map(Whole))
    }

    /// Begins a talk: an attach without JSON, or the start of an exec with it.
    ///
    /// # Errors
    /// The tunnel broke. A refusal is an answer.
    pub async fn talk(&self, target: &str, term: u64, json: &[u8]) -> Result<Talk> {
        let (input, pieces) = mpsc::channel::<Bytes>(WAITING);
        let first = stream::iter((!json.is_empty()).then(|| Bytes::copy_from_slice(json)));
        let rest = stream::unfold(pieces, |mut pieces| async move { Some((pieces.recv().await?, pieces)) });
        let frames = stream::StreamExt::chain(first, rest);
        let frames = stream::StreamExt::map(frames, |piece| Ok::<_, BodyError>(Frame::data(piece)));
        let mut request = Request::post(target).body(StreamBody::new(frames).boxed_unsync()).unwrap_or_default();
        request.headers_mut().insert(TERM, term.into());
        request.headers_mut().insert(TALK, json.len().into());
        Ok(Talk { input, answer: self.exchange(request).await? })
    }

    /// The host's beats, without end.
    ///
    /// # Errors
    /// The tunnel broke, or the agent refuses.
    pub async fn beats(&self) -> Result<impl Stream<Item = Result<Beat>> + Send + Unpin + use<>> {
        let body = match self.get(BEATS).await {
            Ok(body) => body,
            Err(error) => return Err(self.as_the_connection_ended(error).await),
        };
        Ok(Box::pin(stream::unfold((body, Vec::new()), |(mut body, mut read)| async move {
            loop {
                if let Some(beat) = next_beat(&mut read) {
                    return Some((beat, (body, read)));
                }
                match body.frame().await? {
                    Ok(frame) => read.extend_from_slice(&frame.into_data().unwrap_or_default()),
                    Err(error) => return Some((Err(broken(error)), (body, Vec::new()))),
                }
            }
        })))
    }

    /// A request that was never sent, as the connection had ended, says nothing of the reason.
    async fn as_the_connection_ended(&self, error: AgentError) -> AgentError {
        let says_nothing = matches!(&error, AgentError::Tunnel(error) if error.is_closed() || error.is_canceled());
        if !says_nothing || tokio::time::timeout(TO_END, self.ended()).await.is_err() {
            return error;
        }
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).take();
        why.map_or(error, AgentError::Tunnel)
    }

    /// What the host is.
    ///
    /// # Errors
    /// The tunnel broke, or the agent refuses.
    pub async fn facts(&self) -> Result<HostFacts> {
        let body = Limited::new(self.get(FACTS).await?, LONGEST_ANSWER).collect().await.map_err(broken)?;
        parse(&body.to_bytes())
    }

    /// A stamp of the host's clock, from which a lease can count.
    ///
    /// # Errors
    /// The tunnel broke, or the host takes no leases.
    pub async fn lease_stamp(&self) -> Result<Stamp> {
        let body = Limited::new(self.get(LEASE).await?, LONGEST_ANSWER).collect().await.map_err(broken)?;
        parse(&body.to_bytes())
    }

    /// Grants the host a lease in a leader's term; tells how long the host has it from then on.
    ///
    /// # Errors
    /// The tunnel broke, or the agent refuses.
    pub async fn grant_lease(&self, grant: &LeaseGrant, term: u64) -> Result<Duration> {
        let json = serde_json::to_vec(grant).map_err(|error| broken(error.into()))?;
        let json = Full::from(json).map_err(|never| match never {}).boxed_unsync();
        let request = Request::post(LEASE).header(TERM, term).body(json).map_err(|error| broken(error.into()))?;
        let body = Limited::new(self.ask(request).await?, LONGEST_ANSWER).collect().await.map_err(broken)?;
        Ok(Duration::from_millis(parse::<Taken>(&body.to_bytes())?.left_ms))
    }

    /// Tells the host where all controllers take agents, each `host:port`.
    ///
    /// # Errors
    /// The tunnel broke, or the agent refuses.
    pub async fn introduce(&self, controllers: Vec<String>) -> Result<()> {
        let json = serde_json::to_vec(&Introduced { controllers }).map_err(|error| broken(error.into()))?;
        let json = Full::from(json).map_err(|never| match never {}).boxed_unsync();
        self.ask(Request::post(CONTROLLERS).body(json).map_err(|error| broken(error.into()))?).await.map(drop)
    }

    /// Whether a kernel answers at one of these addresses of another host, as seen from this one; `None` if that cannot
    /// be told from there.
    ///
    /// # Errors
    /// The tunnel broke, or the agent refuses.
    pub async fn knock(&self, addresses: &[IpAddr]) -> Result<Option<bool>> {
        let question = Question { addresses: addresses.to_vec() };
        let json = serde_json::to_vec(&question).map_err(|error| broken(error.into()))?;
        let json = Full::from(json).map_err(|never| match never {}).boxed_unsync();
        let body = self.ask(Request::post(KNOCK).body(json).map_err(|error| broken(error.into()))?).await?;
        let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(broken)?;
        Ok(parse::<Knocked>(&body.to_bytes())?.answers)
    }

    async fn get(&self, path: &str) -> Result<Whole<Incoming>> {
        self.ask(Request::get(path).body(nothing()).unwrap_or_default()).await
    }

    /// The body of an answer, unless it is a refusal.
    async fn ask(&self, request: Request<TunnelBody>) -> Result<Whole<Incoming>> {
        let (head, body) = self.send(request).await?.into_parts();
        if head.status.is_success() {
            return Ok(body);
        }
        let message = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(broken)?.to_bytes();
        Err(AgentError::Refused {
            status: head.status.as_u16(),
            message: String::from_utf8_lossy(&message).into_owned(),
        })
    }

    async fn exchange(&self, mut request: Request<TunnelBody>) -> Result<Response<Incoming>> {
        let target = request.uri().path_and_query().cloned().unwrap_or_else(|| "/".parse().expect("a path"));
        *request.uri_mut() = Uri::builder()
            .scheme("http")
            .authority("engine")
            .path_and_query(target)
            .build()
            .map_err(|error| broken(error.into()))?;
        let mut sender = self.sender.clone();
        sender.ready().await.map_err(AgentError::Tunnel)?;
        sender.send_request(request).await.map_err(AgentError::Tunnel)
    }
}

/// Takes the next beat out of what was read. A host that tells more than a beat has in one line tells none.
fn next_beat(read: &mut Vec<u8>) -> Option<Result<Beat>> {
    match read.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let beat = parse(&read[..end]);
            read.drain(..=end);
            Some(beat)
        }
        None if read.len() > LONGEST_BEAT => {
            read.clear();
            Some(Err(broken("a beat is too long".into())))
        }
        None => None,
    }
}

/// A body without bytes.
pub(crate) fn nothing() -> TunnelBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

fn parse<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| broken(error.into()))
}

fn broken(error: BodyError) -> AgentError {
    AgentError::Broken(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_come_one_by_one_wherever_they_are_cut() {
        let beat = |count: u64| {
            format!(
                "{{\"run\":1,\"count\":{count},\"late_ms\":0,\"load\":{{\"cpu_permille\":5,\"memory_available\":6}}}}\n"
            )
        };
        let text = [beat(0), beat(1), beat(2)].concat();
        for size in 1..=text.len() {
            let (mut read, mut counts) = (vec![], vec![]);
            for piece in text.as_bytes().chunks(size) {
                read.extend_from_slice(piece);
                while let Some(beat) = next_beat(&mut read) {
                    counts.push(beat.unwrap().count);
                }
            }
            assert_eq!((counts, read.len()), (vec![0, 1, 2], 0), "in pieces of {size}");
        }
    }

    #[test]
    fn a_beat_without_end_takes_no_memory() {
        let mut read = vec![b' '; LONGEST_BEAT];
        assert!(next_beat(&mut read).is_none());
        read.push(b' ');
        assert!(next_beat(&mut read).unwrap().is_err());
        assert!(read.is_empty());
        read.extend_from_slice(b"{}\n");
        assert!(next_beat(&mut read).unwrap().is_err());
    }
}

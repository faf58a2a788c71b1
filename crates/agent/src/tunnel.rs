//! The connection between an agent and a controller: the agent calls, both prove who they are, and then the roles
//! turn: the controller asks and the agent answers, in streams of HTTP/2. Knows nothing of what is asked.

mod backoff;
mod dial;
mod far_end;
mod link;
mod serve;
mod sleep;
mod tasks;
mod tls;

pub use backoff::Backoff;
pub use dial::try_call;
pub(crate) use dial::{call, within};
pub use far_end::{
    Call, Cutter, Dialled, Talk, TerminalFrames, TerminalLine, ToldOfFiles, Tunnel, accept, accept_call,
};
pub use link::{Agent, Controller, Link};
pub(crate) use tls::provider;
pub use tls::{PROTOCOL, client_config, listener_config, server_config};

use std::time::Duration;

/// How many requests there may be at the same time in one tunnel: who follows a log or the figures of a container has
/// one, and each viewer of a terminal.
pub const STREAMS: u32 = 3072;
/// How many bytes of one stream may be on their way or unread. Small, since all that is on its way is in front of the
/// next beat; at a round trip of 1 ms it is still 250 MB a second.
pub const STREAM_WINDOW: u32 = 256 * 1024;
/// The same of all streams together: all of them can stand still, full, and one more beat has room.
const CONNECTION_WINDOW: u32 = (STREAMS + 1) * STREAM_WINDOW;
/// How much may go in one piece, in bytes: less work for each of them, and not long in front of the next beat.
const FRAME: u32 = 64 * 1024;
/// How much of one stream may wait for its turn inside of this process, in bytes.
const SEND_BUFFER: usize = 64 * 1024;
/// How much the kernel may hold that is not yet sent: beats wait behind it, whichever streams it is of.
const SOCKET_BUFFER: u32 = 256 * 1024;
/// The most that the headers of a request may have, in bytes.
const HEADERS: u32 = 16 * 1024;
/// How many streams may be given up by the other side before the tunnel is taken for an attack.
const RESETS: usize = 256;

/// How long the parts of a connection may take.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// To reach an address.
    pub connect: Duration,
    /// To agree on keys.
    pub handshake: Duration,
    /// Until the first request has come: a controller asks for the beats at once.
    pub first_request: Duration,
    /// How often the other side is asked whether it is there.
    pub ping: Duration,
    /// How long it may take to answer that.
    pub pong: Duration,
    /// How long requests may go on in a tunnel that was replaced by one with new certificates.
    pub drain: Duration,
    /// The first and the longest wait before another attempt.
    pub backoff: (Duration, Duration),
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            handshake: Duration::from_secs(10),
            first_request: Duration::from_secs(10),
            ping: Duration::from_secs(2),
            pong: Duration::from_secs(4),
            drain: Duration::from_secs(3600),
            backoff: (Duration::from_millis(100), Duration::from_secs(5)),
        }
    }
}

/// Ends a task when dropped.
#[derive(Debug)]
struct EndsWithMe(tokio::task::AbortHandle);

impl Drop for EndsWithMe {
    fn drop(&mut self) {
        self.0.abort();
    }
}

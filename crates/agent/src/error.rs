//! What can go wrong in the agent itself.

use std::io;
use std::path::PathBuf;

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The file with the highest term is there and cannot be read.
    #[error("the leader's term cannot be read from {}", path.display())]
    ReadTerm {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file with the highest term does not hold one.
    #[error("{} does not hold a leader's term", path.display())]
    ParseTerm {
        /// The file.
        path: PathBuf,
    },
    /// The file with the host's lease is there and cannot be read.
    #[error("the lease of this host cannot be read from {}", path.display())]
    ReadLease {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file with the host's key and certificate cannot be read or written.
    #[error("the host's identity in {} cannot be used", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A key cannot be made or used.
    #[error("no key can be made")]
    Key(#[source] rcgen::Error),
    /// The controller gives no certificate.
    #[error("the controller refuses: {0}")]
    NotJoined(String),
    /// There is no way to an address.
    #[error("no connection to {address}")]
    Connect {
        /// `host:port`.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The two sides do not trust each other, or one of them speaks something else.
    #[error("no agreement with {peer}")]
    Handshake {
        /// The other side.
        peer: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The other side let a deadline pass.
    #[error("{peer} did not {what} within {}", span(*milliseconds))]
    TimedOut {
        /// The other side.
        peer: String,
        /// What it should have done.
        what: &'static str,
        /// The deadline.
        milliseconds: u64,
    },
    /// The tunnel broke, or the other side does not keep to HTTP/2.
    #[error("the tunnel broke")]
    Tunnel(#[source] hyper::Error),
    /// An answer broke off, or is not in the form that was agreed on.
    #[error("the answer broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A certificate or a key cannot be used.
    #[error("the certificates cannot be used")]
    Certificates(#[source] rustls::Error),
    /// No certificates can be checked against this authority.
    #[error("the authority cannot be used")]
    Authority(#[source] rustls::server::VerifierBuilderError),
    /// The agent refused a request.
    #[error("the agent answered with status {status}: {message}")]
    Refused {
        /// The status of its answer.
        status: u16,
        /// Its words.
        message: String,
    },
    /// The engine does not answer.
    #[error("the engine does not answer at {}", socket.display())]
    Engine {
        /// Its socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A span of time as people write it.
fn span(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1000) { format!("{} s", milliseconds / 1000) } else { format!("{milliseconds} ms") }
}

/// The result of what the agent does.
pub type Result<T> = std::result::Result<T, AgentError>;

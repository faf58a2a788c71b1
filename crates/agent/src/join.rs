//! How a host gets its certificate: one question and one answer, each a line of JSON, on a connection of their own.
//!
//! A host that joins brings a one-use secret and no certificate; one that renews brings its certificate and no secret.
//! The key is made here and never leaves the host: what is asked for is a certificate of its public half, and the
//! signature beside it shows that the asker has the other one. Whether it is given is the controller's decision.

mod answer;
mod ask;
mod key;
mod pinned;
mod token;

pub use answer::Joining;
pub(crate) use ask::refusal;
pub use ask::{Host, join, renew, standing};
pub use key::{HostKey, is_signed};
pub use token::{InvalidToken, JoinToken};

use serde::{Deserialize, Serialize};

/// What both sides must say that they speak when a certificate is asked for.
pub const JOIN_PROTOCOL: &[u8] = b"pierhead-join/1";
/// The name in the certificate of a controller's listener for agents, wherever it listens.
pub const CONTROLLER_NAME: &str = "controller.pierhead";
/// The longest line, in bytes.
const LONGEST: u64 = 32 * 1024;

/// A host's request for a certificate.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The secret of the join token; absent from a host that renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What the engine shall be called, and not otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the host calls itself: what the engine is called if that is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the host's published ports answer; the address that it calls from if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Labels to place by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Whether nothing is wanted but to know how the host stands: then it brings its certificate, and no key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub look: bool,
    /// The host's public key: a point of P-256, uncompressed, in base64.
    pub public_key: String,
    /// The key's signature of itself, in base64.
    pub signature: String,
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ask").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A controller's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Here it is.
    Granted(Grant),
    /// How the host stands, which it asked for.
    Standing(Standing),
    /// No; why, in words.
    Refused(String),
}

/// How a host stands whose certificate counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What the engine is called.
    pub engine: String,
    /// Whether the host waits until an administrator approves it.
    pub waits: bool,
    /// The controller's clock, in milliseconds since 1970.
    pub now_ms: u64,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What the engine is called.
    pub engine: String,
    /// The certificate, DER, in base64.
    pub certificate: String,
    /// How long it is good from now on, in milliseconds.
    pub life_ms: u64,
    /// Whether the host waits until an administrator approves it.
    #[serde(default)]
    pub waits: bool,
}

//! Passing requests on to the controller in which a terminal lives, in the name of who asked.
//!
//! The pass that goes along is sealed with the key that only the pool's controllers have. It stands for the asker's token
//! without holding it, for reading at one path, for a few seconds, once. The other controller looks up anew what its owner may.

use crate::ApiError;
use crate::accounts::Owner;
use async_trait::async_trait;
use axum::body::Bytes;
use axum::http::Method;
use futures_util::stream::BoxStream;
use pierhead_controller::Line;
use pierhead_model::{Timestamp, TokenKind};
use pierhead_store::seal::Sealer;
use pierhead_wire::{ErrorBody, TerminalView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The scheme of the header `Authorization` that bears a pass.
pub(crate) const SCHEME: &str = "pierhead-pass";
/// What passes are sealed as.
const CONTEXT: &str = "pass of a controller";
/// How long a pass is good, in milliseconds; and how far the clocks of two controllers may be apart.
const LIFE_MS: u64 = 30_000;

/// The way to other controllers' APIs.
#[async_trait]
pub trait Relay: Send + Sync {
    /// Opens the WebSocket at a path.
    async fn line(&self, url: &str, path: &str, pass: &str) -> Result<Line, RelayError>;

    /// The body of what is at a path.
    async fn get(
        &self,
        url: &str,
        path: &str,
        pass: &str,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, RelayError>;

    /// How the terminals stand that the asker may come to, or the one with this id, as that controller tells it. Answers
    /// within a few seconds.
    async fn terminals(&self, url: &str, id: Option<&str>, pass: &str) -> Result<Vec<TerminalView>, RelayError>;
}

/// Why a request was not passed on.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The other controller refused it.
    #[error("{}", .body.message)]
    Refused {
        /// The status.
        status: u16,
        /// Its words.
        body: Box<ErrorBody>,
    },
    /// It can't be reached.
    #[error("{0}")]
    Away(String),
}

/// What a pass says.
#[derive(Serialize, Deserialize)]
struct Pass {
    token_hash: String,
    kind: TokenKind,
    path: String,
    made_at: Timestamp,
    nonce: String,
}

/// A pass for a path.
pub(crate) fn pass(sealer: &Sealer, owner: &Owner, path: &str, now: Timestamp) -> Result<String, ApiError> {
    let nonce = crate::random_password();
    let pass =
        Pass { token_hash: owner.token_hash.clone(), kind: owner.kind, path: path.to_owned(), made_at: now, nonce };
    let text = serde_json::to_vec(&pass).expect("plain data has a JSON form");
    Ok(sealer.seal(CONTEXT, &text)?)
}

/// The passes that were shown here; none is good twice.
#[derive(Debug, Default)]
pub(crate) struct Passes(Mutex<HashMap<String, Timestamp>>);

impl Passes {
    /// Whose pass it is, if it is good for a path and does not change anything.
    pub(crate) fn take(
        &self,
        sealer: &Sealer,
        text: &str,
        (method, path): (&Method, &str),
        now: Timestamp,
    ) -> Option<Owner> {
        let pass: Pass = serde_json::from_slice(&sealer.open(CONTEXT, text).ok()?).ok()?;
        if *method != Method::GET || pass.path != path || pass.made_at.0.abs_diff(now.0) >= LIFE_MS {
            return None;
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, made_at| made_at.0.abs_diff(now.0) < LIFE_MS);
        let is_new = seen.insert(pass.nonce, pass.made_at).is_none();
        is_new.then_some(Owner { token_hash: pass.token_hash, kind: pass.kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/api/terminals/a/socket";
    const NOW: Timestamp = Timestamp(1_000_000);

    #[test]
    fn a_pass_is_good_once_for_one_path_and_a_short_time() {
        let dir = tempfile::tempdir().unwrap();
        let sealer = Sealer::open_or_create(dir.path()).unwrap();
        let owner = Owner { token_hash: "hash".to_owned(), kind: TokenKind::Session };
        let passes = Passes::default();
        let give = || pass(&sealer, &owner, PATH, NOW).unwrap();
        let good = give();
        assert!(!good.contains("hash"));
        let elsewhere = (&Method::GET, "/api/terminals/b/socket");
        assert_eq!(passes.take(&sealer, &good, elsewhere, NOW), None);
        assert_eq!(passes.take(&sealer, &good, (&Method::DELETE, PATH), NOW), None, "to read and no more");
        let here = (&Method::GET, PATH);
        assert_eq!(passes.take(&sealer, &good, here, NOW), Some(owner.clone()));
        assert_eq!(passes.take(&sealer, &good, here, NOW), None, "only once");
        assert_eq!(passes.take(&sealer, &give(), here, NOW.plus(LIFE_MS)), None, "not for long");
        assert_eq!(passes.take(&sealer, &give(), here, Timestamp(NOW.0 - LIFE_MS)), None, "nor before its time");
        let of_another = tempfile::tempdir().unwrap();
        let other = Sealer::open_or_create(of_another.path()).unwrap();
        assert_eq!(passes.take(&other, &give(), here, NOW), None, "of another pool");
        for bad in ["", "x", &good[1..]] {
            assert_eq!(passes.take(&sealer, bad, here, NOW), None, "{bad}");
        }
        assert_eq!(passes.0.lock().unwrap().len(), 1);
    }
}

//! WebSockets: once both sides have agreed on it, bytes go to and fro until one of them has enough.

use crate::resolve::Ended;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::time::timeout;

/// How long one side may go on when the other has ended.
const GRACE: Duration = Duration::from_secs(5);

/// Carries bytes between two sides until one has ended, or somebody may not go on.
pub(crate) async fn carry(browser: OnUpgrade, upstream: Upgraded, ended: Ended) {
    let browser = match browser.await {
        Ok(browser) => browser,
        Err(error) => return tracing::debug!(%error, "a browser left before its WebSocket was open"),
    };
    tokio::select! {
        () = both(TokioIo::new(browser), TokioIo::new(upstream)) => {}
        () = ended => {}
    }
}

async fn both(one: impl AsyncRead + AsyncWrite, other: impl AsyncRead + AsyncWrite) {
    let ((mut from_one, mut to_one), (mut from_other, mut to_other)) = (split(one), split(other));
    let there = async {
        // A side that breaks off has ended like any other.
        let _broken = copy(&mut from_one, &mut to_other).await;
        let _gone = to_other.shutdown().await;
    };
    let back = async {
        let _broken = copy(&mut from_other, &mut to_one).await;
        let _gone = to_one.shutdown().await;
    };
    tokio::pin!(there, back);
    tokio::select! {
        () = &mut there => drop(timeout(GRACE, back).await),
        () = &mut back => drop(timeout(GRACE, there).await),
    }
}

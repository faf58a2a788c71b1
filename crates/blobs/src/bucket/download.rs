//! Reads a blob as it comes. When it breaks off, what is missing is asked for.

use super::answer::Answer;
use super::http::Ask;
use super::{Bucket, TRIES};
use crate::{BlobError, Digest, Pieces};
use bytes::Bytes;
use futures_util::stream::{StreamExt, try_unfold};
use hyper::StatusCode;

const WHAT: &str = "give an archive";

struct Reading {
    bucket: Bucket,
    digest: Digest,
    answer: Option<Answer>,
    /// How many bytes have come.
    at: u64,
    /// How many there are, as the first answer says.
    of: Option<u64>,
    /// How often it broke off since the last byte.
    broken: u32,
}

/// All of a blob. Nothing is asked before the first piece is wanted.
pub(super) fn pieces(bucket: Bucket, digest: Digest) -> Pieces {
    let start = Reading { bucket, digest, answer: None, at: 0, of: None, broken: 0 };
    try_unfold(start, |mut reading| async move { Ok(reading.next().await?.map(|piece| (piece, reading))) }).boxed()
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        let idle = self.bucket.0.limits.idle;
        loop {
            let mut answer = match self.answer.take() {
                Some(answer) => answer,
                None => self.open().await?,
            };
            let why = match answer.piece(idle).await {
                Ok(Some(piece)) => {
                    self.at += piece.len() as u64;
                    self.broken = 0;
                    self.answer = Some(answer);
                    return Ok(Some(piece));
                }
                Ok(None) if self.of.is_none_or(|of| self.at >= of) => return Ok(None),
                Ok(None) => "it ended too early".to_owned(),
                Err(why) => why,
            };
            self.broken += 1;
            tracing::info!(blob = %self.digest, at = self.at, why, "an archive broke off on its way");
            if self.broken == TRIES {
                return Err(BlobError::Silent { place: self.bucket.place(), why });
            }
            tokio::time::sleep(self.bucket.0.limits.pause).await;
        }
    }

    async fn open(&mut self) -> Result<Answer, BlobError> {
        let (bucket, at, digest) = (&self.bucket, self.at, &self.digest);
        let (inner, key) = (&bucket.0, bucket.key(digest));
        let ask = || Ask::get(bucket.signed(inner.bucket.get_object(Some(&inner.keys), &key))).from(at);
        let answer = bucket.ask(WHAT, inner.limits.answer, ask).await?;
        let expected = if at == 0 { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
        match answer.status {
            status if status == expected => {}
            StatusCode::NOT_FOUND => {
                return Err(BlobError::Missing { place: bucket.place(), digest: digest.clone() });
            }
            status if status.is_success() => {
                let why = "it does not go on where it broke off".to_owned();
                return Err(BlobError::Refused { place: bucket.place(), what: WHAT, why });
            }
            _ => return Err(bucket.refused(WHAT, answer).await),
        }
        self.of = self.of.or_else(|| answer.length());
        Ok(answer)
    }
}

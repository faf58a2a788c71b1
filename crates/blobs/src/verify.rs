//! Hands out a blob and makes sure on the way that it is what its name says.

use crate::{BlobError, Digest, Pieces};
use futures_util::stream::{StreamExt, try_unfold};
use sha2::{Digest as _, Sha256};

struct Passing {
    pieces: Pieces,
    hash: Sha256,
    /// How many bytes are still to be handed out.
    left: u64,
}

/// The first `length` bytes of a whole blob. The end comes only when all of it was read and its hash is its name.
pub(crate) fn verified(pieces: Pieces, digest: Digest, place: String, length: u64) -> Pieces {
    let start = Passing { pieces, hash: Sha256::new(), left: length };
    try_unfold(start, move |mut passing| {
        let (digest, place) = (digest.clone(), place.clone());
        async move {
            while let Some(piece) = passing.pieces.next().await {
                let mut piece = piece?;
                passing.hash.update(&piece);
                piece.truncate(usize::try_from(passing.left).unwrap_or(usize::MAX));
                passing.left -= piece.len() as u64;
                if !piece.is_empty() {
                    return Ok(Some((piece, passing)));
                }
            }
            let found = Digest::of(passing.hash.finalize().into());
            // One that is shorter than it should be has another hash, unless the length was never right.
            if found == digest && passing.left == 0 {
                Ok(None)
            } else {
                Err(BlobError::Changed { place, digest }.into())
            }
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures_util::{TryStreamExt, stream};
    use std::io;

    async fn read(pieces: &[&'static [u8]], digest: &Digest, length: u64) -> io::Result<Vec<u8>> {
        let pieces: Vec<io::Result<Bytes>> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
        let all = verified(stream::iter(pieces).boxed(), digest.clone(), "there".to_owned(), length);
        all.try_fold(Vec::new(), |all, piece| async move { Ok([all, piece.to_vec()].concat()) }).await
    }

    #[tokio::test]
    async fn only_what_its_name_says_comes_to_an_end() {
        let digest = Digest::of(Sha256::digest(b"one two").into());
        assert_eq!(read(&[b"one", b"", b" two"], &digest, 7).await.unwrap(), b"one two");
        assert_eq!(read(&[b"one two"], &digest, 2).await.unwrap(), b"on", "the rest is read and checked");
        for (pieces, length) in
            [(&[&b"one"[..]][..], 3), (&[b"one", b" tvo"], 7), (&[b"one two", b"!"], 7), (&[], 0), (&[b"one two"], 8)]
        {
            let error = read(pieces, &digest, length).await.unwrap_err().to_string();
            assert!(error.contains(digest.as_str()) && error.contains("there was changed"), "{error}");
        }
    }
}

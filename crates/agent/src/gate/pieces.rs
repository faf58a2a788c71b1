//! The pieces of an engine's answer on their way into the tunnel. Small ones that are there together go together: each
//! would be a frame, a record and a system call of its own, here and at the other end. Nothing waits for more to come.

use crate::engine::BodyError;
use futures_util::{FutureExt, Stream, stream};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame};

/// How much goes together at most, in bytes.
const TOGETHER: usize = 32 * 1024;
/// From which size on a piece goes alone, in bytes: copying it would cost more than it saves.
const ALONE: usize = 8 * 1024;

struct Pieces<B, K> {
    body: B,
    /// What came behind the last pieces that went together.
    next: Option<Result<Bytes, BodyError>>,
    is_over: bool,
    _kept: K,
}

/// The bytes of a body; `kept` is dropped with it.
pub(super) fn together<B, K>(body: B, kept: K) -> impl Stream<Item = Result<Frame<Bytes>, BodyError>> + Send
where
    B: Body<Data = Bytes> + Send + Unpin,
    B::Error: Into<BodyError>,
    K: Send,
{
    let pieces = Pieces { body, next: None, is_over: false, _kept: kept };
    stream::unfold(pieces, |mut pieces| async move {
        let piece = pieces.next_piece().await?;
        Some((piece.map(Frame::data), pieces))
    })
}

impl<B, K> Pieces<B, K>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    async fn next_piece(&mut self) -> Option<Result<Bytes, BodyError>> {
        if let Some(next) = self.next.take() {
            return Some(next);
        }
        if self.is_over {
            return None;
        }
        let first = match self.body.frame().await.map(data)? {
            Ok(first) if first.len() < ALONE => first,
            other => return Some(other),
        };
        let mut all = Vec::new();
        while all.len() < TOGETHER {
            match self.at_hand().await {
                None => break,
                Some(None) => {
                    self.is_over = true;
                    break;
                }
                Some(Some(Ok(piece))) if piece.len() < ALONE => {
                    if all.is_empty() {
                        all.reserve(TOGETHER + ALONE);
                        all.extend_from_slice(&first);
                    }
                    all.extend_from_slice(&piece);
                }
                Some(other) => {
                    self.next = other;
                    break;
                }
            }
        }
        Some(Ok(if all.is_empty() { first } else { all.into() }))
    }

    /// What comes next, if it is there or whoever reads it has it by now.
    async fn at_hand(&mut self) -> Option<Option<Result<Bytes, BodyError>>> {
        if let Some(next) = self.body.frame().now_or_never() {
            return Some(next.map(data));
        }
        tokio::task::yield_now().await;
        Some(self.body.frame().now_or_never()?.map(data))
    }
}

fn data<E: Into<BodyError>>(frame: Result<Frame<Bytes>, E>) -> Result<Bytes, BodyError> {
    frame.map(|frame| frame.into_data().unwrap_or_default()).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use http_body_util::StreamBody;
    use std::io;
    use std::time::Duration;
    use tokio::sync::mpsc;

    type Piece = io::Result<Frame<Bytes>>;

    fn of(sizes: &[usize]) -> Vec<Piece> {
        let piece = |(number, size): (usize, &usize)| Ok(Frame::data(Bytes::from(vec![number as u8; *size])));
        sizes.iter().enumerate().map(piece).collect()
    }

    fn bytes(pieces: Vec<Piece>) -> Vec<u8> {
        pieces.into_iter().flat_map(|piece| piece.unwrap().into_data().unwrap()).collect()
    }

    /// What comes of pieces that are all there: the sizes, and the bytes.
    async fn sent(pieces: Vec<Piece>) -> (Vec<usize>, Vec<u8>) {
        let came: Vec<_> = together(StreamBody::new(stream::iter(pieces)), ()).collect().await;
        let came: Vec<Bytes> = came.into_iter().map(|piece| piece.unwrap().into_data().unwrap()).collect();
        (came.iter().map(Bytes::len).collect(), came.concat())
    }

    #[tokio::test]
    async fn small_pieces_go_together_and_none_is_lost() {
        for (sizes, expected) in [
            (vec![], vec![]),
            (vec![5], vec![5]),
            (vec![1; 1000], vec![1000]),
            (vec![1000; 100], vec![33_000, 33_000, 33_000, 1000]),
            (vec![10, 10, 20_000, 10, 10], vec![20, 20_000, 20]),
            (vec![20_000, 20_000], vec![20_000, 20_000]),
            (vec![ALONE - 1, ALONE, 1], vec![ALONE - 1, ALONE, 1]),
        ] {
            let (came, all) = sent(of(&sizes)).await;
            assert_eq!((came, all), (expected, bytes(of(&sizes))));
        }
    }

    #[tokio::test]
    async fn a_large_piece_is_not_copied() {
        let large = Bytes::from(vec![1; ALONE]);
        let mut sent = Box::pin(together(StreamBody::new(stream::iter([Piece::Ok(Frame::data(large.clone()))])), ()));
        let came = sent.next().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(came.as_ptr(), large.as_ptr());
    }

    #[tokio::test]
    async fn what_is_there_goes_before_the_next_comes_and_the_rest_after_it_goes_too() {
        let (tell, told) = mpsc::channel::<Piece>(8);
        let told = stream::unfold(told, |mut told| async move { Some((told.recv().await?, told)) });
        let (kept, dropped) = tokio::sync::oneshot::channel::<()>();
        let mut sent = Box::pin(together(StreamBody::new(Box::pin(told)), kept));
        for word in ["one", "two"] {
            tell.send(Ok(Frame::data(word.into()))).await.unwrap();
        }
        let next = tokio::time::timeout(Duration::from_secs(60), sent.next()).await.unwrap();
        assert_eq!(next.unwrap().unwrap().into_data().unwrap(), "onetwo");
        assert!(sent.next().now_or_never().is_none(), "nothing is there");
        tell.send(Ok(Frame::data("three".into()))).await.unwrap();
        tell.send(Err(io::Error::other("it broke"))).await.unwrap();
        assert_eq!(sent.next().await.unwrap().unwrap().into_data().unwrap(), "three");
        assert!(
            sent.next().await.unwrap().unwrap_err().to_string().contains("it broke"),
            "an end that is none is told"
        );
        drop(tell);
        assert!(sent.next().await.is_none());
        drop(sent);
        assert!(dropped.await.is_err(), "what is kept goes with it");
    }
}

//! A body of HTTP/2 that tells an end from a breaking off: hyper takes a stream that the other side cancelled for
//! one that ended, and half an archive must not pass for a whole one.

use crate::engine::BodyError;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A body that fails unless the other side said that it is complete.
#[derive(Debug)]
pub struct Whole<B = Incoming>(pub(crate) B);

impl<B> Body for Whole<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Err(error)) => Poll::Ready(Some(Err(error.into()))),
            None if self.0.is_end_stream() => Poll::Ready(None),
            None => Poll::Ready(Some(Err("the other side broke off".into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::convert::Infallible;

    /// A body that has said one word, and may have said that this is all.
    struct Said {
        word: Option<Bytes>,
        complete: bool,
    }

    impl Body for Said {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.word.take().map(|word| Ok(Frame::data(word))))
        }

        fn is_end_stream(&self) -> bool {
            self.complete && self.word.is_none()
        }
    }

    #[tokio::test]
    async fn half_a_body_is_an_error() {
        for complete in [true, false] {
            let mut body = Whole(Said { word: Some(Bytes::from_static(b"word")), complete });
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "word");
            assert_eq!(body.frame().await.is_none(), complete);
        }
    }
}

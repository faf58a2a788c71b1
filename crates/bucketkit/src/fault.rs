//! What goes wrong between a client and the store.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// How much of an answer is sent at once, in bytes.
const PIECE: usize = 64 * 1024;

/// What goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This is answered, and nothing is done.
    Say(u16, String),
    /// The connection ends before anything is done.
    HangUp,
    /// It is done, and the connection ends without an answer.
    LoseAnswer,
    /// Nothing is ever answered.
    Silence,
    /// The connection ends after so many bytes of the answer.
    Cut(usize),
    /// Nothing comes any more after so many bytes of the answer.
    Stall(usize),
    /// One bit of this byte of the answer is another one.
    Flip(usize),
    /// One bit of this byte of what was sent is another one.
    FlipSent(usize),
}

/// Which requests something goes wrong with, and how often still.
pub(crate) struct Rule {
    pub(crate) method: String,
    pub(crate) holds: String,
    pub(crate) times: usize,
    pub(crate) fault: Fault,
}

impl Rule {
    pub(crate) fn is_about(&self, line: &str) -> bool {
        let of_method = line.split_once(' ').is_some_and(|(method, _)| method == self.method);
        self.times > 0 && of_method && line.contains(&self.holds)
    }
}

/// The bytes with one bit of one of them changed, if there are so many.
pub(crate) fn flipped(bytes: &Bytes, at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
    bytes.into()
}

/// The body of an answer, with what goes wrong in it.
pub(crate) struct Reply {
    left: Bytes,
    length: u64,
    /// What happens after the bytes that are left.
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    End,
    Break,
    Nothing,
}

impl Reply {
    pub(crate) fn whole(left: Bytes) -> Self {
        Self { length: left.len() as u64, left, then: Then::End }
    }

    pub(crate) fn with(bytes: Bytes, fault: Option<Fault>) -> Self {
        let length = bytes.len() as u64;
        let until = |at: usize| bytes.slice(..at.min(bytes.len()));
        match fault {
            Some(Fault::Cut(at)) => Self { left: until(at), length, then: Then::Break },
            Some(Fault::Stall(at)) => Self { left: until(at), length, then: Then::Nothing },
            Some(Fault::Flip(at)) => Self::whole(flipped(&bytes, at)),
            _ => Self::whole(bytes),
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if !self.left.is_empty() {
            let most = PIECE.min(self.left.len());
            let piece = self.left.split_to(most);
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match self.then {
            Then::End => Poll::Ready(None),
            Then::Break => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            // Nobody is woken: that is the fault.
            Then::Nothing => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        // What was announced, not what will come.
        SizeHint::with_exact(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[test]
    fn rules_are_about_their_own_requests_and_run_out() {
        let mut rule =
            Rule { method: "PUT".to_owned(), holds: "partNumber=2".to_owned(), times: 1, fault: Fault::HangUp };
        assert!(rule.is_about("PUT /b/k?partNumber=2&uploadId=x"));
        assert!(!rule.is_about("GET /b/k?partNumber=2&uploadId=x") && !rule.is_about("PUT /b/k?partNumber=1"));
        rule.times = 0;
        assert!(!rule.is_about("PUT /b/k?partNumber=2&uploadId=x"));
    }

    #[tokio::test]
    async fn an_answer_breaks_where_it_should() {
        let bytes = Bytes::from(vec![7; 3 * PIECE]);
        let whole = Reply::with(bytes.clone(), None).collect().await.unwrap().to_bytes();
        assert!(whole == bytes);
        let mut cut = Reply::with(bytes.clone(), Some(Fault::Cut(PIECE + 1)));
        let first = cut.frame().await.unwrap().unwrap().into_data().unwrap();
        let second = cut.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((first.len(), second.len()), (PIECE, 1));
        assert!(cut.frame().await.unwrap().is_err());
        let flipped = Reply::with(bytes.clone(), Some(Fault::Flip(5))).collect().await.unwrap().to_bytes();
        assert_eq!((flipped.len(), flipped[5], flipped[6]), (bytes.len(), 6, 7));
    }
}

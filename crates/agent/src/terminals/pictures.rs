//! Small pictures of terminals through the tunnel: which ones are wanted comes in one body of a request, line by line of
//! JSON, and what is new of them goes back in the other one.

use super::{Terminals, is_id};
use crate::engine::BodyError;
use futures_util::stream::{self, Stream};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame};
use pierhead_sessions::Wanted;
use pierhead_terminal::PictureChange;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The most terminals that are wanted at once.
pub(crate) const MOST_WANTED: usize = 500;
/// The longest line that says which are wanted, in bytes.
pub(crate) const LONGEST_WANTED: usize = 64 * 1024;
/// How many pictures go in one line.
const TOGETHER: usize = 16;

/// Which terminals are wanted from now on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Wanting {
    /// Their ids, and the number of the wish: with another one a picture begins anew.
    pub(crate) terminals: BTreeMap<String, u64>,
}

/// What is new of some.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Painted {
    /// At most [`TOGETHER`].
    pub(crate) pictures: Vec<PictureChange>,
}

/// Says what is new, for as long as the other side says what it wants and takes what is said.
pub(crate) fn run<B>(
    terminals: &Arc<Terminals>,
    body: B,
) -> impl Stream<Item = Result<Frame<Bytes>, BodyError>> + Send + use<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BodyError> + Send,
{
    let (wants, wanted) = watch::channel(Wanted::default());
    let pictures = terminals.pictures(wanted);
    tokio::spawn(hear(body, wants));
    stream::unfold((pictures, Vec::new().into_iter()), |(mut pictures, mut waiting)| async move {
        loop {
            if let Some(line) = waiting.next() {
                return Some((Ok(Frame::data(line)), (pictures, waiting)));
            }
            waiting = lines(&pictures.next().await?).into_iter();
        }
    })
}

/// Hears what is wanted, until that ends, is no sense, or nobody looks any more.
async fn hear<B>(mut body: B, wants: watch::Sender<Wanted>)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut read = Vec::new();
    loop {
        while let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            match wanted(&read[..end]) {
                Some(wanted) => drop(wants.send_replace(wanted)),
                None => return tracing::debug!("it can't be read which pictures are wanted"),
            }
            read.drain(..=end);
        }
        if read.len() > LONGEST_WANTED {
            return tracing::debug!("too many pictures are wanted");
        }
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = wants.closed() => return,
        };
        match frame {
            Some(Ok(piece)) => read.extend_from_slice(&piece.into_data().unwrap_or_default()),
            Some(Err(_)) | None => return,
        }
    }
}

fn wanted(line: &[u8]) -> Option<Wanted> {
    let Wanting { terminals } = serde_json::from_slice(line).ok()?;
    let is_good = terminals.len() <= MOST_WANTED && terminals.keys().all(|id| is_id(id));
    is_good.then(|| Arc::new(terminals))
}

fn lines(changes: &[PictureChange]) -> Vec<Bytes> {
    let line = |some: &[PictureChange]| {
        let mut line = serde_json::to_vec(&Painted { pictures: some.to_vec() }).unwrap_or_default();
        line.push(b'\n');
        Bytes::from(line)
    };
    changes.chunks(TOGETHER).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_read_within_bounds() {
        let read = |json: &str| wanted(json.as_bytes()).map(|wanted| wanted.len());
        assert_eq!(read(r#"{"terminals":{"t-1":1,"t-2":7}}"#), Some(2));
        assert_eq!(read(r#"{"terminals":{}}"#), Some(0));
        for bad in ["", "[]", r#"{"terminals":["t-1"]}"#, r#"{"terminals":{"../x":1}}"#, r#"{"terminals":{"":1}}"#] {
            assert_eq!(read(bad), None, "{bad}");
        }
        let most = |count: usize| {
            let terminals = (0..count).map(|at| (format!("t-{at}"), 1)).collect();
            read(&serde_json::to_string(&Wanting { terminals }).unwrap())
        };
        assert_eq!((most(MOST_WANTED), most(MOST_WANTED + 1)), (Some(MOST_WANTED), None));
        let longest: BTreeMap<String, u64> = (0..MOST_WANTED).map(|at| (format!("{at:064}"), u64::MAX)).collect();
        let longest = serde_json::to_vec(&Wanting { terminals: longest }).unwrap();
        assert!(longest.len() < LONGEST_WANTED, "as many as can be wanted fit in a line: {}", longest.len());
    }

    #[test]
    fn many_pictures_go_in_several_lines() {
        let changes: Vec<_> = (0..40).map(|at| PictureChange::over(&format!("t-{at}"))).collect();
        let lines = lines(&changes);
        let read = |line: &Bytes| serde_json::from_slice::<Painted>(line).unwrap().pictures;
        assert_eq!(lines.iter().map(|line| read(line).len()).collect::<Vec<_>>(), [16, 16, 8]);
        assert_eq!(lines.iter().flat_map(read).collect::<Vec<_>>(), changes);
    }
}

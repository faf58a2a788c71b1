//! Images: archives that are sent in and spread to hosts, and what hosts have.

use crate::connection::Response;
use crate::error::root_cause;
use crate::transport::Call;
use crate::upload::coming;
use crate::{Answer, Client, ClientError};
use pierhead_wire::{ImageView, SpreadView};
use std::collections::VecDeque;
use std::io::Read;

const IMAGES: [&str; 2] = ["api", "images"];

impl Client {
    /// All images of the pool, those that were sent in first.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn images(&self) -> Result<Answer<Vec<ImageView>>, ClientError> {
        self.list(Call::get(&IMAGES)).await
    }

    /// One image, by a name of it, its id, or the begin of the id's digits.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn image(&self, name: &str) -> Result<Answer<ImageView>, ClientError> {
        self.send(&Call::get(&["api", "images", name])).await?.read()
    }

    /// Sends in an image archive as `docker save` writes it, read from `source` as fast as the controller takes it.
    /// `size` is how many bytes there are, if that is known; `progress` gets how many are on their way.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if it is not taken, [`ClientError::Unreachable`] also if `source` can't be read.
    pub async fn upload_image(
        &self,
        source: impl Read + Send + 'static,
        size: Option<u64>,
        progress: impl Fn(u64) + Send + 'static,
    ) -> Result<Answer<ImageView>, ClientError> {
        self.send_body(&Call::post(&IMAGES).unlimited(), coming(source, size, progress)).await?.read()
    }

    /// Deletes an archive; what hosts have of it stays there.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or 403 if it is somebody else's.
    pub async fn delete_image(&self, name: &str) -> Result<(), ClientError> {
        self.change_at_once(Call::delete(&["api", "images", name])).await.map(drop)
    }

    /// Brings an archive to these hosts, or to all that can be used if none is named. Goes on as long as the answer is
    /// read.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such archive or host.
    pub async fn spread_image(&self, name: &str, engines: &[String]) -> Result<SpreadFeed, ClientError> {
        let call = Call::post(&["api", "images", name, "spread"]).unlimited();
        let call = engines.iter().fold(call, |call, engine| call.query("engine", engine));
        Ok(SpreadFeed { response: self.open(&call).await?, rest: Vec::new(), ready: VecDeque::new() })
    }
}

/// A spread as it goes. Dropping it calls it off.
#[derive(Debug)]
pub struct SpreadFeed {
    response: Response,
    rest: Vec<u8>,
    ready: VecDeque<String>,
}

impl SpreadFeed {
    /// What is new of one host, as JSON and read; `None` when all have ended.
    ///
    /// # Errors
    /// [`ClientError::ReadLog`] if the connection is lost, [`ClientError::ReadAnswer`] if it is something else.
    pub async fn next(&mut self) -> Result<Option<(String, SpreadView)>, ClientError> {
        loop {
            if let Some(json) = self.ready.pop_front() {
                let url = self.response.url.to_string();
                let step = serde_json::from_str(&json);
                let step = step.map_err(|error| ClientError::ReadAnswer { url, why: error.to_string() })?;
                return Ok(Some((json, step)));
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.ready.extend(lines(&mut self.rest, &bytes)),
                Ok(None) => return Ok(None),
                Err(error) => return Err(ClientError::ReadLog { why: root_cause(&error) }),
            }
        }
    }
}

/// The lines that end in the next bytes; what follows the last one is kept in `rest`.
fn lines(rest: &mut Vec<u8>, bytes: &[u8]) -> Vec<String> {
    rest.extend_from_slice(bytes);
    let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
    let whole: Vec<u8> = rest.drain(..=end).collect();
    String::from_utf8_lossy(&whole).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_may_come_in_any_pieces() {
        let text = "{\"a\":\"\u{fc}\"}\n\n{}\nhalf";
        for size in 1..=text.len() {
            let mut rest = Vec::new();
            let got: Vec<String> = text.as_bytes().chunks(size).flat_map(|piece| lines(&mut rest, piece)).collect();
            assert_eq!(got, ["{\"a\":\"\u{fc}\"}", "{}"], "in pieces of {size}");
            assert_eq!(rest, b"half");
        }
    }
}

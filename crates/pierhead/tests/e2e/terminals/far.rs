//! A way that takes its time: what goes in at one end comes out at the other a moment later, in both directions.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

pub struct Far {
    /// Where one goes in.
    pub url: String,
    task: JoinHandle<()>,
}

impl Far {
    /// The way to a server, which takes so long in each direction.
    pub async fn new(url: &str, way: Duration) -> Self {
        let to = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&to).await else { continue };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let (near, far) = (near.into_split(), far.into_split());
                tokio::spawn(carry(near.0, far.1, way));
                tokio::spawn(carry(far.0, near.1, way));
            }
        });
        Self { url, task }
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut from: OwnedReadHalf, mut into: OwnedWriteHalf, way: Duration) {
    let (sent, mut coming) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((at, piece)) = coming.recv().await {
            sleep_until(at).await;
            if into.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
    let mut piece = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        if sent.send((Instant::now() + way, piece[..length].to_vec())).is_err() {
            return;
        }
    }
}

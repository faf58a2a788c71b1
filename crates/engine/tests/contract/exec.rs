//! Processes in running containers: both directions byte by byte, their size, and how they end.

use crate::Case;
use crate::bed::{Bed, PATIENCE, unknown};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pierhead_engine::fake::{PIPE, RAW, SIZES};
use pierhead_engine::{EngineError, ExecId, ExecRequest, ExecState, Stream};
use pierhead_model::ContainerId;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub const CASES: &[Case] = &[
    ("a terminal gives back every byte", every_byte),
    ("a pipe ends, and tells errors apart", pipe),
    ("the size of a terminal", sizes),
    ("where nothing can be started", refusals),
    ("a program that is not there", no_program),
    ("a process outlives who talked with it", outlives),
];

fn script(text: &str, tty: bool) -> ExecRequest {
    let command = ["/bin/sh", "-c", text].map(str::to_owned).to_vec();
    ExecRequest { command, tty, ..ExecRequest::default() }
}

async fn container(bed: &Bed) -> ContainerId {
    let id = bed.engine.create(&bed.running()).await.unwrap();
    bed.engine.start(&id).await.unwrap();
    id
}

async fn begun(bed: &Bed, container: &ContainerId, request: &ExecRequest) -> (ExecId, Box<dyn Stream>) {
    let exec = bed.engine.create_exec(container, request).await.unwrap();
    assert_eq!(bed.engine.exec(&exec).await.unwrap(), ExecState { is_running: false, exit_code: None });
    let stream = bed.engine.start_exec(&exec, request.tty).await.unwrap();
    (exec, stream)
}

/// Reads until what came ends like this.
async fn until(stream: &mut Box<dyn Stream>, end: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let read = async {
        while !all.ends_with(end) {
            let mut piece = [0; 4096];
            let length = stream.read(&mut piece).await.unwrap();
            assert!(length > 0, "it ended after {:?}", String::from_utf8_lossy(&all));
            all.extend_from_slice(&piece[..length]);
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("it says so");
    all
}

async fn rest(stream: &mut Box<dyn Stream>) -> Vec<u8> {
    let mut all = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("an end").unwrap();
    all
}

async fn ended(bed: &Bed, exec: &ExecId) -> i64 {
    let wait = async {
        loop {
            if let Some(code) = bed.engine.exec(exec).await.unwrap().exit_code {
                return code;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it ends")
}

/// Output and errors, taken out of Docker's frames.
fn apart(mut frames: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    while let Some((header, rest)) = frames.split_at_checked(8) {
        let length = u32::from_be_bytes(header[4..].try_into().unwrap()) as usize;
        let stream = if header[0] == 2 { &mut errors } else { &mut output };
        stream.extend_from_slice(&rest[..length]);
        frames = &rest[length..];
    }
    (output, errors)
}

fn every_byte(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = container(bed).await;
        let (exec, mut stream) = begun(bed, &id, &script(RAW, true)).await;
        until(&mut stream, b"ready").await;
        let sent: Vec<u8> = (0..=255).cycle().take(20_000).chain(*b"the end").collect();
        let (mut reader, mut writer) = tokio::io::split(stream);
        let writing = async {
            for piece in sent.chunks(777) {
                writer.write_all(piece).await.unwrap();
            }
        };
        let reading = async {
            let mut all = Vec::new();
            while !all.ends_with(b"the end") {
                let mut piece = [0; 4096];
                let length = reader.read(&mut piece).await.unwrap();
                all.extend_from_slice(&piece[..length]);
            }
            all
        };
        let both = async { tokio::join!(writing, reading) };
        let ((), all) = tokio::time::timeout(PATIENCE, both).await.expect("all of it comes back");
        assert!(all == sent, "{} of {} bytes", all.len(), sent.len());
        assert!(bed.engine.exec(&exec).await.unwrap().is_running);
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn pipe(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = container(bed).await;
        let (exec, mut stream) = begun(bed, &id, &script(PIPE, false)).await;
        let sent: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        stream.write_all(&sent).await.unwrap();
        stream.shutdown().await.unwrap();
        let (output, errors) = apart(&rest(&mut stream).await);
        assert!(output == sent, "{} bytes", output.len());
        assert_eq!(errors, b"oh\n");
        assert_eq!(ended(bed, &exec).await, 7);
        bed.engine.remove(&id).await.unwrap();
        assert!(matches!(bed.engine.exec(&exec).await, Err(EngineError::NotFound)));
    }
    .boxed()
}

fn sizes(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = container(bed).await;
        let (exec, mut stream) = begun(bed, &id, &script(SIZES, true)).await;
        // At once: it may not even have begun.
        bed.engine.resize_exec(&exec, 70, 20).await.unwrap();
        until(&mut stream, b"ready\r\n").await;
        bed.engine.resize_exec(&exec, 101, 41).await.unwrap();
        until(&mut stream, b"41 101\r\n").await;
        let code = bed.engine.create_exec(&id, &script("exit 9", true)).await.unwrap();
        let mut stream = bed.engine.start_exec(&code, true).await.unwrap();
        rest(&mut stream).await;
        assert_eq!(ended(bed, &code).await, 9);
        assert!(bed.engine.resize_exec(&code, 80, 24).await.is_err(), "it has ended");
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn refusals(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.engine.create(&bed.running()).await.unwrap();
        let refused = bed.engine.create_exec(&id, &script("exit 0", true)).await.unwrap_err();
        assert!(matches!(&refused, EngineError::Refused(why) if why.contains("is not running")), "{refused:?}");
        let refused = bed.engine.create_exec(&unknown(), &script("exit 0", true)).await.unwrap_err();
        assert!(matches!(refused, EngineError::NotFound), "{refused:?}");
        let nobody = ExecId::parse("0123456789abcdef".repeat(4)).unwrap();
        assert!(matches!(bed.engine.exec(&nobody).await, Err(EngineError::NotFound)));
        assert!(matches!(bed.engine.start_exec(&nobody, true).await, Err(EngineError::NotFound)));
        assert!(matches!(bed.engine.resize_exec(&nobody, 80, 24).await, Err(EngineError::NotFound)));
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn no_program(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = container(bed).await;
        let request = ExecRequest { command: vec!["/no/such/program".to_owned()], tty: true, ..ExecRequest::default() };
        let (exec, mut stream) = begun(bed, &id, &request).await;
        let said = String::from_utf8_lossy(&rest(&mut stream).await).into_owned();
        assert!(said.contains("no such file"), "{said:?}");
        assert!([126, 127].contains(&ended(bed, &exec).await));
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn outlives(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = container(bed).await;
        let (exec, mut stream) = begun(bed, &id, &script(RAW, true)).await;
        until(&mut stream, b"ready").await;
        drop(stream);
        // As long as it would take an engine to notice.
        for _ in 0..10 {
            assert!(bed.engine.exec(&exec).await.unwrap().is_running);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bed.engine.stop(&id, 0).await.unwrap();
        assert!(ended(bed, &exec).await != 0);
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

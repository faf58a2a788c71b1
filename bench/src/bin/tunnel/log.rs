//! What a container has printed, read to its end.

use crate::batch::description;
use crate::bed::{Bed, timed};
use crate::report::Report;
use anyhow::{Result, ensure};
use futures_util::StreamExt;
use pierhead_engine::{Docker, Engine, LogOptions};
use pierhead_model::{ContainerId, ContainerState};
use std::time::Duration;

/// Long lines and short ones: the engine sends each by itself.
pub(crate) async fn measure(bed: &Bed, report: &mut Report, rounds: usize, lines: usize) -> Result<()> {
    for (kind, width) in [("short lines", 5), ("long lines", 1000)] {
        let script = format!("l=$(printf %0{width}d 1); for i in $(seq 1 {lines}); do echo $l; done");
        of_kind(bed, report, rounds, kind, &["sh", "-c", &script]).await?;
    }
    Ok(())
}

async fn of_kind(bed: &Bed, report: &mut Report, rounds: usize, kind: &str, command: &[&str]) -> Result<()> {
    let id = bed.direct.create(&description("talker", command)?).await?;
    bed.direct.start(&id).await?;
    while bed.direct.container(&id).await?.state != ContainerState::Exited {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (mut samples, mut bytes) = ([Vec::new(), Vec::new()], 0);
    for round in 0..=rounds {
        for (docker, samples) in bed.ways().into_iter().zip(&mut samples) {
            let (sample, read) = timed(read(docker, &id)).await?;
            ensure!(bytes == 0 || read == bytes, "{read} bytes of a log of {bytes}");
            bytes = read;
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    bed.direct.remove(&id).await?;
    let [direct, tunnel] = samples;
    let megabytes = bytes as f64 / 1e6;
    report.row(&format!("log, {megabytes:.1} MB of {kind}, MB/s"), &direct, &tunnel, |seconds| {
        format!("{:.1}", megabytes / seconds)
    });
    Ok(())
}

async fn read(docker: &Docker, id: &ContainerId) -> Result<usize> {
    let mut log = docker.logs(id, LogOptions::default()).await?;
    let mut bytes = 0;
    while let Some(line) = log.next().await {
        bytes += line?.bytes.len();
    }
    Ok(bytes)
}

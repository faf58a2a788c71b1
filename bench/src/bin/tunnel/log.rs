//! What a container has printed, read to its end.

use crate::batch::description;
use crate::bed::{Bed, timed};
use crate::report::Report;
use anyhow::{Result, ensure};
use futures_util::StreamExt;
use pierhead_engine::{Docker, Engine, LogOptions};
use pierhead_model::{ContainerId, ContainerState};
use std::time::Duration;

pub(crate) async fn measure(bed: &Bed, report: &mut Report, rounds: usize, lines: usize) -> Result<()> {
    let id = bed.direct.create(&description("talker", &["seq", "1", &lines.to_string()])?).await?;
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
    report.row(&format!("log of {megabytes:.1} MB, MB/s"), &direct, &tunnel, |seconds| {
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

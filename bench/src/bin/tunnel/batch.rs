//! Containers created, started and removed, four at a time.

use crate::bed::{Bed, timed};
use crate::report::Report;
use anyhow::{Result, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use pierhead_devhosts::sample;
use pierhead_engine::{CreateRequest, Docker, Engine};
use pierhead_model::{ContainerSpec, ImageReference, Limits, NetworkMode, Ownership, Resources, RestartPolicy};
use std::collections::BTreeMap;

/// As many as a controller starts at the same time on one host.
const AT_ONCE: usize = 4;

pub(crate) async fn measure(bed: &Bed, report: &mut Report, rounds: usize, containers: usize) -> Result<()> {
    let mut samples = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for (docker, samples) in bed.ways().into_iter().zip(&mut samples) {
            let (sample, ()) = timed(batch(docker, containers)).await?;
            ensure!(docker.containers().await?.is_empty(), "containers are left");
            // The first round warms up.
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    let [direct, tunnel] = samples;
    let row = format!("run and remove {containers}, ms each");
    report.row(&row, &direct, &tunnel, |seconds| format!("{:.1}", seconds * 1000.0 / containers as f64));
    Ok(())
}

async fn batch(docker: &Docker, containers: usize) -> Result<()> {
    let one = |number: usize| async move {
        let id = docker.create(&description(&format!("bench.{number}.1"), &["sleep", "1000"])?).await?;
        docker.start(&id).await?;
        anyhow::Ok(id)
    };
    let ids: Vec<_> = stream::iter((0..containers).map(one)).buffer_unordered(AT_ONCE).try_collect().await?;
    let removals = ids.iter().map(|id| docker.remove(id));
    stream::iter(removals).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    Ok(())
}

/// A container without a network, which would take most of the time.
pub(crate) fn description(name: &str, command: &[&str]) -> Result<CreateRequest> {
    Ok(CreateRequest {
        name: name.to_owned(),
        spec: ContainerSpec {
            entrypoint: command.iter().map(|word| (*word).to_owned()).collect(),
            restart: RestartPolicy::No,
            network: NetworkMode::None,
            ..ContainerSpec::new(
                ImageReference::parse(sample::IMAGE)?,
                Limits { reserved: Resources::new(100, 64), cpu_limit_millis: 2000 },
            )
        },
        ports: vec![],
        labels: BTreeMap::from([(Ownership::CLUSTER.to_owned(), "bench".to_owned())]),
        pids_limit: 64,
        engine_restarts: false,
        workspace: None,
    })
}

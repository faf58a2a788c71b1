//! An image loaded, with the host's beats beside it.

use crate::bed::{Bed, timed};
use crate::report::Report;
use anyhow::Result;
use futures_util::StreamExt;
use pierhead_agent::INTERVAL;
use pierhead_bench::spread::Spread;
use pierhead_engine::{Archive, Engine};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long beats are listened to without any load, for comparison.
const QUIET: Duration = Duration::from_secs(5);

pub(crate) async fn measure(bed: &Bed, report: &mut Report, rounds: usize, megabytes: usize) -> Result<()> {
    let beats = Beats::listen(bed).await?;
    tokio::time::sleep(QUIET).await;
    let (quiet, mut loaded) = (beats.take(), Vec::new());
    for (kind, is_new) in [("a new image", true), ("an image that is there", false)] {
        let (mut samples, mut seed, mut size) = ([Vec::new(), Vec::new()], 1, 0.0);
        for round in 0..=rounds {
            for (at, docker) in bed.ways().into_iter().enumerate() {
                seed += u64::from(is_new);
                // Each load is one of its own, whatever is in it.
                let archive = Archive::new(&format!("{kind} {round} {at}")).bytes(archive(megabytes, seed)?);
                size = archive.size() as f64 / 1e6;
                beats.take();
                let load = async { Ok(docker.load(&archive, Arc::new(|_| {})).await?) };
                let (sample, ()) = timed(load).await?;
                if at == 1 {
                    loaded.extend(beats.take());
                }
                // The first round unpacks what later ones find there.
                if round > 0 {
                    samples[at].push(sample);
                }
            }
        }
        let [direct, tunnel] = samples;
        report.row(&format!("{kind} of {size:.0} MB, MB/s"), &direct, &tunnel, |seconds| {
            format!("{:.1}", size / seconds)
        });
    }
    for (when, gaps) in [("nothing else", quiet), ("images are loaded", loaded)] {
        let spread = Spread::of(gaps);
        report.note(&format!(
            "gaps between beats, {when}: p50 {:.1} ms, p99 {:.1}, most {:.1} of {} (one each {} ms)",
            spread.at(50),
            spread.at(99),
            spread.at(100),
            spread.count(),
            INTERVAL.as_millis()
        ));
    }
    Ok(())
}

/// An image of bytes that do not repeat.
fn archive(megabytes: usize, seed: u64) -> Result<Vec<u8>> {
    let mut bits = 0x2545_f491_4f6c_dd1d_u64 ^ seed;
    let noise: Vec<u8> = (0..megabytes << 17)
        .flat_map(|_| {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            bits.to_le_bytes()
        })
        .collect();
    let layer = packed(&[("noise", &noise)])?;
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", digest(&layer))] },
    });
    let config = config.to_string();
    let name = format!("{}.json", digest(config.as_bytes()));
    let manifest = json!([{ "Config": name, "RepoTags": ["bench/noise:1"], "Layers": ["layer.tar"] }]).to_string();
    packed(&[(&name, config.as_bytes()), ("layer.tar", &layer), ("manifest.json", manifest.as_bytes())])
}

fn packed(files: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(content.len())?);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content)?;
    }
    Ok(builder.into_inner()?)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The gaps between beats as they come, in milliseconds.
struct Beats(Arc<Mutex<Vec<f64>>>);

impl Beats {
    async fn listen(bed: &Bed) -> Result<Self> {
        let (gaps, mut beats) = (Arc::<Mutex<Vec<f64>>>::default(), bed.tunnel.beats().await?);
        let noted = Arc::clone(&gaps);
        tokio::spawn(async move {
            let mut last = Instant::now();
            while let Some(Ok(_)) = beats.next().await {
                let gap = last.elapsed().as_secs_f64() * 1000.0;
                last = Instant::now();
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(gap);
            }
        });
        Ok(Self(gaps))
    }

    fn take(&self) -> Vec<f64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

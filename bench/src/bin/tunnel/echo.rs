//! What is typed into an exec and comes back.

use crate::batch::description;
use crate::bed::{Bed, LEADERS_TERM};
use crate::report::{Report, Sample};
use anyhow::{Context, Result, bail, ensure};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use pierhead_agent::Talk;
use pierhead_bench::machine;
use pierhead_bench::spread::Spread;
use pierhead_devhosts::http::{Body, request};
use pierhead_engine::Engine;
use pierhead_model::ContainerId;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TYPED: &[u8] = b"x\n";
/// What Docker puts before each piece of output where there is no terminal.
const HEADER: usize = 8;
const WARM_UP: usize = 50;

/// An exec that says what it hears.
enum Session {
    Direct(TcpStream),
    Tunnel { talk: Talk, unread: usize },
}

pub(crate) async fn measure(bed: &Bed, report: &mut Report, rounds: usize, echoes: usize) -> Result<()> {
    let id = bed.direct.create(&description("listener", &["sleep", "1000"])?).await?;
    bed.direct.start(&id).await?;
    let mut sessions = [Session::direct(bed, &id).await?, Session::through(bed, &id).await?];
    let (mut all, mut samples) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..rounds {
        for at in 0..sessions.len() {
            let (sample, mut times);
            (sample, times, sessions) = echoed(sessions, at, echoes).await?;
            samples[at].push(sample);
            all[at].append(&mut times);
        }
    }
    drop(sessions);
    bed.direct.remove(&id).await?;
    let microseconds = |seconds: f64| format!("{:.0}", seconds * 1e6);
    report.row("echo of an exec, µs p50", &samples[0], &samples[1], microseconds);
    let [direct, tunnel] = all.map(|times| Spread::of(times).at(99));
    report.note(&format!(
        "{:<34} {:>11} {:>11} {:>7.2}",
        "echo of an exec, µs p99",
        microseconds(direct),
        microseconds(tunnel),
        tunnel / direct
    ));
    Ok(())
}

/// So many echoes of one session, by a task of the runtime as those of a controller are: one that runs elsewhere has to be
/// woken across threads, at either end of the way.
async fn echoed(mut sessions: [Session; 2], at: usize, echoes: usize) -> Result<(Sample, Vec<f64>, [Session; 2])> {
    let echoes = tokio::spawn(async move {
        for _ in 0..WARM_UP {
            sessions[at].echo().await?;
        }
        let (cpu, mut times) = (machine::cpu_seconds()?, Vec::with_capacity(echoes));
        for _ in 0..echoes {
            times.push(sessions[at].echo().await?.as_secs_f64());
        }
        let cpu = machine::cpu_seconds()? - cpu;
        Ok((Sample { took: Spread::of(times.iter().copied()).median(), cpu }, times, sessions))
    });
    echoes.await?
}

fn exec(bed: &Bed, id: &ContainerId) -> Result<String> {
    let wanted = json!({ "AttachStdin": true, "AttachStdout": true, "AttachStderr": true, "Cmd": ["cat"] }).to_string();
    let path = format!("/containers/{id}/exec");
    let answer = request(&bed.docker_host, "POST", &path, Body::Json(&wanted), Duration::from_secs(30))?;
    let made: Value = serde_json::from_slice(&answer.body)?;
    Ok(made["Id"].as_str().with_context(|| answer.text())?.to_owned())
}

impl Session {
    async fn direct(bed: &Bed, id: &ContainerId) -> Result<Self> {
        let (exec, begin) = (exec(bed, id)?, json!({ "Detach": false, "Tty": false }).to_string());
        let mut stream = TcpStream::connect(bed.docker_host.trim_start_matches("tcp://")).await?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST /exec/{exec}/start HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{begin}",
            begin.len()
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await?);
        }
        ensure!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        Ok(Self::Direct(stream))
    }

    async fn through(bed: &Bed, id: &ContainerId) -> Result<Self> {
        let (exec, begin) = (exec(bed, id)?, json!({ "Detach": false, "Tty": false }).to_string());
        let talk = bed.tunnel.talk(&format!("/exec/{exec}/start"), LEADERS_TERM, begin.as_bytes()).await?;
        ensure!(talk.answer.status().is_success(), "{}", refusal(talk.answer.into_body()).await);
        Ok(Self::Tunnel { talk, unread: 0 })
    }

    async fn echo(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        match self {
            Self::Direct(stream) => {
                stream.write_all(TYPED).await?;
                stream.read_exact(&mut [0; HEADER + TYPED.len()]).await?;
            }
            Self::Tunnel { talk, unread } => {
                talk.input.send(Bytes::from_static(TYPED)).await?;
                while *unread < HEADER + TYPED.len() {
                    let Some(frame) = talk.answer.body_mut().frame().await else { bail!("the exec ended") };
                    *unread += frame?.into_data().unwrap_or_default().len();
                }
                *unread -= HEADER + TYPED.len();
            }
        }
        Ok(begun.elapsed())
    }
}

async fn refusal(body: Incoming) -> String {
    let text = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    String::from_utf8_lossy(&text).into_owned()
}

//! What only a real engine can show: raw limits, pages through ports, terminals, an engine that hangs or is away.

use crate::Case;
use crate::bed::{Bed, PATIENCE, SAMPLE, port, silent};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use pierhead_devhosts::http::{self, Body};
use pierhead_engine::{Docker, DockerOptions, Engine, EngineError, LogOptions};
use pierhead_model::{ContainerId, ContainerState, ImageReference, Resources, Volume};
use std::time::{Duration, Instant};

pub const CASES: &[Case] = &[
    ("limits reach the engine", limits),
    ("a page through the published port", page),
    ("user data and variables reach the process", environment),
    ("a CPU limit beyond the host's cores", more_cpu_than_cores),
    ("what this host lacks is not the request's fault", host_lacks),
    ("a log of a terminal", terminal),
    ("a process that fills its log", long_log),
    ("limits that somebody changes", changed_limits),
    ("volumes outlive their container", volumes),
    ("a removal that somebody else began", foreign_removal),
    ("a container that vanishes during a list", vanishing),
    ("the socket", socket),
    ("an engine that hangs", hang),
    ("an engine that is away and comes back", away),
];

fn limits(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let mut request = bed.running();
        request.spec.limits.cpu_limit_millis = 750;
        request.spec.limits.reserved = Resources::new(250, 48);
        request.spec.cpuset = Some("0".to_owned());
        let id = bed.engine.create(&request).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        let raw = bed.raw("GET", &format!("/containers/{id}/json"), Body::Empty);
        let host = &raw["HostConfig"];
        assert_eq!(host["NanoCpus"], 750_000_000);
        assert_eq!(host["CpuShares"], 256);
        assert_eq!(host["CpusetCpus"], "0");
        assert_eq!(host["Memory"], 48 << 20);
        assert_eq!(host["MemorySwap"], 48 << 20);
        assert_eq!(host["PidsLimit"], 64);
        assert_eq!(host["LogConfig"]["Config"], serde_json::json!({"max-size": "10m", "max-file": "3"}));
        assert_eq!(host["Privileged"], false);
        assert_eq!(host["RestartPolicy"]["Name"], "no");
        for empty in ["CapAdd", "Devices", "SecurityOpt", "Binds"] {
            assert!(host[empty].as_array().is_none_or(Vec::is_empty), "{empty}: {}", host[empty]);
        }
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn page(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let mut request = bed.running();
        request.ports = vec![port(18_090)];
        request.spec.hostname = Some("front-door".to_owned());
        let id = bed.engine.create(&request).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        let address = format!("tcp://{}:18090", bed.host().address());
        let served = async {
            loop {
                let asked = tokio::task::spawn_blocking({
                    let address = address.clone();
                    move || http::request(&address, "GET", "/", Body::Empty, Duration::from_secs(2))
                });
                if let Ok(answer) = asked.await.unwrap()
                    && answer.status == 200
                {
                    return answer.text();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let text = tokio::time::timeout(PATIENCE, served).await.expect("a page");
        assert!(text.contains("front-door"), "{text}");
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

/// What a container that ends by itself printed. Read when it has ended: Docker 20.10 now and then ends the stream
/// of somebody who follows a container that prints fast and exits before all of it was sent.
async fn output(bed: &Bed, id: &ContainerId) -> Vec<u8> {
    bed.engine.start(id).await.unwrap();
    bed.until(id, |container| container.state == ContainerState::Exited).await;
    let lines: Vec<_> = bed.engine.logs(id, LogOptions::default()).await.unwrap().collect().await;
    lines.into_iter().flat_map(|line| line.unwrap().bytes).collect()
}

fn environment(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let mut request = bed.running();
        request.spec.entrypoint = ["/bin/sh", "-c"].map(str::to_owned).to_vec();
        request.spec.args = vec![r#"printf '%s|%s' "$WORD" "$PIERHEAD_USER_DATA""#.to_owned()];
        request.spec.environment.insert("WORD".to_owned(), "ä 'x' $y".to_owned());
        request.spec.user_data.insert("keys".to_owned(), vec!["a\"b".to_owned()]);
        let id = bed.engine.create(&request).await.unwrap();
        let text = String::from_utf8(output(bed, &id).await).unwrap();
        assert_eq!(text, r#"ä 'x' $y|{"keys":["a\"b"]}"#);
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn more_cpu_than_cores(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let cores = bed.raw("GET", "/info", Body::Empty)["NCPU"].as_i64().unwrap();
        let mut request = bed.running();
        request.spec.limits.cpu_limit_millis = 1_000_000;
        // A client that has not asked for the facts yet has to learn it from the refusal.
        let id = bed.hasty(PATIENCE).create(&request).await.unwrap();
        let raw = bed.raw("GET", &format!("/containers/{id}/json"), Body::Empty);
        assert_eq!(raw["HostConfig"]["NanoCpus"], cores * 1_000_000_000);
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn host_lacks(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let mut request = bed.running();
        request.spec.cpuset = Some("4000".to_owned());
        assert!(matches!(bed.engine.create(&request).await, Err(EngineError::Failed(_))));
    }
    .boxed()
}

fn create_raw(bed: &Bed, body: &serde_json::Value) -> ContainerId {
    let created = bed.raw("POST", "/containers/create", Body::Json(&body.to_string()));
    ContainerId::parse(created["Id"].as_str().unwrap()).unwrap()
}

fn terminal(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        // Its first bytes look like the head of a frame of half a gigabyte.
        let script = r"stty -opost 2>/dev/null; printf '\001zzz more text here\n\377'";
        let container = |tty: bool| {
            // This kind of log file keeps bytes as they are.
            let host = serde_json::json!({"LogConfig": {"Type": "local"}});
            serde_json::json!({"Image": SAMPLE, "Tty": tty, "Cmd": ["/bin/sh", "-c", script], "HostConfig": host})
        };
        let without = create_raw(bed, &container(false));
        assert_eq!(output(bed, &without).await, b"\x01zzz more text here\n\xff");
        bed.engine.remove(&without).await.unwrap();
        let id = create_raw(bed, &container(true));
        assert_eq!(output(bed, &id).await, b"\x01zzz more text here\n\xff");
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn long_log(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        // More than one file of the log.
        let lines = 130_000;
        let mut request = bed.running();
        request.spec.entrypoint = vec!["/bin/seq".to_owned(), "1".to_owned(), lines.to_string()];
        let id = bed.engine.create(&request).await.unwrap();
        let expected: String = (1..=lines).map(|number| format!("{number}\n")).collect();
        let whole = output(bed, &id).await;
        assert!(whole == expected.as_bytes(), "{} of {} bytes", whole.len(), expected.len());
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn changed_limits(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.foreign(Resources::new(500, 64)).await;
        assert_eq!(bed.listed(&id).await.unwrap().limits, Resources::new(500, 64));
        let update = r#"{"NanoCpus": 250000000}"#;
        drop(bed.raw("POST", &format!("/containers/{id}/update"), Body::Json(update)));
        // A list may be a minute behind, a look at the container never is; nor is a client that is new.
        assert_eq!(bed.engine.container(&id).await.unwrap().limits.cpu_millis, 250);
        let fresh = bed.hasty(PATIENCE).containers().await.unwrap();
        assert_eq!(fresh[0].limits, Resources::new(250, 64));
        bed.engine.remove(&id).await.unwrap();
        assert!(bed.listed(&id).await.is_none());
    }
    .boxed()
}

fn volumes(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let mut request = bed.running();
        request.spec.volumes = vec![Volume::parse("kept:/data").unwrap(), Volume::parse("/scratch").unwrap()];
        request.spec.entrypoint = ["/bin/sh", "-c", "cat /data/x || echo first >/data/x"].map(str::to_owned).to_vec();
        let first = bed.engine.create(&request).await.unwrap();
        output(bed, &first).await;
        bed.engine.remove(&first).await.unwrap();
        let second = bed.engine.create(&request).await.unwrap();
        assert_eq!(output(bed, &second).await, b"first\n");
        bed.engine.remove(&second).await.unwrap();
        let volumes = bed.raw("GET", "/volumes", Body::Empty);
        let volumes = volumes["Volumes"].as_array().unwrap();
        assert_eq!(volumes.len(), 3, "one by name, two without: {volumes:?}");
        for volume in volumes {
            drop(bed.raw("DELETE", &format!("/volumes/{}", volume["Name"].as_str().unwrap()), Body::Empty));
        }
    }
    .boxed()
}

fn foreign_removal(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        // Many at once, so that some meet a removal that is under way.
        for _ in 0..3 {
            let id = bed.engine.create(&bed.running()).await.unwrap();
            bed.engine.start(&id).await.unwrap();
            let removals = futures_util::future::join_all((0..8).map(|_| bed.engine.remove(&id))).await;
            for removal in removals {
                removal.unwrap();
            }
            assert!(matches!(bed.engine.container(&id).await, Err(EngineError::NotFound)));
        }
    }
    .boxed()
}

fn vanishing(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        // Lists look at each container that has exited, while containers come and go.
        let churn = async {
            for _ in 0..20 {
                let body = serde_json::json!({"Image": SAMPLE});
                let id = create_raw(bed, &body);
                tokio::task::yield_now().await;
                bed.engine.remove(&id).await.unwrap();
            }
        };
        let list = async {
            loop {
                bed.engine.containers().await.unwrap();
            }
        };
        tokio::select! {
            () = churn => {}
            () = list => {}
        }
    }
    .boxed()
}

fn socket(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        // The host has a /run of its own, which shows in its engine's process.
        let pid = bed.host().pid().unwrap().expect("the engine runs");
        let address = format!("unix:///proc/{pid}/root/run/docker.sock");
        let engine = Docker::connect(&address, DockerOptions::default()).unwrap();
        assert_eq!(engine.facts().await.unwrap(), bed.engine.facts().await.unwrap());
        let gone = Docker::connect("unix:///nowhere/docker.sock", DockerOptions::default()).unwrap();
        assert!(matches!(gone.ping().await, Err(EngineError::Unreachable(_))));
    }
    .boxed()
}

fn hang(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.engine.create(&bed.running()).await.unwrap();
        let hasty = bed.hasty(Duration::from_millis(300));
        while hasty.ping().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bed.host().hang_engine().unwrap();
        let begin = Instant::now();
        let image = ImageReference::parse(SAMPLE).unwrap();
        let results = [
            hasty.ping().await,
            hasty.facts().await.map(drop),
            hasty.containers().await.map(drop),
            hasty.container(&id).await.map(drop),
            hasty.image(&image).await.map(drop),
            hasty.pull(&image, None, silent()).await,
            hasty.start(&id).await,
            hasty.stop(&id, 0).await,
            hasty.logs(&id, LogOptions::default()).await.map(drop),
            hasty.usage(&id).await.map(drop),
            hasty.events(None).await.map(drop),
        ];
        let took = begin.elapsed();
        bed.host().resume_engine().unwrap();
        for (index, result) in results.into_iter().enumerate() {
            assert!(matches!(result, Err(EngineError::TimedOut { milliseconds: 300, .. })), "call {index}: {result:?}");
        }
        assert!(took < Duration::from_secs(10), "{took:?} for 11 calls of 0.3 s");
        // A call that timed out may still have been done: what is true is asked, not assumed.
        bed.engine.stop(&id, 0).await.unwrap();
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn away(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.engine.create(&bed.running()).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        let mut events = bed.engine.events(None).await.unwrap();
        bed.host().kill_engine().unwrap();
        let error = bed.engine.containers().await.unwrap_err();
        assert!(matches!(error, EngineError::Unreachable(_)), "{error:?}");
        assert!(matches!(bed.engine.ping().await, Err(EngineError::Unreachable(_))));
        let ended = async { while let Some(Ok(_)) = events.next().await {} };
        tokio::time::timeout(PATIENCE, ended).await.expect("the stream of events ends");
        let late = bed.hasty(PATIENCE);
        bed.host().start_engine().unwrap();
        late.ping().await.unwrap();
        let container = bed.until(&id, |_| true).await;
        // Without live restore an engine stops what it finds at its start, though it ran on while none was there.
        assert_eq!(container.state, ContainerState::Exited);
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

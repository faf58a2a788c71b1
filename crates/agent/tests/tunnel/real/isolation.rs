//! Workspaces on a real host, with somebody hostile in them: through the tunnel, as a controller makes them, held by the
//! engine and kept apart by the firewall. Another host stands for what is around: the engine's API of a neighbour, the
//! metadata of a cloud, and the internet, each in that host's own namespace.

use super::*;
use futures_util::future::join_all;
use pierhead_agent::Firewall;
use pierhead_devhosts::Host;
use pierhead_engine::{ExecRequest, NetworkRequest, WorkspacePart, processes};
use pierhead_model::{Asks, ContainerId, NetworkMode, Subnet, WorkspaceId};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use tokio::io::AsyncReadExt;

/// Where clouds tell their machines' secrets, and something of the internet (RFC 5737).
const METADATA: &str = "169.254.169.254";
const INTERNET: &str = "198.51.100.7";
/// A question over TCP for the address of `db`.
const QUESTION: &str = r"\000\024\022\064\001\000\000\001\000\000\000\000\000\000\002db\000\000\001\000\001";

struct Lab {
    docker: Docker,
    /// The engine itself, for programs in its containers.
    near: Docker,
    tunnel: Tunnel,
    firewall: Firewall,
    /// The engines of the two hosts.
    pids: [u32; 2],
    addresses: [String; 2],
}

/// A workspace on the first host: its containers run, and its network is there.
struct Workspace {
    network: NetworkRequest,
    containers: Vec<ContainerId>,
}

/// Runs something in the network of a host.
fn on(pid: u32, words: &[&str]) -> Output {
    Command::new("nsenter").args(["--target", &pid.to_string(), "--net"]).args(words).output().unwrap()
}

fn done(pid: u32, words: &[&str]) {
    let output = on(pid, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Lab {
    async fn up(hosts: &[Host], state: &Path) -> Self {
        let pids = [0, 1].map(|at| hosts[at].pid().unwrap().expect("the engine runs"));
        let addresses = [0, 1].map(|at| hosts[at].address().to_string());
        // What the second host is beside itself, and how the first gets there.
        for address in [METADATA, INTERNET] {
            done(pids[1], &["ip", "address", "add", &format!("{address}/32"), "dev", "lo"]);
            done(pids[0], &["ip", "route", "add", address, "via", &addresses[1]]);
        }
        let program = state.join("nft");
        let script = format!("#!/bin/sh\nexec nsenter --target {} --net nft \"$@\"\n", pids[0]);
        // Written by another process: one that is forked meanwhile would hold it open for writing.
        let words = ["-c", "printf '%s' \"$1\" > \"$2\"", "sh", &script];
        assert!(Command::new("sh").args(words).arg(&program).status().unwrap().success());
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let firewall = Firewall::with(&program);
        let socket = PathBuf::from(format!("/proc/{}/root/run/docker.sock", pids[0]));
        let tunnel = tunnel_with(&socket, state, Some(firewall.clone())).await;
        let bridged = state.join("bridge.sock");
        bridge(tunnel.clone(), &bridged);
        let options = DockerOptions { deadlines: Deadlines::uniform(PATIENCE), tls: None };
        let docker = Docker::connect(&format!("unix://{}", bridged.display()), options).unwrap();
        let near = Docker::connect(hosts[0].docker_host(), DockerOptions::default()).unwrap();
        Self { docker, near, tunnel, firewall, pids, addresses }
    }

    /// A workspace with these containers, each by its name and what runs in it.
    async fn open(&self, id: &str, subnet: &str, asks: &Asks, containers: &[(&str, &[&str])]) -> Workspace {
        let (id, subnet) = (WorkspaceId::parse(id).unwrap(), Subnet::parse(subnet).unwrap());
        let labels = BTreeMap::from([
            (Ownership::CLUSTER.to_owned(), "isolation".to_owned()),
            ("pierhead.workspace".to_owned(), id.to_string()),
        ]);
        let network = NetworkRequest::of_workspace(&id, subnet, labels.clone(), asks);
        self.docker.create_network(&network).await.unwrap();
        let mut ids = Vec::new();
        for (name, entrypoint) in containers {
            let mut request = plain(&format!("{}-{name}.1", network.name));
            request.spec.entrypoint = entrypoint.iter().map(|word| (*word).to_owned()).collect();
            request.labels = labels.clone();
            request.pids_limit = processes(asks);
            request.workspace = Some(WorkspacePart::new(&network.name, *name, asks));
            let id = self.docker.create(&request).await.unwrap();
            self.docker.start(&id).await.unwrap();
            ids.push(id);
        }
        Workspace { network, containers: ids }
    }

    async fn close(&self, workspace: Workspace) {
        join_all(workspace.containers.iter().map(|id| self.docker.remove(id))).await;
        self.docker.remove_network(&workspace.network.name).await.unwrap();
    }

    /// What a shell in a container prints.
    async fn said(&self, id: &ContainerId, script: &str) -> String {
        let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let exec = self.near.create_exec(id, &ExecRequest { command, tty: true, ..ExecRequest::default() }).await;
        let mut stream = self.near.start_exec(&exec.unwrap(), true).await.unwrap();
        let mut bytes = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("in time").unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Which of these places somebody in a container can connect to.
    async fn reached(&self, id: &ContainerId, places: &[(String, u16)]) -> Vec<(String, u16)> {
        let mut script = String::new();
        for (address, port) in places {
            writeln!(script, "nc -w 4 {address} {port} </dev/null >/dev/null 2>&1 && echo came-{address}-{port}-")
                .unwrap();
        }
        let told = self.said(id, &script).await;
        places.iter().filter(|(address, port)| told.contains(&format!("came-{address}-{port}-"))).cloned().collect()
    }

    /// Whether the web server of a workspace answers its host, as a preview asks it.
    fn serves(&self, address: &str) -> bool {
        on(self.pids[0], &["busybox", "nc", "-w", "20", address, "80"]).status.success()
    }
}

/// A container with nothing special.
fn plain(name: &str) -> CreateRequest {
    let mut request = request();
    request.name = name.to_owned();
    request.spec = ContainerSpec {
        cpuset: None,
        entrypoint: vec![],
        args: vec![],
        hostname: None,
        domainname: None,
        volumes: vec![],
        ..request.spec
    };
    request.ports = vec![];
    request.engine_restarts = false;
    request
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect(what);
}

/// All places that a workspace has no business at.
fn forbidden(lab: &Lab) -> Vec<(String, u16)> {
    let [here, there] = &lab.addresses;
    let places = [
        ("10.213.0.18", 80),
        ("10.213.0.1", 2375),
        ("10.213.0.1", 8080),
        ("10.213.0.17", 8080),
        (here, 2375),
        (here, 8080),
        (there, 2375),
        (there, 80),
        (METADATA, 80),
    ];
    places.map(|(address, port)| (address.to_owned(), port)).to_vec()
}

async fn apart(lab: &Lab, closed: &Workspace, open: &Workspace) {
    let internet = (INTERNET.to_owned(), 80);
    for (address, port) in
        [(METADATA, "80"), (INTERNET, "80"), (&lab.addresses[1], "2375"), (&lab.addresses[0], "8080")]
    {
        let what = format!("{address}:{port} is there for the host itself");
        let connects = || on(lab.pids[0], &["busybox", "nc", "-w", "10", address, port]).status.success();
        until(&what, async || connects()).await;
    }
    let all = [forbidden(lab), vec![internet.clone()]].concat();
    assert_eq!(lab.reached(&closed.containers[0], &all).await, []);
    assert_eq!(lab.reached(&open.containers[0], &all).await, [internet]);
    // Its own it finds by name, and reaches.
    let question = format!("(printf '{QUESTION}'; sleep 2) | nc -w 4 127.0.0.11 53 | busybox od -An -v -tu1");
    let told = lab.said(&closed.containers[0], &question).await;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.ends_with("10 213 0 3"), "{told}");
    let db = [("10.213.0.3".to_owned(), 80)];
    assert_eq!(lab.reached(&closed.containers[0], &db).await, db);
}

/// Whoever removes the firewall does not keep it away.
async fn put_back(lab: &Lab, closed: &Workspace) {
    let is_there = || on(lab.pids[0], &["nft", "list", "table", "inet", "pierhead"]).status.success();
    assert!(is_there());
    done(lab.pids[0], &["nft", "delete", "table", "inet", "pierhead"]);
    until("the firewall is put back", async || is_there()).await;
    let here = [(lab.addresses[0].clone(), 2375)];
    assert_eq!(lab.reached(&closed.containers[0], &here).await, []);
}

/// What one takes from the host in another's workspace costs the neighbours nothing that they need.
async fn contained(lab: &Lab, closed: &Workspace) {
    let (bomb, hog, loud) = (&closed.containers[0], &closed.containers[1], &closed.containers[2]);
    // It ends when nothing can be started any more, or when its terminal is left.
    let exec = ExecRequest {
        command: ["/bin/sh", "-c", "f() { f & f & wait; }; f"].map(str::to_owned).to_vec(),
        ..ExecRequest::default()
    };
    let exec = lab.near.create_exec(bomb, &exec).await.unwrap();
    let _stream = lab.near.start_exec(&exec, false).await.unwrap();
    let killed = lab.said(hog, "busybox tail /dev/zero; echo ended-$?").await;
    assert!(killed.contains("ended-137"), "it is killed by the limit of memory: {killed}");
    let raw = |what: &str| -> serde_json::Value {
        let docker_host = format!("tcp://{}:2375", lab.addresses[0]);
        let path = format!("/containers/{what}");
        let body = pierhead_devhosts::http::Body::Empty;
        let answer = pierhead_devhosts::http::request(&docker_host, "GET", &path, body, PATIENCE).unwrap();
        serde_json::from_slice(&answer.body).unwrap_or_default()
    };
    let described = raw(&format!("{loud}/json"));
    let log = PathBuf::from(described["LogPath"].as_str().unwrap());
    let size = |suffix: &str| std::fs::metadata(format!("{}{suffix}", log.display())).map_or(0, |file| file.len());
    until("the log is turned over", async || size(".2") > 0).await;
    // While it is turned over a file can be counted by both of its names.
    lab.docker.stop(loud, 0).await.unwrap();
    let bytes: u64 = ["", ".1", ".2", ".3", ".4"].map(size).iter().sum();
    // A file ends with the line that fills it.
    assert!(bytes < 32 << 20, "a log takes {bytes} bytes");
    let pids = raw(&format!("{bomb}/stats?stream=false&one-shot=true"))["pids_stats"]["current"].clone();
    assert!(pids.as_u64().is_none_or(|pids| pids <= 256), "{pids} processes");
    assert!(lab.serves("10.213.0.18"), "the neighbour answers");
}

/// A host does not make what it would not hold, whoever asks.
async fn refused(lab: &Lab) {
    let loose = serde_json::json!({
        "Image": sample::IMAGE, "Labels": {"pierhead.workspace": "abcdefgh27"},
        "HostConfig": {"NetworkMode": "ph-abcdefgh27", "Memory": 1 << 25, "MemorySwap": 1 << 25},
    });
    let body = http_body_util::Full::from(loose.to_string()).map_err(|never| match never {}).boxed_unsync();
    let asked = Request::post("/containers/create?name=loose").header(TERM, 1).body(body).unwrap();
    let answer = lab.tunnel.send(asked).await.unwrap();
    assert_eq!(answer.status(), 403);
    let told = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&told).contains("a workspace's container must"), "{told:?}");
    let asks = Asks { privileged: true, ..Asks::default() };
    let mut request = plain("ph-abcdefgh27-main.1");
    request.labels.insert("pierhead.workspace".to_owned(), "abcdefgh27".to_owned());
    request.workspace = Some(WorkspacePart::new("ph-abcdefgh27", "main", &asks));
    let error = lab.docker.create(&request).await.unwrap_err();
    assert!(error.to_string().contains("--label workspaces=privileged"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_hostile_stays_where_it_is() {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("isolation");
    let pool = Hosts(Some(Pool::up(PoolSpec { dir, hosts: 2, ..PoolSpec::default() }).expect("Docker hosts")));
    let hosts = pool.0.as_ref().unwrap().hosts().unwrap();
    let state = tempfile::tempdir().unwrap();
    let lab = Lab::up(&hosts, state.path()).await;
    let too_early = NetworkRequest::of_workspace(
        &WorkspaceId::parse("abcdefgh22").unwrap(),
        Subnet::parse("10.213.0.0/28").unwrap(),
        BTreeMap::from([("pierhead.workspace".to_owned(), "abcdefgh22".to_owned())]),
        &Asks::default(),
    );
    let error = lab.docker.create_network(&too_early).await.unwrap_err();
    assert!(error.to_string().contains("not written yet"), "nothing is made before it is there: {error}");
    let keeper = tokio::spawn({
        let firewall = lab.firewall.clone();
        async move { firewall.keep().await }
    });
    assert_eq!(lab.tunnel.facts().await.unwrap().unguarded, None);
    // An app with a published port on the first host, and servers on all addresses of the second.
    let mut app = plain("app.0.1");
    app.ports = vec![HostPort { protocol: Protocol::Tcp, host_ip: None, host_port: 8080, container_port: 80 }];
    let app = lab.docker.create(&app).await.unwrap();
    lab.docker.start(&app).await.unwrap();
    let far = Docker::connect(hosts[1].docker_host(), DockerOptions::default()).unwrap();
    let mut around = plain("around.0.1");
    around.spec.network = NetworkMode::Host;
    let around = far.create(&around).await.unwrap();
    far.start(&around).await.unwrap();

    let (serve, flood): (&[&str], &[&str]) = (&[], &["busybox", "yes", "0123456789012345678901234567890123456789"]);
    let closed = [("main", serve), ("db", serve), ("loud", flood)];
    let closed = lab.open("abcdefgh23", "10.213.0.0/28", &Asks::default(), &closed).await;
    let neighbour = lab.open("abcdefgh24", "10.213.0.16/28", &Asks::default(), &[("main", serve)]).await;
    let asks = Asks { egress: true, root: true, ..Asks::default() };
    let open = lab.open("abcdefgh25", "10.213.0.32/28", &asks, &[("main", serve)]).await;
    until("they serve", async || ["10.213.0.2", "10.213.0.3", "10.213.0.18"].iter().all(|at| lab.serves(at))).await;

    apart(&lab, &closed, &open).await;
    refused(&lab).await;
    put_back(&lab, &closed).await;
    contained(&lab, &closed).await;
    for workspace in [closed, neighbour, open] {
        lab.close(workspace).await;
    }
    lab.docker.remove(&app).await.unwrap();
    keeper.abort();
    lab.firewall.leave(&PathBuf::from(format!("/proc/{}/root/run/docker.sock", lab.pids[0]))).await;
    assert!(!on(lab.pids[0], &["nft", "list", "table", "inet", "pierhead"]).status.success(), "it has gone");
}

//! Ports of workspaces: who gets an address, what it is good for, and what ends that.

use crate::lab::Lab;
use crate::raw::{Sender, snapshot};
use pierhead_api::{
    Accounts, Api, Front, Metrics, PortInUse, PreviewAddress, PreviewRefusal, PreviewRequest, Previews, WorkspacePorts,
};
use pierhead_controller::keys;
use pierhead_model::{ContainerId, EngineId, Resources, TerminalRole, Username, WorkspaceId};
use pierhead_store::seal::Sealer;
use pierhead_testkit::{PATIENCE, SAMPLE, eventually};
use pierhead_wire::Defaults;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

type Guests = BTreeMap<Username, TerminalRole>;

/// A workspace of Ann's that runs, and the door to its ports, as another controller of the pool keeps it.
struct Bed {
    lab: Lab,
    id: String,
    door: Api,
}

fn request<'a>(host: &'a str, seats: &'a [String]) -> PreviewRequest<'a> {
    PreviewRequest { host, seats, is_change: false, foreign: None }
}

impl Bed {
    async fn set() -> Self {
        let lab = Lab::open(1).await;
        lab.describe("lab", "shared").await;
        Self::around(lab).await
    }

    /// The same where the environment `lab` is described already.
    async fn around(lab: Lab) -> Self {
        let id = lab.workspace().await;
        lab.is_ready(&id).await;
        let controller = lab.cluster.controller();
        let address = Some(PreviewAddress::parse("*.localhost", 8081).unwrap());
        let door = Api {
            controller: controller.clone(),
            accounts: Accounts::new(Arc::clone(controller.store()), controller.clock()).unwrap(),
            sealer: Arc::new(Sealer::open_or_create(lab.cluster.directory()).unwrap()),
            defaults: Arc::new(Defaults { image: None, reserved: Resources::new(50, 64) }),
            metrics: Metrics::new(None),
            front: Front::default(),
            relay: None,
            joins: None,
            previews: Previews { address, ports: None },
            files: None,
            redirect: None,
            oidc: None,
            version: "test",
        };
        Self { lab, id, door }
    }

    fn host(&self, port: u16) -> String {
        format!("{port}-{}.localhost", self.id)
    }

    fn path(&self, port: &str) -> String {
        format!("/api/workspaces/{}/previews/{port}", self.id)
    }

    /// The ticket that somebody gets for a port, and the address around it.
    async fn ticket(&self, sender: &Sender, port: u16) -> String {
        let answer = sender.post(&self.path(&port.to_string()), "").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let url = answer.json()["url"].as_str().unwrap().to_owned();
        let (place, ticket) = url.split_once("?pierhead-ticket=").unwrap();
        assert_eq!(place, format!("http://{port}-{}.localhost:8081/", self.id));
        ticket.to_owned()
    }

    /// Somebody's session at port 8000.
    async fn seat(&self, sender: &Sender) -> String {
        let ticket = self.ticket(sender, 8000).await;
        self.door.enter_preview(&self.host(8000), &ticket).await.unwrap().0
    }

    /// A server that tells of ports in this way, until it is aborted.
    async fn serving(&self, previews: Previews) -> (String, tokio::task::JoinHandle<std::io::Result<()>>) {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = pierhead_api::router(Api { previews, ..self.door.clone() });
        let service = service.into_make_service_with_connect_info::<std::net::SocketAddr>();
        (url, tokio::spawn(async move { axum::serve(listener, service).await }))
    }

    async fn asks(&self, asked: PreviewRequest<'_>) -> Result<(), PreviewRefusal> {
        self.door.admit_to_preview(asked).await.map(drop)
    }

    /// Changes who may come.
    async fn change(&self, change: impl FnOnce(&mut Guests) -> Option<TerminalRole>) {
        let mut record = self.lab.record(&self.id).await;
        change(&mut record.guests);
        self.lab.write_workspace(&record).await;
    }
}

#[tokio::test]
async fn who_may_come_to_a_workspace_sees_its_ports_and_viewers_change_nothing_through_them() {
    use PreviewRefusal::LookOnly;
    let bed = Bed::set().await;
    let (lab, host) = (&bed.lab, bed.host(8000));
    for (name, sender, changes) in [
        ("ann", &lab.ann, Ok(())),
        ("bob", &lab.bob, Err(LookOnly)),
        ("carl", &lab.carl, Ok(())),
        ("admin", &lab.admin, Ok(())),
    ] {
        let seats = [bed.seat(sender).await];
        assert_eq!(bed.asks(request(&host, &seats)).await, Ok(()), "{name}");
        let change = PreviewRequest { is_change: true, ..request(&host, &seats) };
        assert_eq!(bed.asks(change).await, changes, "{name}");
        let ports = sender.get(&format!("/api/workspaces/{}/ports", bed.id)).await.json();
        let expected = [(3000, false), (8000, true)].map(|(port, listening)| {
            json!({"port": port, "container": "main", "declared": true, "listening": listening, "only_inside": false})
        });
        assert_eq!(ports, json!(expected), "{name}");
    }
}

#[tokio::test]
async fn others_are_answered_as_if_there_were_no_workspace_and_get_no_ticket() {
    let bed = Bed::set().await;
    let before = snapshot(&bed.lab.cluster).await;
    for (method, path) in [
        ("POST", bed.path("8000")),
        ("POST", "/api/workspaces/aaaaaaaaaa/previews/8000".to_owned()),
        ("GET", format!("/api/workspaces/{}/ports", bed.id)),
        ("GET", "/api/workspaces/aaaaaaaaaa/ports".to_owned()),
    ] {
        let answer = bed.lab.eve.send(method, &path, "").await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (404, "not_found"), "{path}");
        assert_eq!(Sender::nobody(&bed.lab.cluster).send(method, &path, "").await.status, 401, "{path}");
    }
    for bad in ["0", "65536", "-1", "+80", "http", "80%2F..", "8e1", "%38%30.", "99999999999"] {
        let refusal = bed.lab.ann.post(&bed.path(bad), "").await.refusal();
        assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("invalid", Some("port")), "{bad}");
    }
    assert_eq!(snapshot(&bed.lab.cluster).await, before);
}

#[tokio::test]
async fn a_ticket_is_good_once_and_lost_where_it_is_not_good() {
    use PreviewRefusal::{BadTicket, NoName};
    let bed = Bed::set().await;
    let other = bed.lab.workspace().await;
    let host = bed.host(8000);
    let elsewhere = [bed.host(3000), format!("8000-{other}.localhost")];
    for wrong in &elsewhere {
        let ticket = bed.ticket(&bed.lab.ann, 8000).await;
        assert_eq!(bed.door.enter_preview(wrong, &ticket).await, Err(BadTicket), "{wrong}");
        assert_eq!(bed.door.enter_preview(&host, &ticket).await, Err(BadTicket), "it was lost at {wrong}");
    }
    let ticket = bed.ticket(&bed.lab.ann, 8000).await;
    for unknown in ["localhost", "8000-abcdefgh23.localhost.evil", "8000-10.213.0.18.localhost"] {
        assert_eq!(bed.door.enter_preview(unknown, &ticket).await, Err(NoName), "{unknown}");
    }
    let (seat, seconds) = bed.door.enter_preview(&host, &ticket).await.unwrap();
    assert_eq!(seconds, 12 * 60 * 60);
    assert!(!seat.contains(&ticket) && !seat.contains(&bed.id), "{seat}");
    assert_eq!(bed.door.enter_preview(&host, &ticket).await, Err(BadTicket), "only once");
    for bad in ["", "x", &seat, "../tokens/x", bed.lab.cluster.admin_token()] {
        assert_eq!(bed.door.enter_preview(&host, bad).await, Err(BadTicket), "{bad}");
    }
    let shown = bed.lab.cluster.controller().store().list_all(keys::PREVIEW_TICKETS).await.unwrap();
    assert!(shown.entries.is_empty(), "none of them is kept");
}

#[tokio::test]
async fn a_session_is_good_at_one_name_and_for_pages_of_its_workspace() {
    use PreviewRefusal::{Foreign, LoggedOut, NoName};
    let bed = Bed::set().await;
    let seat = bed.seat(&bed.lab.ann).await;
    let (host, seats) = (bed.host(8000), [seat.clone()]);
    let other = format!("8000-{}.localhost", bed.lab.workspace().await);
    for (asked, expected) in [
        (&*host, Ok(())),
        (&*bed.host(3000), Err(LoggedOut)),
        (&*other, Err(LoggedOut)),
        ("localhost", Err(NoName)),
        (&*format!("{host}.evil"), Err(NoName)),
    ] {
        assert_eq!(bed.asks(request(asked, &seats)).await, expected, "{asked}");
    }
    // A page of another host may have added cookies: the one that is good counts.
    assert_eq!(bed.asks(request(&host, &["x".to_owned(), String::new(), seat.clone()])).await, Ok(()));
    assert_eq!(bed.asks(request(&host, &[])).await, Err(LoggedOut));
    let (first, rest) = seat.split_at(seat.len() / 2);
    for forged in [bed.lab.cluster.admin_token(), first, rest, &format!("{rest}{first}")] {
        assert_eq!(bed.asks(request(&host, &[forged.to_owned()])).await, Err(LoggedOut), "{forged}");
    }
    for (page, expected) in [
        (&*bed.host(3000), Ok(())),
        (&*other, Err(Foreign)),
        ("localhost", Err(Foreign)),
        ("pool.example", Err(Foreign)),
        ("", Err(Foreign)),
    ] {
        let asked = PreviewRequest { foreign: Some(page), ..request(&host, &seats) };
        assert_eq!(bed.asks(asked).await, expected, "{page}");
    }
}

#[tokio::test]
async fn it_ends_with_the_right_to_come_and_with_the_log_in() {
    let bed = Bed::set().await;
    let host = bed.host(8000);
    let (hers, his) = ([bed.seat(&bed.lab.ann).await], [bed.seat(&bed.lab.bob).await]);
    let bob = Username::parse("bob").unwrap();
    let flows = bed.door.admit_to_preview(request(&host, &his)).await.ok().unwrap();
    assert_eq!((flows.name.port, flows.site.containers.len()), (8000, 1));
    bed.change(|guests| guests.remove(&bob)).await;
    assert_eq!(bed.asks(request(&host, &his)).await, Err(PreviewRefusal::NoWorkspace));
    tokio::time::timeout(PATIENCE, flows.ended).await.expect("what flows ends");
    assert_eq!(bed.asks(request(&host, &hers)).await, Ok(()), "another's goes on");
    bed.change(|guests| guests.insert(bob.clone(), TerminalRole::Viewer)).await;
    assert_eq!(bed.asks(request(&host, &his)).await, Ok(()));
    let flows = bed.door.admit_to_preview(request(&host, &his)).await.ok().unwrap();
    assert_eq!(bed.lab.admin.send("DELETE", "/api/account/bob", "").await.status, 204);
    eventually(PATIENCE, "his log-in is over", async || {
        bed.asks(request(&host, &his)).await == Err(PreviewRefusal::LoggedOut)
    })
    .await;
    tokio::time::timeout(PATIENCE, flows.ended).await.expect("what flows ends with it");
}

#[tokio::test]
async fn what_a_role_may_is_asked_of_every_request() {
    let bed = Bed::set().await;
    let (host, seats) = (bed.host(8000), [bed.seat(&bed.lab.carl).await]);
    let reads = json!({ "name": "reader", "permissions": ["read-containers"] }).to_string();
    let none = json!({ "name": "nothing", "permissions": [] }).to_string();
    for (role, looks, changes) in [
        (reads, Ok(()), Err(PreviewRefusal::LookOnly)),
        (none, Err(PreviewRefusal::NoWorkspace), Err(PreviewRefusal::NoWorkspace)),
    ] {
        assert_eq!(bed.lab.admin.post("/api/roles", &role).await.status, 204);
        let name = serde_json::from_str::<serde_json::Value>(&role).unwrap()["name"].clone();
        let given = json!({ "role": { "name": name } }).to_string();
        assert_eq!(bed.lab.admin.send("PUT", "/api/account/carl", given).await.status, 204);
        eventually(PATIENCE, "his role is another", async || bed.asks(request(&host, &seats)).await == looks).await;
        let change = PreviewRequest { is_change: true, ..request(&host, &seats) };
        eventually(PATIENCE, "he changes nothing", async || bed.asks(change).await == changes).await;
    }
}

#[tokio::test]
async fn nothing_is_shown_of_what_does_not_run() {
    let bed = Bed::set().await;
    let (host, seats) = (bed.host(8000), [bed.seat(&bed.lab.ann).await]);
    let flows = bed.door.admit_to_preview(request(&host, &seats)).await.ok().unwrap();
    let gone = bed.lab.ann.send("DELETE", &format!("/api/workspaces/{}?discard=true", bed.id), "").await;
    assert_eq!(gone.status, 204, "{gone:?}");
    tokio::time::timeout(PATIENCE, flows.ended).await.expect("what flows ends");
    eventually(PATIENCE, "nothing of it runs", async || {
        bed.asks(request(&host, &seats)).await == Err(PreviewRefusal::NotRunning)
    })
    .await;
    let refusal = bed.lab.ann.get(&format!("/api/workspaces/{}/ports", bed.id)).await.refusal();
    assert_eq!(refusal.code, "not_running");
}

#[tokio::test]
async fn a_token_has_a_hundred_tickets_at_most_that_nobody_came_with() {
    let bed = Bed::set().await;
    let mut last = String::new();
    for _ in 0..100 {
        last = bed.ticket(&bed.lab.ann, 8000).await;
    }
    let before = snapshot(&bed.lab.cluster).await;
    let refused = bed.lab.ann.post(&bed.path("8000"), "").await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (429, "too_many_tickets"));
    assert_eq!(snapshot(&bed.lab.cluster).await, before);
    bed.ticket(&bed.lab.bob, 8000).await;
    bed.door.enter_preview(&bed.host(8000), &last).await.unwrap();
    bed.ticket(&bed.lab.ann, 8000).await;
}

#[tokio::test]
async fn only_tokens_that_are_good_here_are_hidden_from_programs_in_workspaces() {
    let bed = Bed::set().await;
    let own = bed.lab.cluster.user_token("ann").await;
    assert!(bed.door.is_own_token(&own).await);
    for theirs in ["", "theirs", &own[1..], &"a".repeat(own.len())] {
        assert!(!bed.door.is_own_token(theirs).await, "{theirs}");
    }
    let door = Api { previews: Previews::default(), ..bed.door.clone() };
    assert_eq!(door.enter_preview(&bed.host(8000), "x").await, Err(PreviewRefusal::NoName), "where none are shown");
}

#[tokio::test]
async fn a_browser_gets_an_address_on_our_own_pages_only_and_it_ends_with_its_session() {
    let bed = Bed::set().await;
    let cluster = &bed.lab.cluster;
    let log_in = json!({ "username": "ann", "password": "correct horse battery" }).to_string();
    let cookie = Sender::nobody(cluster).post("/auth/session", &log_in).await.cookie.unwrap();
    let browser = Sender::nobody(cluster).header("cookie", cookie.split(';').next().unwrap());
    let path = bed.path("8000");
    let before = snapshot(cluster).await;
    let preview = format!("http://{}:8081", bed.host(8000));
    for foreign in [
        browser.clone(),
        browser.clone().header("origin", preview),
        browser.clone().header("origin", "null"),
        browser.clone().header("origin", "http://pool.example"),
    ] {
        assert_eq!(foreign.post(&path, "").await.refusal().code, "foreign_origin");
    }
    assert_eq!(snapshot(cluster).await, before);
    let at_home = browser.header("origin", cluster.url());
    let begun = at_home.begun("POST", &path, "").await;
    assert_eq!((begun.status().as_u16(), begun.headers()["cache-control"].to_str().unwrap()), (201, "no-store"));
    let (early, host) = (bed.ticket(&at_home, 8000).await, bed.host(8000));
    let seats = [bed.seat(&at_home).await];
    assert_eq!(bed.asks(request(&host, &seats)).await, Ok(()));
    assert_eq!(at_home.send("DELETE", "/auth/session", "").await.status, 204);
    eventually(PATIENCE, "its session is over", async || {
        bed.asks(request(&host, &seats)).await == Err(PreviewRefusal::LoggedOut)
    })
    .await;
    // What was given before opens nothing either.
    if let Ok((seat, _)) = bed.door.enter_preview(&host, &early).await {
        assert_eq!(bed.asks(request(&host, &[seat])).await, Err(PreviewRefusal::LoggedOut));
    }
    let hers = [bed.seat(&bed.lab.ann).await];
    assert_eq!(bed.asks(request(&host, &hers)).await, Ok(()), "another log-in of hers goes on");
}

/// A host that does not say what listens on it.
struct Silent;

#[async_trait::async_trait]
impl WorkspacePorts for Silent {
    async fn listening(&self, engine: &EngineId, _: &WorkspaceId, _: &ContainerId) -> Result<Vec<PortInUse>, String> {
        Err(format!("{engine} says nothing"))
    }
}

#[tokio::test]
async fn a_server_that_cannot_show_ports_says_so() {
    let bed = Bed::set().await;
    let (asks, ports) = (bed.path("8000"), format!("/api/workspaces/{}/ports", bed.id));
    for (previews, of_ticket, of_ports) in [
        (Previews::default(), "no_previews", "this server takes no agents"),
        (Previews { ports: Some(Arc::new(Silent)), ..Previews::default() }, "no_previews", "host-1 says nothing"),
    ] {
        let (url, serving) = bed.serving(previews).await;
        let (ann, eve) = (bed.lab.ann.clone().at(url.clone()), bed.lab.eve.clone().at(url));
        let answer = ann.post(&asks, "").await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (503, of_ticket));
        let answer = ann.get(&ports).await;
        assert_eq!((answer.status, answer.refusal().code.as_str()), (503, "workspace_away"));
        assert!(answer.refusal().message.contains(of_ports), "{answer:?}");
        assert_eq!(eve.get(&ports).await.status, 404, "whose it is not learns nothing of its host");
        serving.abort();
    }
}

/// A host on which one container stands still, and others have a port in use.
struct Stands(ContainerId);

#[async_trait::async_trait]
impl WorkspacePorts for Stands {
    async fn listening(
        &self,
        _: &EngineId,
        _: &WorkspaceId,
        container: &ContainerId,
    ) -> Result<Vec<PortInUse>, String> {
        match *container == self.0 {
            true => Err("the container does not run".to_owned()),
            false => Ok(vec![PortInUse { port: 5432, only_inside: false }]),
        }
    }
}

#[tokio::test]
async fn a_container_that_stands_still_hides_no_port_of_the_others() {
    let lab = Lab::open(1).await;
    let containers = json!([
        { "name": "web", "image": SAMPLE, "cpus": 0.1, "memory": 16, "ports": [8000] },
        { "name": "db", "image": SAMPLE, "cpus": 0.1, "memory": 16, "ports": [5432] },
    ]);
    let described = crate::lab::description(json!({ "containers": containers }));
    let body = json!({ "name": "lab", "visibility": "shared", "description": described });
    assert_eq!(lab.ann.post("/api/environments", &body.to_string()).await.status, 201);
    let bed = Bed::around(lab).await;
    let shown = bed.lab.ann.get(&format!("/api/workspaces/{}", bed.id)).await.json();
    let of = |name: &str| {
        let found = shown["containers"].as_array().unwrap().iter().find(|container| container["name"] == name).unwrap();
        ContainerId::parse(found["id"].as_str().unwrap()).unwrap()
    };
    let ports = Some(Arc::new(Stands(of("web"))) as Arc<dyn WorkspacePorts>);
    let (url, serving) = bed.serving(Previews { ports, ..Previews::default() }).await;
    let answer = bed.lab.ann.clone().at(url).get(&format!("/api/workspaces/{}/ports", bed.id)).await;
    serving.abort();
    assert_eq!(answer.status, 200, "{answer:?}");
    let port = |port, container, listening| json!({"port": port, "container": container, "declared": true, "listening": listening, "only_inside": false});
    assert_eq!(answer.json(), json!([port(5432, "db", true), port(8000, "web", false)]));
}

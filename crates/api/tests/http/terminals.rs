//! Terminals in containers: their life, who may come, and their sockets.

mod endings;
mod frames;
mod guests;
pub mod origins;

use pierhead_client::{Change, Client, SocketEnd, TerminalSocket, Wait};
use pierhead_terminal::{Asked, ClientMessage, Frame, ServerMessage};
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, eventually, sample};
use pierhead_wire::{TerminalRequest, TerminalView};
use serde_json::json;

use crate::raw::Sender;

/// A pool with one host and a container of somebody.
pub struct Bed {
    pub cluster: Cluster,
    pub container: String,
}

impl Bed {
    /// The container is the administrator's.
    pub async fn set() -> Self {
        let cluster = Cluster::start(ClusterOptions { hosts: 1, ..ClusterOptions::default() }).await;
        let container = cluster.run("web", 1, &sample()).await.remove(0).id;
        Self { cluster, container }
    }

    pub async fn open(&self, client: &Client, request: &TerminalRequest) -> TerminalView {
        client.open_terminal(&self.container, request, &Change::new(Wait::UntilEnded)).await.unwrap().into_value()
    }

    pub async fn shell(&self) -> TerminalView {
        self.open(&self.cluster.admin(), &TerminalRequest::default()).await
    }
}

/// Somebody at a terminal.
pub struct Seat {
    pub socket: TerminalSocket,
    pub screen: String,
    pub messages: Vec<ServerMessage>,
    pub offset: u64,
}

impl Seat {
    pub async fn take(client: &Client, id: &str) -> Self {
        Self::take_from(client, id, None).await
    }

    pub async fn take_from(client: &Client, id: &str, from: Option<u64>) -> Self {
        let socket = client.terminal_socket(id).await.unwrap();
        let mut seat = Self { socket, screen: String::new(), messages: Vec::new(), offset: 0 };
        let asked = Asked { from, columns: 80, rows: 24, ..Asked::default() };
        seat.say(&ClientMessage::Attach(asked)).await;
        seat.until("hello", |seat| seat.has(|message| matches!(message, ServerMessage::Hello { .. }))).await;
        seat
    }

    pub async fn say(&mut self, message: &ClientMessage) {
        self.socket.send(message.to_frame()).await.unwrap();
    }

    pub async fn type_in(&mut self, text: &str) {
        self.socket.send(Frame::Binary(text.as_bytes().to_vec().into())).await.unwrap();
    }

    pub fn has(&self, is: impl Fn(&ServerMessage) -> bool) -> bool {
        self.messages.iter().any(is)
    }

    pub fn errors(&self) -> Vec<&str> {
        let mut codes = Vec::new();
        for message in &self.messages {
            if let ServerMessage::Error { code, .. } = message {
                codes.push(code.as_str());
            }
        }
        codes
    }

    /// Reads what comes, one frame.
    pub async fn hear(&mut self) -> Result<(), SocketEnd> {
        match self.socket.next().await? {
            Frame::Binary(bytes) => {
                let (offset, bytes) = Frame::split_output(bytes).unwrap();
                self.offset = offset + bytes.len() as u64;
                self.screen.push_str(&String::from_utf8_lossy(&bytes));
            }
            Frame::Text(text) => {
                let message = ServerMessage::parse(&text).unwrap();
                if let ServerMessage::Snapshot { data, offset, .. } = &message {
                    self.screen = data.clone();
                    self.offset = *offset;
                }
                self.messages.push(message);
            }
        }
        Ok(())
    }

    pub async fn until(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let wait = async {
            while !is(self) {
                self.hear().await.unwrap_or_else(|end| panic!("{what}: {end:?}"));
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("not in time: {what}: {:?} {:?}", self.screen, self.messages);
        }
    }

    pub async fn shows(&mut self, text: &str) {
        self.until(text, |seat| seat.screen.contains(text)).await;
    }

    /// How it ends, whatever comes before.
    pub async fn end(&mut self) -> SocketEnd {
        let wait = async {
            loop {
                if let Err(end) = self.hear().await {
                    return end;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("it ends")
    }
}

/// Everything of the event log, as it travels.
pub async fn log(cluster: &Cluster) -> String {
    Sender::admin(cluster).get("/api/events?count=1000").await.text
}

#[tokio::test]
async fn a_terminal_from_its_opening_to_its_end() {
    let bed = Bed::set().await;
    let (cluster, admin) = (&bed.cluster, bed.cluster.admin());
    let request = TerminalRequest {
        command: ["/bin/ash", "-s", "hidden-argument-7Qx"].map(str::to_owned).to_vec(),
        columns: Some(101),
        rows: Some(41),
        name: Some("looking around".to_owned()),
        ..TerminalRequest::default()
    };
    let opened = bed.open(&admin, &request).await;
    assert_eq!((opened.columns, opened.rows, opened.tty), (101, 41, true));
    assert_eq!(
        (opened.home.as_str(), opened.state.as_str(), opened.right.as_str()),
        ("controller", "running", "owner")
    );
    assert_eq!((opened.app.as_deref(), opened.owner.as_str()), (Some("web"), "admin"));
    let mut seat = Seat::take(&admin, &opened.id).await;
    seat.shows("$").await;
    seat.type_in("print PIERHEAD_TERMINAL\r").await;
    seat.shows(&format!("{}\r\n$ ", opened.id)).await;
    let shown = admin.terminal(&opened.id).await.unwrap().into_value();
    assert_eq!((shown.viewers.len(), shown.viewers[0].username.as_str()), (1, "admin"));
    let recording = Sender::admin(cluster).get(&format!("/api/terminals/{}/recording", opened.id)).await;
    let head: serde_json::Value = serde_json::from_str(recording.text.lines().next().unwrap()).unwrap();
    assert_eq!((&head["version"], &head["title"]), (&json!(2), &json!("looking around")), "{recording:?}");
    assert!(recording.text.contains("PIERHEAD_TERMINAL"), "{recording:?}");
    seat.type_in("exit 3\r").await;
    seat.until("its exit", |seat| seat.has(|message| matches!(message, ServerMessage::Exit { code: Some(3), .. })))
        .await;
    assert_eq!(seat.end().await, SocketEnd::Closed(1000, String::new()));
    pierhead_testkit::eventually(PATIENCE, "it is marked as ended", async || {
        let shown = admin.terminal(&opened.id).await.unwrap().into_value();
        (shown.state.as_str(), shown.exit_code) == ("ended", Some(3)) && shown.ended_at.is_some()
    })
    .await;
    let log = log(cluster).await;
    assert!(log.contains("terminal-opened") && log.contains("terminal-ended") && log.contains("code=3"), "{log}");
    assert!(!log.contains("hidden-argument"), "what was run is nobody else's business: {log}");
    let records = cluster.controller().store().list_all("terminals/").await.unwrap();
    assert_eq!(records.entries.len(), 1);
    admin.end_terminal(&opened.id).await.unwrap();
    assert!(admin.terminals(None).await.unwrap().is_empty(), "one that has ended is forgotten");
    assert_eq!(cluster.host(0).processes(), 0);
}

#[tokio::test]
async fn what_can_not_be_opened() {
    let bed = Bed::set().await;
    let sender = Sender::admin(&bed.cluster);
    let path = format!("/api/containers/{}/terminals", bed.container);
    for (body, field) in [
        (json!({"columns": 0}), "columns"),
        (json!({"rows": 100_000}), "rows"),
        (json!({"command": "sh"}), "command"),
        (json!({"command": [""]}), "command"),
        (json!({"command": ["a\0b"]}), "command"),
        (json!({"user": "root; id"}), "user"),
        (json!({"working_dir": "../etc"}), "working_dir"),
        (json!({"name": "a\nb"}), "name"),
        (json!({"tty": "yes"}), "tty"),
        (json!({"privileged": true}), "privileged"),
        (json!({"env": ["A=1"]}), "env"),
    ] {
        let refused = sender.post(&path, &body.to_string()).await;
        assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some(field)), "{body}: {refused:?}");
    }
    let unknown = sender.post("/api/containers/0123456789ab/terminals", "{}").await;
    assert_eq!((unknown.status, unknown.refusal().code.as_str()), (404, "not_found"));
    assert_eq!(sender.post(&format!("/api/containers/{}/stop", bed.container), "").await.status, 204);
    let stopped = sender.post(&path, "{}").await;
    assert_eq!((stopped.status, stopped.refusal().code.as_str()), (409, "not_running"), "{stopped:?}");
    assert!(bed.cluster.admin().terminals(None).await.unwrap().is_empty());
    let stranger = Sender::user(&bed.cluster, "ann").await.post(&path, "{}").await;
    assert_eq!(stranger.status, 403, "as for any verb: {stranger:?}");
}

#[tokio::test]
async fn a_retried_request_opens_one_terminal() {
    let bed = Bed::set().await;
    let (admin, change) = (bed.cluster.admin(), Change::new(Wait::UntilEnded));
    let request = TerminalRequest::default();
    let one = admin.open_terminal(&bed.container, &request, &change).await.unwrap().into_value();
    let again = admin.open_terminal(&bed.container, &request, &change).await.unwrap().into_value();
    assert_eq!(one.id, again.id);
    assert_eq!((bed.cluster.host(0).processes(), admin.terminals(None).await.unwrap().len()), (1, 1));
    let other = TerminalRequest { columns: Some(7), ..request };
    let refused = admin.open_terminal(&bed.container, &other, &change).await.unwrap_err();
    assert!(refused.to_string().contains("another request"), "{refused}");
    let of_it = admin.terminals(Some(&bed.container[..12])).await.unwrap();
    assert_eq!(of_it.len(), 1);
    assert!(admin.terminals(Some("0000")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_line_goes_on_where_it_broke() {
    let bed = Bed::set().await;
    let admin = bed.cluster.admin();
    let opened = bed.shell().await;
    let mut seat = Seat::take(&admin, &opened.id).await;
    // What was printed before somebody's first look comes as a screen; from then on as it is printed.
    seat.shows("$").await;
    seat.type_in("echo one\r").await;
    seat.shows("\r\none\r\n$ ").await;
    let from = seat.offset;
    drop(seat);
    // Who comes while somebody drives only looks.
    eventually(PATIENCE, "nobody is there", async || {
        admin.terminal(&opened.id).await.is_ok_and(|terminal| terminal.viewers.is_empty())
    })
    .await;
    let mut other = Seat::take(&admin, &opened.id).await;
    other.shows("$").await;
    other.type_in("echo two\r").await;
    other.shows("\r\ntwo\r\n$ ").await;
    let mut again = Seat::take_from(&admin, &opened.id, Some(from)).await;
    again.shows("two\r\n$ ").await;
    assert!(again.screen.starts_with("echo two") && !again.screen.contains("one"), "{:?}", again.screen);
}

//! Terminals in the agent, through the tunnel to a scripted engine: who may do what, and that every byte arrives.

use crate::bed::{Bed, PATIENCE, asks_why, at, in_time, timing, until};
use crate::certificates::{Authority, CONTROLLER};
use crate::fake::{EXEC, Fake};
use futures_util::StreamExt;
use hyper::body::Bytes;
use pierhead_agent::{
    Agent, AgentError, Forbid, Gate, Load, Opening, Pulse, TerminalLine, Terminals, Terms, Tunnel, Visiting,
    VisitorRight, accept,
};
use pierhead_sessions::Wanted;
use pierhead_terminal::{Asked, ClientMessage, Frame, Picture, ServerMessage, SessionView};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An agent that keeps terminals, and the controllers that it calls.
struct Host {
    terminals: Arc<Terminals>,
    fake: Fake,
    listener: TcpListener,
    acceptor: TlsAcceptor,
    agent: tokio::task::AbortHandle,
    dir: TempDir,
    _tls: tokio::sync::watch::Sender<Arc<rustls::ClientConfig>>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.agent.abort();
    }
}

impl Host {
    async fn up(forbidden: &[Forbid]) -> Self {
        let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
        let fake = Fake::listen(dir.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let terminals = Terminals::open(dir.path(), &fake.socket).unwrap();
        let pulse = Pulse::new(Duration::from_millis(50), Arc::new(Load::default));
        let gate = Gate::new(&fake.socket, Arc::new(Terms::open(dir.path()).unwrap()), pulse)
            .forbidding(forbidden.iter().copied().collect())
            .with_terminals(Arc::clone(&terminals));
        let (tls, config) = tokio::sync::watch::channel(authority.for_agent(&authority.host("host-1")));
        let agent = Agent::new(vec![at(listener.local_addr().unwrap())], config, Arc::new(gate), timing());
        let agent = tokio::spawn(agent.run()).abort_handle();
        let acceptor = TlsAcceptor::from(authority.for_controller(&authority.controller(CONTROLLER)));
        Self { terminals, fake, listener, acceptor, agent, dir, _tls: tls }
    }

    /// The tunnel of the agent's next call. Its beats are asked for, as a controller does.
    async fn tunnel(&self) -> Tunnel {
        loop {
            let call = in_time("the agent calls", self.listener.accept()).await.unwrap().0;
            match accept(call, &self.acceptor, &timing()).await {
                Ok(tunnel) => {
                    let mut beats = in_time("beats", tunnel.beats()).await.unwrap();
                    tokio::spawn(async move { while let Some(Ok(_)) = beats.next().await {} });
                    return tunnel;
                }
                Err(error) => assert!(asks_why(&error), "{error:?}"),
            }
        }
    }

    /// What is on disk of terminals.
    fn kept(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("terminals.json")).unwrap_or_default()
    }
}

fn opening(id: &str) -> Opening {
    Opening {
        id: id.to_owned(),
        container: "0123456789abcdef".repeat(4),
        command: vec!["sh".to_owned()],
        columns: 100,
        rows: 30,
        tty: true,
        user: Some("1000".to_owned()),
        working_dir: None,
        title: "a shell".to_owned(),
    }
}

fn visiting(username: &str, right: VisitorRight) -> Visiting {
    Visiting { username: username.to_owned(), right }
}

/// The status and the words of a refusal.
fn refused<T>(answer: Result<T, AgentError>) -> (u16, String) {
    match answer.err().expect("it is refused") {
        AgentError::Refused { status, message } => (status, message),
        other => panic!("{other:?}"),
    }
}

/// Somebody at a terminal.
struct Viewer {
    line: TerminalLine,
    /// All that was printed, from an offset on.
    seen: Vec<u8>,
    next: u64,
    messages: Vec<ServerMessage>,
}

impl Viewer {
    async fn join(tunnel: &Tunnel, id: &str, visiting: &Visiting, from: Option<u64>) -> Self {
        let line = in_time("a line", tunnel.join_terminal(id, visiting)).await.unwrap();
        let mut viewer = Self { line, seen: vec![], next: from.unwrap_or_default(), messages: vec![] };
        viewer.say(&ClientMessage::Attach(Asked { from, columns: 100, rows: 30, ..Asked::default() })).await;
        viewer.until("hello", |viewer| viewer.has(|message| matches!(message, ServerMessage::Hello { .. }))).await;
        viewer
    }

    async fn say(&self, message: &ClientMessage) {
        self.send(&message.to_frame()).await;
    }

    async fn send(&self, frame: &Frame) {
        let mut bytes = bytes::BytesMut::new();
        frame.encode(&mut bytes).unwrap();
        self.line.to_agent.send(bytes.freeze()).await.unwrap();
    }

    async fn type_in(&self, text: impl Into<Bytes>) {
        self.send(&Frame::Binary(text.into())).await;
    }

    fn has(&self, is_it: impl Fn(&ServerMessage) -> bool) -> bool {
        self.messages.iter().any(is_it)
    }

    /// Reads on; `false` at the end of the line.
    async fn read(&mut self) -> bool {
        match self.line.from_agent.next().await.unwrap() {
            Some(Frame::Binary(bytes)) => {
                let (offset, bytes) = Frame::split_output(bytes).unwrap();
                assert_eq!(offset, self.next, "no byte is left out, and none comes twice");
                self.next += bytes.len() as u64;
                self.seen.extend_from_slice(&bytes);
                let _gone = self.line.to_agent.send(encoded(&ClientMessage::Ack { offset: self.next })).await;
            }
            Some(Frame::Text(text)) => {
                let message = ServerMessage::parse(&text).unwrap();
                if let ServerMessage::Snapshot { offset, .. } = message {
                    self.next = offset;
                }
                self.messages.push(message);
            }
            None => return false,
        }
        true
    }

    async fn until(&mut self, what: &str, is_it: impl Fn(&Self) -> bool) {
        let read = async {
            while !is_it(self) {
                assert!(self.read().await, "the line ended before {what}: {:?}", self.messages);
            }
        };
        in_time(what, read).await;
    }

    async fn end(&mut self) -> ServerMessage {
        in_time("the end of the line", async { while self.read().await {} }).await;
        self.messages.last().cloned().expect("a last word")
    }
}

fn encoded(message: &ClientMessage) -> Bytes {
    let mut bytes = bytes::BytesMut::new();
    message.to_frame().encode(&mut bytes).unwrap();
    bytes.freeze()
}

/// The terminals as a controller sees them, as soon as they are so.
async fn until_told(tunnel: &Tunnel, what: &str, is_it: impl Fn(&[SessionView]) -> bool) -> Vec<SessionView> {
    let mut lists = Box::pin(in_time("a list", tunnel.terminals()).await.unwrap());
    let told = async {
        loop {
            let list = lists.next().await.expect("the lists go on").unwrap();
            if is_it(&list) {
                return list;
            }
        }
    };
    in_time(what, told).await
}

#[tokio::test]
async fn a_terminal_is_shared_and_outlives_the_tunnel() {
    let host = Host::up(&[]).await;
    let tunnel = host.tunnel().await;
    tunnel.open_terminal(&opening("t-1"), 5).await.unwrap();
    tunnel.open_terminal(&opening("t-1"), 5).await.expect("a second time changes nothing");
    let seen = host.fake.seen();
    let made: Vec<_> = seen.iter().filter(|seen| seen.target.ends_with("/exec")).collect();
    let body: serde_json::Value = serde_json::from_slice(&made[0].body).unwrap();
    assert_eq!(made.len(), 1);
    assert_eq!((&body["Env"][0], &body["User"]), (&"PIERHEAD_TERMINAL=t-1".into(), &"1000".into()));
    assert!(seen.iter().any(|seen| seen.target.ends_with(&format!("/exec/{EXEC}/resize?h=30&w=100"))), "{seen:?}");
    assert!(host.kept().contains("t-1"));

    let mut ada = Viewer::join(&tunnel, "t-1", &visiting("ada", VisitorRight::Owner), None).await;
    let mut eve = Viewer::join(&tunnel, "t-1", &visiting("eve", VisitorRight::Viewer), None).await;
    ada.type_in("one\n").await;
    ada.until("the echo", |ada| ada.seen == b"one\n").await;
    eve.until("the same", |eve| eve.seen == b"one\n").await;
    eve.type_in("two\n").await;
    let not_driver =
        |message: &ServerMessage| matches!(message, ServerMessage::Error { code, .. } if code == "not_driver");
    eve.until("only one of them types", |eve| eve.has(not_driver)).await;
    until_told(&tunnel, "both are there", |list| list.len() == 1 && list[0].viewers.len() == 2).await;

    // All controllers die; what is typed before is not lost, and what is printed meanwhile is there for who comes back.
    ada.type_in("three\n").await;
    ada.until("the echo", |ada| ada.seen.ends_with(b"three\n")).await;
    let next = eve.next;
    tunnel.cut();
    let tunnel = host.tunnel().await;
    let mut again = Viewer::join(&tunnel, "t-1", &visiting("eve", VisitorRight::Viewer), Some(next)).await;
    again.until("what was missed", |again| again.seen == b"three\n").await;
    let recording = Box::pin(tunnel.terminal_recording("t-1").await.unwrap());
    let recording = recording.map(|piece| piece.unwrap().to_vec()).concat();
    let recording: Vec<u8> = in_time("the recording", recording).await;
    assert!(String::from_utf8(recording).unwrap().contains("three"));

    let mut ada = Viewer::join(&tunnel, "t-1", &visiting("ada", VisitorRight::Owner), None).await;
    ada.type_in("\x04").await;
    let over = ada.end().await;
    assert!(matches!(over, ServerMessage::Exit { code: Some(7), .. }), "{over:?}");
    assert!(matches!(again.end().await, ServerMessage::Exit { code: Some(7), .. }));
    let told = until_told(&tunnel, "its end", |list| list[0].end.is_some()).await;
    assert_eq!(told[0].end.as_ref().unwrap().code, Some(7));
    until("it is forgotten on disk", || !host.kept().contains("t-1")).await;
}

#[tokio::test]
async fn a_large_paste_and_a_viewer_who_reads_nothing() {
    let host = Host::up(&[]).await;
    let tunnel = host.tunnel().await;
    tunnel.open_terminal(&opening("t-1"), 5).await.unwrap();
    let frozen = Viewer::join(&tunnel, "t-1", &visiting("eve", VisitorRight::Viewer), None).await;
    let mut ada = Viewer::join(&tunnel, "t-1", &visiting("ada", VisitorRight::Owner), None).await;
    let pasted: Vec<u8> = (0..1_000_000u32).map(|at| b'a' + (at.wrapping_mul(2_654_435_761) >> 28) as u8).collect();
    ada.type_in(pasted.clone()).await;
    ada.until("all of it", |ada| ada.seen.len() == pasted.len()).await;
    assert!(ada.seen == pasted, "in its order");
    drop(frozen);
    until_told(&tunnel, "she is gone", |list| list[0].viewers.len() == 1).await;
}

#[tokio::test]
async fn lines_that_break_in_the_middle_of_a_frame_leave_nothing() {
    let host = Host::up(&[]).await;
    let tunnel = host.tunnel().await;
    tunnel.open_terminal(&opening("t-1"), 5).await.unwrap();
    // More than there may be at the same time.
    for round in 0..9 {
        let mut lines = vec![];
        for _ in 0..100 {
            let line = tunnel.join_terminal("t-1", &visiting("eve", VisitorRight::Viewer)).await.unwrap();
            let attach = encoded(&ClientMessage::Attach(Asked { columns: 80, rows: 24, ..Asked::default() }));
            line.to_agent.send(attach).await.unwrap();
            line.to_agent.send(Bytes::from_static(&[0, 0, 0])).await.unwrap();
            lines.push(line);
        }
        until_told(&tunnel, "all are there", |list| list[0].viewers.len() == 100).await;
        if round % 2 == 0 {
            // A sender that ends is a viewer who leaves.
            for line in &mut lines {
                line.to_agent = tokio::sync::mpsc::channel(1).0;
            }
        } else {
            lines.clear();
        }
        until_told(&tunnel, "all are gone", |list| list[0].viewers.is_empty()).await;
    }
    let mut ada = Viewer::join(&tunnel, "t-1", &visiting("ada", VisitorRight::Owner), None).await;
    ada.send(&Frame::Text("nonsense".to_owned())).await;
    ada.type_in("x").await;
    ada.until("the echo", |ada| ada.seen == b"x").await;
    // What is no frame ends the line.
    ada.line.to_agent.send(Bytes::from_static(&[9; 64])).await.unwrap();
    in_time("the end of the line", async { while ada.read().await {} }).await;
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let host = Host::up(&[]).await;
    let tunnel = host.tunnel().await;
    tunnel.open_terminal(&opening("t-1"), 5).await.unwrap();
    let past = refused(tunnel.open_terminal(&opening("t-2"), 4).await);
    assert!(past.0 == 409 && past.1.contains("term_past"), "{past:?}");
    for (wrong, word) in [
        (Opening { id: "..".to_owned(), ..opening("t-2") }, "id must be"),
        (Opening { container: "web".to_owned(), ..opening("t-2") }, "container must be"),
        (Opening { command: vec![], ..opening("t-2") }, "command must"),
        (Opening { rows: 0, ..opening("t-2") }, "columns and rows"),
    ] {
        let (status, words) = refused(tunnel.open_terminal(&wrong, 5).await);
        assert!(status == 400 && words.contains(word), "{status} {words}");
    }
    let nobody = refused(tunnel.join_terminal("t-9", &visiting("eve", VisitorRight::Owner)).await);
    assert!(nobody.0 == 404 && nobody.1.contains("no_such_terminal"), "{nobody:?}");
    assert_eq!(refused(tunnel.terminal_recording("t-9").await.map(drop)).0, 404);
    assert_eq!(refused(tunnel.grant_terminal("t-9", "eve", None).await).0, 404);
    assert_eq!(refused(tunnel.join_terminal("t-1", &visiting("", VisitorRight::Owner)).await).0, 400);
    tunnel.end_terminal("t-9", "nobody knows it").await.unwrap();
    let list = until_told(&tunnel, "one", |_| true).await;
    assert_eq!(list.iter().map(|view| view.id.as_str()).collect::<Vec<_>>(), ["t-1"]);
    tunnel.end_terminal("t-1", "it is late").await.unwrap();
    let ended = until_told(&tunnel, "its end", |list| list[0].end.is_some()).await;
    assert_eq!(ended[0].end.as_ref().unwrap().reason, "it is late");

    let host = Host::up(&[Forbid::Terminals]).await;
    let tunnel = host.tunnel().await;
    let forbidden = refused(tunnel.open_terminal(&opening("t-1"), 1).await);
    assert!(forbidden.0 == 403 && forbidden.1.contains("--forbid terminals"), "{forbidden:?}");
    let (status, words) = crate::bed::ask(&tunnel, "POST", "/containers/a/exec", r#"{"Cmd":["sh"]}"#).await;
    assert!(status == 403 && words.contains("--forbid terminals"), "{words}");
    assert!(host.fake.seen().iter().all(|seen| !seen.target.contains("exec")));

    // An agent without any says so as one of old does.
    let bed = Bed::up().await;
    let tunnel = bed.tunnel().await;
    let unable = refused(tunnel.terminals().await.map(drop));
    assert!(unable.0 == 403 && unable.1.contains("not_allowed"), "{unable:?}");
}

#[tokio::test]
async fn an_agent_that_ends_tells_those_who_look() {
    let host = Host::up(&[]).await;
    let tunnel = host.tunnel().await;
    tunnel.open_terminal(&opening("t-1"), 5).await.unwrap();
    let mut ada = Viewer::join(&tunnel, "t-1", &visiting("ada", VisitorRight::Owner), None).await;
    let terminals = Arc::clone(&host.terminals);
    let ending = tokio::spawn(async move { terminals.end_all().await });
    let over = ada.end().await;
    assert!(matches!(&over, ServerMessage::Exit { reason, .. } if reason.contains("agent was stopped")), "{over:?}");
    drop(ada);
    tokio::time::timeout(PATIENCE, ending).await.unwrap().unwrap();
    assert!(!host.kept().contains("t-1"));
    // One that was killed forgets what it left, once nothing of it runs.
    let left = r#"{"sessions":{"t-8":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}"#;
    std::fs::write(host.dir.path().join("terminals.json"), left).unwrap();
    let _again = Terminals::open(host.dir.path(), &host.fake.socket).unwrap();
    until("what was left is ended", || !host.kept().contains("t-8")).await;
}

#[tokio::test]
async fn small_pictures_are_told_of_what_is_wanted_and_of_nothing_else() {
    let host = Host::up(&[]).await;
    let tunnel = host.tunnel().await;
    for id in ["t-1", "t-2"] {
        tunnel.open_terminal(&opening(id), 5).await.unwrap();
    }
    let wanted = |ids: &[&str]| -> Wanted { Arc::new(ids.iter().map(|id| ((*id).to_owned(), 1)).collect()) };
    let (wants, wanted_now) = tokio::sync::watch::channel(wanted(&["t-1"]));
    let mut pictures = Box::pin(in_time("pictures", tunnel.pictures(wanted_now)).await.unwrap());
    let mut ada = Viewer::join(&tunnel, "t-1", &visiting("ada", VisitorRight::Owner), None).await;
    let mut eve = Viewer::join(&tunnel, "t-2", &visiting("eve", VisitorRight::Owner), None).await;
    eve.type_in("not yet\n").await;
    eve.until("the echo", |eve| eve.seen == b"not yet\n").await;
    ada.type_in("\x1b[32mhello\n").await;
    let mut seen = std::collections::BTreeMap::<String, Picture>::new();
    let shows = |seen: &std::collections::BTreeMap<String, Picture>, id: &str, text: &str| {
        let line = seen.get(id).and_then(|picture| picture.lines.first());
        line.is_some_and(|line| line.iter().any(|run| run.text == text))
    };
    let mut read = async |seen: &mut std::collections::BTreeMap<String, Picture>| {
        for change in in_time("a picture", pictures.next()).await.expect("they go on").unwrap() {
            seen.entry(change.terminal.clone()).or_default().apply(&change);
        }
    };
    while !shows(&seen, "t-1", "hello") {
        read(&mut seen).await;
    }
    assert_eq!(seen["t-1"].lines[0][0].foreground, Some(2));
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["t-1"]);
    wants.send_replace(wanted(&["t-2"]));
    while !shows(&seen, "t-2", "not yet") {
        read(&mut seen).await;
    }
    let live = until_told(&tunnel, "both", |list| list.len() == 2).await;
    assert!(live.iter().all(|live| live.viewers.len() == 1), "who looks at pictures is no viewer");
    wants.send_replace(wanted(&["../x"]));
    let end = in_time("the end", pictures.next()).await;
    assert!(!matches!(end, Some(Ok(_))), "nonsense ends it: {end:?}");
    ada.type_in("still here\n").await;
    ada.until("the echo", |ada| ada.seen.ends_with(b"still here\n")).await;
}

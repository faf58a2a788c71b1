//! The wall: who is on it for whom, small pictures of terminals, raised hands, messages, and what is done for many at once.

mod class;
mod sockets;

use crate::lab::Lab;
use crate::raw::{Sender, snapshot};
use crate::terminals::Seat;
use pierhead_client::{Change, Client, SocketEnd, Wait, WallOf, WallSocket};
use pierhead_model::ContainerState;
use pierhead_store::StoreJson;
use pierhead_terminal::Picture;
use pierhead_testkit::{PATIENCE, eventually};
use pierhead_wire::{TerminalRequest, WallPersonView, WallSaid};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Somebody's wall, as they see it.
struct Wall {
    socket: WallSocket,
    order: Vec<String>,
    people: BTreeMap<String, WallPersonView>,
    pictures: BTreeMap<String, Picture>,
    over: Vec<String>,
}

impl Wall {
    async fn look(client: &Client) -> Self {
        let socket = client.wall_socket(&WallOf::default()).await.unwrap();
        let mut wall =
            Self { socket, order: Vec::new(), people: BTreeMap::new(), pictures: BTreeMap::new(), over: Vec::new() };
        wall.hear().await.unwrap();
        wall
    }

    async fn hear(&mut self) -> Result<(), SocketEnd> {
        match self.socket.next().await? {
            WallSaid::People { order, people } => {
                self.order = order;
                self.people.extend(people.into_iter().map(|person| (person.workspace.clone(), person)));
                self.people.retain(|workspace, _| self.order.contains(workspace));
            }
            WallSaid::Pictures { pictures } => {
                for change in pictures {
                    match change.over {
                        true => self.over.push(change.terminal),
                        false => self.pictures.entry(change.terminal.clone()).or_default().apply(&change),
                    }
                }
            }
        }
        Ok(())
    }

    async fn until(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let heard = async {
            while !is(self) {
                self.hear().await.unwrap_or_else(|end| panic!("{what}: {end:?}"));
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.unwrap_or_else(|_| panic!("not in time: {what}"));
    }

    fn shows(&self, terminal: &str, text: &str) -> bool {
        let lines = self.pictures.get(terminal).into_iter().flat_map(|picture| &picture.lines);
        lines.flatten().any(|run| run.text.contains(text))
    }
}

/// Ann's workspace, running, with a shell in it.
async fn with_shell() -> (Lab, String, String) {
    let lab = Lab::open(1).await;
    lab.describe("lab", "shared").await;
    let id = lab.workspace().await;
    lab.is_ready(&id).await;
    let view = lab.ann.get(&format!("/api/workspaces/{id}")).await.json();
    let container = view["containers"][0]["id"].as_str().unwrap().to_owned();
    let ann = lab.cluster.user("ann").await;
    let opened = ann.open_terminal(&container, &TerminalRequest::default(), &Change::new(Wait::UntilEnded)).await;
    let terminal = opened.unwrap().into_value().id;
    (lab, id, terminal)
}

#[tokio::test]
async fn a_terminal_is_seen_small_by_those_who_may_watch_and_by_nobody_else() {
    let (lab, id, terminal) = with_shell().await;
    let (admin, ann) = (lab.cluster.admin(), lab.cluster.user("ann").await);
    let mut wall = Wall::look(&admin).await;
    wall.until("the workspace with its shell", |wall| {
        wall.people.get(&id).is_some_and(|person| person.terminals.iter().any(|shown| shown.id == terminal))
    })
    .await;
    assert_eq!((wall.people[&id].owner.as_str(), wall.people[&id].may.as_str()), ("ann", "lead"));
    assert!(wall.pictures.is_empty(), "nothing is painted that nobody shows");
    wall.socket.show(vec![terminal.clone(), "stranger".to_owned()]).await.unwrap();
    let mut seat = Seat::take(&ann, &terminal).await;
    seat.type_in("echo seen\r").await;
    wall.until("what was typed", |wall| wall.shows(&terminal, "seen")).await;
    let mut again = Wall::look(&lab.cluster.user("bob").await).await;
    assert_eq!(again.people[&id].may, "look");
    again.socket.show(vec![terminal.clone()]).await.unwrap();
    again.until("the same for a guest", |wall| wall.shows(&terminal, "seen")).await;
    let mut nobody = Wall::look(&lab.cluster.user("eve").await).await;
    assert!(nobody.order.is_empty());
    nobody.socket.show(vec![terminal.clone()]).await.unwrap();
    assert_eq!(lab.eve.get("/api/wall").await.json(), json!({ "people": [] }));
    // Bob is shown out: what he looked at goes from his wall, and nothing more is painted for him.
    assert_eq!(lab.ann.send("DELETE", &format!("/api/workspaces/{id}/guests/bob"), "").await.status, 204);
    again.until("nobody is on it", |wall| wall.order.is_empty()).await;
    seat.type_in("echo secret\r").await;
    wall.until("what was typed then", |wall| wall.shows(&terminal, "secret")).await;
    assert_eq!(lab.ann.send("DELETE", &format!("/api/terminals/{terminal}"), "").await.status, 204);
    wall.until("its end", |wall| wall.people[&id].terminals.is_empty()).await;
    for other in [&mut again, &mut nobody] {
        while let Ok(Ok(())) = tokio::time::timeout(std::time::Duration::from_millis(100), other.hear()).await {}
        assert!(!other.shows(&terminal, "secret"));
    }
}

#[tokio::test]
async fn who_watches_may_join_and_ask_to_drive() {
    let (lab, id, terminal) = with_shell().await;
    let shown = |sender: &Sender| {
        let (sender, path) = (sender.clone(), format!("/api/terminals/{terminal}"));
        async move { sender.get(&path).await }
    };
    assert_eq!(shown(&lab.bob).await.json()["right"], "viewer", "a guest who looks");
    assert_eq!(shown(&lab.carl).await.json()["right"], "driver", "a guest who helps");
    assert_eq!(shown(&lab.eve).await.status, 404);
    let listed = lab.carl.get("/api/terminals").await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let carl = lab.cluster.user("carl").await;
    let mut seat = Seat::take(&carl, &terminal).await;
    assert_eq!(lab.ann.send("DELETE", &format!("/api/workspaces/{id}/guests/carl"), "").await.status, 204);
    assert!(matches!(seat.end().await, SocketEnd::Closed(4403, _)), "whose right is gone is shown out");
    assert_eq!(shown(&lab.carl).await.status, 404);
}

/// What stands in the store at a key is another thing from now on.
async fn write(lab: &Lab, key: &str, record: &Value) {
    let controller = lab.cluster.controller();
    let revision = controller.store().put_json(key, record).await.unwrap();
    controller.reached(revision).await;
}

#[tokio::test]
async fn who_gives_a_course_watches_its_students_at_its_labs() {
    let lab = Lab::open(0).await;
    lab.describe("lab", "shared").await;
    let id = lab.workspace().await;
    let key = format!("{}lab", pierhead_controller::keys::ENVIRONMENTS);
    let (mut environment, _) = lab.cluster.controller().store().get_json::<Value>(&key).await.unwrap().unwrap();
    environment["lab"] = json!("shell-basics");
    write(&lab, &key, &environment).await;
    let dan = Sender::user(&lab.cluster, "dan").await;
    let course = |labs: Value| json!({ "id": "cs", "title": "CS", "teachers": ["eve"], "assistants": ["dan"], "labs": labs, "created_at": 1 });
    let (courses, enrolments) = (pierhead_controller::keys::COURSES, pierhead_controller::keys::ENROLMENTS);
    let (courses, enrolments) = (format!("{courses}cs"), format!("{enrolments}cs"));
    write(&lab, &courses, &course(json!([{ "lab": "shell-basics" }]))).await;
    let may = |sender: &Sender| {
        let sender = sender.clone();
        async move { sender.get("/api/wall").await.json()["people"][0]["may"].clone() }
    };
    assert_eq!(may(&lab.eve).await, Value::Null, "Ann does not take the course");
    write(&lab, &enrolments, &json!({ "students": { "ann": { "since": 1 }, "bob": { "since": 1 } } })).await;
    assert_eq!((may(&lab.eve).await, may(&dan).await), (json!("lead"), json!("help")));
    assert_eq!(may(&lab.bob).await, json!("look"), "a guest, whom taking the course gives nothing");
    let told = lab.eve.send("POST", "/api/messages", r#"{"text":"Hello"}"#).await;
    assert_eq!(told.json()["messages"][0]["people"], json!(1));
    assert_eq!(dan.send("POST", "/api/messages", r#"{"text":"Hello"}"#).await.status, 409, "assistants help");
    let stopped = lab.eve.send("POST", "/api/wall/change", r#"{"change":"stop"}"#).await.json();
    assert_eq!((&stopped["done"], &stopped["people"][0]["workspace"]), (&json!(1), &json!(id)));
    write(&lab, &courses, &course(json!([{ "lab": "another" }]))).await;
    assert_eq!((may(&lab.eve).await, may(&dan).await), (Value::Null, Value::Null), "it is no lab of theirs");
}

#[tokio::test]
async fn hands_are_a_queue() {
    let lab = Lab::open(0).await;
    lab.describe("lab", "shared").await;
    let first = lab.workspace().await;
    let second = lab.begin(&lab.eve, "environment", "lab").await.json()["id"].as_str().unwrap().to_owned();
    let hand = |id: &str| format!("/api/workspaces/{id}/hand");
    let raised = lab.eve.send("PUT", &hand(&second), r#"{"question":" How? "}"#).await;
    assert_eq!((raised.status, &raised.json()["question"]), (200, &json!("How?")));
    assert_eq!(lab.carl.send("PUT", &hand(&first), "{}").await.status, 200, "whoever works there");
    for (sender, id, status) in [(&lab.bob, &first, 403), (&lab.bob, &second, 404), (&lab.ann, &second, 404)] {
        assert_eq!(sender.send("PUT", &hand(id), "{}").await.status, status);
        assert_eq!(sender.send("DELETE", &hand(id), "").await.status, status);
    }
    let queue = |answer: Value| -> Vec<String> {
        answer["hands"].as_array().unwrap().iter().map(|hand| hand["workspace"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(queue(lab.admin.get("/api/hands").await.json()), [second.clone(), first.clone()]);
    assert_eq!(queue(lab.bob.get("/api/hands").await.json()), std::slice::from_ref(&first));
    let again = lab.eve.send("PUT", &hand(&second), r#"{"question":"Why?"}"#).await.json();
    assert_eq!((&again["question"], &again["raised_at"]), (&json!("Why?"), &raised.json()["raised_at"]));
    let wall = lab.admin.get("/api/wall").await.json();
    let people = wall["people"].as_array().unwrap();
    assert_eq!(
        (&people[0]["workspace"], &people[0]["question"]),
        (&json!(second), &json!("Why?")),
        "the longest first"
    );
    assert!(people.iter().all(|person| person["reasons"][0] == "hand" && person["stuck"].as_u64() >= Some(1000)));
    assert_eq!(lab.admin.send("DELETE", &hand(&second), "").await.status, 204);
    assert_eq!(lab.ann.send("DELETE", &hand(&first), "").await.status, 204, "the owner needs no help for it any more");
    assert_eq!(lab.ann.send("DELETE", &hand(&first), "").await.status, 204, "once more changes nothing");
    assert_eq!(queue(lab.admin.get("/api/hands").await.json()), [] as [String; 0]);
    let log = lab.admin.get("/api/events?count=1000").await.text;
    assert!(log.contains("raise-hand") && log.contains("answered=eve") && !log.contains("Why?"), "{log}");
}

#[tokio::test]
async fn a_message_is_shown_to_each_until_they_have_read_it() {
    let (lab, _, _) = with_shell().await;
    let eves = lab.begin(&lab.eve, "environment", "lab").await.json()["id"].as_str().unwrap().to_owned();
    let messages = |sender: &Sender| {
        let sender = sender.clone();
        async move { sender.get("/api/messages").await.json()["messages"].as_array().unwrap().clone() }
    };
    let sent = lab.admin.send("POST", "/api/messages", r#"{"text":"A break\nuntil ten"}"#).await;
    let sent = sent.json()["messages"][0].clone();
    assert_eq!((&sent["people"], &sent["read"]), (&json!(2), &json!(0)));
    let id = sent["id"].as_str().unwrap().to_owned();
    let told = messages(&lab.eve).await;
    assert_eq!((told.len(), &told[0]["text"], &told[0]["people"]), (1, &json!("A break\nuntil ten"), &Value::Null));
    let read = json!({ "messages": [id, "of-nobody"] }).to_string();
    assert_eq!(lab.bob.send("POST", "/api/messages/read", read.clone()).await.status, 204);
    assert_eq!(messages(&lab.admin).await[0]["read"], json!(0), "it is not for him");
    for _ in 0..2 {
        assert_eq!(lab.eve.send("POST", "/api/messages/read", read.clone()).await.status, 204);
    }
    assert!(messages(&lab.eve).await.is_empty());
    assert_eq!((messages(&lab.ann).await.len(), &messages(&lab.admin).await[0]["read"]), (1, &json!(1)));
    let only = json!({ "text": "You too", "workspaces": [eves] }).to_string();
    assert_eq!(lab.admin.send("POST", "/api/messages", only).await.status, 201);
    assert_eq!((messages(&lab.eve).await.len(), messages(&lab.ann).await.len()), (1, 1));
    for (sender, body) in [(&lab.eve, r#"{"text":"x"}"#), (&lab.bob, r#"{"text":"x"}"#), (&lab.ann, r#"{"text":"x"}"#)]
    {
        let refused = sender.send("POST", "/api/messages", body).await;
        assert_eq!((refused.status, refused.refusal().code.as_str()), (409, "nobody"), "nobody here is led by them");
    }
    let log = lab.admin.get("/api/events?count=1000").await.text;
    assert!(log.contains("send-message") && !log.contains("until ten"), "{log}");
}

#[tokio::test]
async fn a_terminal_is_shown_to_a_whole_class() {
    let (lab, _, terminal) = with_shell().await;
    let eves = lab.begin(&lab.eve, "environment", "lab").await;
    assert_eq!(eves.status, 201);
    let container = lab.ann.get(&format!("/api/terminals/{terminal}")).await.json()["container"].clone();
    let opened = lab.admin.post(&format!("/api/containers/{}/terminals", container.as_str().unwrap()), "{}").await;
    let own = opened.json()["id"].as_str().unwrap().to_owned();
    let body = |id: &str| json!({ "text": "Look here", "terminal": id }).to_string();
    let refused = lab.admin.send("POST", "/api/messages", body(&terminal)).await;
    assert_eq!(refused.refusal().field.as_deref(), Some("terminal"), "it is not the sender's own");
    assert_eq!(lab.eve.get(&format!("/api/terminals/{own}")).await.status, 404);
    assert_eq!(lab.admin.send("POST", "/api/messages", body(&own)).await.status, 201);
    assert_eq!(lab.eve.get(&format!("/api/terminals/{own}")).await.json()["right"], "viewer");
    assert_eq!(lab.eve.get("/api/messages").await.json()["messages"][0]["terminal"], json!(own));
}

#[tokio::test]
async fn a_class_stands_still_until_its_teacher_lets_it_go_on() {
    let (lab, id, terminal) = with_shell().await;
    let change = async |change: &str| {
        let body = json!({ "change": change, "workspaces": [id] }).to_string();
        lab.admin.send("POST", "/api/wall/change", body).await.json()["done"].clone()
    };
    let container = lab.ann.get(&format!("/api/terminals/{terminal}")).await.json()["container"].clone();
    let container = container.as_str().unwrap().to_owned();
    let frozen = async || lab.cluster.host(0).look().iter().any(|found| found.state == ContainerState::Paused);
    assert_eq!(change("pause").await, json!(1));
    assert_eq!(lab.phase(&id).await, "paused");
    eventually(PATIENCE, "it is frozen", frozen).await;
    let message = lab.ann.get(&format!("/api/workspaces/{id}")).await.json()["message"].clone();
    assert!(message.as_str().unwrap().contains("stands still"), "{message}");
    let refused = lab.ann.post(&format!("/api/containers/{container}/terminals"), "{}").await;
    assert_eq!((refused.status, refused.refusal().code.as_str()), (409, "workspace_state"), "{refused:?}");
    let files = lab.ann.get(&format!("/api/workspaces/{id}/files?path=/")).await;
    assert_eq!(files.status, 409, "{files:?}");
    assert_eq!(change("pause").await, json!(1), "once more changes nothing");
    assert_eq!(change("extend").await, Value::Null, "without minutes");
    // It is saved where it stands.
    assert_eq!(change("save").await, json!(1));
    eventually(PATIENCE, "a save", async || {
        let saves = lab.ann.get("/api/saves").await.json();
        saves.as_array().map(Vec::len) == Some(1) && lab.phase(&id).await == "paused"
    })
    .await;
    assert_eq!(change("resume").await, json!(1));
    eventually(PATIENCE, "it goes on", async || lab.phase(&id).await == "ready" && !frozen().await).await;
    let mut seat = Seat::take(&lab.cluster.user("ann").await, &terminal).await;
    seat.type_in("echo on\r").await;
    assert_eq!(lab.ann.post(&format!("/api/containers/{container}/terminals"), "{}").await.status, 201);
    let log = lab.admin.get("/api/events?count=1000").await.text;
    assert!(log.contains("pause-workspace") && log.contains("resume-workspace"), "{log}");
    assert_eq!(change("stop").await, json!(1));
    eventually(PATIENCE, "it is saved", async || lab.phase(&id).await == "saved").await;
    assert_eq!((change("pause").await, change("resume").await), (json!(0), json!(1)), "nothing of it is there");
    assert_eq!(change("start").await, json!(1));
    eventually(PATIENCE, "it runs", async || lab.phase(&id).await == "ready").await;
}

#[tokio::test]
async fn the_same_is_done_for_many_and_each_is_told_of() {
    let (lab, id, _) = with_shell().await;
    let eves = lab.begin(&lab.eve, "environment", "lab").await.json()["id"].as_str().unwrap().to_owned();
    eventually(PATIENCE, "both run", async || {
        lab.eve.get(&format!("/api/workspaces/{eves}")).await.json()["phase"] == "ready"
    })
    .await;
    // Hers lasts almost as long as one can already.
    let long = lab.eve.post(&format!("/api/workspaces/{eves}/extend"), r#"{"minutes":9800}"#).await;
    assert_eq!(long.status, 200, "{long:?}");
    let change = |sender: &Sender, body: Value| {
        let sender = sender.clone();
        async move { sender.send("POST", "/api/wall/change", body.to_string()).await }
    };
    let before = lab.record(&id).await.extended_minutes;
    let extended = change(&lab.admin, json!({ "change": "extend", "minutes": 300 })).await.json();
    assert_eq!(extended["done"], 1);
    let people = extended["people"].as_array().unwrap();
    assert_eq!((&people[0]["owner"], &people[0]["done"]), (&json!("ann"), &json!(true)));
    assert_eq!((&people[1]["owner"], &people[1]["code"]), (&json!("eve"), &json!("invalid")));
    assert_eq!(lab.record(&id).await.extended_minutes, before + 300);
    let state = snapshot(&lab.cluster).await;
    for sender in [&lab.carl, &lab.bob, &lab.ann] {
        let refused = change(sender, json!({ "change": "stop", "workspaces": [id] })).await;
        assert_eq!((refused.status, refused.refusal().code.as_str()), (409, "nobody"), "only who leads others");
    }
    for (body, field) in [
        (json!({ "change": "destroy" }), "change"),
        (json!({ "change": "extend" }), "minutes"),
        (json!({ "change": "stop", "workspaces": [] }), "workspaces"),
        (json!({ "change": "stop", "environment": "No Name" }), "environment"),
    ] {
        let refused = change(&lab.admin, body).await;
        assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some(field)));
    }
    assert_eq!(snapshot(&lab.cluster).await, state);
    assert_eq!(change(&lab.admin, json!({ "change": "stop", "workspaces": [id] })).await.json()["done"], 1);
    eventually(PATIENCE, "it stops", async || lab.phase(&id).await != "ready").await;
}

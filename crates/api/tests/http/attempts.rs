//! Attempts at labs: begun, worked through, taken back, moved, and seen by nobody else. The hosts are fakes, whose shells know
//! `exit`, `echo`, and `hang`, which goes on for ever.

use crate::lab::Lab;
use crate::raw::{Answer, Sender};
use pierhead_testkit::{PATIENCE, eventually};
use serde_json::{Value, json};

const HEAD: &str = "title: Shell {{n}}\ncontainers:\n  - {name: main, image: \"pierhead/sample:1\"}\nlanguages: [en, de]\n\
    variables: {n: {value: \"7\"}, word: {letters: 12}}\n";
const FIRST: &str = "---\nsetup: [{run: echo ready}]\nchecks:\n  - {name: good, title: \"Good {{n}}\", run: exit 0, score: 2}\n\
    \x20 - {name: bad, run: \"exit {{n}}\", hints: [{exit: 7, text: \"Seven is {{n}}\"}, {text: no}]}\n\
    \x20 - {name: slow, run: hang, timeout_seconds: 1, hints: [{timeout: true, text: Too slow}]}\n\
    solution: /solve.sh\n---\n# First {{n}}\n\nYour word is `{{word}}`{copy}.\n\n![a picture](/a.png)\n\n> [!HINT] one\n> Look.\n";
const SECOND: &str = "---\nchecks: [{name: on, run: exit 0, continuous: true, every_seconds: 1}]\n---\n# Second\n\n\
    ```quiz name=q score=3\nWhich?\n- [ ] a\n- [x] b\n> It is **b**.\n```\n\n```quiz name=t\nHow many?\n= {{n}}\n```\n";
const GERMAN: &str = "# Erstens\n";

/// Ann's lab, published and open to all; carl works through it.
pub struct Bed {
    pub lab: Lab,
    pub carl: Sender,
}

async fn put(ann: &Sender, path: &str, content: impl Into<Vec<u8>>) {
    let answer = ann.send("PUT", &format!("/api/labs/shell/files/content?path={path}"), content).await;
    assert!(matches!(answer.status, 200 | 201), "{path}: {answer:?}");
}

async fn publish(ann: &Sender) {
    let published = ann.post("/api/labs/shell/publish", "{}").await;
    assert_eq!(published.status, 200, "{published:?}");
}

impl Bed {
    pub async fn set() -> Self {
        let lab = Lab::open(1).await;
        let made = lab.ann.post("/api/labs", r#"{"id":"shell","visibility":"shared"}"#).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(
            lab.ann.send("DELETE", "/api/labs/shell/files/content?path=steps/01-first.md", "").await.status,
            204
        );
        for (path, content) in [
            ("lab.yaml", HEAD),
            ("steps/1.md", FIRST),
            ("steps/1.de.md", GERMAN),
            ("steps/2.md", SECOND),
            ("a.png", "no real picture"),
            ("solve.sh", "exit 0"),
        ] {
            put(&lab.ann, path, content).await;
        }
        publish(&lab.ann).await;
        let carl = lab.carl.clone();
        Self { lab, carl }
    }

    pub async fn begin(&self) -> Value {
        let begun = self.carl.post("/api/labs/shell/attempts", "{}").await;
        assert_eq!(begun.status, 201, "{begun:?}");
        begun.json()
    }

    pub async fn view(&self, id: &str) -> Value {
        self.carl.get(&format!("/api/attempts/{id}")).await.json()
    }

    /// Waits until the step can be checked.
    async fn is_prepared(&self, id: &str, step: usize) {
        eventually(PATIENCE, "the step is prepared", async || {
            let now = self.view(id).await;
            now["phase"] == "ready" && now["steps"][step]["preparing"] == false
        })
        .await;
    }

    async fn post(&self, id: &str, verb: &str, body: Value) -> Answer {
        self.carl.post(&format!("/api/attempts/{id}/{verb}"), &body.to_string()).await
    }

    pub async fn done(&self, id: &str, verb: &str, body: Value) -> Value {
        let answer = self.post(id, verb, body).await;
        assert_eq!(answer.status, 200, "{verb}: {answer:?}");
        answer.json()
    }

    pub async fn step(&self, id: &str, step: u32) -> Value {
        let answer =
            self.carl.send("PUT", &format!("/api/attempts/{id}/step"), json!({ "step": step }).to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

pub fn id_of(view: &Value) -> String {
    view["id"].as_str().unwrap_or_else(|| panic!("{view}")).to_owned()
}

#[tokio::test]
async fn an_attempt_is_begun_once_and_worked_through() {
    let bed = Bed::set().await;
    let begun = bed.begin().await;
    let id = id_of(&begun);
    assert_eq!(
        (begun["title"].as_str(), begun["version"].as_u64(), begun["most"].as_u64()),
        (Some("Shell 7"), Some(1), Some(9))
    );
    assert_eq!(
        (begun["languages"].clone(), begun["terminals"][0]["name"].as_str()),
        (json!(["en", "de"]), Some("main"))
    );
    let again = bed.begin().await;
    assert_eq!((id_of(&again), &again["workspace"]), (id.clone(), &begun["workspace"]));
    bed.is_prepared(&id, 0).await;
    let checked = bed.done(&id, "steps/0/checks", json!({})).await;
    let results: Vec<_> = checked["steps"][0]["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            (
                check["title"].as_str().unwrap(),
                check["state"].as_str().unwrap(),
                check["hint"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(results, [("Good 7", "passed", ""), ("bad", "failed", "Seven is 7"), ("slow", "timed-out", "Too slow")]);
    assert_eq!((checked["score"].as_u64(), checked["steps"][0]["done"].as_bool()), (Some(2), Some(false)));
    let opened = bed.done(&id, "steps/0/hints/0", json!({})).await;
    assert_eq!(opened["steps"][0]["hints_opened"], json!([0]));
    // The second step is checked by itself.
    bed.step(&id, 1).await;
    eventually(PATIENCE, "the check that goes on has passed", async || {
        bed.view(&id).await["steps"][1]["checks"][0]["state"] == "passed"
    })
    .await;
    let wrong = bed.done(&id, "steps/1/quizzes/q", json!({ "answer": [0] })).await;
    assert_eq!(wrong["steps"][1]["quizzes"][0]["right"], false);
    let right = bed.done(&id, "steps/1/quizzes/q", json!({ "answer": [1] })).await;
    let quiz = &right["steps"][1]["quizzes"][0];
    assert_eq!((quiz["score"].as_u64(), quiz["tries"].as_u64(), &quiz["answer"]), (Some(3), Some(2), &json!([1])));
    assert!(quiz["explanation"].as_str().unwrap().contains("<strong>b</strong>"), "{quiz}");
    let typed = bed.done(&id, "steps/1/quizzes/t", json!({ "answer": ["7"] })).await;
    assert_eq!((typed["steps"][1]["done"].as_bool(), typed["score"].as_u64()), (Some(true), Some(7)), "{typed}");
    assert!(typed["done_at"].is_null(), "the first step is not done");
    // What happened is in the log, and nobody's values are.
    let events = Sender::admin(&bed.lab.cluster).get("/api/events?limit=200").await.text;
    for kind in ["attempt-begun", "attempt-check", "attempt-answer", "attempt-hint", "attempt-step"] {
        assert!(events.contains(kind), "{kind}");
    }
    let word = bed.carl.get(&format!("/api/attempts/{id}/pages/0")).await.json()["blocks"][0]["code"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(word.len() == 12 && !events.contains(&word), "{word}");
}

#[tokio::test]
async fn pages_hold_ones_own_values_and_files_are_those_that_they_show() {
    let bed = Bed::set().await;
    let carls = id_of(&bed.begin().await);
    let bobs = bed.lab.bob.post("/api/labs/shell/attempts", r#"{"language":"de"}"#).await.json();
    let page = async |sender: &Sender, id: &str, more: &str| {
        sender.get(&format!("/api/attempts/{id}/pages/0{more}")).await.json()
    };
    let (one, other) = (page(&bed.carl, &carls, "").await, page(&bed.lab.bob, &id_of(&bobs), "?language=en").await);
    assert_eq!(one["title"], "First 7");
    assert_ne!(one["blocks"][0]["code"], other["blocks"][0]["code"], "each has a word of their own");
    assert_eq!(one["blocks"], page(&bed.carl, &carls, "").await["blocks"], "and it stays");
    assert_eq!(page(&bed.lab.bob, &id_of(&bobs), "").await["title"], "Erstens");
    assert_eq!((one["checks"][0]["title"].as_str(), one["checks"].as_array().unwrap().len()), (Some("Good 7"), 3));
    assert!(!one.to_string().contains("exit 0"), "scripts are nobody's to read");
    let file = async |path: &str| bed.carl.get(&format!("/api/attempts/{carls}/files?path={path}")).await;
    let picture = file("a.png").await;
    assert_eq!((picture.status, picture.text.as_str()), (200, "no real picture"));
    for hidden in ["solve.sh", "steps/1.md", "lab.yaml", "../lab.yaml", "nothing.png"] {
        assert_eq!(file(hidden).await.status, 404, "{hidden}");
    }
}

#[tokio::test]
async fn an_attempt_is_its_accounts_own() {
    let bed = Bed::set().await;
    let id = id_of(&bed.begin().await);
    let (bob, admin) = (&bed.lab.bob, Sender::admin(&bed.lab.cluster));
    assert_eq!(admin.get(&format!("/api/attempts/{id}")).await.json()["account"], "carl");
    for (method, path, body) in [
        ("GET", String::new(), ""),
        ("DELETE", String::new(), ""),
        ("GET", "/pages/0".to_owned(), ""),
        ("GET", "/files?path=a.png".to_owned(), ""),
        ("PUT", "/step".to_owned(), r#"{"step":1}"#),
        ("POST", "/steps/0/checks".to_owned(), "{}"),
        ("POST", "/steps/1/quizzes/q".to_owned(), r#"{"answer":[1]}"#),
        ("POST", "/steps/0/hints/0".to_owned(), "{}"),
        ("POST", "/reset".to_owned(), "{}"),
        ("POST", "/workspace".to_owned(), "{}"),
        ("POST", "/move".to_owned(), "{}"),
    ] {
        let path = format!("/api/attempts/{id}{path}");
        assert_eq!(bob.send(method, &path, body).await.status, 404, "{method} {path}");
    }
    assert_eq!(bob.get("/api/attempts?all=true").await.json(), json!([]));
    assert_eq!(admin.get("/api/attempts").await.json(), json!([]), "one's own, unless all are asked for");
    assert_eq!(admin.get("/api/attempts?all=true&lab=shell").await.json()[0]["account"], "carl");
    // A lab that is not open to somebody can't be begun.
    assert_eq!(bed.lab.ann.send("PUT", "/api/labs/shell", r#"{"visibility":"private"}"#).await.status, 200);
    assert_eq!(bob.post("/api/labs/shell/attempts", "{}").await.status, 404);
    assert_eq!(bed.view(&id).await["version"], 1, "who has begun goes on");
    assert_eq!(bed.carl.send("DELETE", &format!("/api/attempts/{id}"), "").await.status, 204);
    assert_eq!(bed.carl.get(&format!("/api/attempts/{id}")).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let bed = Bed::set().await;
    for (body, field) in [(r#"{"language":"fr"}"#, "language"), (r#"{"lang":"de"}"#, "lang")] {
        let refused = bed.carl.post("/api/labs/shell/attempts", body).await;
        assert_eq!((refused.status, refused.refusal().field.as_deref()), (400, Some(field)), "{refused:?}");
    }
    let id = id_of(&bed.begin().await);
    bed.is_prepared(&id, 0).await;
    for (verb, body, status) in [
        ("steps/9/checks", json!({}), 404),
        ("steps/x/checks", json!({}), 400),
        ("steps/0/checks", json!({ "name": "none" }), 404),
        ("steps/1/quizzes/none", json!({ "answer": [0] }), 404),
        ("steps/1/quizzes/q", json!({ "answer": [2] }), 400),
        ("steps/1/quizzes/q", json!({ "answer": ["b"] }), 400),
        ("steps/1/quizzes/t", json!({ "answer": [0] }), 400),
        ("steps/0/hints/1", json!({}), 404),
        ("reset", json!({ "step": 9 }), 404),
    ] {
        assert_eq!(bed.post(&id, verb, body.clone()).await.status, status, "{verb} {body}");
    }
    // Without an environment nothing is checked, and it can be started again.
    let workspace = bed.view(&id).await["workspace"].as_str().unwrap().to_owned();
    let ended = bed.carl.send("DELETE", &format!("/api/workspaces/{workspace}?discard=true"), "").await;
    assert_eq!(ended.status, 204, "{ended:?}");
    assert_eq!(bed.post(&id, "steps/0/checks", json!({})).await.refusal().code, "attempt_state");
    let opened = bed.done(&id, "workspace", json!({})).await;
    assert_ne!(opened["workspace"], json!(workspace));
    bed.is_prepared(&id, 0).await;
    assert_eq!(bed.done(&id, "steps/0/checks", json!({ "name": "good" })).await["score"], 2);
}

#[tokio::test]
async fn a_step_and_all_are_taken_back_and_a_newer_version_keeps_what_is_the_same() {
    let bed = Bed::set().await;
    let id = id_of(&bed.begin().await);
    bed.is_prepared(&id, 0).await;
    bed.done(&id, "steps/0/checks", json!({ "name": "good" })).await;
    bed.done(&id, "steps/1/quizzes/q", json!({ "answer": [1] })).await;
    put(&bed.lab.ann, "steps/2.md", SECOND.replace("Which?", "Which one?")).await;
    publish(&bed.lab.ann).await;
    let before = bed.view(&id).await;
    assert_eq!(
        (before["version"].as_u64(), before["newest_version"].as_u64(), before["score"].as_u64()),
        (Some(1), Some(2), Some(5))
    );
    let moved = bed.done(&id, "move", json!({})).await;
    assert_eq!(
        (moved["version"].as_u64(), moved["score"].as_u64()),
        (Some(2), Some(2)),
        "the question is another one now"
    );
    assert_eq!(moved["workspace"], before["workspace"], "the environment is the same");
    let back = bed.done(&id, "reset", json!({ "step": 0 })).await;
    assert_eq!((back["score"].as_u64(), back["workspace"] == before["workspace"]), (Some(0), true));
    bed.is_prepared(&id, 0).await;
    bed.done(&id, "steps/0/checks", json!({ "name": "good" })).await;
    eventually(PATIENCE, "it may be reset", async || bed.post(&id, "reset", json!({})).await.status == 200).await;
    let anew = bed.view(&id).await;
    assert_eq!(
        (anew["score"].as_u64(), anew["step"].as_u64(), anew["steps"][1]["seen"].as_bool()),
        (Some(0), Some(0), Some(false))
    );
    bed.is_prepared(&id, 0).await;
    // Another environment: the old workspace is saved, and there is a new one.
    put(&bed.lab.ann, "lab.yaml", HEAD.replace("main,", "main, memory: 32,")).await;
    publish(&bed.lab.ann).await;
    let moved = bed.done(&id, "move", json!({})).await;
    assert_ne!(moved["workspace"], before["workspace"]);
    bed.is_prepared(&id, 0).await;
}

#[tokio::test]
async fn an_author_runs_what_the_draft_says() {
    let bed = Bed::set().await;
    let opened = bed.lab.ann.post("/api/labs/shell/workspace", "").await;
    assert!(matches!(opened.status, 200 | 201), "{opened:?}");
    let workspace = id_of(&opened.json());
    let run = async |sender: &Sender, body: Value| sender.post("/api/labs/shell/checks", &body.to_string()).await;
    eventually(PATIENCE, "the workspace is ready", async || {
        run(&bed.lab.ann, json!({ "workspace": workspace, "run": "setup" })).await.status == 200
    })
    .await;
    let results = run(&bed.lab.ann, json!({ "workspace": workspace, "step": 0 })).await.json();
    let states: Vec<_> =
        results["results"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["passed", "failed", "timed-out"], "{results}");
    let setup = run(&bed.lab.ann, json!({ "workspace": workspace, "run": "setup" })).await.json();
    assert_eq!(setup["results"][0]["said"], "ready\n", "{setup}");
    let solved = run(&bed.lab.ann, json!({ "workspace": workspace, "run": "solution", "step": 0 })).await.json();
    assert_eq!(
        (solved["results"][0]["name"].as_str(), solved["results"][0]["exit"].as_i64()),
        (Some("solve.sh"), Some(0))
    );
    for (sender, body, status) in [
        (&bed.lab.ann, json!({ "workspace": workspace, "run": "all" }), 400),
        (&bed.lab.ann, json!({ "workspace": workspace, "step": 7 }), 404),
        (&bed.lab.ann, json!({ "workspace": "aaaaaaaaaa" }), 404),
        (&bed.carl, json!({ "workspace": workspace }), 403),
    ] {
        assert_eq!(run(sender, body.clone()).await.status, status, "{body}");
    }
}

//! Callers of every kind, and things of their own that they may ask for.

use crate::openapi::Operation;
use crate::raw::Sender;
use pierhead_controller::keys;
use pierhead_model::{
    AttemptId, CourseId, Digest, Enrolments, EnvironmentId, KeptRecording, LabAttempt, LabId, Permission, Role, Save,
    SaveId, SaveState, TerminalId, Timestamp, Username, Workspace, WorkspaceId,
};
use pierhead_store::{StoreJson, Transaction};
use pierhead_testkit::{Cluster, ClusterOptions};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PASSWORD: &str = "correct horse battery";
/// Who owns what is not the caller's.
const OTHER: &str = "olga";
/// What the engine, the role and the account are called that are there to be asked about; they have no owners.
const SPARE: &str = "spare";
const REGISTRY: &str = "spare.example:5000";

/// Who asks; nobody in particular without a name.
#[derive(Clone)]
pub struct Caller {
    pub role: &'static str,
    pub name: &'static str,
    permissions: BTreeSet<&'static str>,
}

impl Caller {
    pub fn may(&self, permission: &str) -> bool {
        self.permissions.contains(permission)
    }
}

/// What somebody owns.
#[derive(Clone)]
struct Things {
    container: String,
    operation: String,
    token: String,
    terminal: String,
    workspace: String,
    save: String,
    attempt: String,
}

/// A pool with callers, each of whom owns an app, an operation, an image and a token.
pub struct Stage {
    cluster: Cluster,
    admin: Sender,
    tokens: BTreeMap<&'static str, String>,
    things: BTreeMap<&'static str, Things>,
}

fn callers() -> Vec<Caller> {
    let [admin, user, teacher, _, student] = Role::built_in();
    let of = |permissions: &BTreeSet<Permission>| permissions.iter().map(|one| one.as_str()).collect();
    let reads = Permission::ALL.map(Permission::as_str).into_iter().filter(|name| name.starts_with("read-"));
    vec![
        Caller { role: "anonymous", name: "", permissions: BTreeSet::new() },
        Caller { role: "nothing", name: "noel", permissions: BTreeSet::new() },
        Caller { role: "reader", name: "rita", permissions: reads.collect() },
        Caller { role: "student", name: "stan", permissions: of(&student.permissions) },
        Caller { role: "teacher", name: "tess", permissions: of(&teacher.permissions) },
        Caller { role: "user", name: "ann", permissions: of(&user.permissions) },
        Caller { role: "admin", name: "adam", permissions: of(&admin.permissions) },
    ]
}

impl Stage {
    /// Makes all of it.
    pub async fn set() -> Self {
        let cluster = Cluster::start(ClusterOptions { hosts: 2, ..ClusterOptions::default() }).await;
        let admin = Sender::admin(&cluster);
        let mut stage = Self { cluster, admin, tokens: BTreeMap::new(), things: BTreeMap::new() };
        for caller in callers().iter().filter(|caller| ["nothing", "reader"].contains(&caller.role)) {
            let role = json!({ "name": caller.role, "permissions": caller.permissions });
            assert_eq!(stage.admin.post("/api/roles", &role.to_string()).await.status, 204);
        }
        stage.furnish().await;
        for name in callers().iter().map(|caller| caller.name).filter(|name| !name.is_empty()).chain([OTHER]) {
            stage.tokens.insert(name, stage.cluster.user_token(name).await);
            stage.make(name).await;
        }
        stage
    }

    pub fn callers(&self) -> Vec<Caller> {
        callers()
    }

    fn sender(&self, name: &str) -> Sender {
        let nobody = Sender::nobody(&self.cluster);
        self.tokens.get(name).map_or_else(|| nobody.clone(), |token| nobody.clone().token(token))
    }

    async fn give_role(&self, name: &str, role: &str) {
        let change = json!({ "role": { "name": role } }).to_string();
        assert_eq!(self.admin.send("PUT", &format!("/api/account/{name}"), change).await.status, 204);
    }

    /// Makes what has no owner, as far as it is gone.
    async fn furnish(&self) {
        for (path, what) in [
            ("/api/engines", json!({ "id": SPARE, "addr": "http://10.9.9.9:2375" })),
            ("/api/roles", json!({ "name": SPARE, "permissions": ["read-cluster"] })),
            ("/api/account", json!({ "username": SPARE, "password": PASSWORD, "inherit": true })),
            ("/api/registries", json!({ "host": REGISTRY, "username": SPARE, "password": PASSWORD })),
        ] {
            let made = self.admin.post(path, &what.to_string()).await;
            assert!([201, 204, 409].contains(&made.status), "{path}: {made:?}");
        }
        self.give_role(SPARE, "student").await;
        let resumed = self.admin.post(&format!("/api/account/{SPARE}/resume"), "").await.status;
        assert_eq!(resumed, 204);
    }

    /// Makes what somebody owns, anew if it was there; while that is made, they have the role that it takes.
    async fn make(&mut self, name: &'static str) {
        self.end_attempts(name).await;
        let app = app_of(name);
        let lab = format!("/api/labs/{}", lab_of(name));
        for path in [format!("/api/apps/{app}"), format!("/api/images/{}", image_of(name).replace('/', "%2F")), lab] {
            let gone = self.admin.send("DELETE", &path, "").await.status;
            assert!([204, 404].contains(&gone), "{path}: {gone}");
        }
        if self.sender(name).get("/api/tokens").await.status == 401 {
            let log_in = json!({ "username": name, "password": PASSWORD }).to_string();
            let token = self.admin.post("/auth/login", &log_in).await.json()["token"].as_str().unwrap().to_owned();
            self.tokens.insert(name, token);
        }
        self.give_role(name, "user").await;
        let sender = self.sender(name);
        if let Some(things) = self.things.get(name) {
            // Nobody has more than so many.
            let gone = sender.send("DELETE", &format!("/api/tokens/{}", things.token), "").await.status;
            assert!([204, 404].contains(&gone), "{name}: {gone}");
        }
        let image = json!({ "name": pierhead_testkit::SAMPLE, "memory": 16, "cpus": 0.1 }).to_string();
        let ran = sender.post(&format!("/api/containers?app={app}"), &image).await;
        assert_eq!(ran.status, 200, "{name}: {ran:?}");
        let token = sender.post("/api/tokens", r#"{"name":"of a test"}"#).await.json();
        let container = ran.json()[0]["id"].as_str().unwrap().to_owned();
        let opened = sender.post(&format!("/api/containers/{container}/terminals"), "{}").await;
        assert_eq!(opened.status, 201, "{name}: {opened:?}");
        let terminal = opened.json()["id"].as_str().unwrap().to_owned();
        let shared = format!("/api/terminals/{terminal}/guests/{SPARE}");
        assert_eq!(sender.send("PUT", &shared, r#"{"role":"viewer"}"#).await.status, 204, "{name}");
        let archive = pierhead_testkit::image_archive(&[&image_of(name)], name);
        assert!([200, 201].contains(&sender.send("POST", "/api/images", archive).await.status), "{name}");
        self.make_course(&sender, name).await;
        let workspace = self.make_workspace(&sender, name).await;
        let lab = json!({ "id": lab_of(name) }).to_string();
        assert_eq!(sender.post("/api/labs", &lab).await.status, 201, "{name}");
        let step = format!("/api/labs/{}/files/content?path=steps/01-first.md", lab_of(name));
        assert_eq!(sender.send("PUT", &step, STEP).await.status, 200, "{name}");
        self.make_recording(&sender, name).await;
        let published = sender.post(&format!("/api/labs/{}/publish", lab_of(name)), "{}").await;
        assert_eq!(published.status, 200, "{name}: {published:?}");
        let labs = json!({ "labs": [{ "lab": lab_of(name) }] }).to_string();
        assert_eq!(sender.send("PUT", &format!("/api/courses/{}", course_of(name)), labs).await.status, 200, "{name}");
        let role = callers().iter().find(|caller| caller.name == name).map_or("user", |caller| caller.role);
        self.give_role(name, role).await;
        let things = Things {
            container,
            terminal,
            save: self.make_save(&workspace, name).await,
            attempt: self.make_attempt(&workspace, name).await,
            workspace,
            operation: ran.location.unwrap().rsplit('/').next().unwrap().to_owned(),
            token: token["id"].as_str().unwrap().to_owned(),
        };
        self.things.insert(name, things);
    }

    /// Somebody's course, which one student takes.
    async fn make_course(&self, sender: &Sender, name: &'static str) {
        let course = json!({ "id": course_of(name) }).to_string();
        assert!([201, 409].contains(&sender.post("/api/courses", &course).await.status), "{name}");
        let student = json!({ "students": [{ "username": SPARE }] }).to_string();
        let path = format!("/api/courses/{}/students", course_of(name));
        assert_eq!(sender.post(&path, &student).await.status, 204, "{name}");
    }

    /// A recording of that student's work in somebody's course: its record and its bytes.
    async fn make_recording(&self, sender: &Sender, name: &'static str) {
        let controller = self.cluster.controller();
        let path = format!("/api/labs/{}/files/content?path=kept.txt", lab_of(name));
        let file = sender.send("PUT", &path, name).await.json();
        let (course, spare) = (CourseId::parse(course_of(name)).unwrap(), Username::parse(SPARE).unwrap());
        let record = KeptRecording {
            id: TerminalId::parse("kept").unwrap(),
            course: course.clone(),
            lab: LabId::parse(lab_of(name)).unwrap(),
            account: spare.clone(),
            also: BTreeSet::new(),
            attempt: AttemptId::from_random(1),
            submission: None,
            name: String::new(),
            began: Timestamp(1),
            until: Timestamp(2),
            bytes: file["bytes"].as_u64().unwrap(),
            blob: Digest::parse(file["digest"].as_str().unwrap()).unwrap(),
            kept_until: Timestamp(u64::MAX / 2),
            marks: Vec::new(),
        };
        let key = keys::enrolments(&course);
        let (mut enrolments, _) = controller.store().get_json::<Enrolments>(&key).await.unwrap().unwrap();
        enrolments.recorded.insert(spare, Timestamp(1));
        let written = Transaction::new().put_json(key, &enrolments).unwrap();
        let written = written.put_json(keys::recording(&record), &record).unwrap();
        let revision = controller.store().commit(written).await.unwrap();
        controller.reached(revision).await;
    }

    /// Somebody's environment, and a workspace of it, anew if it has ended.
    async fn make_workspace(&self, sender: &Sender, name: &'static str) -> String {
        let environment = environment_of(name);
        let description = json!({ "containers": [{ "image": pierhead_testkit::SAMPLE, "memory": 16, "cpus": 0.1 }] });
        let made = json!({ "name": environment, "description": description }).to_string();
        assert!([201, 409].contains(&sender.post("/api/environments", &made).await.status), "{name}");
        let known = self.things.get(name).map(|things| things.workspace.clone());
        let is_there = match &known {
            Some(id) => sender.get(&format!("/api/workspaces/{id}")).await.json()["phase"] != "ended",
            None => false,
        };
        let id = match known {
            Some(id) if is_there => id,
            _ => {
                let opened = sender.post("/api/workspaces", &json!({ "environment": environment }).to_string()).await;
                assert_eq!(opened.status, 201, "{name}: {opened:?}");
                opened.json()["id"].as_str().unwrap().to_owned()
            }
        };
        self.asked_long_ago(&id).await;
        let shared = format!("/api/workspaces/{id}/guests/{SPARE}");
        assert_eq!(sender.send("PUT", &shared, r#"{"role":"viewer"}"#).await.status, 204, "{name}");
        id
    }

    /// Whoever asks for a reset was not too fast, however fast the test is.
    async fn asked_long_ago(&self, id: &str) {
        let (controller, key) = (self.cluster.controller(), keys::workspace(&WorkspaceId::parse(id).unwrap()));
        let (record, _) = controller.store().get_json::<Workspace>(&key).await.unwrap().unwrap();
        let record = Workspace { asked_at: Timestamp(1), ..record };
        let revision = controller.store().put_json(&key, &record).await.unwrap();
        controller.reached(revision).await;
    }

    /// A save of somebody's workspace: its record, which is all that a host without an agent can have of it.
    async fn make_save(&self, workspace: &str, name: &'static str) -> String {
        let workspace = WorkspaceId::parse(workspace).unwrap();
        let save = Save {
            id: SaveId::of(&workspace, 1),
            workspace,
            owner: Username::parse(name).unwrap(),
            name: "of a test".to_owned(),
            environment: EnvironmentId::parse(environment_of(name)).unwrap(),
            version: 1,
            automatic: false,
            handed_in: false,
            state: SaveState::Complete,
            containers: Vec::new(),
            bytes: 0,
            copies: BTreeSet::new(),
            registry: None,
            moved_bytes: 0,
            created_at: Timestamp(1),
        };
        let controller = self.cluster.controller();
        let written = Transaction::new().put_json(keys::save(&save.id), &save).unwrap();
        let revision = controller.store().commit(written).await.unwrap();
        controller.reached(revision).await;
        save.id.to_string()
    }

    /// An attempt of somebody at their own lab: its record.
    async fn make_attempt(&self, workspace: &str, name: &'static str) -> String {
        let number = name.bytes().fold(0, |number: u64, byte| number * 31 + u64::from(byte));
        let attempt = LabAttempt {
            id: AttemptId::from_random(number),
            lab: LabId::parse(lab_of(name)).unwrap(),
            version: 1,
            account: Username::parse(name).unwrap(),
            course: None,
            seed: name.to_owned(),
            language: String::new(),
            opened: 1,
            workspace: Some(WorkspaceId::parse(workspace).unwrap()),
            prepared: None,
            step: 0,
            steps: BTreeMap::new(),
            started_at: Timestamp(1),
            // Nobody works at it any more: their lab may be deleted.
            done_at: Some(Timestamp(2)),
        };
        let controller = self.cluster.controller();
        let revision = controller.store().put_json(&keys::attempt(&attempt.id), &attempt).await.unwrap();
        controller.reached(revision).await;
        attempt.id.to_string()
    }

    /// Nobody works at somebody's lab any more: it may be deleted.
    async fn end_attempts(&self, name: &str) {
        let controller = self.cluster.controller();
        for entry in controller.store().list_all(keys::ATTEMPTS).await.unwrap().entries {
            let attempt: LabAttempt = entry.json().unwrap();
            if attempt.lab.as_str() == lab_of(name) && attempt.done_at.is_none() {
                let ended = LabAttempt { done_at: Some(Timestamp(2)), ..attempt };
                let revision = controller.store().put_json(&entry.key, &ended).await.unwrap();
                controller.reached(revision).await;
            }
        }
    }

    /// The status that a caller gets who asks for an operation on what is their own or somebody else's.
    pub async fn ask(&mut self, operation: &Operation, caller: &Caller, is_own: bool) -> u16 {
        let owner = if is_own { caller.name } else { OTHER };
        let owner = if self.things.contains_key(owner) { owner } else { OTHER };
        let path = self.path(operation, owner);
        let body = body(operation, owner);
        let status = self.sender(caller.name).begun(&operation.method, &path, body).await.status().as_u16();
        let is_change = operation.method != "GET" || operation.value["deprecated"] == true;
        if is_change && (200..300).contains(&status) {
            match operation.value["x-owner-unless"].is_string() {
                true => self.make(owner).await,
                false => self.furnish().await,
            }
        }
        status
    }

    /// The path of an operation about what somebody owns, or about what is there where things have no owners.
    fn path(&self, operation: &Operation, owner: &str) -> String {
        let things = &self.things[owner];
        let (app, environment, id) = (app_of(owner), environment_of(owner), format!("{{{}}}", "id"));
        let mut path = operation.path.clone();
        for (prefix, parameter, value) in [
            ("/api/containers/", id.as_str(), things.container.as_str()),
            ("/api/operations/", &id, &things.operation),
            ("/api/terminals/", &id, &things.terminal),
            ("/api/terminals/", "{username}", SPARE),
            ("/api/environments/", &id, &environment),
            ("/api/workspaces/", &id, &things.workspace),
            ("/api/workspaces/", "{username}", SPARE),
            ("/api/workspaces/", "{port}", "8000"),
            ("/api/saves/", &id, &things.save),
            ("/api/labs/", &id, &lab_of(owner)),
            ("/api/labs/", "{version}", "1"),
            ("/api/labs/", "{revision}", "1"),
            ("/api/labs/", "{step}", "0"),
            ("/api/courses/", &id, &course_of(owner)),
            ("/api/courses/", "{username}", SPARE),
            ("/api/courses/", "{lab}", &lab_of(owner)),
            ("/api/courses/", "{recording}", "kept"),
            ("/api/attempts/", &id, &things.attempt),
            ("/api/attempts/", "{step}", "0"),
            ("/api/attempts/", "{name}", "q"),
            ("/api/attempts/", "{hint}", "0"),
            ("/api/tokens/", &id, &things.token),
            ("/api/images/", &id, &image_of(owner).replace('/', "%2F")),
            ("/api/apps/", "{name}", &app),
            ("/api/engines/", &id, SPARE),
            ("/api/cluster/survive/", &id, SPARE),
            ("/api/roles/", "{name}", SPARE),
            ("/api/account/", "{username}", SPARE),
            ("/api/registries/", "{host}", REGISTRY),
        ] {
            if path.starts_with(prefix) {
                path = path.replace(parameter, value);
            }
        }
        let parameters = operation.value["parameters"].as_array().unwrap();
        let mut query = Vec::new();
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            match parameter["in"].as_str() {
                // What is not there would be answered alike to who may ask and who may not.
                Some("path") => assert!(!path.contains(&format!("{{{name}}}")), "nothing is there for {path}"),
                Some("query") if parameter["required"] == true => {
                    query.push(format!("{name}={}", parameter["example"]))
                }
                _ => {}
            }
        }
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }
}

/// A step that asks for something of each kind.
const STEP: &str = "---\nchecks: [{name: q, run: exit 0}]\n---\n# First\n\n> [!HINT] h\n> x\n\n```quiz name=q\nA?\n- [x] a\n- [ ] b\n- [x] c\n```\n";

fn app_of(name: &str) -> String {
    format!("{name}s-app")
}

fn course_of(name: &str) -> String {
    format!("{name}s-course")
}

fn environment_of(name: &str) -> String {
    format!("{name}s-lab")
}

fn lab_of(name: &str) -> String {
    format!("{name}s-doc")
}

fn image_of(name: &str) -> String {
    format!("{name}/image:1")
}

/// The example of the document, made to be about what somebody owns.
fn body(operation: &Operation, owner: &str) -> Vec<u8> {
    let mut body = operation.value["requestBody"]["content"]["application/json"]["example"].clone();
    let image = json!({ "name": pierhead_testkit::SAMPLE, "memory": 16, "cpus": 0.1 });
    match operation.value["operationId"].as_str().unwrap() {
        "log_in" => body = json!({ "username": "admin", "password": PASSWORD }),
        "change_password" => body = json!({ "username": owner, "password": PASSWORD }),
        "run_containers" => body = image,
        "delete_account" => body = json!({ "username": SPARE }),
        "set_role_of_account" => body = json!({ "role": { "name": "user" } }),
        "upload_image" => return pierhead_testkit::image_archive(&[&image_of(owner)], owner),
        "set_app" | "explain_request" => body["image"] = image,
        "open_workspace" => body["environment"] = json!(environment_of(owner)),
        _ => {}
    }
    if body == Value::Null { Vec::new() } else { body.to_string().into_bytes() }
}

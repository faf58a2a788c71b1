//! A pool with environments and workspaces of several people: Ann owns, Bob and Carl are her guests, Eve is nobody.

use crate::raw::{Answer, Sender};
use pierhead_controller::keys;
use pierhead_model::{
    AgentKeys, Capacity, Duty, Engine, EngineId, ImageReference, OverCommit, Save, SaveId, SaveState, SavedFiles,
    Timestamp, Username, Workspace, WorkspaceId,
};
use pierhead_store::StoreJson;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, SAMPLE, agent_address, eventually};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What an environment is made of, with something more.
pub fn description(more: Value) -> Value {
    let mut description = json!({ "containers": [
        { "name": "main", "image": SAMPLE, "cpus": 0.1, "memory": 16, "ports": [8000, 3000] },
    ] });
    let more = more.as_object().unwrap().clone();
    description.as_object_mut().unwrap().extend(more);
    description
}

pub struct Lab {
    pub cluster: Cluster,
    pub admin: Sender,
    pub ann: Sender,
    pub bob: Sender,
    pub carl: Sender,
    pub eve: Sender,
}

impl Lab {
    /// One on whose hosts workspaces run; without hosts, all of them wait.
    pub async fn open(hosts: usize) -> Self {
        let cluster = Cluster::start(ClusterOptions { hosts, ..ClusterOptions::default() }).await;
        for at in 0..hosts {
            let engine = with_agent(at);
            write(&cluster, &keys::engine(&engine.id), &engine).await;
        }
        cluster.all_healthy().await;
        let admin = Sender::admin(&cluster);
        let ann = Sender::user(&cluster, "ann").await;
        let bob = Sender::user(&cluster, "bob").await;
        let carl = Sender::user(&cluster, "carl").await;
        let eve = Sender::user(&cluster, "eve").await;
        Self { cluster, admin, ann, bob, carl, eve }
    }

    /// Ann describes an environment.
    pub async fn describe(&self, name: &str, visibility: &str) {
        let body = json!({ "name": name, "visibility": visibility, "description": description(json!({})) });
        let made = self.ann.post("/api/environments", &body.to_string()).await;
        assert_eq!(made.status, 201, "{made:?}");
    }

    /// A workspace of Ann's; Bob may look and Carl may drive.
    pub async fn workspace(&self) -> String {
        let opened = self.begin(&self.ann, "environment", "lab").await;
        assert_eq!(opened.status, 201, "{opened:?}");
        let id = opened.json()["id"].as_str().unwrap().to_owned();
        for (name, role) in [("bob", "viewer"), ("carl", "driver")] {
            assert_eq!(self.share(&id, name, role).await.status, 204, "{name}");
        }
        id
    }

    pub async fn begin(&self, sender: &Sender, from: &str, id: &str) -> Answer {
        sender.post("/api/workspaces", &json!({ from: id }).to_string()).await
    }

    pub async fn share(&self, id: &str, name: &str, role: &str) -> Answer {
        let path = format!("/api/workspaces/{id}/guests/{name}");
        self.ann.send("PUT", &path, json!({ "role": role }).to_string()).await
    }

    /// Waits until people can work in it.
    pub async fn is_ready(&self, id: &str) {
        eventually(PATIENCE, "the workspace is ready", async || self.phase(id).await == "ready").await;
    }

    pub async fn phase(&self, id: &str) -> String {
        let shown = self.ann.get(&format!("/api/workspaces/{id}")).await;
        shown.json()["phase"].as_str().unwrap_or_default().to_owned()
    }

    /// What is written down of a workspace.
    pub async fn record(&self, id: &str) -> Workspace {
        let key = keys::workspace(&WorkspaceId::parse(id).unwrap());
        self.cluster.controller().store().get_json(&key).await.unwrap().unwrap().0
    }

    pub async fn write_workspace(&self, workspace: &Workspace) {
        write(&self.cluster, &keys::workspace(&workspace.id), workspace).await;
    }

    /// A save of a workspace, as far as it is written down.
    pub async fn save(&self, workspace: &str, number: u32, state: SaveState) -> String {
        let workspace = self.record(workspace).await;
        let id = SaveId::of(&workspace.id, number);
        let files = |container: &pierhead_model::EnvironmentContainer| SavedFiles {
            name: container.name.clone(),
            image: ImageReference::parse(&Save::image(&id, &container.name)).unwrap(),
            image_id: format!("sha256:{}", "0f".repeat(32)),
            base: container.image.clone(),
            base_layers: 1,
            layer_bytes: 10,
        };
        let save = Save {
            id: id.clone(),
            workspace: workspace.id,
            owner: workspace.owner,
            name: format!("number {number}"),
            environment: workspace.environment,
            version: workspace.version,
            automatic: false,
            handed_in: false,
            state,
            containers: workspace.spec.containers.iter().map(files).collect(),
            bytes: 10,
            copies: BTreeSet::from([EngineId::parse("host-9").unwrap()]),
            registry: None,
            moved_bytes: 0,
            created_at: Timestamp(u64::from(number)),
        };
        write(&self.cluster, &keys::save(&id), &save).await;
        id.to_string()
    }

    /// A save is on this host only.
    pub async fn move_save(&self, id: &str, host: &str) {
        let key = keys::save(&SaveId::parse(id).unwrap());
        let (mut save, _): (Save, _) = self.cluster.controller().store().get_json(&key).await.unwrap().unwrap();
        save.copies = BTreeSet::from([EngineId::parse(host).unwrap()]);
        write(&self.cluster, &key, &save).await;
    }
}

/// Writes something down, and waits until the controller knows of it.
async fn write(cluster: &Cluster, key: &str, record: &(impl Serialize + Sync)) {
    let revision = cluster.controller().store().put_json(key, record).await.unwrap();
    cluster.controller().reached(revision).await;
}

/// A host of the pool, reached through its agent: workspaces go to no other.
fn with_agent(at: usize) -> Engine {
    Engine {
        id: EngineId::parse(format!("host-{}", at + 1)).unwrap(),
        addr: agent_address(at),
        labels: BTreeSet::new(),
        capacity: Capacity::default(),
        over_commit: OverCommit::default(),
        duty: Duty::default(),
        given_up: false,
        sealed_tls: None,
        sealed_registry_auth: None,
        agent: Some(AgentKeys::default()),
        registered: None,
        added_at: Timestamp(1),
        added_by: Username::parse("admin").unwrap(),
    }
}

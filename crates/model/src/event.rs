//! Events: what was changed, by whom, and what the engines told.

use crate::{
    App, AppName, ContainerSpec, Engine, EngineFacts, Health, MemberName, ObservedContainer, Timestamp, Username,
};
use serde::{Deserialize, Serialize};

/// One entry of the event log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Unique; later ones sort after earlier ones.
    pub id: String,
    /// What happened: `run-container`, `add-engine`, or a Docker status such as `die`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    pub time: Timestamp,
    /// For a person, in the form `name=clare`, `addr=…`, `id=…`.
    pub message: String,
    /// What it belongs to.
    pub tags: Vec<EventTag>,
    /// The container that it is about, as it then was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Box<ContainerThen>>,
    /// The engine that it is about, as it then was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Box<EngineThen>>,
    /// The app that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Who did it; absent for what Pierhead or an engine did by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Username>,
}

impl Event {
    /// One that is about the pool as a whole, and that nobody asked for.
    #[must_use]
    pub fn of_pool(id: String, time: Timestamp, kind: &str, message: String) -> Self {
        Self {
            id,
            kind: kind.to_owned(),
            time,
            message,
            tags: vec![EventTag::Cluster],
            container: None,
            engine: None,
            app: None,
            actor: None,
        }
    }
}

/// What an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventTag {
    /// A change of the pool or of what runs on it.
    #[serde(rename = "cluster")]
    Cluster,
    /// Accounts, roles, log-ins.
    #[serde(rename = "security")]
    Security,
    /// Told by an engine.
    #[serde(rename = "Docker")]
    Docker,
}

impl EventTag {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Security => "security",
            Self::Docker => "Docker",
        }
    }
}

/// A container as it was at a moment, without anything that only its owner may see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerThen {
    /// What its engine told; of its labels only ours.
    pub observed: ObservedContainer,
    /// What it was described as, without the values of its environment and without user data; absent for one that is
    /// not ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<ContainerSpec>,
    /// Its app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppName>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Username>,
}

impl ContainerThen {
    /// A container, and the app and member that it stands for if it is ours.
    #[must_use]
    pub fn new(observed: &ObservedContainer, of: Option<(&App, &MemberName)>) -> Self {
        let mut observed = observed.clone();
        observed.labels.retain(|key, _| key.starts_with("pierhead."));
        let spec = of.and_then(|(app, name)| app.members.iter().find(|member| member.name == *name));
        let spec = spec.map(|member| {
            let mut spec = member.spec.clone();
            spec.environment.values_mut().for_each(String::clear);
            spec.user_data.clear();
            spec
        });
        Self { observed, spec, app: of.map(|(app, _)| app.name.clone()), owner: of.map(|(app, _)| app.owner.clone()) }
    }
}

/// An engine as it was at a moment, without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineThen {
    /// Its record, without what is sealed in it.
    pub record: Engine,
    /// What it reported of itself; absent if it was never reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<EngineFacts>,
    /// How it answered.
    pub health: Health,
}

impl EngineThen {
    /// An engine.
    #[must_use]
    pub fn new(record: &Engine, facts: Option<&EngineFacts>, health: &Health) -> Self {
        let record = Engine { sealed_tls: None, sealed_registry_auth: None, agent: None, ..record.clone() };
        Self { record, facts: facts.cloned(), health: health.clone() }
    }
}

//! What a container or network of a workspace must be like for this host to make it. Pure.
//!
//! A controller that was taken over must not get a loosely held container onto a workspace's network, nor a workspace's
//! container anywhere else: whatever bears a workspace's label, or would join its network, is held to this list, and
//! what bears none gets nothing of what only workspaces may have.

use crate::refusal::Refusal;
use hyper::StatusCode;
use serde_json::Value;
use std::collections::BTreeSet;

/// The label of what belongs to a workspace; its value is the workspace's id.
const WORKSPACE: &str = "pierhead.workspace";
/// The label of a slot of an app.
const APP: &str = "pierhead.app-id";
/// How names of their networks begin, before the id.
const NETWORK: &str = "ph-";
/// How the bridges of those without and with a way out begin, before the id.
const CLOSED: &str = "phw-";
const OPEN: &str = "phe-";
/// How many letters an id has.
const ID_LENGTH: usize = 10;
/// The networks of containers that belong to no workspace.
const OTHER_NETWORKS: [&str; 5] = ["", "default", "bridge", "host", "none"];
/// The requests that make something.
pub(crate) const MADE: [&str; 2] = ["/containers/create", "/networks/create"];
/// The requests that let a container run.
pub(crate) const RUN: [&str; 3] = ["/containers/{id}/start", "/containers/{id}/restart", "/containers/{id}/unpause"];
/// The label of a host whose owner lets workspaces be privileged.
pub(crate) const PRIVILEGED_LABEL: &str = "workspaces=privileged";
/// What root may be given in a workspace.
pub(crate) const CAPABILITIES: [&str; 7] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"];
/// The most processes and open files of a container.
const MOST_PROCESSES: i64 = 4096;
const MOST_OPEN_FILES: i64 = 65_536;

/// What this host lets workspaces be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Consent<'a> {
    /// Why the firewall between workspaces is not kept; nothing if it is.
    pub(crate) unguarded: Option<&'a str>,
    /// Whether they may be privileged.
    pub(crate) privileged: bool,
}

/// Refuses a container or a network that this host does not make, by its description, which was checked field by field
/// and written anew.
pub(crate) fn check_new(consent: Consent<'_>, path: &str, json: &[u8]) -> Result<(), Refusal> {
    if !MADE.contains(&path) {
        return Ok(());
    }
    let described: Value = serde_json::from_slice(json).unwrap_or_default();
    let wrong = match (path, workspace(&described)) {
        ("/networks/create", Some(id)) => wrong_network(&described, id),
        ("/networks/create", None) => Some("a network must be a workspace's: it lacks its label"),
        (_, Some(id)) => wrong_container(&described, id, consent.privileged),
        (_, None) => return refuse(wrong_other(&described)),
    };
    refuse(wrong)?;
    consent.unguarded.map_or(Ok(()), |why| Err(not_guarded(why)))
}

/// Whether a container with these labels belongs to a workspace, or says so.
pub(crate) fn is_of_workspace(labels: &Value) -> bool {
    labels.get(WORKSPACE).is_some_and(|id| *id != "")
}

/// The refusal of what nothing would keep apart.
pub(crate) fn not_guarded(why: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "not_guarded", format!("no workspace here: {why}"))
}

/// Refuses to remove a network that is no workspace's, by the path of the request.
pub(crate) fn check_network(rule: &str, target: &str) -> Result<(), Refusal> {
    let name = target.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    if rule == "/networks/{id}" && !name.strip_prefix(NETWORK).is_some_and(is_id) {
        return refuse(Some("only networks of workspaces may be removed, by their names"));
    }
    Ok(())
}

fn refuse(wrong: Option<&str>) -> Result<(), Refusal> {
    wrong.map_or(Ok(()), |wrong| Err(Refusal::not_allowed(wrong)))
}

/// The workspace that something says it belongs to. A label that says nothing covers one of the image.
fn workspace(described: &Value) -> Option<&str> {
    described["Labels"].get(WORKSPACE).filter(|id| **id != "").map(|id| id.as_str().unwrap_or_default())
}

/// Whether it is a workspace's id.
fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte))
}

/// What is wrong with a container that belongs to no workspace.
fn wrong_other(described: &Value) -> Option<&'static str> {
    let host = &described["HostConfig"];
    let joins = host["NetworkMode"].as_str().unwrap_or_default();
    first([
        (
            host["Privileged"] == true,
            "'HostConfig.Privileged' must be false: only containers of workspaces may be privileged",
        ),
        (!is_empty(&host["CapAdd"]), "only containers of workspaces may be given capabilities"),
        (!OTHER_NETWORKS.contains(&joins), "only containers of workspaces may join another network"),
        (!is_empty(&described["NetworkingConfig"]), "only containers of workspaces may join another network"),
    ])
}

/// What is wrong with a container of a workspace.
fn wrong_container(described: &Value, id: &str, may_be_privileged: bool) -> Option<&'static str> {
    let host = &described["HostConfig"];
    let is_privileged = host["Privileged"] == true;
    let network = format!("{NETWORK}{id}");
    let endpoints = described["NetworkingConfig"]["EndpointsConfig"].as_object();
    let log = &host["LogConfig"]["Config"];
    let wrong = first([
        (!is_id(id), "a workspace's id must be 10 lower-case letters and digits from 2 to 7"),
        (is_text(&described["Labels"][APP]), "a workspace's container must be no app's"),
        (host["NetworkMode"] != network.as_str(), "a workspace's container must join its workspace's network"),
        (
            endpoints.is_some_and(|all| all.keys().any(|name| *name != network)),
            "a workspace's container must join no other network",
        ),
        (!within(&host["PidsLimit"], MOST_PROCESSES), "a workspace's container must have a limit of processes"),
        (!within(&host["Memory"], i64::MAX), "a workspace's container must have a limit of memory"),
        (host["MemorySwap"] != host["Memory"], "a workspace's container must have no swap beyond its memory"),
        (!within(&host["NanoCpus"], i64::MAX), "a workspace's container must have a limit of CPU"),
        (!has_ulimit(&host["Ulimits"]), "a workspace's container must have a limit of open files"),
        (host["Init"] != true, "a workspace's container must have an init process"),
        (
            !is_text(&log["max-size"]) || !is_text(&log["max-file"]),
            "a workspace's container must have a log of limited size",
        ),
        (
            !["Binds", "Mounts", "Links", "PortBindings"].iter().all(|field| is_empty(&host[*field])),
            "a workspace's container must have no volumes, links and published ports",
        ),
        (host["PublishAllPorts"] == true, "a workspace's container must have no published ports"),
    ]);
    wrong.or(if is_privileged { wrong_privileges(host, may_be_privileged) } else { wrong_hold(host) })
}

fn wrong_privileges(host: &Value, may_be_privileged: bool) -> Option<&'static str> {
    let contradicts = !is_empty(&host["CapAdd"]) || !is_empty(&host["SecurityOpt"]);
    first([
        (
            !may_be_privileged,
            "workspaces may only be privileged where the agent was started with --label workspaces=privileged",
        ),
        (contradicts, "a privileged container must ask for nothing else"),
    ])
}

/// What is wrong with how a container that is not privileged is held.
fn wrong_hold(host: &Value) -> Option<&'static str> {
    let texts = |field: &Value| -> BTreeSet<String> {
        field.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let added = texts(&host["CapAdd"]);
    first([
        (!texts(&host["CapDrop"]).contains("ALL"), "a workspace's container must drop all capabilities"),
        (
            added.iter().any(|one| !CAPABILITIES.contains(&one.as_str())),
            "a workspace's container may be given no such capability",
        ),
        (
            texts(&host["SecurityOpt"]) != BTreeSet::from(["no-new-privileges".to_owned()]),
            "a workspace's container must gain no new privileges",
        ),
    ])
}

/// What is wrong with a network of a workspace.
fn wrong_network(described: &Value, id: &str) -> Option<&'static str> {
    let options = &described["Options"];
    let bridge = options["com.docker.network.bridge.name"].as_str().unwrap_or_default();
    let closed = bridge == format!("{CLOSED}{id}");
    let hides = options["com.docker.network.bridge.enable_ip_masquerade"] != "false";
    first([
        (!is_id(id), "a workspace's id must be 10 lower-case letters and digits from 2 to 7"),
        (described["Name"] != format!("{NETWORK}{id}").as_str(), "a workspace's network must have its name"),
        (described["Driver"] != "bridge", "a workspace's network must be a bridge"),
        (!closed && bridge != format!("{OPEN}{id}"), "a workspace's network must have its bridge's name"),
        (
            closed && (described["Internal"] != true || hides),
            "a workspace's network with that bridge's name must be internal and not masquerade",
        ),
        (described["EnableIPv6"] == true, "a workspace's network must have addresses of version 4 only"),
        (described["Attachable"] == true || described["Ingress"] == true, "a workspace's network must be its own"),
    ])
}

/// Whether it is a number from 1 to this.
fn within(value: &Value, most: i64) -> bool {
    value.as_i64().is_some_and(|number| (1..=most).contains(&number))
}

fn has_ulimit(limits: &Value) -> bool {
    let is_it = |limit: &Value| limit["Name"] == "nofile" && within(&limit["Hard"], MOST_OPEN_FILES);
    limits.as_array().is_some_and(|all| all.iter().any(is_it))
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

fn first<const N: usize>(rules: [(bool, &'static str); N]) -> Option<&'static str> {
    rules.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, words)| words)
}

#[cfg(test)]
mod tests;

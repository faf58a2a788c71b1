//! A container and a volume of somebody else on a host, which nothing may ever touch.

use pierhead_devhosts::{Host, sample};
use serde_json::{Value, json};

use crate::raw;

pub struct Canary {
    host: Host,
    id: String,
    started_at: String,
}

const VOLUME: &str = "somebody-elses";

impl Canary {
    /// It bears labels that look like ours, but of another cluster.
    pub fn new(host: &Host) -> Self {
        raw::call(host, "POST", "/volumes/create", Some(&json!({ "Name": VOLUME })));
        let wanted = json!({
            "Image": sample::IMAGE,
            "Labels": { "pierhead.app": "theirs", "pierhead.slot": "0" },
            "HostConfig": { "Binds": [format!("{VOLUME}:/data")], "RestartPolicy": { "Name": "always" } },
        });
        let created = raw::call(host, "POST", "/containers/create?name=canary", Some(&wanted));
        let id = created["Id"].as_str().unwrap().to_owned();
        raw::call(host, "POST", &format!("/containers/{id}/start"), None);
        let mut canary = Self { host: host.clone(), id, started_at: String::new() };
        canary.note_start();
        canary
    }

    /// From now on it must run on.
    pub fn note_start(&mut self) {
        self.started_at = self.state()["StartedAt"].as_str().unwrap().to_owned();
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Still the same container, and its volume is there.
    pub fn check(&self) -> Result<(), String> {
        let (status, inspected) =
            raw::ask(self.host.docker_host(), "GET", &format!("/containers/{}/json", self.id), None);
        if status != 200 || inspected["State"]["Running"] != true {
            return Err(format!("the canary on {}: {status} {}", self.host.name(), inspected["State"]));
        }
        let (status, volume) = raw::ask(self.host.docker_host(), "GET", &format!("/volumes/{VOLUME}"), None);
        if status != 200 {
            return Err(format!("the canary's volume on {}: {status} {volume}", self.host.name()));
        }
        Ok(())
    }

    /// And it was never stopped.
    pub fn check_ran_on(&self) -> Result<(), String> {
        self.check()?;
        let started_at = self.state()["StartedAt"].clone();
        if started_at != self.started_at.as_str() {
            return Err(format!("the canary on {} was restarted at {started_at}", self.host.name()));
        }
        Ok(())
    }

    fn state(&self) -> Value {
        raw::inspect(&self.host, &self.id)["State"].clone()
    }
}

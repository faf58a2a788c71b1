//! Where the containers of a workspace are at this moment, for those who may come to it. Asked of every request to one of
//! its ports, so nothing is planned here.

use super::workspaces::right_of;
use super::{Actor, RequestError};
use crate::Controller;
use pierhead_model::{ContainerId, EngineId, MemberName, WorkspaceId, WorkspaceRight};

/// A workspace as its ports are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceSite {
    /// The workspace.
    pub id: WorkspaceId,
    /// What the asker may in it.
    pub right: WorkspaceRight,
    /// Its host; none while nothing of it runs.
    pub engine: Option<EngineId>,
    /// Its containers that are there and not resting, in the order in which its environment names them.
    pub containers: Vec<SiteContainer>,
}

/// A container of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteContainer {
    /// Its name in the environment.
    pub name: MemberName,
    /// Its id.
    pub id: ContainerId,
    /// The ports that its environment declares.
    pub ports: Vec<u16>,
}

impl Controller {
    /// Where a workspace is, if they may come to it.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub fn workspace_site(&self, actor: &Actor, id: &str) -> Result<WorkspaceSite, RequestError> {
        let missing =
            || RequestError::NotFound { what: "workspace", id: id.chars().take(64).collect(), replaced_by: None };
        let id = WorkspaceId::parse(id).map_err(|_| missing())?;
        let known = self.known();
        let found = known.world.workspaces().get(&id);
        let (record, right) = found.and_then(|found| Some((found, right_of(actor, found)?))).ok_or_else(missing)?;
        let assignment = known.world.workspace_assignments().get(&id);
        let awake = assignment.filter(|_| !known.world.is_at_rest(&id));
        let place = awake.and_then(|assignment| assignment.place.as_ref());
        let containers = record.spec.containers.iter().filter_map(|described| {
            let (name, id) = place?.containers.get_key_value(&described.name)?;
            Some(SiteContainer { name: name.clone(), id: id.clone(), ports: described.ports.clone() })
        });
        let (containers, engine) = (containers.collect(), place.map(|place| place.engine.clone()));
        Ok(WorkspaceSite { id, right, engine, containers })
    }
}

impl Controller {
    /// Notes that somebody works in a workspace.
    pub fn note_activity(&self, id: &WorkspaceId) {
        let now = self.clock.now();
        self.shared.change_quietly(|known| known.world.note_activity(id, now));
    }
}

impl WorkspaceSite {
    /// The containers in which a port is looked for: first those that declare it.
    #[must_use]
    pub fn candidates(&self, port: u16) -> Vec<&SiteContainer> {
        let (declare, others): (Vec<_>, Vec<_>) = self.containers.iter().partition(|it| it.ports.contains(&port));
        declare.into_iter().chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_declares_a_port_is_asked_first() {
        let container = |name: &str, ports: &[u16]| SiteContainer {
            name: MemberName::parse(name).unwrap(),
            id: ContainerId::parse(
                name.bytes().next().map_or(String::new(), |first| format!("{first:02x}").repeat(32)),
            )
            .unwrap(),
            ports: ports.to_vec(),
        };
        let site = WorkspaceSite {
            id: WorkspaceId::parse("abcdefgh23").unwrap(),
            right: WorkspaceRight::Viewer,
            engine: None,
            containers: vec![container("app", &[]), container("db", &[3306]), container("web", &[80, 443])],
        };
        let order = |port| site.candidates(port).iter().map(|it| it.name.to_string()).collect::<Vec<_>>();
        assert_eq!(order(443), ["web", "app", "db"]);
        assert_eq!(order(3306), ["db", "app", "web"]);
        assert_eq!(order(8000), ["app", "db", "web"]);
    }
}

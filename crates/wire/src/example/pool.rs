//! Examples of engines, the pool and its events.

use super::{Example, MOMENT, health};
use crate::{
    AgentView, ClusterInfo, ContainerView, ControllerView, EngineOfContainer, EngineRequest, EngineThenView,
    EngineView, EventView, Health, HomelessView, HostView, JoinTokenCreated, JoinTokenRequest, MoveView,
    RebalanceRequest, RebalanceView, ScoreView, SilentEngine, SurvivalView,
};

fn labels() -> Vec<String> {
    vec!["ssd".to_owned(), "rack:2".to_owned()]
}

pub(super) fn engine_of_container() -> EngineOfContainer {
    EngineOfContainer {
        id: "10005".to_owned(),
        addr: "http://10.0.0.5:2375".to_owned(),
        cpus: 8.0,
        memory: 32_000.0,
        labels: labels(),
    }
}

impl Example for EngineRequest {
    fn example() -> Self {
        Self { addr: Some("http://10.0.0.5:2375".to_owned()), labels: Some(labels()), ..Self::default() }
    }
}

impl Example for EngineView {
    fn example() -> Self {
        let EngineOfContainer { id, addr, cpus, memory, labels } = engine_of_container();
        Self {
            id,
            addr,
            cpus,
            memory,
            labels,
            health: health(),
            duty: "in_service".to_owned(),
            docker_version: "20.10.24".to_owned(),
            reserved_cpus: 1.5,
            reserved_memory: 2048.0,
            container_count: 6,
            image_count: 4,
            api_version: "1.41".to_owned(),
            operating_system: "Debian GNU/Linux 12".to_owned(),
            kernel: "6.1.0".to_owned(),
            storage_driver: "overlay2".to_owned(),
            lacks: Vec::new(),
            agent: Some(agent()),
        }
    }
}

fn agent() -> AgentView {
    let host = HostView {
        agent_version: "0.1.0".to_owned(),
        cpus: 8,
        memory: 32_000,
        addresses: vec!["10.0.0.5".to_owned()],
        kernel: "6.1.0".to_owned(),
        docker_version: "20.10.24".to_owned(),
        api_version: "1.41".to_owned(),
        runtime: "runc 1.2.8".to_owned(),
        storage_driver: "overlay2".to_owned(),
        cgroup_version: "2".to_owned(),
        lacks: vec!["Live restore is off: a restart of the engine stops every container on it.".to_owned()],
    };
    AgentView {
        waits_for_approval: false,
        fingerprints: vec!["714e01115f7642a9d2d9a9a8f0a4a3a1b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1".to_owned()],
        expires_at: Some(MOMENT.to_owned()),
        host: Some(host),
    }
}

impl Example for JoinTokenRequest {
    fn example() -> Self {
        Self { expires_in: Some("1h".to_owned()), approved: Some(true) }
    }
}

impl Example for JoinTokenCreated {
    fn example() -> Self {
        Self {
            token: "pj1-MTAuMC4wLjE6NzQ0MyB4IHk".to_owned(),
            address: "10.0.0.1:7443".to_owned(),
            ca_fingerprint: "714e01115f7642a9d2d9a9a8f0a4a3a1b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1".to_owned(),
            expires_at: MOMENT.to_owned(),
        }
    }
}

impl Example for EngineThenView {
    fn example() -> Self {
        let EngineOfContainer { id, addr, cpus, memory, labels } = engine_of_container();
        Self {
            id,
            addr,
            cpus,
            memory,
            labels,
            health: health(),
            docker_version: "20.10.24".to_owned(),
            api_version: "1.41".to_owned(),
            operating_system: "Debian GNU/Linux 12".to_owned(),
            kernel: "6.1.0".to_owned(),
            storage_driver: "overlay2".to_owned(),
        }
    }
}

impl Example for Health {
    fn example() -> Self {
        Self { status: "ok".to_owned() }
    }
}

impl Example for ClusterInfo {
    fn example() -> Self {
        Self {
            cpus: 24.0,
            memory: 96_000.0,
            reserved_cpus: 4.5,
            reserved_memory: 6144.0,
            used_cpus: 1.2,
            used_memory: 3210.5,
            container_count: 18,
            image_count: 12,
            engine_count: 3,
            silent_engines: vec![SilentEngine { id: "10007".to_owned(), reason: "it does not answer".to_owned() }],
            frozen: None,
            restored: None,
            id: "b1946ac9".to_owned(),
            version: "0.1.0".to_owned(),
        }
    }
}

impl Example for ControllerView {
    fn example() -> Self {
        Self {
            id: "019abc0000000000000001".to_owned(),
            url: "https://10.0.0.1:8080".to_owned(),
            leader: true,
            since: MOMENT.to_owned(),
            lag: Some(3),
            stale: None,
        }
    }
}

impl Example for SurvivalView {
    fn example() -> Self {
        let homeless =
            HomelessView { app: "web".to_owned(), slot: 2, reason: "no host has 512 MB of memory left".to_owned() };
        let moves = vec![one_move()];
        Self { engine: "10005".to_owned(), survives: false, slots: 6, moves, homeless: vec![homeless] }
    }
}

fn one_move() -> MoveView {
    MoveView { app: "web".to_owned(), slot: 1, from: "10005".to_owned(), to: "10006".to_owned() }
}

impl Example for RebalanceView {
    fn example() -> Self {
        let score = ScoreView { id: "10005".to_owned(), before: 20.0, after: 55.0 };
        Self { moves: vec![one_move()], engines: vec![score], least_gain: 0.5, left_out_gain: None }
    }
}

impl Example for RebalanceRequest {
    fn example() -> Self {
        Self { moves: vec![one_move()] }
    }
}

impl Example for EventView {
    fn example() -> Self {
        Self {
            id: "0000000000000a1f".to_owned(),
            kind: "run-container".to_owned(),
            time: MOMENT.to_owned(),
            message: "id=714e01115f76".to_owned(),
            tags: vec!["cluster".to_owned()],
            container: Some(ContainerView::example_json()),
            engine: Some(EngineThenView::example_json()),
            app: Some("web".to_owned()),
            actor: Some("clare".to_owned()),
        }
    }
}

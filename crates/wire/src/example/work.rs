//! Examples of containers, apps, operations and explanations.

use super::pool::engine_of_container;
use super::{CONTAINER, Example, MOMENT, port};
use crate::{
    AppChange, AppView, ContainerView, ExplainRequest, ExplainView, HostExplanation, ImageDescription, OperationView,
    PortDescription, PortNumber, RestartDescription, SlotExplanation, SlotView,
};
use pierhead_model::{ContainerId, EngineId, Slot, Verdict, VerdictState};

impl Example for ImageDescription {
    fn example() -> Self {
        let wanted = PortDescription {
            host_ip: String::new(),
            port: None,
            container_port: Some(PortNumber::Number(80)),
            ..port()
        };
        Self {
            name: "httpd:2.4".to_owned(),
            cpus: Some(0.5),
            memory: Some(256.0),
            environment: [("GREETING".to_owned(), "hello".to_owned())].into(),
            kind: Some("service".to_owned()),
            labels: vec!["ssd".to_owned()],
            bind_ports: vec![wanted],
            volumes: vec!["web-data:/var/lib/web".to_owned()],
            restart_policy: Some(RestartDescription { name: "always".to_owned(), maximum_retry_count: None }),
            ..Self::default()
        }
    }
}

impl Example for ContainerView {
    fn example() -> Self {
        Self {
            id: CONTAINER.to_owned(),
            name: "/web.0.1".to_owned(),
            image: ImageDescription::example(),
            engine: engine_of_container(),
            state: "running".to_owned(),
            status: "running".to_owned(),
            ports: vec![port()],
            app: Some("web".to_owned()),
            slot: Some(0),
            generation: Some(1),
            owner: Some("clare".to_owned()),
            exit_code: None,
            created_at: MOMENT.to_owned(),
        }
    }
}

impl Example for AppChange {
    fn example() -> Self {
        Self { image: ImageDescription::example(), replicas: Some(3) }
    }
}

impl Example for AppView {
    fn example() -> Self {
        let slot = SlotView {
            slot: 0,
            wish: "running".to_owned(),
            state: "running".to_owned(),
            container: Some(CONTAINER.to_owned()),
            engine: Some("10005".to_owned()),
            exit_code: None,
            version: Some(1),
            generation: Some(1),
            ports: vec![port()],
            message: String::new(),
        };
        Self {
            id: "5c1f3a77".to_owned(),
            name: "web".to_owned(),
            owner: "clare".to_owned(),
            image: ImageDescription::example(),
            replicas: 1,
            running: 1,
            done: 0,
            failed: 0,
            version: 1,
            message: String::new(),
            created_at: MOMENT.to_owned(),
            slots: vec![slot],
        }
    }
}

impl Example for OperationView {
    fn example() -> Self {
        let verdict = Verdict {
            slot: Slot(0),
            app: None,
            state: VerdictState::Done,
            container: ContainerId::parse(CONTAINER).ok(),
            engine: EngineId::parse("10005").ok(),
            message: String::new(),
        };
        Self {
            id: "01f0c5d2e7".to_owned(),
            title: "run 1 of httpd:2.4".to_owned(),
            state: "running".to_owned(),
            verdicts: vec![verdict],
            error: None,
            actor: "clare".to_owned(),
            app: "web".to_owned(),
            created_at: MOMENT.to_owned(),
            deadline: "2026-11-21T22:20:06.120Z".to_owned(),
            ended_at: None,
        }
    }
}

impl Example for ExplainRequest {
    fn example() -> Self {
        Self { image: ImageDescription::example(), count: Some(3) }
    }
}

impl Example for ExplainView {
    fn example() -> Self {
        let slot = SlotExplanation {
            slot: 0,
            engine: Some("10005".to_owned()),
            state: "running".to_owned(),
            message: String::new(),
        };
        let host = HostExplanation {
            engine: "10005".to_owned(),
            fits: true,
            chosen: true,
            filter: None,
            reason: None,
            score: Some(71.5),
            cpu_part: Some(40.0),
            memory_part: Some(31.5),
        };
        Self {
            subject: "app web".to_owned(),
            summary: "1 of 1 slots run; one more would go to host 10005".to_owned(),
            hosts: vec![host],
            slots: vec![slot],
        }
    }
}

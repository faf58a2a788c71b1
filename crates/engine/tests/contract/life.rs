//! The life of a container: created, started, stopped, removed, and what comes in between.

use crate::Case;
use crate::bed::{Bed, SAMPLE, port, silent, unknown};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pierhead_engine::{CreateRequest, EngineError};
use pierhead_model::{ContainerState, FailureKind, ImageReference, Resources};

pub const CASES: &[Case] = &[
    ("a life from create to remove", whole_life),
    ("everything twice", twice),
    ("a container that is not there", not_there),
    ("what no engine takes", refused),
    ("a name is taken once", name_collision),
    ("a port is taken once", port_collision),
    ("an image that is nowhere", no_image),
    ("a program that is not there", broken),
    ("an exit is seen with its code", exit),
    ("an engine that restarts by itself", restarts),
    ("a restart keeps the container", restart),
    ("one that is frozen goes on where it was", pause),
    ("ports that the engine chooses", publish_all),
    ("a running container is removed", remove_running),
];

fn whole_life(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let mut request = bed.running();
        request.ports = vec![port(18_080)];
        let id = bed.engine.create(&request).await.unwrap();
        assert_eq!(id.as_str().len(), 64);
        let created = bed.listed(&id).await.unwrap();
        assert_eq!((created.state, created.exit_code), (ContainerState::Created, None));
        assert_eq!((created.name.as_str(), created.image.as_str()), (request.name.as_str(), SAMPLE));
        assert_eq!(created.labels, request.labels);
        assert!(created.ports.is_empty(), "not bound yet");
        assert_eq!(created.limits, Resources::default(), "ours: not looked up");

        bed.engine.start(&id).await.unwrap();
        let running = bed.listed(&id).await.unwrap();
        assert_eq!((running.state, running.exit_code), (ContainerState::Running, None));
        assert_eq!(running.ports, [port(18_080)]);
        assert_eq!(created.started_at, None);
        assert!(running.started_at.is_some(), "a list tells when a young one was started");
        assert_eq!(bed.inspected(&id).await, running, "both ways of looking agree");

        bed.engine.stop(&id, 1).await.unwrap();
        let stopped = bed.listed(&id).await.unwrap();
        assert_eq!(stopped.state, ContainerState::Exited);
        assert!(stopped.exit_code.is_some());
        assert!(stopped.ports.is_empty(), "let go");
        assert_eq!(bed.inspected(&id).await, stopped);

        bed.engine.start(&id).await.unwrap();
        let again = bed.listed(&id).await.unwrap();
        assert_eq!(again.ports, [port(18_080)], "the same port again");
        assert!(again.started_at > running.started_at, "another life");
        bed.engine.stop(&id, 1).await.unwrap();
        bed.engine.remove(&id).await.unwrap();
        assert_eq!(bed.listed(&id).await, None);
    }
    .boxed()
}

fn twice(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.engine.create(&bed.running()).await.unwrap();
        bed.engine.stop(&id, 1).await.unwrap();
        for _ in 0..2 {
            bed.engine.start(&id).await.unwrap();
        }
        for _ in 0..2 {
            bed.engine.stop(&id, 1).await.unwrap();
        }
        for _ in 0..2 {
            bed.engine.remove(&id).await.unwrap();
        }
    }
    .boxed()
}

fn not_there(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = unknown();
        assert!(matches!(bed.engine.container(&id).await, Err(EngineError::NotFound)));
        assert!(matches!(bed.engine.start(&id).await, Err(EngineError::NotFound)));
        assert!(matches!(bed.engine.stop(&id, 1).await, Err(EngineError::NotFound)));
        assert!(matches!(bed.engine.restart(&id, 1).await, Err(EngineError::NotFound)));
        assert!(matches!(bed.engine.usage(&id).await, Err(EngineError::NotFound)));
        assert!(matches!(bed.engine.logs(&id, Default::default()).await.map(drop), Err(EngineError::NotFound)));
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn refused(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let broken: [fn(&mut CreateRequest); 5] = [
            |request| request.name = "no such name".to_owned(),
            |request| request.name = "-x".to_owned(),
            |request| request.spec.limits.reserved.memory_mb = 1,
            |request| request.spec.limits.cpu_limit_millis = 0,
            |request| request.pids_limit = 0,
        ];
        for (index, break_it) in broken.into_iter().enumerate() {
            let mut request = bed.running();
            break_it(&mut request);
            let error = bed.engine.create(&request).await.unwrap_err();
            assert_eq!(error.failure().kind, FailureKind::Refused, "case {index}: {error}");
        }
        // A host that lacks something is not to blame on the request: another one may have it.
        let mut request = bed.running();
        request.spec.links.insert("nobody".to_owned(), "x".to_owned());
        let error = bed.engine.create(&request).await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::Other, "{error}");
    }
    .boxed()
}

fn name_collision(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let request = bed.running();
        let id = bed.engine.create(&request).await.unwrap();
        let error = bed.engine.create(&request).await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::NameTaken, "{error}");
        bed.engine.remove(&id).await.unwrap();
        let again = bed.engine.create(&request).await.unwrap();
        assert_ne!(id, again);
        bed.engine.remove(&again).await.unwrap();
    }
    .boxed()
}

fn port_collision(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let (mut first, mut second) = (bed.running(), bed.running());
        first.ports = vec![port(18_081)];
        second.ports = vec![port(18_081)];
        let first = bed.engine.create(&first).await.unwrap();
        let second = bed.engine.create(&second).await.unwrap();
        bed.engine.start(&first).await.unwrap();
        let error = bed.engine.start(&second).await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::PortTaken, "{error}");
        let failed = bed.listed(&second).await.unwrap();
        assert_eq!((failed.state, failed.exit_code), (ContainerState::Created, None));
        bed.engine.stop(&first, 1).await.unwrap();
        bed.engine.start(&second).await.unwrap();
        bed.engine.remove(&first).await.unwrap();
        bed.engine.remove(&second).await.unwrap();
    }
    .boxed()
}

fn no_image(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        // A registry that nobody runs, so that no name server is asked.
        let image = ImageReference::parse("127.0.0.1:1/nobody/nothing:1").unwrap();
        let mut request = bed.running();
        request.spec.image = image.clone();
        let error = bed.engine.create(&request).await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::NoImage, "{error}");
        assert_eq!(bed.engine.image(&image).await.unwrap(), None);
        let (one, other) =
            tokio::join!(bed.engine.pull(&image, None, silent()), bed.engine.pull(&image, None, silent()));
        for error in [one.unwrap_err(), other.unwrap_err()] {
            assert_eq!(error.failure().kind, FailureKind::NoImage, "{error}");
        }
        let sample = ImageReference::parse(SAMPLE).unwrap();
        assert!(bed.engine.image(&sample).await.unwrap().unwrap().starts_with("sha256:"));
    }
    .boxed()
}

fn broken(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.engine.create(&bed.broken()).await.unwrap();
        let error = bed.engine.start(&id).await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::NotStarted, "{error}");
        let container = bed.listed(&id).await.unwrap();
        assert_eq!((container.state, container.exit_code), (ContainerState::Created, None));
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn exit(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.engine.create(&bed.exiting()).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        let exited = bed.until(&id, |container| container.state == ContainerState::Exited).await;
        assert_eq!((exited.exit_code, exited.restart_count), (Some(7), 0));
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn restarts(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let mut request = bed.exiting();
        request.engine_restarts = true;
        let id = bed.engine.create(&request).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        let waiting = |c: &pierhead_model::ObservedContainer| c.state == ContainerState::Restarting;
        let container = bed.until(&id, waiting).await;
        assert!(container.restart_count >= 1, "{container:?}");
        assert_eq!(container.exit_code, Some(7));
        bed.engine.stop(&id, 1).await.unwrap();
        let stopped = bed.listed(&id).await.unwrap();
        assert_eq!(stopped.state, ContainerState::Exited, "a stop is obeyed");
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn restart(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let mut request = bed.running();
        request.ports = vec![port(18_082)];
        let id = bed.engine.create(&request).await.unwrap();
        for _ in 0..2 {
            bed.engine.restart(&id, 1).await.unwrap();
            let container = bed.listed(&id).await.unwrap();
            assert_eq!(container.state, ContainerState::Running);
            assert_eq!(container.ports, [port(18_082)]);
        }
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn pause(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.engine.create(&bed.running()).await.unwrap();
        assert!(bed.engine.pause(&id).await.is_err(), "it does not run yet");
        bed.engine.start(&id).await.unwrap();
        let started_at = bed.inspected(&id).await.started_at;
        for _ in 0..2 {
            bed.engine.pause(&id).await.unwrap();
            let paused = bed.listed(&id).await.unwrap();
            assert_eq!(paused.state, ContainerState::Paused);
            assert_eq!(bed.inspected(&id).await.state, ContainerState::Paused);
        }
        for _ in 0..2 {
            bed.engine.unpause(&id).await.unwrap();
            let container = bed.inspected(&id).await;
            assert_eq!((container.state, container.started_at), (ContainerState::Running, started_at), "the same life");
        }
        bed.engine.pause(&id).await.unwrap();
        bed.engine.stop(&id, 1).await.unwrap();
        assert_eq!(bed.inspected(&id).await.state, ContainerState::Exited, "a frozen one can be stopped");
        bed.engine.start(&id).await.unwrap();
        bed.engine.pause(&id).await.unwrap();
        bed.engine.remove(&id).await.unwrap();
        assert_eq!(bed.listed(&id).await, None, "a frozen one can be removed");
        assert!(matches!(bed.engine.pause(&id).await, Err(EngineError::NotFound)));
        assert!(matches!(bed.engine.unpause(&id).await, Err(EngineError::NotFound)));
    }
    .boxed()
}

fn publish_all(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let mut request = bed.running();
        request.spec.publish_all = true;
        let id = bed.engine.create(&request).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        let container = bed.listed(&id).await.unwrap();
        let every: Vec<_> = container.ports.iter().filter(|port| port.host_ip.is_none()).collect();
        assert_eq!(every.len(), 1, "{container:?}");
        assert!(every[0].container_port == 80 && every[0].host_port > 1024, "{container:?}");
        assert_eq!(bed.engine.container(&id).await.unwrap().ports, container.ports);
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn remove_running(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.engine.create(&bed.running()).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        // Two at once: one of them meets the other's removal.
        let (one, other) = tokio::join!(bed.engine.remove(&id), bed.engine.remove(&id));
        one.unwrap();
        other.unwrap();
        assert_eq!(bed.listed(&id).await, None);
    }
    .boxed()
}

//! Networks of workspaces, and the containers in them.

use crate::Case;
use crate::bed::{Bed, unknown};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pierhead_devhosts::http::Body;
use pierhead_engine::{CreateRequest, EngineError, ExecRequest, NetworkRequest, WorkspacePart};
use pierhead_model::{Asks, ContainerId, FailureKind, Ownership, Subnet, WorkspaceId};
use std::collections::BTreeMap;
use tokio::io::AsyncReadExt;

pub const CASES: &[Case] = &[
    ("a network from create to remove", whole_life),
    ("a network's name and addresses are taken once", collisions),
    ("a network that is in use, and one that is not there", in_use),
];

/// What only a real engine can show.
pub const REAL: &[Case] =
    &[("a workspace's containers find one another and nobody else", apart), ("a workspace's container is held", held)];

fn network(id: &str, subnet: &str, asks: &Asks) -> NetworkRequest {
    let labels = BTreeMap::from([(Ownership::CLUSTER.to_owned(), "contract".to_owned())]);
    NetworkRequest::of_workspace(&WorkspaceId::parse(id).unwrap(), Subnet::parse(subnet).unwrap(), labels, asks)
}

fn within(bed: &Bed, network: &NetworkRequest, alias: &str, asks: &Asks) -> CreateRequest {
    CreateRequest { workspace: Some(WorkspacePart::new(&network.name, alias, asks)), ..bed.running() }
}

fn whole_life(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        for (id, subnet, egress) in [("abcdefgh22", "10.213.0.0/28", false), ("abcdefgh23", "10.213.0.16/28", true)] {
            let request = network(id, subnet, &Asks { egress, ..Asks::default() });
            bed.engine.create_network(&request).await.unwrap();
            let listed = bed.engine.networks().await.unwrap();
            assert_eq!(listed.len(), 1, "{listed:?}");
            assert_eq!((&listed[0].name, listed[0].subnet), (&request.name, Some(request.subnet)));
            assert_eq!(listed[0].labels, request.labels);
            assert!(listed[0].created_at.0 > 0, "{listed:?}");
            for _ in 0..2 {
                bed.engine.remove_network(&request.name).await.unwrap();
            }
            assert!(bed.engine.networks().await.unwrap().is_empty());
        }
    }
    .boxed()
}

fn collisions(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let asks = Asks::default();
        let first = network("abcdefgh24", "10.213.0.0/28", &asks);
        bed.engine.create_network(&first).await.unwrap();
        let elsewhere = network("abcdefgh24", "10.213.1.0/28", &asks);
        for again in [&first, &elsewhere] {
            let error = bed.engine.create_network(again).await.unwrap_err();
            assert_eq!(error.failure().kind, FailureKind::NameTaken, "{error}");
        }
        let beside = network("abcdefgh25", "10.213.0.0/27", &asks);
        let error = bed.engine.create_network(&beside).await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::SubnetTaken, "{error}");
        assert_eq!(bed.engine.networks().await.unwrap().len(), 1);
        // Two at once: one of them is made. An engine may have its addresses before it has its name.
        let other = network("abcdefgh26", "10.213.2.0/28", &asks);
        let (one, two) = tokio::join!(bed.engine.create_network(&other), bed.engine.create_network(&other));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        let kind = one.and(two).unwrap_err().failure().kind;
        assert!(matches!(kind, FailureKind::NameTaken | FailureKind::SubnetTaken), "{kind:?}");
        for network in [first, other] {
            bed.engine.remove_network(&network.name).await.unwrap();
        }
    }
    .boxed()
}

fn in_use(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let asks = Asks::default();
        let network = network("abcdefgh27", "10.213.0.0/28", &asks);
        bed.engine.create_network(&network).await.unwrap();
        let id = bed.engine.create(&within(bed, &network, "main", &asks)).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        let error = bed.engine.remove_network(&network.name).await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::Other, "{error}");
        bed.engine.stop(&id, 0).await.unwrap();
        bed.engine.remove_network(&network.name).await.unwrap();
        let error = bed.engine.start(&id).await.unwrap_err();
        assert_eq!(error.failure().kind, FailureKind::Other, "the network has gone: {error}");
        assert!(!matches!(error, EngineError::NotFound), "the container has not");
        bed.engine.remove(&id).await.unwrap();
        bed.engine.remove_network("ph-nobodys").await.unwrap();
        bed.engine.remove(&unknown()).await.unwrap();
    }
    .boxed()
}

/// What a shell in a container says.
async fn said(bed: &Bed, id: &ContainerId, script: &str) -> String {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let request = ExecRequest { command, ..ExecRequest::default() };
    let exec = bed.engine.create_exec(id, &request).await.unwrap();
    let mut bytes = Vec::new();
    bed.engine.start_exec(&exec, false).await.unwrap().read_to_end(&mut bytes).await.unwrap();
    // Each piece comes behind a header of 8 bytes, none of which is a letter or a digit.
    String::from_utf8_lossy(&bytes).replace(|c: char| c.is_control() && c != '\n', " ")
}

fn apart(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let asks = Asks::default();
        let (one, other) =
            (network("abcdefgh2a", "10.213.0.0/28", &asks), network("abcdefgh2b", "10.213.0.16/28", &asks));
        let mut all = Vec::new();
        for (network, alias) in [(&one, "main"), (&one, "db"), (&other, "main")] {
            if alias == "main" {
                bed.engine.create_network(network).await.unwrap();
            }
            let id = bed.engine.create(&within(bed, network, alias, &asks)).await.unwrap();
            bed.engine.start(&id).await.unwrap();
            all.push(id);
        }
        let page = |address: &str| format!("nc -w 5 {address} 80 </dev/null && echo came || echo lost");
        for address in ["10.213.0.3", "10.213.0.2"] {
            // A server that was just started does not listen yet.
            while !said(bed, &all[0], &page(address)).await.contains("came") {}
        }
        let told = said(bed, &all[0], &page("10.213.0.18")).await;
        assert!(told.contains("lost"), "{told}");
        let raw = bed.raw("GET", &format!("/containers/{}/json", all[1]), Body::Empty);
        let endpoint = &raw["NetworkSettings"]["Networks"]["ph-abcdefgh2a"];
        assert!(endpoint["Aliases"].as_array().unwrap().iter().any(|alias| alias == "db"), "{endpoint}");
        let resolver = said(bed, &all[0], "cat /etc/resolv.conf").await;
        assert!(resolver.contains("nameserver 127.0.0.11"), "{resolver}");
        for id in &all {
            bed.engine.remove(id).await.unwrap();
        }
        for network in [one, other] {
            bed.engine.remove_network(&network.name).await.unwrap();
        }
    }
    .boxed()
}

fn held(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let capabilities = async |asks: Asks| {
            let network = network("abcdefgh2c", "10.213.0.0/28", &asks);
            bed.engine.create_network(&network).await.unwrap();
            let id = bed.engine.create(&within(bed, &network, "main", &asks)).await.unwrap();
            bed.engine.start(&id).await.unwrap();
            let told = said(bed, &id, "grep -E 'CapBnd|NoNewPrivs|Seccomp:' /proc/self/status; ulimit -n").await;
            bed.engine.remove(&id).await.unwrap();
            bed.engine.remove_network(&network.name).await.unwrap();
            told.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        let told = capabilities(Asks::default()).await;
        assert!(told.contains("CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 4096"), "{told}");
        // Bits 0, 1, 3, 4, 5, 6, 7: those that installing packages takes.
        let told = capabilities(Asks { root: true, ..Asks::default() }).await;
        assert!(told.contains("CapBnd: 00000000000000fb NoNewPrivs: 1 Seccomp: 2 4096"), "{told}");
    }
    .boxed()
}

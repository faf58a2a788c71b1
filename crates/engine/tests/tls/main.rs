//! A real engine with `--tlsverify`: both sides prove who they are, and whoever cannot is told why.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod certificates;

#[cfg(test)]
mod tests {
    use crate::bed::{Bed, PATIENCE};
    use crate::certificates::{Authority, Signed};
    use futures_util::StreamExt;
    use pierhead_devhosts::sample;
    use pierhead_engine::{
        Archive, CreateRequest, Deadlines, Docker, DockerOptions, Engine, EngineError, LogOptions, Tls,
    };
    use pierhead_model::{
        ContainerId, ContainerSpec, ImageReference, Limits, NetworkMode, Ownership, Resources, RestartPolicy,
    };
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn client(addr: &str, tls: Option<Tls>) -> Docker {
        Docker::connect(addr, DockerOptions { deadlines: Deadlines::uniform(PATIENCE), tls }).unwrap()
    }

    /// Asserts that every kind of call ends well within its deadline and says what is wrong.
    async fn refused(case: &str, addr: &str, tls: Option<&Tls>, words: &str) {
        let id = ContainerId::parse("ab12").unwrap();
        let docker = client(addr, tls.cloned());
        let begun = Instant::now();
        let errors = [
            docker.ping().await.unwrap_err(),
            docker.facts().await.unwrap_err(),
            docker.logs(&id, LogOptions::default()).await.map(drop).unwrap_err(),
            docker.events(None).await.map(drop).unwrap_err(),
            docker.load(&Archive::new("x").bytes(vec![b'x'; 1 << 20]), Arc::new(|_| {})).await.unwrap_err(),
        ];
        assert!(begun.elapsed() < PATIENCE, "{case}");
        for error in errors {
            assert!(matches!(&error, EngineError::Unreachable(text) if text.contains(words)), "{case}: {error}");
            let printed = format!("{error} {error:?} {:?} {docker:?} {tls:?}", error.failure());
            let key = tls.map_or("no key", |tls| tls.key_pem.lines().nth(1).unwrap());
            assert!(!printed.contains(key), "{case}: {printed}");
        }
    }

    fn printing() -> CreateRequest {
        CreateRequest {
            name: "tls.0.1".to_owned(),
            spec: ContainerSpec {
                entrypoint: ["/bin/sh", "-c", "echo one; exec sleep 1000"].map(str::to_owned).to_vec(),
                restart: RestartPolicy::No,
                network: NetworkMode::None,
                ..ContainerSpec::new(
                    ImageReference::parse(sample::IMAGE).unwrap(),
                    Limits { reserved: Resources::new(100, 32), cpu_limit_millis: 500 },
                )
            },
            ports: vec![],
            labels: BTreeMap::from([(Ownership::CLUSTER.to_owned(), "tls".to_owned())]),
            pids_limit: 64,
            engine_restarts: false,
            workspace: None,
        }
    }

    /// Short answers, a large upload, and streams that stay open.
    async fn everything_works(docker: &Docker) {
        docker.ping().await.unwrap();
        assert!(docker.facts().await.unwrap().api_version.starts_with("1."));
        let archive = Archive::new("sample").bytes(sample::image_archive().unwrap());
        docker.load(&archive, Arc::new(|_| {})).await.unwrap();
        let mut events = docker.events(None).await.unwrap();
        let id = docker.create(&printing()).await.unwrap();
        docker.start(&id).await.unwrap();
        let mut log = docker.logs(&id, LogOptions { follow: true, ..LogOptions::default() }).await.unwrap();
        assert_eq!(log.next().await.unwrap().unwrap().bytes, b"one\n");
        assert_eq!(docker.containers().await.unwrap().len(), 1);
        docker.remove(&id).await.unwrap();
        assert!(log.next().await.is_none(), "the log ends with its container");
        let mut seen = vec![];
        while !seen.iter().any(|status| status == "destroy") {
            let event = events.next().await.expect("the stream stays open").unwrap();
            seen.push(event.status);
        }
        assert!(seen.iter().any(|status| status == "start"), "{seen:?}");
    }

    #[tokio::test]
    async fn only_those_who_can_prove_themselves_are_believed() {
        let bed = Bed::up();
        let address = bed.host.address().to_string();
        let (ours, foreign, namesake) = (Authority::new("ours"), Authority::new("foreign"), Authority::new("ours"));
        let good = ours.trusted_by(&ours.client());
        let https = format!("https://{}", bed.authority());

        {
            let _engine = bed.engine(&ours.pem, &ours.server(&[&address, "engine.lan"]));
            let docker = client(&https, Some(good.clone()));
            tokio::time::timeout(PATIENCE, everything_works(&docker)).await.expect("in time");
            let wrong_ca = foreign.trusted_by(&ours.client());
            refused("a wrong CA", &https, Some(&wrong_ca), "not signed by the given CA").await;
            let same_name = namesake.trusted_by(&ours.client());
            refused("a wrong CA of the same name", &https, Some(&same_name), "not signed by the given CA").await;
            let same_name = ours.trusted_by(&namesake.client());
            refused("a client of a CA of the same name", &https, Some(&same_name), "it refuses our certificate").await;
            let unknown = ours.trusted_by(&foreign.client());
            // Whether its refusal is there before or after our request is a matter of luck.
            for _ in 0..20 {
                refused("a foreign client", &https, Some(&unknown), "it refuses our certificate").await;
            }
            let expired = ours.trusted_by(&ours.expired_client());
            refused("an expired client", &https, Some(&expired), "it refuses our certificate").await;
            let plain = format!("http://{}", bed.authority());
            refused("no TLS to a port with it", &plain, None, "it speaks TLS only").await;
            let other_port = format!("https://{address}:2375");
            refused("TLS to a port without it", &other_port, Some(&good), "it answers without TLS").await;
            docker.ping().await.expect("the good one still gets in");
        }
        for (case, server, words) in [
            ("an expired server", ours.expired_server(&[&address]), "expired on 2020-01-01"),
            (
                "a server of another name",
                ours.server(&["other.lan", "10.255.255.1"]),
                "' but for other.lan, 10.255.255.1",
            ),
            ("a server without names", ours.server(&[]), "names no host"),
            ("a server with a certificate for clients", ours.client(), "not one for servers"),
        ] {
            let _engine = bed.engine(&ours.pem, &server);
            refused(case, &https, Some(&good), words).await;
        }
    }

    #[tokio::test]
    async fn an_engine_that_never_shakes_hands_is_given_up() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = format!("https://{}", silent.local_addr().unwrap());
        let ours = Authority::new("ours");
        let deadlines = Deadlines::uniform(Duration::from_millis(200));
        let tls = Some(ours.trusted_by(&ours.client()));
        let docker = Docker::connect(&addr, DockerOptions { deadlines, tls }).unwrap();
        let begun = Instant::now();
        assert!(matches!(docker.ping().await, Err(EngineError::TimedOut { milliseconds: 200, .. })));
        assert!(begun.elapsed() < PATIENCE);
    }

    #[test]
    fn certificates_that_cannot_be_used_are_no_way_to_an_engine() {
        let ours = Authority::new("ours");
        let Signed { pem, .. } = ours.client();
        let tls = Some(Tls { ca_pem: ours.pem.clone(), certificate_pem: pem, key_pem: ours.client().key });
        let options = DockerOptions { tls, ..DockerOptions::default() };
        let error = Docker::connect("https://h", options).unwrap_err();
        assert!(matches!(&error, EngineError::Refused(text) if text.starts_with("ssl_key must belong")), "{error}");
    }
}
